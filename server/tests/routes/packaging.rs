//! What is handed over beside the executable.

use std::{io::ErrorKind, process::Command};

const UNIT: &str = include_str!("../../../packaging/tailboard.service");

#[test]
fn systemd_understands_every_line_of_the_unit() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tailboard.service");
    // It looks for the executable too.
    let unit = UNIT.replace("/usr/local/bin/tailboard ", "/bin/true ");
    std::fs::write(&file, unit).unwrap();
    let verified = match Command::new("systemd-analyze").arg("verify").arg(&file).output() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            eprintln!("skipped: there is no systemd-analyze");
            return;
        }
        verified => verified.unwrap(),
    };
    // What it does not understand it tells and ignores: the status is 0. Other units are the machine's.
    let said = String::from_utf8(verified.stderr).unwrap();
    let of_ours: Vec<_> = said.lines().filter(|line| line.contains("tailboard")).collect();
    assert!(verified.status.success() && of_ours.is_empty(), "{said}");
}

#[test]
fn the_unit_lets_neither_a_restart_nor_a_step_out_of_memory_end_what_runs() {
    let has = |line: &str| UNIT.lines().any(|of_unit| of_unit == line);
    assert!(has("KillMode=process") && has("OOMPolicy=continue"));
    // A directory of the unit's own would be removed under runs that go on.
    assert!(!UNIT.contains("RuntimeDirectory=") && !UNIT.contains("PrivateTmp=yes"));
}
