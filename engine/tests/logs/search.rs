//! A search against the simplest one there is: each line as it is shown, one after the other.

use crate::fixture::{AT, STDERR, STDOUT, entries, log, print, printed};
use engine::logs::{
    Log, MAX_LINE, ansi,
    index::Entry,
    search::{Found, Pattern, Search, Way},
    writer::{Unfinished, Writer},
};
use proptest::prelude::*;
use regex::RegexBuilder;
use shared::log::{SearchCase, SearchMode};
use std::{fs, path::Path};
use tempfile::TempDir;

const ALL: Search = Search { way: Way::From(0), limit: usize::MAX, first: false };

const NONE: [u64; 0] = [];

fn pattern(text: &str, mode: SearchMode, case: SearchCase) -> Pattern {
    Pattern::new(text, mode, case).unwrap()
}

fn plain(text: &str) -> Pattern {
    pattern(text, SearchMode::Plain, SearchCase::Match)
}

fn search(log: &Log, text: &str, search: Search) -> Found {
    log.search(&plain(text), search, || true).unwrap()
}

/// The lines that match, each looked at by itself.
fn naive(dir: &Path, text: &str, mode: SearchMode, case: SearchCase) -> Vec<u64> {
    let expression = match mode {
        SearchMode::Plain => regex::escape(text),
        SearchMode::Regex => text.to_owned(),
    };
    let ignores_case = case == SearchCase::Ignore;
    let regex = RegexBuilder::new(&expression).case_insensitive(ignores_case).build().unwrap();
    let data = fs::read(dir.join("log")).unwrap();
    let is_match = |entry: &Entry| {
        let raw = &data[entry.start as usize..entry.record.end as usize];
        let shown = ansi::show(raw, &mut ansi::Style::default(), MAX_LINE);
        let text: String = shown.runs.iter().map(|run| run.text.as_str()).collect();
        regex.is_match(&text)
    };
    entries(dir).iter().filter(|entry| is_match(entry)).map(|entry| entry.n).collect()
}

/// What searches one after the other find, each stopped after one block.
fn in_steps(log: &Log, pattern: &Pattern, mut search: Search) -> (Vec<u64>, u64) {
    let (mut lines, mut count) = (Vec::new(), 0);
    loop {
        let found = log.search(pattern, search, || false).unwrap();
        assert!(found.lines.len() <= search.limit);
        assert!(found.marks.is_sorted() && found.marks.len() <= 64);
        lines.extend(found.lines);
        count += found.count;
        let Some(next) = found.next else { return (lines, count) };
        search.way = match search.way {
            Way::From(from) => {
                assert!(next > from);
                Way::From(next)
            }
            Way::Before(before) => {
                assert!(next < before);
                Way::Before(next)
            }
        };
    }
}

/// What a step prints: lines with everything that makes one hard to search.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => "[abBA ]{0,5}".prop_map(String::into_bytes),
        8 => Just(b"\n".to_vec()),
        6 => proptest::sample::select(vec![
            &b"\x1b[31m"[..], b"\x1b[0m", b"\r", b"\r\n", b"\x1b]8;;ab\x1b\\", b"\x1b", b"\0", b"\xff",
            b"\xc3", "ä".as_bytes(), "Ä".as_bytes(), "\u{200b}".as_bytes(), "\u{212a}".as_bytes(),
            "ſ".as_bytes(), b"k", b"S",
        ])
        .prop_map(<[u8]>::to_vec),
        1 => (60_000..80_000_usize, any::<u8>()).prop_map(|(n, b)| vec![b; n]),
        1 => (1..2000_usize).prop_map(|n| b"ab\nb b\n".repeat(n)),
    ];
    proptest::collection::vec(piece, 0..20).prop_map(|pieces| pieces.concat())
}

