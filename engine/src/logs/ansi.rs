//! From what a program printed to what may be shown: runs of text with CSS classes.
//!
//! Only SGR (colours and weight) is understood. Titles, links, cursor movement and every other escape
//! are dropped; so are controls and characters without width. What would turn the direction of the
//! text around is shown as U+FFFD, and so is what is no UTF-8.

use super::live::{MAX_SHOWN, after_last_return};
use anstyle_parse::{Params, Parser, Perform};
use shared::log::Run;
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

/// A line as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub runs: Vec<Run>,
    /// There is more of it than was asked for.
    pub more: bool,
}

/// The line `raw` (with or without its end) after what was printed in `style` before it, at most
/// `limit` bytes of it. `style` is then what the next line begins with: plain after one that is too
/// long to be looked at whole.
pub fn show(raw: &[u8], style: &mut Style, limit: usize) -> Shown {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    if line.len() <= limit {
        return Shown { runs: runs(line, style), more: false };
    }
    *style = Style::default();
    let last = after_last_return(line);
    let more = last.len() > limit;
    let runs = runs(up_to(last, limit), style);
    *style = Style::default();
    Shown { runs, more }
}

/// Like [`show`] with the limit of a window, for a line of which only the style is of interest.
pub fn pass(raw: &[u8], style: &mut Style) {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    if line.len() > MAX_SHOWN {
        *style = Style::default();
    } else if memchr::memchr(b'\x1b', line).is_some() {
        runs(line, style);
    }
}

/// At most `limit` bytes, whole characters.
fn up_to(line: &[u8], limit: usize) -> &[u8] {
    let is_inside = |&at: &usize| line.get(at).is_some_and(|b| b & 0xc0 == 0x80);
    let start = (limit.saturating_sub(3)..=limit).rev().find(|at| !is_inside(at));
    &line[..start.unwrap_or(limit).min(line.len())]
}

fn runs(line: &[u8], style: &mut Style) -> Vec<Run> {
    let returns = line.iter().rev().take_while(|&&b| b == b'\r').count();
    let line = &line[..line.len() - returns];
    let mut canvas = Canvas { runs: Vec::new(), written: *style, style: *style };
    if line.iter().all(|b| matches!(b, b' '..=b'~' | b'\t')) {
        canvas.write(&String::from_utf8_lossy(line));
        return canvas.runs;
    }
    // Its own parser for each line, so that an escape that never ends ends here.
    let mut parser = Parser::<anstyle_parse::DefaultCharAccumulator>::new();
    for &byte in String::from_utf8_lossy(line).as_bytes() {
        parser.advance(&mut canvas, byte);
    }
    *style = canvas.style;
    canvas.runs
}

struct Canvas {
    runs: Vec<Run>,
    /// Of the last run.
    written: Style,
    style: Style,
}

impl Canvas {
    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        match self.runs.last_mut() {
            Some(run) if self.written == self.style => run.text.push_str(text),
            _ => self.runs.push(Run { text: text.to_owned(), class: self.style.class() }),
        }
        self.written = self.style;
    }
}

impl Perform for Canvas {
    fn print(&mut self, c: char) {
        if let Some(c) = harmless(c) {
            self.write(c.encode_utf8(&mut [0; 4]));
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\t' => self.write("\t"),
            b'\r' => self.runs.clear(),
            0 => self.write("\u{fffd}"),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: u8) {
        if action == b'm' && intermediates.is_empty() && !ignore {
            self.style.apply(params);
        }
    }
}

/// What is shown for a character; None: nothing.
fn harmless(c: char) -> Option<char> {
    match c {
        // Marks, embeddings, overrides and isolates of direction; line and paragraph separators.
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some('\u{fffd}')
        }
        // No width, or fillers that look like nothing.
        '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200d}' => None,
        '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' => None,
        '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}' => None,
        c if c.is_control() => None,
        c => Some(c),
    }
}

