//! The server is killed at any moment: what was acknowledged is there, and no number is used again.

use crate::stand::{Stand, job_id};
use shared::JobState;
use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

const DIR: &str = "BOARD_CRASH_DIR";
const FIRST: &str = "BOARD_CRASH_FIRST";

/// Not a test: what the one below starts and kills. Says what was acknowledged, and the number of it.
#[test]
#[ignore = "started by the test that kills it"]
fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let first: u128 = std::env::var(FIRST).unwrap().parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let stand = Stand::open(dir.as_ref());
    let mut out = std::io::stdout().lock();
    runtime.block_on(async {
        for n in first.. {
            let job = stand.queue(n).await;
            let claimed = if n % 2 == 0 { stand.claim(job).await.unwrap().job } else { None };
            let row = claimed.unwrap_or_else(|| stand.job(job));
            writeln!(out, "acknowledged {n} {} {}", row.state, row.revision).unwrap();
            out.flush().unwrap();
        }
    });
}

#[test]
fn after_a_kill_all_that_was_acknowledged_is_there_and_no_number_is_used_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut acknowledged: Vec<(u128, JobState, u64)> = Vec::new();
    let mut first = 0;
    for lines in [1, 7, 30] {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "crash::child", "--nocapture"])
            .env(DIR, dir.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        let read = |line: String| {
            let mut words = line.split_once("acknowledged ")?.1.split(' ');
            Some((
                words.next()?.parse().ok()?,
                words.next()?.parse().ok()?,
                words.next()?.parse().ok()?,
            ))
        };
        while seen < lines {
            if let Some(row) = read(output.next().expect("it goes on until it is killed").unwrap())
            {
                acknowledged.push(row);
                seen += 1;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // What it said between the last line and its death counts too.
        acknowledged.extend(output.map_while(Result::ok).filter_map(read));

        let stand = Stand::open(dir.path());
        for &(n, state, revision) in &acknowledged {
            let row = stand.store.job(&stand.caller, job_id(n)).unwrap().unwrap();
            assert_eq!((row.state, row.revision), (state, revision), "job {n}");
            assert!(stand.hub.head().seq >= revision);
        }
        first = acknowledged.last().unwrap().0 + 100;
        stand.close();
    }
    let mut numbers: Vec<_> = acknowledged.iter().map(|(_, _, revision)| *revision).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), acknowledged.len());
}
