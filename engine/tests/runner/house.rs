//! A data directory of its own, and engines that are started on it with real executors.

use engine::{Caller, Definition, Engine, QueueDef, RunRequest, Settings, StepDef};
use shared::{JobDetail, JobId, Phase};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The executor of these tests: the crate's own binary.
pub const EXECUTOR: &str = env!("CARGO_BIN_EXE_executor");
/// A condition that has not come true by then never will.
const PATIENCE: Duration = Duration::from_secs(30);

pub struct House {
    pub dir: tempfile::TempDir,
    pub settings: Settings,
}

impl House {
    /// A queue `default` with this many slots, and these pipelines of one shell step each.
    pub fn new(concurrency: u32, pipelines: &[(&str, &str)]) -> Self {
        let settings = Settings {
            grace: Duration::from_secs(1),
            min_free_disk: 0,
            queues: vec![QueueDef { name: "default".into(), concurrency }],
            pipelines: pipelines
                .iter()
                .map(|(name, run)| pipeline(name, &[("step", run)]))
                .collect(),
            ..Settings::default()
        };
        Self { dir: tempfile::tempdir().unwrap(), settings }
    }

    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A path that steps can write to and tests can read.
    pub fn note(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub async fn open(&self) -> Engine {
        open(&self.data(), self.settings.clone()).await
    }
}

pub async fn open(data: &Path, settings: Settings) -> Engine {
    Engine::start(data, settings, EXECUTOR.into()).await.unwrap()
}

pub fn pipeline(name: &str, steps: &[(&str, &str)]) -> Definition {
    let step = |(name, run): &(&str, &str)| StepDef {
        name: (*name).to_owned(),
        phase: Phase::Execution,
        run: (*run).to_owned(),
        ..StepDef::default()
    };
    Definition {
        name: name.to_owned(),
        queue: "default".into(),
        steps: steps.iter().map(step).collect(),
        ..Definition::default()
    }
}

pub async fn run(engine: &Engine, pipeline: &str) -> JobId {
    let request = RunRequest { pipeline: pipeline.to_owned(), ..RunRequest::default() };
    engine.run(&Caller::board(), request).await.unwrap().id
}

pub async fn detail(engine: &Engine, job: JobId) -> JobDetail {
    engine.job(&Caller::board(), job).await.unwrap().unwrap()
}

/// Waits until the job is over.
pub async fn over(engine: &Engine, job: JobId) -> JobDetail {
    until("the job is over", async || {
        let detail = detail(engine, job).await;
        detail.job.state.is_over().then_some(detail)
    })
    .await
}

/// Waits for a condition.
pub async fn until<T>(what: &str, mut come: impl AsyncFnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(value) = come().await {
            return value;
        }
        assert!(since.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until a job says that it waits, with these words in the reason.
pub async fn waits(engine: &Engine, id: JobId, because: &str) {
    until(because, async || {
        let waiting = detail(engine, id).await.waiting.unwrap_or_default();
        waiting.contains(because).then_some(())
    })
    .await;
}

/// A step that goes on until it is let go.
pub fn gate(house: &House, name: &str) -> (String, impl Fn() + use<>) {
    let path = house.note(name);
    let step = format!("until test -e {}; do sleep 0.01; done", path.display());
    (step, move || std::fs::write(&path, "").unwrap())
}

/// The text of a job's log.
pub async fn log(engine: &Engine, job: JobId) -> String {
    use std::io::Read;
    let (file, length) = engine.log_file(&Caller::board(), job).await.unwrap().unwrap();
    let mut text = String::new();
    file.take(length).read_to_string(&mut text).unwrap();
    text
}

/// Processes that carry this text in their environment.
pub fn processes(text: &str) -> Vec<i32> {
    let carries = |pid: i32| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environ).contains(text)
    };
    let pids = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| carries(*pid)).collect()
}
