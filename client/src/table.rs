//! Rows in columns that fit the terminal. Where they do not, columns that may be left out are, those that say least
//! first; then the widest of those that may are cut; in the end any is.

use crate::{
    console::{Colour, Console},
    plain,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: &str = "  ";
/// What a column that is cut keeps at least, unless it says otherwise.
const LEAST: usize = 8;

/// One column.
pub struct Column {
    heading: &'static str,
    /// Characters that it keeps at least where its cells are cut; none: they are shown whole.
    least: Option<usize>,
    is_number: bool,
    /// Where there is no room for all columns, the one with the highest figure goes first; 0 stays.
    leaves: u8,
}

/// A column that is shown whole.
pub const fn whole(heading: &'static str) -> Column {
    Column { heading, least: None, is_number: false, leaves: 0 }
}

/// One that is cut where there is no room for it.
pub const fn wide(heading: &'static str) -> Column {
    Column { least: Some(LEAST), ..whole(heading) }
}

/// One of figures, at the right of it.
pub const fn number(heading: &'static str) -> Column {
    Column { is_number: true, ..whole(heading) }
}

impl Column {
    /// The same, cut to no fewer characters than these.
    pub const fn least(self, least: usize) -> Self {
        Self { least: Some(least), ..self }
    }

    /// The same, left out where there is no room; higher ones before lower ones.
    pub const fn leaves(self, leaves: u8) -> Self {
        Self { leaves, ..self }
    }
}

pub struct Cell {
    text: String,
    colour: Option<Colour>,
}

impl Cell {
    pub fn of(text: &str) -> Self {
        Self { text: plain::text(text), colour: None }
    }

    pub fn coloured(text: &str, colour: Option<Colour>) -> Self {
        Self { text: plain::text(text), colour }
    }
}

/// The lines of a table, the headings first, without blanks at their ends; one column at least.
pub fn lines(columns: &[Column], rows: &[Vec<Cell>], console: &Console) -> Vec<String> {
    let widths = widths(columns, rows, console.columns());
    let headings = columns.iter().map(|c| Cell::coloured(c.heading, Some(Colour::Dim))).collect();
    std::iter::once(&headings)
        .chain(rows)
        .map(|row| {
            let mut line = String::new();
            // Blanks that are put before what is shown next, so that none are left at the end.
            let mut blanks = 0;
            for (n, width) in &widths {
                let (column, cell) = (&columns[*n], &row[*n]);
                let text = cut(&cell.text, *width);
                let text = text.trim_end();
                let room = width.saturating_sub(text.width());
                let (before, after) = if column.is_number { (room, 0) } else { (0, room) };
                blanks += before;
                if !text.is_empty() {
                    line += &" ".repeat(blanks);
                    line += &console.paint(text, cell.colour);
                    blanks = 0;
                }
                blanks += after + GAP.len();
            }
            line
        })
        .collect()
}

/// The columns that are shown, by their place, and how wide each of them is.
fn widths(columns: &[Column], rows: &[Vec<Cell>], room: Option<usize>) -> Vec<(usize, usize)> {
    let widest = |n: usize| rows.iter().map(|row| row[n].text.width()).max().unwrap_or(0);
    let mut shown: Vec<_> =
        columns.iter().enumerate().map(|(n, c)| (n, widest(n).max(c.heading.width()))).collect();
    let Some(room) = room else { return shown };
    let gaps = |shown: &[(usize, usize)]| GAP.len() * shown.len().saturating_sub(1);
    let least = |&(n, width): &(usize, usize)| columns[n].least.map_or(width, |l| width.min(l));
    while shown.iter().map(least).sum::<usize>() + gaps(&shown) > room {
        let least_said = shown.iter().max_by_key(|(n, _)| columns[*n].leaves);
        let Some(&(n, _)) = least_said.filter(|(n, _)| columns[*n].leaves > 0) else { break };
        shown.retain(|(other, _)| *other != n);
    }
    // A character for each of those that stay; else the last of them do not.
    while shown.len() > 1 && shown.len() + gaps(&shown) > room {
        shown.pop();
    }
    while shown.iter().map(|(_, width)| width).sum::<usize>() + gaps(&shown) > room {
        let is_cut = |entry: &(usize, usize)| columns[entry.0].least.is_some_and(|l| entry.1 > l);
        let cuttable = (0..shown.len()).filter(|i| is_cut(&shown[*i]));
        let widest = cuttable.max_by_key(|i| shown[*i].1);
        let any = (0..shown.len()).filter(|i| shown[*i].1 > 1).max_by_key(|i| shown[*i].1);
        match widest.or(any) {
            Some(i) => shown[i].1 -= 1,
            None => break,
        }
    }
    shown
}

/// A text under a name of so many columns, in lines that fit the terminal: at its words, nearer to the edge where a
/// word is too long beside the name, and broken where one is longer than a line.
pub fn wrapped(name: &str, indent: usize, cell: &Cell, console: &Console) -> Vec<String> {
    let lines = placed(name, indent, &cell.text, console.columns()).into_iter();
    lines.map(|(before, piece)| before + &console.paint(&piece, cell.colour)).collect()
}

/// What stands before each piece, and the piece.
fn placed(name: &str, indent: usize, text: &str, room: Option<usize>) -> Vec<(String, String)> {
    const NEAR: usize = 2;
    let named = format!("{name:<indent$}");
    let Some(room) = room.filter(|room| *room < indent + text.width()) else {
        return vec![(named, text.to_owned())];
    };
    let longest = text.split(' ').map(str::width).max().unwrap_or(0);
    if indent <= NEAR || indent + longest <= room {
        let pieces = pieces(text, room.saturating_sub(indent).max(1)).into_iter().enumerate();
        let before = |n| if n == 0 { named.clone() } else { " ".repeat(indent) };
        return pieces.map(|(n, piece)| (before(n), piece)).collect();
    }
    let near = NEAR.min(room / 2);
    let pieces = pieces(text, room.saturating_sub(near).max(1)).into_iter();
    let under = pieces.map(|piece| (" ".repeat(near), piece));
    std::iter::once((cut(name, room), String::new())).chain(under).collect()
}

/// Words, as many on a line as fit.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    for word in text.split(' ') {
        match piece.width() {
            0 => {}
            full if full + 1 + word.width() <= width => piece.push(' '),
            _ => pieces.push(std::mem::take(&mut piece)),
        }
        for c in word.chars() {
            if piece.width() + c.width().unwrap_or(0) > width && !piece.is_empty() {
                pieces.push(std::mem::take(&mut piece));
            }
            piece.push(c);
        }
    }
    pieces.push(piece);
    pieces
}

