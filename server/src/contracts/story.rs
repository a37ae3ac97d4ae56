//! A job as the streams of its story (contracts 3 and 5) read it: all of it at once, again whenever
//! something of it was committed. Never from the ring, so it is there for any job that is kept.

use super::job_status::has_live_feed;
use engine::{Caller, Engine, ReadError, hub::JobWatch};
use shared::{ConnectionId, JobDetail, JobId};
use std::time::Duration;
use tokio::time::Instant;

/// How often the store is read while the hub hears nothing of the job's connection, and how long it is
/// left alone when it cannot be read.
const INTERVAL: Duration = Duration::from_secs(2);

/// The story of one job for one stream.
pub struct Story {
    pub engine: Engine,
    pub caller: Caller,
    pub id: JobId,
    connection: ConnectionId,
    watch: JobWatch,
    /// When it is looked next whether anything wakes this.
    look: Instant,
    /// Something happened since it was read.
    stale: bool,
}

impl Story {
    /// Watched from now on, and read after that. None: there is no such job.
    pub async fn open(
        engine: Engine,
        caller: Caller,
        id: JobId,
    ) -> Result<Option<(Self, Box<JobDetail>)>, ReadError> {
        let watch = engine.hub().watch_job(&caller, id);
        let Some(job) = engine.job(&caller, id).await? else { return Ok(None) };
        let connection = job.job.connection_id;
        let look = Instant::now() + INTERVAL;
        let story = Self { engine, caller, id, connection, watch, look, stale: false };
        Ok(Some((story, Box::new(job))))
    }

    /// The job once it may have changed. None: it is there no more. May be dropped at any await:
    /// what woke it is read the next time.
    pub async fn changed(&mut self) -> Option<Box<JobDetail>> {
        loop {
            if !self.stale {
                self.wait().await;
                self.stale = true;
            }
            match self.engine.job(&self.caller, self.id).await {
                Ok(job) => {
                    self.stale = false;
                    return job.map(Box::new);
                }
                Err(error) => {
                    tracing::warn!(job = %self.id, %error, "a job's story cannot be read");
                    tokio::time::sleep(INTERVAL).await;
                }
            }
        }
    }

    /// Until something may have happened.
    async fn wait(&mut self) {
        loop {
            tokio::select! {
                () = self.watch.changed() => return,
                () = tokio::time::sleep_until(self.look) => {}
            }
            self.look = Instant::now() + INTERVAL;
            if !self.is_live().await {
                return;
            }
        }
    }

    /// Whether the hub has a live feed of the job's connection.
    async fn is_live(&self) -> bool {
        let rows = self.engine.connections(&self.caller).await;
        rows.is_ok_and(|rows| {
            let row = rows.items.iter().find(|row| row.id == self.connection);
            row.is_some_and(|row| has_live_feed(row.freshness))
        })
    }
}
