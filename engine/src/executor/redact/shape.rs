//! What follows an anchor: whether it is a secret, and how far it goes.

use super::pem::Block;
use std::ops::Range;

/// Bytes from an anchor on that may be held back, at most; what is undecided then is none.
pub const LONGEST: usize = 8 << 10;
/// How many shapes there are.
pub const SHAPES: usize = 9;

/// A shape of secrets; their anchors are told apart by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `AKIA` and 16 capital letters and digits.
    AwsId,
    /// `secret_access_key`, however it is written, then the value.
    AwsSecret,
    /// `session_token`, the same.
    AwsSession,
    /// `ghp_` and 36 letters and digits.
    Github,
    GithubPat,
    /// `header.payload.signature` where the first two begin with `eyJ`, which is `{"`.
    Jwt,
    Pem,
    /// `tb_` and 32 digits or more; those that it makes itself have 64.
    Tailboard,
    /// `://user:password@`.
    Url,
}

/// What is known of an anchor.
pub enum Verdict {
    /// It is none. Anchors of this shape before `settled` are none either.
    None { settled: usize },
    /// The text ends too early. Anchors of this shape before `settled` tell the same.
    More { settled: usize },
    /// These bytes, and what `cover` says of those after it.
    Secret { range: Range<usize>, cover: Option<Cover> },
}

/// The rest of a secret, which may be of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// As long as the bytes are such as this shape has.
    Run(Shape),
    /// Parts that are still to come, after as many dots.
    Jwt {
        dots: u8,
    },
    Pem(Block),
}

impl Cover {
    pub fn shape(&self) -> Shape {
        match self {
            Self::Run(shape) => *shape,
            Self::Jwt { .. } => Shape::Jwt,
            Self::Pem(_) => Shape::Pem,
        }
    }

    /// Whether a line end is no end of it.
    pub fn is_of_lines(&self) -> bool {
        matches!(self, Self::Pem(_))
    }

    /// How many of these bytes, the next ones, belong to it.
    pub fn length(&mut self, text: &[u8]) -> usize {
        match self {
            Self::Run(shape) => run(text, shape.class()),
            Self::Jwt { dots } => {
                let mut length = run(text, is_base64url);
                while *dots > 0 && text.get(length) == Some(&b'.') {
                    *dots -= 1;
                    length += 1 + run(&text[length + 1..], is_base64url);
                }
                length
            }
            Self::Pem(block) => block.length(text),
        }
    }
}

impl Shape {
    /// Judges the anchor that is `text[at..after]`. Nothing comes after the text if it `is_whole`.
    pub fn judge(self, text: &[u8], at: usize, after: usize, is_whole: bool) -> Verdict {
        let verdict = match self {
            Self::AwsId => self.token(text, at, after, 16),
            Self::Github => self.token(text, at, after, 36),
            Self::GithubPat => self.token(text, at, after, 82),
            Self::Tailboard => self.token(text, at, after, 32),
            Self::AwsSecret | Self::AwsSession => self.named_value(text, after),
            Self::Jwt => jwt(text, at),
            Self::Pem => pem(text, at, after),
            Self::Url => return url(text, after, is_whole),
        };
        match verdict {
            Verdict::More { .. } if is_whole => Verdict::None { settled: 0 },
            verdict => verdict,
        }
    }

    /// Which bytes the secret has. What was blanked before for another reason counts.
    fn class(self) -> fn(u8) -> bool {
        match self {
            Self::AwsId => |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'*',
            Self::Github | Self::GithubPat => |b| b.is_ascii_alphanumeric() || b"_*".contains(&b),
            Self::Tailboard => |b| matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'*'),
            Self::AwsSecret | Self::AwsSession => {
                |b| b.is_ascii_alphanumeric() || b"/+=_-*".contains(&b)
            }
            Self::Jwt => is_base64url,
            Self::Pem => |_| true,
            Self::Url => is_in_authority,
        }
    }

    /// An anchor and at least `least` bytes of its class.
    fn token(self, text: &[u8], at: usize, after: usize, least: usize) -> Verdict {
        let next = &text[after..text.len().min(after + least)];
        match run(next, self.class()) {
            n if n == least => {
                Verdict::Secret { range: at..after + n, cover: Some(Cover::Run(self)) }
            }
            n if after + n == text.len() => Verdict::More { settled: 0 },
            _ => Verdict::None { settled: 0 },
        }
    }

    /// The rest of a name, what is between, and a value.
    fn named_value(self, text: &[u8], after: usize) -> Verdict {
        let names: &[&[&[u8]]] = match self {
            Self::AwsSession => &[&[b"token"]],
            _ => &[&[b"access", b"key"], &[b"key"]],
        };
        let mut is_cut = false;
        for words in names {
            match name(text, after, words) {
                Some(end) => return self.value(text, end),
                None => is_cut |= is_name_cut(text, after, words),
            }
        }
        if is_cut { Verdict::More { settled: 0 } } else { Verdict::None { settled: 0 } }
    }

    /// What follows a name: `=`, `:`, quotes, colours, then the value.
    fn value(self, text: &[u8], name_end: usize) -> Verdict {
        /// Bytes between a name and its value, at most.
        const BETWEEN: usize = 40;
        let (mut start, mut is_assigned) = (name_end, false);
        let last = text.len().min(name_end + BETWEEN);
        while start < last {
            match text[start] {
                b'=' | b':' | b'>' => is_assigned = true,
                b' ' | b'\t' | b'"' | b'\'' | b'\\' => {}
                0x1b => start += text[start..last].iter().take_while(|byte| **byte != b'm').count(),
                _ => break,
            }
            start += 1;
        }
        // Where nothing but space is between, it has to be as long as they are; where it is said to be
        // the value, shorter ones of other services count.
        let least = if is_assigned { 16 } else { 40 };
        if start >= last {
            return match last - name_end {
                BETWEEN => Verdict::None { settled: 0 },
                _ => Verdict::More { settled: 0 },
            };
        }
        self.token(text, start, start, least)
    }
}