fn wanted() -> impl Strategy<Value = (String, SearchMode)> {
    let plain = prop_oneof![
        "[abAB]{1,4}",
        proptest::sample::select(vec![
            "a b", "ä", "k", "s", "\u{fffd}", "\n", "b\na", "\r", "31m", "\x1b"
        ])
        .prop_map(str::to_owned),
    ];
    let regex = proptest::sample::select(vec![
        "^a",
        "b$",
        r"\Aab",
        r"b\z",
        "^$",
        "x*",
        r"a\sb",
        r"[^a]b",
        r"(?s)a.b",
        r"\bab\b",
        r"\Bb",
        "a|^b",
        r"(?m)^a.*b$",
        r"a\nb",
        r"b\s*a",
        "(ab)+",
        r"[[:^alpha:]]",
        r"(?-u:\s)b",
        ".",
        "(?s)b.?$",
        "(?mR)b$",
        r"\p{Nonsense}|a",
        "[^b]*a",
    ])
    .prop_filter("an expression", |text| regex::Regex::new(text).is_ok())
    .prop_map(str::to_owned);
    prop_oneof![
        plain.prop_map(|text| (text, SearchMode::Plain)),
        regex.prop_map(|text| (text, SearchMode::Regex)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_search_finds_the_lines_in_which_it_is_seen(
        steps in proptest::collection::vec(text(), 1..4),
        (wanted, mode) in wanted(),
        ignores_case: bool,
        limit in 0..2000_usize,
        middle in 0.0..1.0_f64,
    ) {
        let case = if ignores_case { SearchCase::Ignore } else { SearchCase::Match };
        let dir = TempDir::new().unwrap();
        for (n, step) in steps.iter().enumerate() {
            print(dir.path(), if n % 2 == 0 { STDOUT } else { STDERR }, step);
        }
        let log = log(&dir);
        let total = log.size().unwrap().lines;
        let expected = naive(dir.path(), &wanted, mode, case);
        let pattern = pattern(&wanted, mode, case);

        let found = log.search(&pattern, ALL, || true).unwrap();
        prop_assert_eq!(&found.lines, &expected);
        prop_assert_eq!((found.count, found.next, found.total), (expected.len() as u64, None, total));
        let steps = in_steps(&log, &pattern, ALL);
        prop_assert_eq!(&steps, &(expected.clone(), expected.len() as u64));

        // Backwards it is the same, from the other end.
        let backwards = Search { way: Way::Before(u64::MAX), ..ALL };
        let found = log.search(&pattern, backwards, || true).unwrap();
        prop_assert!(found.lines.iter().rev().eq(&expected));
        prop_assert_eq!((found.count, found.next), (expected.len() as u64, None));
        let steps = in_steps(&log, &pattern, backwards);
        prop_assert!(steps.0.iter().rev().eq(&expected) && steps.1 == expected.len() as u64);

        // From the middle either half, and of each no more than is wanted.
        let middle = (total as f64 * middle) as u64;
        let (before, after): (Vec<_>, Vec<_>) = expected.iter().partition(|&&n| n < middle);
        let ahead = Search { way: Way::From(middle), limit, first: false };
        let found = log.search(&pattern, ahead, || true).unwrap();
        prop_assert_eq!(&found.lines, &after[..limit.min(after.len())]);
        prop_assert_eq!(found.count, after.len() as u64);
        let nearest = Search { way: Way::Before(middle), limit: 1, first: true };
        let found = log.search(&pattern, nearest, || true).unwrap();
        prop_assert_eq!(found.lines.first(), before.last());
        if let Some(&n) = found.lines.first() {
            prop_assert_eq!((found.count, found.next), (1, Some(n).filter(|&n| n > 1)));
        }
        // One by one they are all of them.
        let one_by_one = in_steps(&log, &pattern, Search { limit: 100, first: true, ..ALL });
        prop_assert_eq!(one_by_one, (expected.clone(), expected.len() as u64));
    }
}

#[test]
fn escapes_and_what_was_written_over_are_not_searched() {
    let dir =
        printed(b"\x1b[31mer\x1b[1mror\x1b[0m 31m\n10%\r20%\n\x1b]0;error\x07quiet\nerror\r\n");
    let log = log(&dir);
    let found = |text| search(&log, text, ALL).lines;
    assert_eq!(found("error"), [1, 4]);
    assert_eq!(found("31m"), [1]);
    assert_eq!(found("[1m"), NONE);
    assert_eq!(found("10%"), NONE);
    assert_eq!(found("20%"), [2]);
    assert_eq!(found("\r"), NONE);
    let ends = pattern("r$", SearchMode::Regex, SearchCase::Match);
    assert_eq!(log.search(&ends, ALL, || true).unwrap().lines, [4]);
}

#[test]
fn letters_are_folded_beyond_ascii_when_case_is_ignored() {
    let dir = printed("GRÜN\ngrün\nkelvin\n\u{212a}ELVIN\n".as_bytes());
    let log = log(&dir);
    let found = |text, case| {
        log.search(&pattern(text, SearchMode::Plain, case), ALL, || true).unwrap().lines
    };
    assert_eq!(found("Grün", SearchCase::Ignore), [1, 2]);
    assert_eq!(found("grün", SearchCase::Match), [2]);
    assert_eq!(found("Kelvin", SearchCase::Ignore), [3, 4]);
    // No character of a plain text means anything else.
    assert_eq!(found(".", SearchCase::Ignore), NONE);
}

#[test]
fn a_search_goes_on_when_the_log_has_grown() {
    let dir = printed(b"hit\nmiss\nhit\n");
    let log = log(&dir);
    let found = search(&log, "hit", ALL);
    assert_eq!((found.lines, found.next, found.total), (vec![1, 3], None, 3));
    let later = Search { way: Way::From(found.total + 1), ..ALL };
    assert_eq!(search(&log, "hit", later), Found { total: 3, ..Found::default() });
    let mut writer = Writer::open(dir.path()).unwrap();
    let mut line = Unfinished::new(STDOUT);
    writer.append(&mut line, b"miss\nhit\nhit, but unfinished", AT);
    let found = search(&log, "hit", later);
    assert_eq!((found.lines, found.count, found.total), (vec![5], 1, 5));
}

#[test]
fn a_search_that_is_stopped_says_how_far_it_came() {
    let dir = printed("hit\n".repeat(100_000).as_bytes());
    let log = log(&dir);
    let found = log.search(&plain("hit"), ALL, || false).unwrap();
    let next = found.next.unwrap();
    assert!(next < 100_000);
    assert_eq!(found.count, next - 1);
    let backwards = Search { way: Way::Before(u64::MAX), ..ALL };
    let found = log.search(&plain("hit"), backwards, || false).unwrap();
    let next = found.next.unwrap();
    assert!(next > 1);
    assert_eq!(found.count, 100_001 - next);
}

#[test]
fn what_was_left_out_matches_nothing() {
    let dir = TempDir::new().unwrap();
    let mut writer = Writer::open(dir.path()).unwrap();
    writer.set_limit(5);
    let mut line = Unfinished::new(STDOUT);
    writer.append(&mut line, b"kept\nnot kept\nnor this\n", AT);
    let anything = pattern("^", SearchMode::Regex, SearchCase::Match);
    for way in [Way::From(1), Way::Before(9)] {
        let found = log(&dir).search(&anything, Search { way, ..ALL }, || true).unwrap();
        assert_eq!((found.lines, found.total), (vec![1], 2));
    }
}

#[test]
fn marks_are_spread_over_all_that_was_searched() {
    let dir = printed("hit\n".repeat(64_000).as_bytes());
    let found = search(&log(&dir), "hit", Search { limit: 3, ..ALL });
    assert_eq!((found.lines, found.count), (vec![1, 2, 3], 64_000));
    assert_eq!(found.marks, (0..64).map(|n| n * 1000 + 1).collect::<Vec<_>>());
    let dir = printed("miss\nhit\n".repeat(10).as_bytes());
    let found = search(&log(&dir), "hit", Search { way: Way::Before(21), ..ALL });
    assert_eq!(found.marks, (1..=10).map(|n| 2 * n).collect::<Vec<_>>());
}

#[test]
fn one_search_looks_at_64_mib_and_says_where_the_next_begins() {
    let line = format!("{}\n", "x".repeat(1023));
    let dir = printed(line.repeat(70 << 10).as_bytes());
    let log = log(&dir);
    let counts = |mut way| {
        let mut counts = Vec::new();
        loop {
            let found = search(&log, "x", Search { way, limit: 0, first: false });
            counts.push(found.count);
            match (found.next, &mut way) {
                (Some(next), Way::From(n) | Way::Before(n)) => *n = next,
                (None, _) => return counts,
            }
        }
    };
    assert_eq!(counts(Way::From(0)), [64 << 10, 6 << 10]);
    assert_eq!(counts(Way::Before(u64::MAX)), [64 << 10, 6 << 10]);
}
