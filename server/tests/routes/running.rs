//! A running server with a data directory of its own.

use crate::{
    client::{self, Answer, PATIENCE},
    events::Events,
};
use access::Access;
use engine::Engine;
use serde_json::{Value, json};
use server::{config, contracts::Streams, reload::Reloads, served::Served, web};
use std::{net::SocketAddr, path::PathBuf, time::Duration};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub struct Running {
    pub address: SocketAddr,
    pub engine: Engine,
    pub access: Access,
    pub streams: Streams,
    pub closing: CancellationToken,
    /// Ends the streams and leaves the rest.
    pub closing_streams: CancellationToken,
    dir: TempDir,
    serving: JoinHandle<()>,
    /// Its configuration.
    pub file: PathBuf,
}

impl Running {
    /// A server with these pipelines (TOML), whose streams get a keep-alive every 50 ms.
    pub async fn start(pipelines: &str) -> Self {
        Self::start_with(pipelines, |_| {}).await
    }

    /// The same with other bounds of streams.
    pub async fn start_with(pipelines: &str, bound: impl FnOnce(&mut Streams)) -> Self {
        Self::started(pipelines, bound, true).await
    }

    /// A server that nobody has access to yet.
    pub async fn start_without_access(pipelines: &str) -> Self {
        Self::started(pipelines, |_| {}, false).await
    }

