//! Output that nobody reads any more.

use super::board::tailboard;
use crate::client::PATIENCE;
use std::path::Path;
use tokio::process::Command;

/// Standard output is a pipe whose reader is gone.
fn unread(dir: &Path, args: &[&str]) -> Command {
    let (_, writer) = std::io::pipe().unwrap();
    let mut command = tailboard(dir, args);
    command.stdout(writer);
    command
}

#[tokio::test]
async fn a_result_that_nobody_reads_ends_as_the_signal_would_have_it() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tailboard.toml"), "").unwrap();
    for args in [["check"].as_slice(), &["completions", "bash"]] {
        let mut command = unread(dir.path(), args);
        command.current_dir(dir.path());
        let mut child = command.spawn().unwrap();
        let ended = tokio::time::timeout(PATIENCE, child.wait()).await.unwrap().unwrap();
        assert_eq!(ended.code(), Some(141), "{args:?}");
    }
}

#[tokio::test]
async fn a_server_goes_on_and_ends_well_though_nobody_reads_what_it_says() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("tailboard.toml"), "").unwrap();
    let socket = dir.path().join("notify");
    let manager = tokio::net::UnixDatagram::bind(&socket).unwrap();
    let (_, writer) = std::io::pipe().unwrap();
    let mut command = unread(dir.path(), &["serve", "--listen", "127.0.0.1:0"]);
    command.current_dir(dir.path()).stderr(writer).env("NOTIFY_SOCKET", &socket);
    let mut server = command.spawn().unwrap();
    let mut said = [0; 64];
    let ready = tokio::time::timeout(PATIENCE, manager.recv(&mut said)).await.unwrap().unwrap();
    assert_eq!(&said[..ready], b"READY=1\n");
    super::board::signal(&server, "-INT");
    let ended = tokio::time::timeout(PATIENCE, server.wait()).await.unwrap().unwrap();
    assert_eq!(ended.code(), Some(0));
}
