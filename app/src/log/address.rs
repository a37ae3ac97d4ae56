//! The part of an address that names lines: `#L120`, or `#L120-L140`.

use leptos::prelude::*;
use std::ops::RangeInclusive;

pub type Lines = RangeInclusive<u64>;

/// The lines that a fragment names, if it names some.
pub fn read(fragment: &str) -> Option<Lines> {
    let line = |text: &str| text.strip_prefix('L')?.parse().ok().filter(|n| *n > 0);
    let text = fragment.strip_prefix('#')?;
    match text.split_once('-') {
        None => line(text).map(|n| n..=n),
        Some((from, to)) => {
            let (from, to) = (line(from)?, line(to)?);
            Some(from.min(to)..=from.max(to))
        }
    }
}

pub fn write(lines: &Lines) -> String {
    match (lines.start(), lines.end()) {
        (from, to) if from == to => format!("#L{from}"),
        (from, to) => format!("#L{from}-L{to}"),
    }
}

/// What the address of the page names now.
pub fn here() -> Option<Lines> {
    read(&location().hash().ok()?)
}

/// Names lines in the address, so that it can be copied; leaves no trace in the history.
pub fn set(lines: &Lines) {
    if let Ok(history) = window().history() {
        // An address of our own making on our own page.
        let _ = history.replace_state_with_url(
            &history.state().unwrap_or_default(),
            "",
            Some(&write(lines)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for lines in [1..=1, 120..=140, 9_999_999..=10_000_000] {
            assert_eq!(read(&write(&lines)), Some(lines));
        }
        assert_eq!(read("#L9-L3"), Some(3..=9));
    }

    #[test]
    fn what_names_no_lines_is_passed_over() {
        for text in ["", "#", "#main", "#L", "#L0", "#Lx", "#L1-", "#L1-2", "L1", "#L-1", "#L1-L0"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
