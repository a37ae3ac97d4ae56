//! A private key over many lines: where it ends.

/// Bytes after its beginning at which a block that has no end is over; the longest keys have 13 KiB.
pub const LONGEST: usize = 16 << 10;

/// A block whose first line has been read up to `PRIVATE KEY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    left: usize,
    place: Place,
}

/// What was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// So many dashes in a row, five or more being five.
    Dashes(usize),
    /// So many bytes of `END ` after five dashes.
    End(usize),
    /// So many bytes of `BEGIN ` after five dashes.
    Begin(usize),
    /// The line that ends it, and dashes in a row.
    Last(usize),
    Over,
}

impl Default for Block {
    fn default() -> Self {
        Self { left: LONGEST, place: Place::Dashes(0) }
    }
}

impl Block {
    /// How many of these bytes, the next ones, belong to it.
    pub fn length(&mut self, text: &[u8]) -> usize {
        for (i, &byte) in text.iter().enumerate() {
            // The line end after an end that was cut off is none of it.
            let is_cut = matches!(self.place, Place::Last(_)) && byte == b'\n';
            if self.left == 0 || is_cut {
                self.place = Place::Over;
            }
            if self.place == Place::Over {
                return i;
            }
            self.left -= 1;
            self.place = self.place.after(byte);
            // Another one within one that had no end.
            if self.place == Place::Begin(BEGIN.len()) {
                *self = Self::default();
            }
        }
        text.len()
    }
}

const END: &[u8] = b"END ";
const BEGIN: &[u8] = b"BEGIN ";

impl Place {
    fn after(self, byte: u8) -> Self {
        let dashes = |before: usize| if byte == b'-' { (before + 1).min(5) } else { 0 };
        match self {
            Self::Dashes(5) if byte == END[0] => Self::End(1),
            Self::Dashes(5) if byte == BEGIN[0] => Self::Begin(1),
            Self::Dashes(before) => Self::Dashes(dashes(before)),
            Self::End(n) if END[n] == byte => match n + 1 {
                n if n == END.len() => Self::Last(0),
                n => Self::End(n),
            },
            Self::Begin(n) if BEGIN.get(n) == Some(&byte) => Self::Begin(n + 1),
            Self::End(_) | Self::Begin(_) => Self::Dashes(dashes(0)),
            Self::Last(before) => match dashes(before) {
                5 => Self::Over,
                n => Self::Last(n),
            },
            Self::Over => Self::Over,
        }
    }
}
