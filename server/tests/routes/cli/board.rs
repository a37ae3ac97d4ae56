//! A server as a process of its own, and commands that ask it.

use crate::client::PATIENCE;
pub use crate::client::TOKEN;
use serde_json::Value;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

pub struct Board {
    pub dir: TempDir,
    pub address: SocketAddr,
    child: Child,
}

/// How a command ended.
#[derive(Debug)]
pub struct Done {
    pub status: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Done {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Standard output of a command that has to succeed, without its last line break.
    pub fn said(&self) -> &str {
        assert_eq!(self.status, Some(0), "{self:?}");
        self.text().trim_end()
    }
}

impl Board {
    /// A board with these pipelines (TOML); what runs in it ends with it.
    pub async fn start(toml: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tailboard.toml"), toml).unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let (child, address) = serve(dir.path(), &dir.path().join("data"), address).await;
        Self { dir, address, child }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A command that asks this board.
    pub fn command(&self, args: &[&str]) -> Command {
        self.command_to(self.address, args)
    }

    /// A command that asks whoever is at this address.
    pub fn command_to(&self, address: SocketAddr, args: &[&str]) -> Command {
        let mut command = tailboard(self.dir.path(), args);
        command.env("TAILBOARD_URL", format!("http://{address}"));
        command.env("TAILBOARD_TOKEN", TOKEN);
        command
    }

    pub async fn ask(&self, args: &[&str]) -> Done {
        done(self.command(args)).await
    }

    /// Queues a run; gives its id.
    pub async fn run(&self, pipeline: &str) -> String {
        self.ask(&["run", pipeline]).await.said().to_owned()
    }

    /// Runs a pipeline to its end.
    pub async fn run_to_end(&self, pipeline: &str) -> String {
        let id = self.run(pipeline).await;
        self.ask(&["wait", &id]).await;
        id
    }

    pub async fn job(&self, id: &str) -> Value {
        self.ask(&["job", id, "--json"]).await.json()
    }

    /// Waits until a job is in this state.
    pub async fn until(&self, id: &str, state: &str) -> Value {
        let work = async {
            loop {
                let job = self.job(id).await;
                if job["state"] == state {
                    return job;
                }
            }
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("never {state}"))
    }

    /// Ends the server as a power loss would, and starts the next one at the same address.
    pub async fn restart(&mut self) {
        self.child.kill().await.unwrap();
        (self.child, _) = serve(self.dir.path(), &self.data(), self.address).await;
    }

    /// Ends the server, and what runs.
    pub async fn stop(self) {
        drop(self.stop_and_keep().await);
    }

    /// The same; its directory stays until what comes back is dropped.
    pub async fn stop_and_keep(mut self) -> TempDir {
        for job in self
            .ask(&["jobs", "--state", "queued,active,retrying,scheduled", "--json"])
            .await
            .json()["items"]
            .as_array()
            .unwrap()
        {
            let id = job["id"].as_str().unwrap();
            self.ask(&["cancel", id]).await;
            self.ask(&["wait", id]).await;
        }
        signal(&self.child, "-TERM");
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        self.dir
    }
}

/// A server on this data directory, with the configuration beside it, and where it is.
pub async fn serve(dir: &Path, data: &Path, address: SocketAddr) -> (Child, SocketAddr) {
    let listen = address.to_string();
    let mut command = tailboard(dir, &["serve", "--listen", &listen]);
    command.args(["--config".as_ref(), dir.join("tailboard.toml").as_os_str()]);
    command.args(["--data-dir".as_ref(), data.as_os_str()]);
    command.env("TAILBOARD_BOOTSTRAP_TOKEN", TOKEN).env("TAILBOARD_LOG", "warn");
    command.stderr(Stdio::inherit());
    let mut child = command.spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let work = async {
        while let Some(line) = out.next_line().await.unwrap() {
            if let Some(address) = line.strip_prefix("Tailboard serves http://") {
                return address.parse().unwrap();
            }
        }
        panic!("it ended");
    };
    let address = tokio::time::timeout(PATIENCE, work).await.unwrap();
    (child, address)
}

/// The executable with an empty environment and a home in `dir`.
pub fn tailboard(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailboard"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", dir).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end.
pub async fn done(mut command: Command) -> Done {
    let output = tokio::time::timeout(PATIENCE * 2, command.output()).await;
    let output = output.expect("an end in time").unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    Done { status: output.status.code(), out: output.stdout, err }
}

pub fn signal(child: &Child, signal: &str) {
    let pid = child.id().unwrap().to_string();
    let sent = std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
    assert!(sent.success());
}
