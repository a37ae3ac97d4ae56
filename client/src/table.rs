//! Rows in columns that fit the terminal: where they do not, the widest of those that may are cut.

use crate::{
    console::{Colour, Console},
    plain,
};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Between two columns.
const GAP: &str = "  ";
/// What a column that is cut keeps at least.
const LEAST: usize = 8;

/// One column: its heading, and whether its cells may be cut.
pub struct Column {
    pub heading: &'static str,
    pub is_cut: bool,
    pub is_number: bool,
}

/// A column that is shown whole.
pub const fn whole(heading: &'static str) -> Column {
    Column { heading, is_cut: false, is_number: false }
}

/// One that is cut where there is no room for it.
pub const fn wide(heading: &'static str) -> Column {
    Column { heading, is_cut: true, is_number: false }
}

/// One of figures, at the right of it.
pub const fn number(heading: &'static str) -> Column {
    Column { heading, is_cut: false, is_number: true }
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

/// The lines of a table, the headings first; one column at least.
pub fn lines(columns: &[Column], rows: &[Vec<Cell>], console: &Console) -> Vec<String> {
    let widths = widths(columns, rows, console.size().map(|(columns, _)| columns));
    let headings = columns.iter().map(|c| Cell::coloured(c.heading, Some(Colour::Dim))).collect();
    std::iter::once(&headings)
        .chain(rows)
        .map(|row| {
            let cells = columns.iter().zip(row).zip(&widths).enumerate();
            let cells = cells.map(|(n, ((column, cell), width))| {
                let text = cut(&cell.text, *width);
                let room = " ".repeat(width - text.width());
                let text = console.paint(&text, cell.colour);
                match column.is_number {
                    true => room + &text,
                    false if n + 1 == columns.len() => text,
                    false => text + &room,
                }
            });
            cells.collect::<Vec<_>>().join(GAP)
        })
        .collect()
}

fn widths(columns: &[Column], rows: &[Vec<Cell>], room: Option<usize>) -> Vec<usize> {
    let widest = |n: usize| rows.iter().map(|row| row[n].text.width()).max().unwrap_or(0);
    let mut widths: Vec<_> =
        columns.iter().enumerate().map(|(n, c)| widest(n).max(c.heading.width())).collect();
    let Some(room) = room else { return widths };
    let gaps = GAP.len() * (columns.len() - 1);
    while widths.iter().sum::<usize>() + gaps > room {
        let cuttable = columns.iter().enumerate().filter(|(_, c)| c.is_cut).map(|(n, _)| n);
        match cuttable.filter(|n| widths[*n] > LEAST).max_by_key(|n| widths[*n]) {
            Some(n) => widths[n] -= 1,
            None => break,
        }
    }
    widths
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
        assert_eq!(widths(&columns, &rows, None), [8, 6, 43]);
        assert_eq!(widths(&columns, &rows, Some(40)), [8, 6, 22]);
        assert_eq!(widths(&columns, &rows, Some(10)), [8, 6, 8]);
    }

    #[test]
    fn a_cut_text_is_as_wide_as_it_may_be_and_says_so() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 0), "");
    }
}