/// At most so many columns of a text, the last of them `…` where something is missing.
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut left = width.saturating_sub(1);
    let fits = |c: &char| {
        let width = c.width().unwrap_or(0);
        let fits = width <= left;
        left = left.saturating_sub(width);
        fits
    };
    let mut out: String = text.chars().take_while(fits).collect();
    if width > 0 {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: [&str; 3]) -> Vec<Cell> {
        cells.into_iter().map(Cell::of).collect()
    }

    #[test]
    fn the_widest_column_that_may_be_cut_gives_way() {
        let columns = [whole("ID"), wide("NAME"), wide("ERROR")];
        let rows = [row(["12345678", "a name", "an error that is rather long and says a lot"])];
        assert_eq!(widths(&columns, &rows, None), [(0, 8), (1, 6), (2, 43)]);
        assert_eq!(widths(&columns, &rows, Some(40)), [(0, 8), (1, 6), (2, 22)]);
    }

    #[test]
    fn columns_that_say_least_leave_first_and_the_others_get_their_room() {
        let columns = [wide("NAME"), number("TIME").leaves(2), whole("MADE").leaves(1)];
        let rows = [row(["a name that is long", "12.3 s", "5 m ago"])];
        assert_eq!(widths(&columns, &rows, Some(25)), [(0, 8), (1, 6), (2, 7)]);
        assert_eq!(widths(&columns, &rows, Some(24)), [(0, 15), (2, 7)]);
        assert_eq!(widths(&columns, &rows, Some(16)), [(0, 16)]);
    }

    #[test]
    fn no_table_is_wider_than_its_room_whatever_its_columns_say() {
        let columns = [whole("ID"), wide("NAME"), number("TIME").leaves(1)];
        let rows = [row(["12345678", "a name", "12.3 s"])];
        for room in 1..40 {
            let shown = widths(&columns, &rows, Some(room));
            let width = shown.iter().map(|(_, width)| width).sum::<usize>() + 2 * (shown.len() - 1);
            assert!(width <= room, "{width} of {room}");
        }
    }

    #[test]
    fn a_text_is_wrapped_at_its_words_and_stays_whole_where_there_is_room_for_that() {
        let lines = |name, indent, text, room| -> Vec<String> {
            let placed = placed(name, indent, text, room).into_iter();
            placed.map(|(before, piece)| before + &piece).collect()
        };
        assert_eq!(lines("made", 6, "some time ago", None), ["made  some time ago"]);
        assert_eq!(lines("made", 6, "some time ago", Some(15)), ["made  some time", "      ago"]);
        assert_eq!(lines("job", 9, "12345678", Some(12)), ["job", "  12345678"]);
        assert_eq!(lines("job", 9, "12345678", Some(6)), ["job", "  1234", "  5678"]);
        assert_eq!(lines("", 0, "a · b", Some(3)), ["a ·", "b"]);
    }

    #[test]
    fn a_cut_text_is_as_wide_as_it_may_be_and_says_so() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
    }
}