/// Where a name of these words ends, with nothing, `_`, `-` or a space before each, whatever their case.
fn name(text: &[u8], mut at: usize, words: &[&[u8]]) -> Option<usize> {
    for word in words {
        at += usize::from(text.get(at).is_some_and(|byte| b"_- ".contains(byte)));
        let end = at + word.len();
        at = text.get(at..end).filter(|said| said.eq_ignore_ascii_case(word)).map(|_| end)?;
    }
    Some(at)
}

/// Whether the text ends within such a name.
fn is_name_cut(text: &[u8], mut at: usize, words: &[&[u8]]) -> bool {
    for word in words {
        at += usize::from(text.get(at).is_some_and(|byte| b"_- ".contains(byte)));
        let said = &text[at.min(text.len())..text.len().min(at + word.len())];
        if !said.eq_ignore_ascii_case(&word[..said.len()]) {
            return false;
        }
        if said.len() < word.len() {
            return true;
        }
        at += word.len();
    }
    false
}

fn jwt(text: &[u8], at: usize) -> Verdict {
    const NEXT: &[u8] = b".eyJ";
    let end = at + run(&text[at..text.len().min(at + LONGEST)], is_base64url);
    let next = &text[end..text.len().min(end + NEXT.len())];
    if end - at == LONGEST || !NEXT.starts_with(next) {
        return Verdict::None { settled: end };
    }
    if next.len() < NEXT.len() {
        return Verdict::More { settled: end };
    }
    Verdict::Secret { range: at..end + NEXT.len(), cover: Some(Cover::Jwt { dots: 1 }) }
}

/// A key begins where its first line says so, and is unfinished until then.
fn pem(text: &[u8], at: usize, after: usize) -> Verdict {
    const KEY: &[u8] = b"PRIVATE KEY";
    /// `ENCRYPTED`, `OPENSSH` and the like.
    const LABEL: usize = 48;
    let next = &text[after..text.len().min(after + LABEL)];
    let is_label = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ';
    let label = &next[..run(next, is_label)];
    match memchr::memmem::find(label, KEY) {
        Some(key) => {
            let cover = Some(Cover::Pem(Block::default()));
            Verdict::Secret { range: at..after + key + KEY.len(), cover }
        }
        None if label.len() < LABEL && after + label.len() == text.len() => {
            Verdict::More { settled: 0 }
        }
        None => Verdict::None { settled: 0 },
    }
}

/// What is before the last `@` of an authority and after the first `:` of it.
fn url(text: &[u8], after: usize, is_whole: bool) -> Verdict {
    const LONGEST_AUTHORITY: usize = 2 << 10;
    let next = &text[after..text.len().min(after + LONGEST_AUTHORITY)];
    let authority = &next[..run(next, is_in_authority)];
    let goes_on = authority.len() < LONGEST_AUTHORITY && after + authority.len() == text.len();
    if goes_on && !is_whole {
        return Verdict::More { settled: 0 };
    }
    let password = memchr::memrchr(b'@', authority)
        .and_then(|at| Some(memchr::memchr(b':', &authority[..at])? + 1..at));
    match password {
        Some(Range { start, end }) => {
            Verdict::Secret { range: after + start..after + end, cover: None }
        }
        None => Verdict::None { settled: 0 },
    }
}

fn is_in_authority(byte: u8) -> bool {
    byte > b' ' && byte != 0x7f && !b"/?#\"<>".contains(&byte)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-*".contains(&byte)
}

/// How many bytes at the beginning are of a class.
fn run(text: &[u8], is_of_class: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !is_of_class(byte)).unwrap_or(text.len())
}
