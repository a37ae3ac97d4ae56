//! Where rows are: a scrolled height that browsers can hold, over any number of rows.
//!
//! Up to [`MAX_HEIGHT`] a row is at its own height and the browser scrolls. Past it the height
//! stays and a pixel stands for more; the position in rows, not the browser's, is then the truth.

/// Height of a row in pixels, as in the style sheet.
pub const ROW: f64 = 20.0;

/// Under what every browser can lay out (Firefox stops at 17.8 million).
const MAX_HEIGHT: f64 = 12_000_000.0;

/// So many rows, seen through a window of `viewport` pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Extent {
    pub rows: u64,
    pub viewport: f64,
    /// Rows are as high as their text needs: where one is, only measuring tells. The position in
    /// rows is the truth then, too.
    pub wraps: bool,
}

// === impl Extent ===

impl Extent {
    fn natural(self) -> f64 {
        match self.wraps {
            false => self.rows as f64 * ROW,
            true => self.viewport + self.last_top() * ROW,
        }
    }

    /// What the scrolled element has to measure.
    pub fn height(self) -> f64 {
        self.natural().min(MAX_HEIGHT)
    }

    /// Whether a pixel of scrolling is more than a pixel of rows.
    pub fn is_scaled(self) -> bool {
        self.wraps || self.natural() > MAX_HEIGHT
    }

    /// Rows that fit in the window.
    pub fn page(self) -> f64 {
        self.viewport / ROW
    }

    /// The position, in rows, at which the last row is at the foot of the window.
    pub fn last_top(self) -> f64 {
        // A single row that wraps may fill the window.
        let foot = if self.wraps { 1.0 } else { self.page() };
        (self.rows as f64 - foot).max(0.0)
    }

    /// From the browser's position to ours.
    pub fn top_row(self, scroll_top: f64) -> f64 {
        let top = match self.is_scaled() {
            false => scroll_top / ROW,
            true => scroll_top / (self.height() - self.viewport).max(1.0) * self.last_top(),
        };
        top.clamp(0.0, self.last_top())
    }

    /// From our position to the browser's.
    pub fn scroll_top(self, top_row: f64) -> f64 {
        let top = top_row.clamp(0.0, self.last_top());
        match self.is_scaled() {
            false => top * ROW,
            true => top / self.last_top().max(1.0) * (self.height() - self.viewport),
        }
    }

    /// The rows to draw (first, one past the last): what is seen and `over` more on each side.
    pub fn range(self, top_row: f64, over: u64) -> (u64, u64) {
        // Rows are counted far below 2^53 and positions are clamped, so the casts are exact.
        let top = top_row.clamp(0.0, self.last_top());
        let first = (top.floor() as u64).saturating_sub(over);
        let past = ((top + self.page()).ceil() as u64 + over).min(self.rows);
        (first, past)
    }

    /// Whether the last row is seen, give or take one.
    pub fn is_at_end(self, top_row: f64) -> bool {
        top_row >= self.last_top() - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(rows: u64) -> Extent {
        Extent { rows, viewport: 440.0, wraps: false }
    }

    #[test]
    fn a_short_log_scrolls_as_it_is() {
        let e = extent(1000);
        assert!(!e.is_scaled());
        assert_eq!(e.height(), 20_000.0);
        assert_eq!((e.top_row(2000.0), e.scroll_top(100.0)), (100.0, 2000.0));
    }

    #[test]
    fn ten_million_lines_fit_and_both_ends_are_reached() {
        let e = extent(10_000_000);
        assert!(e.is_scaled());
        assert_eq!(e.height(), MAX_HEIGHT);
        assert_eq!(e.top_row(0.0), 0.0);
        assert_eq!(e.top_row(MAX_HEIGHT - 440.0), e.last_top());
        assert_eq!(e.range(e.last_top(), 10).1, 10_000_000);
    }

    #[test]
    fn there_and_back_is_the_same_place() {
        for rows in [100, 599_999, 600_001, 1_000_000, 50_000_000] {
            let e = extent(rows);
            for share in [0.0, 0.3, 0.99, 1.0] {
                let row = e.last_top() * share;
                assert!((e.top_row(e.scroll_top(row)) - row).abs() < 0.001, "{rows} {share}");
            }
        }
    }

    #[test]
    fn what_is_drawn_is_bounded_and_covers_what_is_seen() {
        for rows in [0, 1, 5, 22, 1_000_000] {
            let e = extent(rows);
            for top in [0.0, 0.5, 17.25, 1e9] {
                let (first, past) = e.range(top, 12);
                assert!(past <= rows && past - first.min(past) <= 22 + 2 + 24, "{rows} {top}");
            }
        }
        assert_eq!(extent(1000).range(100.5, 10), (90, 133));
    }

    #[test]
    fn a_log_that_fits_is_at_its_end() {
        assert!(extent(3).is_at_end(0.0));
        assert!(!extent(1000).is_at_end(900.0));
    }
}
