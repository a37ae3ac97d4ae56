//! Measures the executor: time from spawn to the first step, private memory, lines captured per
//! second; the latter two with all kinds of secrets redacted, too. `cargo run --release -p engine --example executor_figures -- TAILBOARD`, where TAILBOARD
//! is the executable whose `executor` verb is measured.

use engine::{
    Definition, SecretKind, Settings, StepDef,
    executor::{
        environment::{Inherited, Marker},
        journal::{self, Entry, What},
        launch::{self, READY_TIME},
        plan::Plan,
    },
    logs::Log,
};
use shared::{JobId, Phase, Timestamp};
use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};
use uuid::Uuid;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result<()> {
    let exe = std::env::args_os().nth(1).map(PathBuf::from).ok_or("usage: … TAILBOARD")?;
    let mut starts = Vec::new();
    for _ in 0..30 {
        let (begun, entries, _) = run(&exe, "true", &[], false)?;
        let first = entries.iter().find(|e| matches!(e.what, What::StepStarted { .. }));
        starts.push(first.ok_or("no step")?.at.since(begun));
    }
    starts.sort_unstable();
    println!("start to first step, ms: median {}, worst {}", starts[15], starts[29]);
    let all = SecretKind::ALL.map(|(_, kind)| kind);
    for (how, redact) in [("as it is", &[][..]), ("redacted", &all)] {
        let (_, _, private) = run(&exe, "seq 200000; sleep 0.3", redact, true)?;
        println!("private memory after 200,000 lines, {how}, KiB: {private}");
        for (what, command) in [
            ("short lines (seq)", "seq 10000000"),
            ("lines of 80 bytes", "yes \"$(printf '%079d' 7)\" | head -n 5000000"),
            (
                "lines with a password",
                "yes 'GET https://user:password@example.com/' | head -n 5000000",
            ),
        ] {
            let (_, entries, _) = run(&exe, command, redact, false)?;
            for entry in entries {
                if let What::StepEnded { duration_ms: Some(ms), .. } = entry.what {
                    println!(
                        "{what}, {how}: {} lines/s, {} MB/s",
                        entry.lines * 1000 / ms,
                        entry.offset / 1000 / ms
                    );
                }
            }
        }
    }
    Ok(())
}

/// When it was begun, its journal, and private memory in KiB shortly before its end.
fn run(
    exe: &std::path::Path,
    command: &str,
    redact: &[SecretKind],
    weigh: bool,
) -> Result<(Timestamp, Vec<Entry>, u64)> {
    let dir = std::env::temp_dir().join(format!("tailboard-{}", Uuid::new_v4()));
    fs::create_dir(&dir)?;
    let marker = Marker { install: "figures".into(), job: JobId(Uuid::now_v7()), attempt: 1 };
    let definition = Definition {
        name: "figures".into(),
        queue: "default".into(),
        steps: vec![StepDef {
            name: "work".into(),
            phase: Phase::Execution,
            run: command.into(),
            ..StepDef::default()
        }],
        ..Definition::default()
    };
    let settings = Settings { min_free_disk: 0, redact: redact.to_vec(), ..Settings::default() };
    let plan = Plan::of(
        &definition,
        &settings,
        &Inherited::capture(),
        &BTreeMap::new(),
        &BTreeMap::new(),
        &marker,
    );
    let begun = Timestamp::now();
    let mut child = launch::spawn(exe, &dir, 1)?.ready(READY_TIME)?.send(&plan)?;
    let mut private = 0;
    if weigh {
        thread::sleep(Duration::from_millis(300));
        let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", child.id()))?;
        let lines = rollup.lines().filter(|line| line.starts_with("Private_"));
        private =
            lines.filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok()).sum();
    }
    child.wait()?;
    let entries = journal::read_from(&dir, 1, 0)?.entries;
    if let Some(log) = Log::open(&dir)? {
        let total = log.size()?.lines;
        if total > 1_000_000 {
            let begun = Instant::now();
            let lines = log.window(total as i64 / 2, 1000)?.lines.len();
            let first = begun.elapsed();
            println!("window of {lines} in the middle of {total} lines: {first:?}");
        }
    }
    fs::remove_dir_all(&dir)?;
    Ok((begun, entries, private))
}