    async fn started(pipelines: &str, bound: impl FnOnce(&mut Streams), with_key: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("test.toml"), pipelines).unwrap();
        Self::open(dir, bound, with_key).await
    }

    async fn open(dir: TempDir, bound: impl FnOnce(&mut Streams), with_key: bool) -> Self {
        let file = dir.path().join("test.toml");
        let config = config::load(&file).unwrap();
        let exe = PathBuf::from(env!("CARGO_BIN_EXE_tailboard"));
        let data = dir.path().join("data");
        let engine = Engine::start(&data, config.engine, exe).await.unwrap();
        let access = Access::open(&data, config.access.access.clone()).unwrap();
        if with_key {
            access.bootstrap(client::TOKEN).await.unwrap();
        }
        access.sweep();
        let listener = web::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = listener.local_addr().unwrap();
        let closing = CancellationToken::new();
        let closing_streams = closing.child_token();
        let mut streams = Streams::start(
            Duration::from_millis(50),
            config.access.limits.clone(),
            closing_streams.clone(),
        );
        bound(&mut streams);
        let reloads = Reloads::of(engine.clone(), file.clone(), config.access.clone());
        let connections = web::Connections::of(&config.access);
        let served = Served {
            engine: engine.clone(),
            streams: streams.clone(),
            reloads,
            access: access.clone(),
            connections: connections.clone(),
        };
        let router = served.router(address, &config.access);
        let serving = tokio::spawn(web::serve(listener, router, connections, closing.clone()));
        Self { address, engine, access, streams, closing, closing_streams, file, dir, serving }
    }

    /// Ends the server and leaves its runs; another one is started on the same directory.
    pub async fn start_again(self) -> Self {
        self.closing.cancel();
        let stop = async {
            self.serving.await.unwrap();
            self.engine.stop(false).await;
        };
        tokio::time::timeout(PATIENCE, stop).await.expect("an end in time");
        // The last handles: the directory is free after that, and has its key.
        drop((self.engine, self.access));
        Self::open(self.dir, |_| {}, false).await
    }

    /// Ends the server and the runs that are left.
    pub async fn stop(self) {
        self.closing.cancel();
        let stop = async {
            self.serving.await.unwrap();
            self.engine.stop(true).await;
        };
        tokio::time::timeout(PATIENCE, stop).await.expect("an end in time");
    }

    /// Where the files of a job are.
    pub fn job_dir(&self, id: &str) -> PathBuf {
        self.dir.path().join("data/jobs").join(&id[34..]).join(id)
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, head: &[(&str, &str)]) -> Answer {
        client::send(self.address, "GET", path, head, b"").await
    }

    /// The JSON of an answer that has to be 200.
    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        answer.json().await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        client::send(self.address, "POST", path, &json, body.to_string().as_bytes()).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        client::send(self.address, "PUT", path, &json, body.to_string().as_bytes()).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        client::send(self.address, "DELETE", path, &[], b"").await
    }

    /// Switches the events of the built-in runner's connection, `on` or `off`.
    pub async fn switch_events(&self, events: &str) -> Answer {
        let path = format!("/api/v1/connections/{}", self.connection().await);
        self.patch(&path, &json!({ "events": events })).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        let json = [("Content-Type", "application/json")];
        client::send(self.address, "PATCH", path, &json, body.to_string().as_bytes()).await
    }

    /// Runs a pipeline; gives the job's id.
    pub async fn run(&self, pipeline: &str) -> String {
        let answer = self.post("/api/v1/executions", &json!({ "pipeline": pipeline })).await;
        assert_eq!(answer.status, 202);
        answer.json().await["id"].as_str().unwrap().to_owned()
    }

    /// Runs a pipeline to its end.
    pub async fn run_to_end(&self, pipeline: &str) -> String {
        let since = self.json("/api/v1/jobs?limit=1").await["as_of"].as_str().unwrap().to_owned();
        let mut events = self.events(&format!("&types=job&since={since}"), &[]).await;
        let id = self.run(pipeline).await;
        loop {
            let event = events.named("job:state_change").await;
            let over = ["completed", "failed", "cancelled"];
            if event.data["id"] == id && over.iter().any(|state| event.data["state"] == *state) {
                return id;
            }
        }
    }

    /// Waits until a job is over.
    pub async fn over(&self, id: &str) {
        let mut events = Events::of(self.get(&format!("/api/jobs/{id}/stream")).await);
        while events.next().await.is_some() {}
    }

    /// Waits until no stream is open.
    pub async fn no_streams(&self) {
        let none = async {
            while self.streams.count() + self.engine.hub().open() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, none).await.expect("all streams gone in time");
    }

    /// Waits until a queue is known.
    pub async fn queue(&self, name: &str) {
        let since = self.json("/api/v1/queues").await["as_of"].as_str().unwrap().to_owned();
        let mut events = self.events(&format!("&types=queue&since={since}"), &[]).await;
        let rows = self.json("/api/v1/queues").await;
        if rows["items"].as_array().unwrap().iter().any(|queue| queue["name"] == name) {
            return;
        }
        while events.named("queue:snapshot").await.data["name"] != name {}
    }

    /// The path of every stream there is over HTTP, of this job where it is one of a job.
    pub async fn streams_of(&self, job: &str) -> [String; 6] {
        let pipeline = self.json(&format!("/api/v1/jobs/{job}")).await["name"].clone();
        [
            format!("/api/events/stream?connectionId={}", self.connection().await),
            format!("/api/jobs/{job}/stream"),
            format!("/api/jobs/{job}/logs"),
            format!("/api/v1/executions/{job}/events"),
            format!("/v0/pipelines/{}/logs", pipeline.as_str().unwrap()),
            format!("/runner-jobs/{job}/events/stream"),
        ]
    }

    pub async fn cancel(&self, id: &str) -> Answer {
        self.post(&format!("/api/v1/jobs/{id}/cancel"), &json!({})).await
    }

    /// The id of the built-in runner's connection.
    pub async fn connection(&self) -> String {
        let rows = self.json("/api/v1/connections").await;
        rows["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The dashboard stream of the built-in runner; `query` begins with `&`.
    pub async fn events(&self, query: &str, head: &[(&str, &str)]) -> Events {
        let path = format!("/api/events/stream?connectionId={}{query}", self.connection().await);
        Events::of(self.get_with(&path, head).await)
    }

    /// A file that a step can wait for: `while [ ! -e $GATE ]; do sleep 0.02; done`.
    pub fn gate(name: &str) -> Gate {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        Gate { path, _dir: dir }
    }
}

/// What a step waits for until the test opens it.
pub struct Gate {
    path: PathBuf,
    _dir: TempDir,
}

impl Gate {
    pub fn open(&self) {
        std::fs::write(&self.path, "").unwrap();
    }

    /// A command that goes on when the gate is open.
    pub fn wait(&self) -> String {
        format!("while [ ! -e {} ]; do sleep 0.02; done", self.path.display())
    }
}

/// A pipeline of `execution` steps, as TOML.
pub fn pipeline(name: &str, steps: &[&str]) -> String {
    let mut toml = format!("[[pipeline]]\nname = '{name}'\n");
    for (i, run) in steps.iter().enumerate() {
        toml += &format!("[[pipeline.steps]]\nname = 'step {}'\nrun = '''{run}'''\n", i + 1);
    }
    toml
}