impl Style {
    fn apply(&mut self, params: &Params) {
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

    fn class(&self) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<(String, String)> {
        let runs = show(text.as_bytes(), &mut Style::default(), MAX_SHOWN).runs;
        runs.into_iter().map(|run| (run.class, run.text)).collect()
    }

    fn plain(text: &str) -> String {
        shown(text).into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn colours_and_weight_become_classes() {
        let cases = [
            ("\x1b[1;31mx", "b f1"),
            ("\x1b[2;3;4;9mx", "d i u s"),
            ("\x1b[97;104mx", "f15 g12"),
            ("\x1b[38;5;208mx", "x208"),
            ("\x1b[38:5:9mx", "f9"),
            ("\x1b[48;2;255;0;0mx", "y196"),
            ("\x1b[38:2::128:128:128mx", "x244"),
            ("\x1b[7mx", "f0 g7"),
            ("\x1b[31;7mx", "f0 g1"),
            ("\x1b[1m\x1b[mx", ""),
            ("\x1b[58;5;1mx", ""),
            ("\x1b[>4;1mx", ""),
            ("\x1b[999;38;5;999mx", ""),
        ];
        for (text, class) in cases {
            assert_eq!(shown(text), [(class.to_owned(), "x".to_owned())], "{text:?}");
        }
    }

    #[test]
    fn a_style_lasts_until_it_is_reset() {
        let mut style = Style::default();
        show(b"\x1b[32mgreen\n", &mut style, MAX_SHOWN);
        assert_eq!(show(b"still\n", &mut style, MAX_SHOWN).runs[0].class, "f2");
        show(b"\x1b[0m\n", &mut style, MAX_SHOWN);
        assert_eq!(show(b"plain\n", &mut style, MAX_SHOWN).runs[0].class, "");
    }

    #[test]
    fn a_line_shows_its_last_rewriting() {
        assert_eq!(plain("10%\r20%\r30%\n"), "30%");
        assert_eq!(plain("10%\r20%\r"), "20%");
        assert_eq!(plain("dos\r\n"), "dos");
        assert_eq!(shown("\x1b[32m1\r2"), [("f2".to_owned(), "2".to_owned())]);
        let long = format!("{}\rlast\n", "x".repeat(5000));
        assert_eq!(plain(&long), "last");
    }

    #[test]
    fn what_could_harm_a_reader_is_not_shown() {
        let cases = [
            ("\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\", "link"),
            ("\x1b]0;title\x07text", "text"),
            ("a\x1b[2J\x1b[10;10Hb\x1b[1Ac", "abc"),
            ("\x1bPq#0;2;0;0;0\x1b\\sixel", "sixel"),
            ("a\u{202e}b\u{2066}c", "a\u{fffd}b\u{fffd}c"),
            ("a\u{200b}\u{feff}\u{200d}b", "ab"),
            ("a\0b\x08c\x07", "a\u{fffd}bc"),
            ("a\u{9b}31mb", "a31mb"),
            ("<script>&", "<script>&"),
            ("\x1b]0;never ends", ""),
            ("\x1b[31", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn invalid_utf_8_becomes_the_replacement_character() {
        let show = |raw: &[u8]| show(raw, &mut Style::default(), MAX_SHOWN).runs;
        assert_eq!(show(b"a\xffb")[0].text, "a\u{fffd}b");
        // It does not take an escape along that follows it.
        assert_eq!(show(b"\xe2\x82\x1b[31mx")[1].class, "f1");
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_ends_the_style() {
        let mut style = Style::default();
        let long = format!("\x1b[31m{}\n", "ü".repeat(4000));
        let Shown { runs, more } = show(long.as_bytes(), &mut style, MAX_SHOWN);
        assert!(more);
        assert!(runs[0].text.chars().all(|c| c == 'ü'));
        assert_eq!(style, Style::default());
    }

    proptest! {
        #[test]
        fn nothing_but_text_is_ever_shown(raw in proptest::collection::vec(
            prop_oneof![any::<u8>(), Just(0x1b), Just(b'['), Just(b']'), Just(b'm'), Just(b';')], 0..200,
        )) {
            for run in show(&raw, &mut Style::default(), 64).runs {
                prop_assert!(run.text.chars().all(|c| c == '\t' || harmless(c) == Some(c)));
                prop_assert!(run.class.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' '));
            }
        }
    }
}
