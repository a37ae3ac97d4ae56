//! `tailboard serve`: where it listens, how it ends, what goes on without it.

use super::{Served, ended, output, tailboard};
use crate::{
    client::{self, PATIENCE},
    running::{Running, pipeline},
};
use serde_json::json;
use std::{path::Path, process::Stdio};
use tokio::process::Command;

#[tokio::test]
async fn an_address_that_others_reach_is_refused_while_nobody_has_a_password_or_key() {
    let dir = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "192.0.2.1:3000", "[::]:0"] {
        let (status, _, errors) = listening(dir.path(), address, "", "").await;
        assert_eq!(status, Some(1), "{errors}");
        assert!(errors.contains("nobody has a password or a key yet"), "{errors}");
        assert!(errors.contains("tailboard user add"), "{errors}");
    }
}

#[tokio::test]
async fn an_address_of_any_name_needs_the_one_that_browsers_use() {
    let dir = tempfile::tempdir().unwrap();
    let (status, _, errors) = listening(dir.path(), "0.0.0.0:0", "", client::TOKEN).await;
    assert_eq!(status, Some(1), "{errors}");
    assert!(errors.contains("set public_url"), "{errors}");
    let below = "public_url = 'https://example.com/tailboard'";
    let (status, _, errors) = listening(dir.path(), "0.0.0.0:0", below, client::TOKEN).await;
    assert_eq!(status, Some(2), "{errors}");
    assert!(errors.contains("cannot be below a path"), "{errors}");
}

/// `serve` on an address, to its end, with or without a first key.
async fn listening(
    dir: &Path,
    address: &str,
    toml: &str,
    token: &str,
) -> (Option<i32>, String, String) {
    let (config, data) = (dir.join("tailboard.toml"), dir.join("data"));
    std::fs::write(&config, toml).unwrap();
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    let args = ["serve", "--config", config, "--data-dir", data, "--listen", address];
    let mut command = tailboard(&args);
    if token.is_empty() {
        command.env_remove("TAILBOARD_BOOTSTRAP_TOKEN");
    }
    ended(command).await
}

#[tokio::test]
async fn a_data_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Served::start(dir.path(), "").await;
    let (config, data) = (dir.path().join("tailboard.toml"), dir.path().join("data"));
    let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
    let args = ["serve", "--config", config, "--data-dir", data, "--listen", "127.0.0.1:0"];
    let (status, _, errors) = output(&args).await;
    assert_eq!(status, Some(1));
    assert!(errors.contains("in use"), "{errors}");
    first.signal("-TERM");
    assert_eq!(first.ends().await, Some(0));
}

#[tokio::test]
async fn runs_go_on_without_the_server_and_the_next_one_takes_them_over() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&format!("echo before; {}; echo after", gate.wait())]);
    let mut server = Served::start(dir.path(), &toml).await;
    let id = server.run("waits").await;
    server.until(&id, "active").await;
    server.signal("-TERM");
    server.says("1 run is going on without the server").await;
    assert_eq!(server.ends().await, Some(0));

    let mut server = Served::start(dir.path(), &toml).await;
    assert_eq!(server.job(&id).await["state"], "active");
    gate.open();
    server.until(&id, "completed").await;
    let path = format!("/api/jobs/{id}/logs/static");
    let log = client::send(server.address, "GET", &path, &[], b"").await.text().await;
    assert_eq!(log, "before\nafter\n");
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn a_second_ctrl_c_cancels_what_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let gate = Running::gate("gate");
    let toml = pipeline("waits", &[&gate.wait()]);
    let mut server = Served::start(dir.path(), &toml).await;
    let id = server.run("waits").await;
    server.until(&id, "active").await;
    server.signal("-INT");
    server.says("press Ctrl-C again").await;
    server.signal("-INT");
    assert_eq!(server.ends().await, Some(0));
    let mut server = Served::start(dir.path(), &toml).await;
    assert_eq!(server.job(&id).await["state"], "cancelled");
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

/// `tailboard` as process 1 of a namespace of its own; `unshare` passes nothing on but its own end.
fn as_init(args: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]);
    command.arg(env!("CARGO_BIN_EXE_tailboard")).args(args);
    command.env_clear().env("PATH", "/usr/bin:/bin").kill_on_drop(true);
    command.env("TAILBOARD_BOOTSTRAP_TOKEN", client::TOKEN);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Looks again until it is so.
