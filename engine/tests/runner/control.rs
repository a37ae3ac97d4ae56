//! Running again, deleting, and asking the same thing twice.

use crate::house::{House, detail, log, over, pipeline, run, until};
use engine::{Caller, DeleteError, RetryError, RetryRequest, RunError, RunRequest};
use shared::{
    JobFilter, JobSort, JobState, ParamDef, ParamType, log::LeftOutBy, page::AttentionKind,
};
use std::collections::{BTreeMap, HashSet};

fn who() -> ParamDef {
    ParamDef {
        name: "who".into(),
        r#type: ParamType::String,
        description: None,
        required: true,
        default: None,
        pattern: None,
        choices: Vec::new(),
    }
}

fn params(who: &str) -> BTreeMap<String, serde_json::Value> {
    [("who".to_owned(), who.into())].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_run_again_as_a_new_job() {
    let mut house = House::new(1, &[("waits", "sleep 1000")]);
    let mut greets = pipeline("greets", &[("step", "exit 1")]);
    greets.params = vec![who()];
    house.settings.pipelines.push(greets);
    let engine = house.open().await;
    let caller = Caller::board();
    let asked =
        RunRequest { pipeline: "greets".into(), params: params("you"), ..Default::default() };
    let first = engine.run(&caller, asked).await.unwrap().id;
    over(&engine, first).await;
    let second = engine.retry(&caller, first, RetryRequest::default()).await.unwrap();
    assert_eq!((second.retry_of, second.attempt), (Some(first), 0));
    let second = over(&engine, second.id).await;
    assert_eq!(second.params["who"], "you");
    let changed = RetryRequest { params: Some(params("them")), key: None };
    let third = engine.retry(&caller, first, changed).await.unwrap().id;
    assert_eq!(over(&engine, third).await.params["who"], "them");
    assert_eq!(detail(&engine, first).await.retried_by, Some(third));
    let wrong = RetryRequest { params: Some(BTreeMap::new()), key: None };
    let wrong = engine.retry(&caller, first, wrong).await.unwrap_err();
    assert!(matches!(wrong, RetryError::Run(RunError::Param(error)) if error.name == "who"));
    let waits = run(&engine, "waits").await;
    let early = engine.retry(&caller, waits, RetryRequest::default()).await.unwrap_err();
    assert!(matches!(early, RetryError::NotOver(_)));
    engine.stop(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_job_leaves_nothing() {
    let house = House::new(2, &[("hello", "echo hello"), ("waits", "sleep 1000")]);
    let engine = house.open().await;
    let caller = Caller::board();
    let waits = run(&engine, "waits").await;
    let refused = engine.delete(&caller, waits).await.unwrap_err();
    assert!(matches!(refused, DeleteError::NotOver(_)));
    let id = run(&engine, "hello").await;
    over(&engine, id).await;
    assert_eq!(log(&engine, id).await, "hello\n");
    engine.delete(&caller, id).await.unwrap();
    assert!(engine.job(&caller, id).await.unwrap().is_none());
    let folder = house.data().join("jobs").join(&id.to_string()[34..]).join(id.to_string());
    until("its directory is gone", async || (!folder.exists()).then_some(())).await;
    assert!(matches!(engine.delete(&caller, id).await, Err(DeleteError::NotFound)));
    engine.stop(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_answered_with_the_same_job_and_another_request_is_refused() {
    let mut house = House::new(1, &[]);
    let mut greets = pipeline("greets", &[("step", "true")]);
    greets.params = vec![who()];
    house.settings.pipelines = vec![greets];
    let engine = house.open().await;
    let caller = Caller::board();
    let request = |who: &str, key: &str| RunRequest {
        pipeline: "greets".into(),
        params: params(who),
        key: Some(key.to_owned()),
        ..RunRequest::default()
    };
    let asked = (0..50).map(|_| {
        let (engine, caller, request) = (engine.clone(), caller.clone(), request("you", "k"));
        tokio::spawn(async move { engine.run(&caller, request).await.unwrap().id })
    });
    let mut ids = HashSet::new();
    for one in asked.collect::<Vec<_>>() {
        ids.insert(one.await.unwrap());
    }
    assert_eq!(ids.len(), 1);
    let id = ids.into_iter().next().unwrap();
    over(&engine, id).await;
    let other = engine.run(&caller, request("them", "k")).await;
    assert!(matches!(other, Err(RunError::KeyReused)));
    let new = engine.run(&caller, request("you", "another")).await.unwrap();
    assert_ne!(new.id, id);
    engine.stop(false).await;
    drop(engine);
    let engine = house.open().await;
    let again = engine.run(&caller, request("you", "k")).await.unwrap();
    assert_eq!((again.id, again.state), (id, JobState::Completed));
    let all = engine::store::JobsQuery {
        filter: JobFilter::default(),
        sort: JobSort::Created,
        cursor: None,
        limit: 10,
    };
    assert_eq!(engine.jobs(&caller, &all).await.unwrap().items.len(), 2);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_read_for_each_attempt_and_never_stored() {
    let mut house = House::new(1, &[]);
    let file = house.note("secrets.env");
    let mut tells = pipeline("tells", &[("step", "echo \"token $TOKEN\"")]);
    tells.env_file = Some(file.clone());
    house.settings.pipelines = vec![tells];
    let engine = house.open().await;
    let job = over(&engine, run(&engine, "tells").await).await;
    assert_eq!(job.job.state, JobState::Failed);
    let error = job.job.error.unwrap();
    assert!(error.starts_with("env_file ") && error.contains("secrets.env"), "{error}");
    std::fs::write(&file, "TOKEN=abc\n").unwrap();
    let job = over(&engine, run(&engine, "tells").await).await;
    assert!(job.job.error.unwrap().contains("secrets.env:1: the value of TOKEN is shorter than 4"));
    std::fs::write(&file, "TOKEN=swordfish\n").unwrap();
    let job = over(&engine, run(&engine, "tells").await).await.job;
    assert_eq!(job.state, JobState::Completed);
    assert_eq!(log(&engine, job.id).await, "token *********\n");
    engine.stop(false).await;
    let found = walk(&house.data()).into_iter().filter(|path| {
        let bytes = std::fs::read(path).unwrap_or_default();
        memchr::memmem::find(&bytes, b"swordfish").is_some()
    });
    assert_eq!(found.collect::<Vec<_>>(), Vec::<std::path::PathBuf>::new());
}

fn walk(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_says_how_much_of_its_log_was_left_out() {
    let mut house = House::new(1, &[("little", "echo one")]);
    let mut much = pipeline("much", &[("step", "seq 100000")]);
    much.max_log_bytes = Some(1000);
    house.settings.pipelines.push(much);
    let engine = house.open().await;
    let little = run(&engine, "little").await;
    assert_eq!(over(&engine, little).await.left_out, 0);
    let much = run(&engine, "much").await;
    let detail = over(&engine, much).await;
    assert_eq!(detail.job.state, JobState::Completed, "the job goes on");
    assert!(detail.left_out > 99_000, "{}", detail.left_out);
    assert_eq!(detail.left_out_by, Some(LeftOutBy::Limit));
    let last = engine.log_window(&Caller::board(), much, -1, 1).await.unwrap().unwrap().lines;
    assert_eq!(last[0].left_out_by, Some(LeftOutBy::Limit));
    let attention = engine.overview(&Caller::board()).await.unwrap().attention;
    let told: Vec<_> = attention.iter().map(|one| (one.kind, one.job, one.text.as_str())).collect();
    let text = "the log of a run of much reached its limit (max_log_bytes)";
    assert_eq!(told, [(AttentionKind::LogCut, Some(much), text)]);
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_key_whose_job_is_deleted_says_which_job_that_was() {
    let house = House::new(1, &[("hello", "true")]);
    let engine = house.open().await;
    let caller = Caller::board();
    let asked =
        RunRequest { pipeline: "hello".into(), key: Some("k".into()), ..RunRequest::default() };
    let first = engine.run(&caller, asked.clone()).await.unwrap().id;
    over(&engine, first).await;
    let again = RetryRequest { params: None, key: Some("r".into()) };
    let second = engine.retry(&caller, first, again.clone()).await.unwrap().id;
    over(&engine, second).await;
    engine.delete(&caller, second).await.unwrap();
    let refused = engine.retry(&caller, first, again).await.unwrap_err();
    assert!(matches!(refused, RetryError::Run(RunError::Deleted { job }) if job == second));
    engine.delete(&caller, first).await.unwrap();
    let refused = engine.run(&caller, asked).await.unwrap_err();
    assert!(matches!(refused, RunError::Deleted { job } if job == first));
    assert!(refused.to_string().contains(&first.to_string()));
    engine.stop(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_stays_the_same_when_a_default_is_changed() {
    let mut house = House::new(1, &[]);
    let mut greets = pipeline("greets", &[("step", "true")]);
    let with =
        |default: &str| ParamDef { required: false, default: Some(default.to_owned()), ..who() };
    greets.params = vec![with("you")];
    house.settings.pipelines = vec![greets];
    let engine = house.open().await;
    let caller = Caller::board();
    let asked =
        RunRequest { pipeline: "greets".into(), key: Some("k".into()), ..RunRequest::default() };
    let first = engine.run(&caller, asked.clone()).await.unwrap().id;
    house.settings.pipelines[0].params = vec![with("them")];
    engine.reload(house.settings.clone());
    let again = engine.run(&caller, asked).await.unwrap();
    assert_eq!(again.id, first);
    engine.stop(true).await;
}
