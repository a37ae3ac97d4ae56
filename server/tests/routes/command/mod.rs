//! The server's own verbs, each as its own process.

mod check;
mod serve;

use crate::client::{self, PATIENCE};
use serde_json::json;
use std::{net::SocketAddr, path::Path, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
};

fn tailboard(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tailboard"));
    command.args(args).env_clear().env("PATH", "/usr/bin:/bin").kill_on_drop(true);
    command.env("TAILBOARD_BOOTSTRAP_TOKEN", client::TOKEN);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end: exit status, standard output, standard error.
async fn output(args: &[&str]) -> (Option<i32>, String, String) {
    ended(tailboard(args)).await
}

async fn ended(mut command: Command) -> (Option<i32>, String, String) {
    let output = tokio::time::timeout(PATIENCE, command.output()).await;
    let output = output.expect("an end in time").unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

struct Served {
    child: Child,
    address: SocketAddr,
    _out: Lines<BufReader<ChildStdout>>,
    errors: Lines<BufReader<ChildStderr>>,
}

impl Served {
    async fn start(dir: &Path, toml: &str) -> Self {
        Self::started(dir, toml, tailboard).await
    }

    async fn started(dir: &Path, toml: &str, command: fn(&[&str]) -> Command) -> Self {
        let (config, data) = (dir.join("tailboard.toml"), dir.join("data"));
        std::fs::write(&config, toml).unwrap();
        let (config, data) = (config.to_str().unwrap(), data.to_str().unwrap());
        let args = ["serve", "--config", config, "--data-dir", data, "--listen", "127.0.0.1:0"];
        let mut child = command(&args).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = tokio::time::timeout(PATIENCE, out.next_line()).await.unwrap().unwrap();
        let Some(said) = said else {
            let mut all = String::new();
            errors.get_mut().read_to_string(&mut all).await.unwrap();
            panic!("it ended: {all}");
        };
        let address = said.strip_prefix("Tailboard serves http://").unwrap().parse().unwrap();
        Self { child, address, _out: out, errors }
    }

    async fn post(&self, path: &str, body: serde_json::Value) -> client::Answer {
        let head = [("Content-Type", "application/json")];
        client::send(self.address, "POST", path, &head, body.to_string().as_bytes()).await
    }

    async fn run(&self, pipeline: &str) -> String {
        let answer = self.post("/api/v1/executions", json!({ "pipeline": pipeline })).await;
        answer.json().await["id"].as_str().unwrap().to_owned()
    }

    async fn job(&self, id: &str) -> serde_json::Value {
        client::send(self.address, "GET", &format!("/api/v1/jobs/{id}"), &[], b"")
            .await
            .json()
            .await
    }

    /// Waits until the job is in this state.
    async fn until(&self, id: &str, state: &str) -> serde_json::Value {
        let path = format!("/api/jobs/{id}/stream");
        let answer = client::send(self.address, "GET", &path, &[], b"").await;
        let mut events = crate::events::Events::of(answer);
        loop {
            let job = self.job(id).await;
            if job["state"] == state {
                return job;
            }
            events.next().await.expect("it gets there");
        }
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().unwrap().to_string();
        let sent = std::process::Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// The next line of standard error that has this in it.
    async fn says(&mut self, part: &str) {
        let work = async {
            loop {
                let line = self.errors.next_line().await.unwrap();
                if line.unwrap_or_else(|| panic!("it never said {part:?}")).contains(part) {
                    return;
                }
            }
        };
        tokio::time::timeout(PATIENCE, work).await.unwrap();
    }

    async fn ends(&mut self) -> Option<i32> {
        tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap().code()
    }
}
