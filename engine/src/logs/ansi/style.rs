//! The colours and the weight of text: what SGR sequences say, and the CSS classes for it.

use anstyle_parse::Params;
use std::fmt::Write;

/// How text looks from here on; carried from line to line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Style {
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    struck: bool,
    reverse: bool,
    foreground: Option<u8>,
    background: Option<u8>,
}

impl Style {
    /// Takes the parameters of one sequence.
    pub(super) fn apply(&mut self, params: &Params) {
        let mut params = params.iter();
        while let Some(param) = params.next() {
            match param.first().copied().unwrap_or(0) {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                // `4:0` is one way to end it.
                4 => self.underline = param.get(1) != Some(&0),
                7 => self.reverse = true,
                9 => self.struck = true,
                21 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                27 => self.reverse = false,
                29 => self.struck = false,
                n @ 30..=37 => self.foreground = Some((n - 30) as u8),
                38 => self.foreground = extended(param, &mut params).or(self.foreground),
                39 => self.foreground = None,
                n @ 40..=47 => self.background = Some((n - 40) as u8),
                48 => self.background = extended(param, &mut params).or(self.background),
                49 => self.background = None,
                // The colour of an underline, which has no class; its parameters are not codes.
                58 => drop(extended(param, &mut params)),
                n @ 90..=97 => self.foreground = Some((n - 90 + 8) as u8),
                n @ 100..=107 => self.background = Some((n - 100 + 8) as u8),
                _ => {}
            }
        }
    }

    /// The classes for it, as [`shared::log::Run`] lists them.
    pub(super) fn class(&self) -> String {
        let (mut foreground, mut background) = (self.foreground, self.background);
        if self.reverse {
            (foreground, background) = (background.or(Some(0)), foreground.or(Some(7)));
        }
        let flags = [
            (self.bold, "b"),
            (self.dim, "d"),
            (self.italic, "i"),
            (self.underline, "u"),
            (self.struck, "s"),
        ];
        let mut class = String::new();
        for (_, name) in flags.iter().filter(|(is_set, _)| *is_set) {
            class.push_str(name);
            class.push(' ');
        }
        for (colour, named, palette) in [(foreground, 'f', 'x'), (background, 'g', 'y')] {
            if let Some(n) = colour {
                // Writing into a String does not fail.
                let _ = write!(class, "{}{n} ", if n < 16 { named } else { palette });
            }
        }
        class.truncate(class.trim_end().len());
        class
    }
}

/// The colour after 38 or 48: `5;n`, `2;r;g;b`, or the same with colons (`2::r:g:b` too).
fn extended<'a>(param: &[u16], rest: &mut impl Iterator<Item = &'a [u16]>) -> Option<u8> {
    let byte = |n: u16| u8::try_from(n).ok();
    if param.len() > 1 {
        return match *param {
            [_, 5, n, ..] => byte(n),
            [_, 2, r, g, b] | [_, 2, _, r, g, b, ..] => Some(nearest(byte(r)?, byte(g)?, byte(b)?)),
            _ => None,
        };
    }
    let mut next = || rest.next().and_then(|param| param.first().copied());
    match next()? {
        5 => byte(next()?),
        2 => {
            let (r, g, b) = (next()?, next()?, next()?);
            Some(nearest(byte(r)?, byte(g)?, byte(b)?))
        }
        _ => None,
    }
}

/// The colour of the 256-colour palette (its cube and its greys) that is nearest.
fn nearest(r: u8, g: u8, b: u8) -> u8 {
    const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let level = |c: u8| (0..6_u8).min_by_key(|&i| LEVELS[usize::from(i)].abs_diff(c)).unwrap_or(0);
    let distance = |with: [u8; 3]| -> u32 {
        [r, g, b].iter().zip(with).map(|(&c, w)| u32::from(c.abs_diff(w)).pow(2)).sum()
    };
    let cube = [r, g, b].map(level);
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let grey = (mean.saturating_sub(3) / 10).min(23) as u8;
    let in_cube = distance(cube.map(|i| LEVELS[usize::from(i)]));
    match distance([8 + 10 * grey; 3]) < in_cube {
        true => 232 + grey,
        false => 16 + 36 * cube[0] + 6 * cube[1] + cube[2],
    }
}