async fn until(what: &str, is_so: impl Fn() -> bool) {
    let work = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Children of a process.
fn children(pid: u32) -> Vec<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(|pid| pid.parse().unwrap()).collect()
}

#[tokio::test]
async fn as_process_1_it_reaps_what_it_does_not_know_and_nothing_outlives_it() {
    let dir = tempfile::tempdir().unwrap();
    let orphaned = dir.path().join("orphaned");
    // The orphan ends by itself while its run goes on; the executor is its own subreaper, so it is
    // the executors themselves that come to process 1 when the server is gone.
    let step = format!("touch {}; exec sleep 1000", orphaned.display());
    let toml = pipeline("waits", &[&step]);
    let mut server = Served::started(dir.path(), &toml, as_init).await;
    let id = server.run("waits").await;
    server.until(&id, "active").await;
    let init = children(server.child.id().unwrap())[0];
    let board = children(init)[0];
    until("the step runs", || orphaned.exists()).await;
    // A process that loses its parent: process 1 has to reap it.
    let before = children(init).len();
    let made = std::process::Command::new("nsenter")
        .args([
            "--target",
            &init.to_string(),
            "--user",
            "--preserve-credentials",
            "--pid",
            "--mount",
        ])
        .args(["sh", "-c", "(sleep 0.1 & echo $!)"])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    until("it is reaped", || children(init).len() == before).await;
    let told = std::time::Instant::now();
    let sent = std::process::Command::new("kill").args(["-TERM", &init.to_string()]).status();
    assert!(sent.unwrap().success());
    assert_eq!(server.ends().await, Some(0));
    // The bound that container engines go by.
    assert!(told.elapsed() < std::time::Duration::from_secs(10));
    assert!(!Path::new(&format!("/proc/{board}")).exists());

    let mut server = Served::start(dir.path(), &toml).await;
    let job = server.until(&id, "failed").await;
    assert_eq!(job["error"], "lost: SIGTERM from outside");
    server.signal("-TERM");
    assert_eq!(server.ends().await, Some(0));
}

#[tokio::test]
async fn a_hangup_reloads_and_the_service_manager_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("notify");
    let manager = tokio::net::UnixDatagram::bind(&socket).unwrap();
    let told = async |part: &str| {
        let mut text = vec![0; 256];
        let work = async {
            loop {
                let n = manager.recv(&mut text).await.unwrap();
                if String::from_utf8_lossy(&text[..n]).contains(part) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("never {part}"));
    };
    NOTIFY.with_borrow_mut(|path| *path = socket.display().to_string());
    let managed = |args: &[&str]| {
        let mut command = tailboard(args);
        command.env("NOTIFY_SOCKET", NOTIFY.with_borrow(String::clone));
        command
    };
    let mut server = Served::started(dir.path(), &pipeline("one", &["true"]), managed).await;
    told("READY=1").await;
    let two = pipeline("one", &["true"]) + &pipeline("two", &["true"]);
    std::fs::write(dir.path().join("tailboard.toml"), two).unwrap();
    server.signal("-HUP");
    told("RELOADING=1").await;
    told("READY=1").await;
    server.run("two").await;
    std::fs::write(dir.path().join("tailboard.toml"), "nonesuch = 1").unwrap();
    server.signal("-HUP");
    server.says("the configuration was not reloaded").await;
    told("READY=1").await;
    server.run("two").await;
    let path = "/api/v1/audit?action=config.reload";
    let log = client::send(server.address, "GET", path, &[], b"").await.json().await;
    let entries = log["items"].as_array().unwrap();
    let told_of = |entry: &serde_json::Value| {
        (entry["caller"].clone(), entry["address"].clone(), entry["status"].clone())
    };
    let of = |status: u16| (json!("board"), json!("signal"), json!(status));
    assert_eq!(entries.iter().map(told_of).collect::<Vec<_>>(), [of(422), of(200)], "{log}");
    server.signal("-TERM");
    told("STOPPING=1").await;
    assert_eq!(server.ends().await, Some(0));
}

thread_local! {
    /// Where the service manager of a test listens; each test has a thread of its own.
    static NOTIFY: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}
