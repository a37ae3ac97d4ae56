//! What a search in a log costs: `cargo run --release -p bench --bin logsearch -- --data-dir DIR`. Makes logs
//! of several kinds in a directory of its own the first time. Exits with 1 when a plain log is searched
//! for a text more slowly than it should be.

use anyhow::Context;
use bench::Arguments;
use engine::logs::{
    Log,
    index::Origin,
    search::{Pattern, Search, Way},
    writer::{Unfinished, Writer},
};
use shared::{
    Timestamp,
    log::{SearchCase, SearchMode, Stream},
};
use std::{fmt::Write, path::Path, process::ExitCode, time::Instant};

/// Bytes of each log.
const SIZE: u64 = 512 << 20;
/// A line with the word that is looked for comes after so many others.
const RARE: u64 = 100_000;
/// MB/s: in a log as most are, for a text that few lines have.
const BOUND: f64 = 1000.0;
/// The best of so many.
const ROUNDS: usize = 3;

/// Name of a log, and its line number `n`.
type Kind = (&'static str, fn(u64, &mut String) -> std::fmt::Result);

const KINDS: [Kind; 5] = [
    ("plain", |n, text| {
        let ms = n * 7919 % 997;
        writeln!(text, "2026-11-21T07:40:12.123Z INFO worker{} did item {n} in {ms} ms", n % 8)
    }),
    ("colours", |n, text| {
        let ms = n * 7919 % 997;
        let info = "\x1b[2m07:40:12.123\x1b[0m \x1b[32mINFO\x1b[0m";
        writeln!(text, "{info} worker{} did item {n} in {ms} ms", n % 8)
    }),
    ("crlf", |n, text| {
        write!(text, "07:40:12.123 INFO worker{} did item {n} in {} ms\r\n", n % 8, n * 7919 % 997)
    }),
    ("cyrillic", |n, text| {
        writeln!(text, "✓ шаг {n} завершён за {} мс, всё хорошо", n * 7919 % 997)
    }),
    ("short", |n, text| writeln!(text, "{}", n % 1000)),
];

const SEARCHES: [(&str, SearchMode, SearchCase); 8] = [
    ("Connection Error", SearchMode::Plain, SearchCase::Match),
    ("e", SearchMode::Plain, SearchCase::Match),
    ("Connection Error", SearchMode::Plain, SearchCase::Ignore),
    ("error", SearchMode::Plain, SearchCase::Ignore),
    ("worker7", SearchMode::Plain, SearchCase::Ignore),
    (r"error: \w+", SearchMode::Regex, SearchCase::Ignore),
    (r"item \d*999 in", SearchMode::Regex, SearchCase::Match),
    (r"[a-z ]*\d{3} [a-z]+$", SearchMode::Regex, SearchCase::Match),
];

fn main() -> anyhow::Result<ExitCode> {
    let logs = Arguments::read()?.data_dir.join("logsearch");
    let mut is_slow = false;
    println!("{:>7} {:>9}  log, what for", "MB/s", "lines");
    for (name, line) in KINDS {
        let dir = logs.join(name);
        if !dir.exists() {
            std::fs::create_dir_all(&dir)?;
            fill(&dir, line)?;
        }
        let log = Log::open(&dir)?.context("the log was just made")?;
        for (text, mode, case) in SEARCHES {
            let (rate, count) = measure(&log, &Pattern::new(text, mode, case)?)?;
            println!(
                "{rate:7.0} {count:9}  {name}, {} {text:?}, {} case",
                mode.as_str(),
                case.as_str()
            );
            let is_bound = name == KINDS[0].0 && (text, mode, case) == SEARCHES[0];
            is_slow |= is_bound && rate < BOUND;
        }
    }
    Ok(if is_slow { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Makes a log of one stream.
fn fill(dir: &Path, line: fn(u64, &mut String) -> std::fmt::Result) -> anyhow::Result<()> {
    let mut writer = Writer::open(dir)?;
    let mut unfinished = Unfinished::new(Origin { stream: Stream::Stdout, step: 0, attempt: 1 });
    let (mut n, mut text) = (0, String::new());
    while writer.mark().offset < SIZE {
        text.clear();
        while text.len() < 60_000 {
            n += 1;
            line(n, &mut text)?;
            if n % RARE == 0 {
                text.push_str("Connection Error: timeout\n");
            }
        }
        writer.append(&mut unfinished, text.as_bytes(), Timestamp(0));
    }
    Ok(())
}

/// MB/s of a search through all of a log, and how many lines it found.
fn measure(log: &Log, pattern: &Pattern) -> anyhow::Result<(f64, u64)> {
    let bytes = log.size()?.bytes as f64;
    let (mut best, mut count) = (f64::MAX, 0);
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let mut next = Some(1);
        count = 0;
        while let Some(from) = next {
            let search = Search { way: Way::From(from), limit: 1000, first: false };
            let found = log.search(pattern, search, || true)?;
            count += found.count;
            next = found.next;
        }
        best = best.min(begin.elapsed().as_secs_f64());
    }
    Ok((bytes / best / 1e6, count))
}
