//! Fills a new data directory: `cargo run --release -p bench --bin seed -- --jobs 1000000 --data-dir DIR`.

use anyhow::{Context, ensure};
use bench::{
    Arguments,
    made::{HELD, Maker},
};
use engine::{
    hub::{self, Topic},
    runner::connection_id,
    store::{Change, EVENTS_KEPT, Store},
};
use shared::{
    EventId, JobState, Timestamp,
    event::{JobChange, name},
};
use std::time::Instant;

/// Jobs per commit.
const BATCH: u64 = 20_000;

fn main() -> anyhow::Result<()> {
    let Arguments { data_dir, jobs } = Arguments::read()?;
    ensure!(!data_dir.exists(), "{} is there already", data_dir.display());
    let begun = Instant::now();
    let (store, mut writer) = Store::open(&data_dir).context("the store cannot be made")?;
    let connection = connection_id(store.install_id());
    let now = Timestamp::now();
    let by = ("seed".to_owned(), now);
    let held = Change::QueuePaused { connection, queue: HELD.to_owned(), paused: Some(by) };
    writer.commit(&[held], Some(jobs))?;
    let mut maker = Maker::new(connection, jobs, now);
    let (mut changes, mut made) = (Vec::new(), 0);
    loop {
        let job = maker.job(&mut changes);
        if let Some(job) = &job {
            made += 1;
            if jobs - made < EVENTS_KEPT {
                let id = EventId { epoch: store.epoch(), seq: job.revision };
                let change = JobChange::new(job, Some(JobState::Active), job.created_at);
                let frame = hub::frame(Some(id), name::JOB_STATE, &change);
                let topic = Topic::Job as u8;
                changes.push(Change::Event { seq: job.revision, connection, topic, frame });
            }
        }
        if job.is_none() || made % BATCH == 0 {
            writer.commit(&changes, None)?;
            changes.clear();
            if made % 100_000 == 0 || job.is_none() {
                println!("{made} jobs after {:.1} s", begun.elapsed().as_secs_f64());
            }
        }
        if job.is_none() {
            return Ok(());
        }
    }
}
