//! One job's directory, its executor, and the questions tests ask about them.

use engine::{
    Definition, Settings, StepDef,
    executor::{
        cancel,
        environment::{Inherited, Marker},
        journal::{self, Entry, Outcome, What},
        launch::{self, READY_TIME},
        lock::{self, State},
        plan::Plan,
        sweep,
    },
    logs::Log,
};
use shared::{CancelRequest, JobId, Phase, StepState, Timestamp};
use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Child, Command},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use uuid::Uuid;

pub const EXECUTOR: &str = env!("CARGO_BIN_EXE_executor");
const PATIENCE: Duration = Duration::from_secs(30);

pub fn step(name: &str, phase: Phase, run: &str) -> StepDef {
    let run = run.to_owned();
    StepDef { name: name.to_owned(), phase, run, ..StepDef::default() }
}

pub fn execution(run: &str) -> StepDef {
    step("work", Phase::Execution, run)
}

pub fn cleanup(run: &str) -> StepDef {
    step("tidy", Phase::Cleanup, run)
}

/// One run of a pipeline; its processes are gone when it is dropped.
pub struct Run {
    pub dir: TempDir,
    pub definition: Definition,
    pub settings: Settings,
    pub inherited: Inherited,
    pub params: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, String>,
    pub marker: Marker,
    pub child: Option<Child>,
}

impl Run {
    pub fn new(steps: impl IntoIterator<Item = StepDef>) -> Self {
        let definition = Definition {
            name: "test".into(),
            queue: "default".into(),
            steps: steps.into_iter().collect(),
            ..Definition::default()
        };
        // Most tests want an end soon; none relies on there being no time.
        let grace = Duration::from_secs(5);
        let settings = Settings { grace, min_free_disk: 0, ..Settings::default() };
        let install = Uuid::new_v4().simple().to_string();
        let marker = Marker { install, job: JobId(Uuid::now_v7()), attempt: 1 };
        let (dir, inherited) = (TempDir::new().unwrap(), Inherited::capture());
        let (params, secrets) = (BTreeMap::new(), BTreeMap::new());
        Self { dir, definition, settings, inherited, params, secrets, marker, child: None }
    }

    pub fn started(steps: impl IntoIterator<Item = StepDef>) -> Self {
        let mut run = Self::new(steps);
        run.start();
        run
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn plan(&self) -> Plan {
        Plan::of(
            &self.definition,
            &self.settings,
            &self.inherited,
            &self.params,
            &self.secrets,
            &self.marker,
        )
    }

    pub fn start(&mut self) {
        let starting = launch::spawn(Path::new(EXECUTOR), self.path(), self.marker.attempt);
        let ready = starting.unwrap().ready(READY_TIME).unwrap();
        self.child = Some(ready.send(&self.plan()).unwrap());
    }

    pub fn pid(&self) -> i32 {
        self.child.as_ref().unwrap().id() as i32
    }

    pub fn journal(&self) -> Vec<Entry> {
        journal::read_from(self.path(), self.marker.attempt, 0).unwrap().entries
    }

    /// Waits until `is_so`.
    #[track_caller]
    pub fn wait_until(&self, is_so: impl Fn(&Self) -> bool) {
        let since = Instant::now();
        while !is_so(self) {
            assert!(since.elapsed() < PATIENCE, "in vain; journal: {:#?}", self.journal());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Waits until a step has printed this.
    #[track_caller]
    pub fn wait_for_log(&self, text: &str) {
        self.wait_until(|run| run.log().contains(text));
    }

    /// Waits for the last word, and for the process.
    #[track_caller]
    pub fn end(&mut self) -> End {
        self.wait_until(|run| run.journal().last().is_some_and(Entry::is_end));
        self.gone();
        match self.journal().pop().unwrap().what {
            What::End { outcome, code, signal, error } => End { outcome, code, signal, error },
            other => panic!("not the last word: {other:?}"),
        }
    }

    /// Waits for the process.
    pub fn gone(&mut self) {
        self.child.take().unwrap().wait().unwrap();
    }

    /// How each step ended.
    pub fn steps(&self) -> Vec<(StepState, Option<String>)> {
        let ended = self.journal().into_iter().filter_map(|entry| match entry.what {
            What::StepEnded { state, error, .. } => Some((state, error)),
            _ => None,
        });
        ended.collect()
    }

    pub fn states(&self) -> Vec<StepState> {
        self.steps().into_iter().map(|(state, _)| state).collect()
    }

    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.path().join("log")).unwrap_or_default()).into_owned()
    }

    /// The lines as the index has them, with the step that printed each.
    pub fn lines(&self) -> Vec<(u32, String)> {
        let log = Log::open(self.path()).unwrap().unwrap();
        let lines = log.window(1, 1000).unwrap().lines.into_iter();
        lines.map(|line| (line.step, line.runs.into_iter().map(|run| run.text).collect())).collect()
    }

    pub fn cancel(&self, force: bool) {
        let request = CancelRequest { by: "owner".into(), at: Timestamp::now(), why: None };
        cancel::request(self.path(), &request, force).unwrap();
        if let State::Held(holder) = lock::take(self.path()).unwrap() {
            cancel::knock(self.path(), &holder).unwrap();
        }
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.pid().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Processes of the run, the executor apart.
    pub fn processes(&self) -> usize {
        sweep::running(&self.marker.install).unwrap().len()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        sweep::sweep(&self.marker).unwrap();
        if !thread::panicking() {
            assert_eq!(self.processes(), 0);
        }
    }
}

/// The last word of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    pub outcome: Outcome,
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub error: Option<String>,
}

impl End {
    pub fn completed() -> Self {
        Self { outcome: Outcome::Completed, code: Some(0), signal: None, error: None }
    }

    pub fn cancelled() -> Self {
        Self { outcome: Outcome::Cancelled, code: None, signal: None, error: None }
    }

    pub fn failed(code: Option<i32>, signal: Option<i32>, error: &str) -> Self {
        Self { outcome: Outcome::Failed, code, signal, error: Some(error.to_owned()) }
    }
}
