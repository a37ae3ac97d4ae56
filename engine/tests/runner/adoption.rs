//! Whatever a server was doing when it died: the next one finds the run, and each step runs once.

use crate::house::{EXECUTOR, House, detail, log, over, run, until};
use engine::{
    Observation,
    board::Board,
    executor::{
        environment::{Inherited, Marker},
        launch,
        plan::Plan,
    },
    hub::Hub,
    observation::{NewJob, NewStep},
    store::Store,
};
use shared::{JobId, JobState, Timestamp};
use std::{
    fs,
    io::Write,
    os::unix::fs::DirBuilderExt,
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

/// A server that had committed `active` for attempt 1 of a new job, and then was gone.
struct Dead {
    house: House,
    job: JobId,
    dir: PathBuf,
    ran: PathBuf,
    plan: Plan,
}

impl Dead {
    async fn after_active() -> Self {
        let mut house = House::new(1, &[]);
        let ran = house.note("ran");
        let step = format!("echo run >> {}; echo out", ran.display());
        house.settings.pipelines = vec![crate::house::pipeline("once", &[("step", &step)])];
        let definition = house.settings.pipelines[0].clone();
        house.open().await.stop(false).await;

        let (store, writer) = Store::open(&house.data()).unwrap();
        let board = Board::start(&store, writer, Hub::start(&store).unwrap()).unwrap();
        let job = JobId(uuid::Uuid::now_v7());
        let queued = NewJob {
            id: job,
            connection: engine::runner::connection_id(store.install_id()),
            external_id: None,
            name: "once".into(),
            pipeline: Some("once".into()),
            queue: "default".into(),
            params: Default::default(),
            steps: vec![NewStep { name: "step".into(), phase: shared::Phase::Execution }],
            definition: Some(serde_json::to_string(&definition).unwrap()),
            max_attempts: 1,
            priority: 0,
            run_at: None,
            retry_of: None,
            due: None,
            key: None,
            created_by: "test".into(),
            created_at: Timestamp::now(),
        };
        board.send(Observation::Queued(Box::new(queued))).await.unwrap().await.unwrap();
        let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        let claimed = Observation::Claimed {
            job,
            attempt: 1,
            worker: "local:default@test".into(),
            boot_id: boot_id.trim().into(),
            at: Timestamp::now(),
        };
        board.send(claimed).await.unwrap().await.unwrap();
        let marker = Marker { install: store.install_id().to_string(), job, attempt: 1 };
        let plan = Plan::of(
            &definition,
            &house.settings,
            &Inherited::capture(),
            &Default::default(),
            &Default::default(),
            &marker,
        );
        board.stop();
        let shard = format!("{:02x}", job.0.as_bytes()[15]);
        let dir = house.data().join("jobs").join(shard).join(job.to_string());
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).unwrap();
        Self { house, job, dir, ran, plan }
    }

    /// The next server completes the run, and its step ran once.
    async fn completed_by_the_next(self) {
        let engine = self.house.open().await;
        let ended = over(&engine, self.job).await;
        assert_eq!(ended.job.state, JobState::Completed, "{:?}", ended.job.error);
        assert_eq!(ended.job.attempt, 1);
        assert_eq!(fs::read_to_string(&self.ran).unwrap(), "run\n");
        assert_eq!(log(&engine, self.job).await, "out\n");
        engine.stop(false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_commit_of_active() {
    Dead::after_active().await.completed_by_the_next().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_spawn() {
    let dead = Dead::after_active().await;
    drop(launch::spawn(EXECUTOR.as_ref(), &dead.dir, 1).unwrap());
    dead.completed_by_the_next().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_ready() {
    let dead = Dead::after_active().await;
    let starting = launch::spawn(EXECUTOR.as_ref(), &dead.dir, 1).unwrap();
    drop(starting.ready(Duration::from_secs(5)).unwrap());
    dead.completed_by_the_next().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_half_way_through_the_plan() {
    let dead = Dead::after_active().await;
    let mut child = Command::new(EXECUTOR)
        .arg("executor")
        .arg(&dead.dir)
        .arg("1")
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let plan = dead.plan.encode().unwrap();
    child.stdin.take().unwrap().write_all(&plan[..plan.len() / 2]).unwrap();
    child.wait().unwrap();
    assert!(!dead.ran.exists());
    dead.completed_by_the_next().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_plan() {
    let dead = Dead::after_active().await;
    let starting = launch::spawn(EXECUTOR.as_ref(), &dead.dir, 1).unwrap();
    let ready = starting.ready(Duration::from_secs(5)).unwrap();
    let mut child = ready.send(&dead.plan).unwrap();
    let reaper = std::thread::spawn(move || child.wait().unwrap());
    dead.completed_by_the_next().await;
    reaper.join().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_while_no_server_is_there_and_its_log_has_no_hole() {
    let mut house = House::new(1, &[]);
    let go = house.note("go");
    let step =
        format!("echo before; while [ ! -e {} ]; do sleep 0.01; done; echo after", go.display());
    house.settings.pipelines = vec![crate::house::pipeline("long", &[("step", &step)])];
    let engine = house.open().await;
    let job = run(&engine, "long").await;
    until("it prints", async || (detail(&engine, job).await.log.lines == 1).then_some(())).await;
    let before = crate::house::processes(&job.to_string());
    engine.stop(false).await;
    drop(engine);

    let engine = house.open().await;
    assert_eq!(detail(&engine, job).await.job.state, JobState::Active);
    assert!(before.iter().any(|pid| crate::house::processes(&job.to_string()).contains(pid)));
    fs::write(go, "").unwrap();
    assert_eq!(over(&engine, job).await.job.state, JobState::Completed);
    assert_eq!(log(&engine, job).await, "before\nafter\n");
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_ended_while_no_server_was_there_is_told_by_the_next() {
    let mut house = House::new(1, &[]);
    let (go, done) = (house.note("go"), house.note("done"));
    let step = format!(
        "echo before; while [ ! -e {} ]; do sleep 0.01; done; touch {}; exit 7",
        go.display(),
        done.display()
    );
    house.settings.pipelines = vec![crate::house::pipeline("long", &[("step", &step)])];
    let engine = house.open().await;
    let job = run(&engine, "long").await;
    until("it prints", async || (detail(&engine, job).await.log.lines == 1).then_some(())).await;
    engine.stop(false).await;
    drop(engine);
    fs::write(go, "").unwrap();
    until("it is done", async || done.exists().then_some(())).await;

    let engine = house.open().await;
    let ended = over(&engine, job).await;
    assert_eq!((ended.job.state, ended.job.exit_code), (JobState::Failed, Some(7)));
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_was_committed_just_before_the_end_of_the_server_is_carried_out_by_the_next()
{
    let mut house = House::new(1, &[]);
    house.settings.pipelines =
        vec![crate::house::pipeline("long", &[("step", "echo on; sleep 1000")])];
    let engine = house.open().await;
    let job = run(&engine, "long").await;
    until("it prints", async || (detail(&engine, job).await.log.lines == 1).then_some(())).await;
    engine.stop(false).await;
    drop(engine);
    // As if the server had committed the request and was gone before it was delivered.
    let (store, writer) = Store::open(&house.data()).unwrap();
    let board = Board::start(&store, writer, Hub::start(&store).unwrap()).unwrap();
    let request = shared::CancelRequest { by: "test".into(), at: Timestamp::now(), why: None };
    let asked = Observation::CancelRequested { job, request };
    board.send(asked).await.unwrap().await.unwrap();
    board.stop();
    drop((board, store));

    let engine = house.open().await;
    assert_eq!(over(&engine, job).await.job.state, JobState::Cancelled);
    assert!(crate::house::processes(&job.to_string()).is_empty());
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_executor_was_killed_is_lost_and_what_it_left_is_ended() {
    let mut house = House::new(1, &[]);
    house.settings.pipelines = vec![crate::house::pipeline(
        "long",
        &[("step", "echo on; setsid sleep 1000 & sleep 1000")],
    )];
    let engine = house.open().await;
    let job = run(&engine, "long").await;
    until("it prints", async || (detail(&engine, job).await.log.lines == 1).then_some(())).await;
    let shard = format!("{:02x}", job.0.as_bytes()[15]);
    let lock = house.data().join("jobs").join(shard).join(job.to_string()).join("lock");
    let lock: serde_json::Value = serde_json::from_slice(&fs::read(lock).unwrap()).unwrap();
    let pid = i32::try_from(lock["pid"].as_i64().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let ended = over(&engine, job).await;
    assert_eq!(ended.job.state, JobState::Failed);
    assert!(ended.job.error.unwrap().starts_with("lost: "));
    assert!(crate::house::processes(&job.to_string()).is_empty());
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_the_data_directory_touches_none_of_the_runs_of_the_original() {
    let mut house = House::new(1, &[]);
    let go = house.note("go");
    let step = format!("echo on; while [ ! -e {} ]; do sleep 0.01; done; echo off", go.display());
    house.settings.pipelines = vec![crate::house::pipeline("long", &[("step", &step)])];
    let engine = house.open().await;
    let job = run(&engine, "long").await;
    let waits = run(&engine, "long").await;
    until("it prints", async || (detail(&engine, job).await.log.lines == 1).then_some(())).await;
    let copy = house.note("copy");
    let copied = Command::new("cp").arg("-a").arg(house.data()).arg(&copy).status().unwrap();
    assert!(copied.success());

    let beside = crate::house::open(&copy, house.settings.clone()).await;
    let seen = over(&beside, job).await;
    assert_eq!(seen.job.state, JobState::Failed);
    assert_eq!(seen.job.error.as_deref(), Some("lost: this board is a copy"));
    assert_eq!(over(&beside, waits).await.job.state, JobState::Cancelled);
    beside.stop(false).await;

    assert_eq!(detail(&engine, job).await.job.state, JobState::Active);
    fs::write(go, "").unwrap();
    assert_eq!(over(&engine, job).await.job.state, JobState::Completed);
    assert_eq!(over(&engine, waits).await.job.state, JobState::Completed);
    assert_eq!(log(&engine, job).await, "on\noff\n");
    engine.stop(false).await;
}
