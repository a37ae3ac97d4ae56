//! Contract 2, `…/stream`: the status of one job.
//!
//! Woken by the hub while it has a live feed of the job's connection; while it has none (source
//! unreachable, events off) the same events come from reading the store every `poll_interval`. Which
//! of the two it is, is looked at every `poll_interval` too, so it changes over in both directions.

use super::{
    body::{self, unfold},
    job::{Refusal, Resume, job_id},
    sse,
};
use crate::{auth::By, path::Path, query::Query, served::Served};
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use engine::{Caller, Engine, hub::JobWatch};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use shared::{Freshness, JobId, JobState, StepState, Timestamp, job::JobDetail};
use std::time::{Duration, UNIX_EPOCH};
use tokio::time::Instant;

pub async fn open(
    State(Served { engine, streams, .. }): State<Served>,
    By(caller): By,
    Path(id): Path<String>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let interval = poll_interval(&query)?;
    let position = match Resume::of(&headers)? {
        Resume::Over => return Ok(StatusCode::NO_CONTENT.into_response()),
        Resume::After(revision) => revision,
        Resume::Fresh => 0,
    };
    let id = job_id(&id)?;
    // Watched before it is read: a change between the two wakes.
    let watch = engine.hub().watch_job(&caller, id);
    let job = engine.job(&caller, id).await.map_err(|error| Refusal::read(&error, id))?;
    let job = job.ok_or_else(|| Refusal::no_job(&id.to_string()))?;
    let place = streams.open(&caller, "job_status")?;
    let news = Some(Box::new(job));
    let status = StatusStream {
        engine,
        caller,
        id,
        interval,
        look: Instant::now() + interval,
        silence: streams.every,
        watch,
        position,
        news,
        sent: None,
        over: false,
    };
    Ok(body::stream(place, unfold(status, StatusStream::next)))
}

fn poll_interval(query: &Query) -> Result<Duration, Refusal> {
    let rule = "Poll interval must be between 0.1 and 30.0 seconds";
    let seconds = query.value("poll_interval").map_err(|_| Refusal::invalid(rule))?.unwrap_or(2.0);
    // NaN is in no range.
    if (0.1..=30.0).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err(Refusal::invalid(rule))
    }
}

struct StatusStream {
    engine: Engine,
    caller: Caller,
    id: JobId,
    interval: Duration,
    /// When the store is read next where nothing wakes the stream; heartbeats do not put it off.
    look: Instant,
    /// After so long without news there is a heartbeat.
    silence: Duration,
    watch: JobWatch,
    /// The last revision that the client was told.
    position: u64,
    /// The job as it was read when the stream was opened, until it is sent.
    news: Option<Box<JobDetail>>,
    sent: Option<Status>,
    over: bool,
}

/// What may have happened while the stream waited.
enum Woken {
    Perhaps,
    Silence,
}

impl StatusStream {
    async fn next(mut self) -> (Self, Option<Bytes>) {
        if self.over {
            return (self, None);
        }
        let silent = Instant::now() + self.silence;
        loop {
            let read = match self.news.take() {
                Some(job) => Some(Some(*job)),
                None => match self.wait(silent).await {
                    Woken::Silence => return (self, Some(heartbeat())),
                    // A store that cannot be read now is read again an interval later.
                    Woken::Perhaps => self.engine.job(&self.caller, self.id).await.ok(),
                },
            };
            let piece = match read {
                Some(Some(job)) => self.tell(&job).await,
                Some(None) => Some(self.tell_deleted()),
                None => None,
            };
            if piece.is_some() {
                return (self, piece);
            }
        }
    }

    /// Until the job may have changed, or nothing was sent for too long.
    async fn wait(&mut self, silent: Instant) -> Woken {
        let mut live = self.is_live().await;
        loop {
            tokio::select! {
                () = self.watch.changed(), if live => return Woken::Perhaps,
                () = tokio::time::sleep_until(self.look.min(silent)) => {}
            }
            let now = Instant::now();
            if now >= self.look {
                self.look = now + self.interval;
                let was_live = live;
                live = self.is_live().await;
                // A queue that is paused or goes on wakes nobody, so a job that waits is read too.
                let waits = self.sent.as_ref().is_some_and(|s| s.body.status.waits());
                if !was_live || !live || waits {
                    return Woken::Perhaps;
                }
            }
            if now >= silent {
                return Woken::Silence;
            }
        }
    }

    /// Whether the hub has a live feed of the job's connection.
    async fn is_live(&self) -> bool {
        let Some(sent) = &self.sent else { return false };
        let rows = self.engine.connections(&self.caller).await;
        rows.is_ok_and(|rows| {
            let connection = rows.items.iter().find(|c| c.id == sent.connection);
            connection.is_some_and(|c| has_live_feed(c.freshness))
        })
    }

    /// What has to be said of the job as it is now; nothing if that was said before.
    async fn tell(&mut self, job: &JobDetail) -> Option<Bytes> {
        let word = match Word::of(job.job.state) {
            Word::Pending if self.is_paused(job).await => Word::Paused,
            word => word,
        };
        let mut status = Status::of(job, word);
        if let Some(sent) = self.sent.as_ref().filter(|sent| sent.attempt == status.attempt) {
            // A step takes its own progress back when it ends, a moment before it counts as done.
            let percent = &mut status.body.progress_percent;
            *percent = percent.max(sent.body.progress_percent);
        }
        let mut out = BytesMut::new();
        let before = self.sent.as_ref().map(|sent| &sent.body);
        if before.is_none_or(|before| before.differs(&status.body)) {
            // Progress is not history: where nothing else is new, the client's position stays.
            let moved = before.is_none_or(|before| before.position() != status.body.position());
            let revision = Some(job.job.revision).filter(|r| moved && *r > self.position);
            self.position = revision.unwrap_or(self.position);
            let id = revision.as_ref().map(|r| r as &dyn sse::Id);
            sse::event(&mut out, id, "job_status", &status.body);
        }
        if job.job.state.is_over() {
            #[derive(Serialize)]
            struct Finished {
                job_id: JobId,
                final_status: Word,
            }
            let finished = Finished { job_id: self.id, final_status: word };
            sse::event(&mut out, Some(&sse::END), "job_finished", &finished);
            self.over = true;
        }
        self.sent = Some(status);
        (!out.is_empty()).then(|| out.freeze())
    }

    fn tell_deleted(&mut self) -> Bytes {
        #[derive(Serialize)]
        struct Deleted {
            job_id: JobId,
        }
        self.over = true;
        let mut out = BytesMut::new();
        sse::event(&mut out, Some(&sse::END), "job_deleted", &Deleted { job_id: self.id });
        out.freeze()
    }

    async fn is_paused(&self, job: &JobDetail) -> bool {
        let queues = self.engine.queues(&self.caller).await;
        queues.is_ok_and(|rows| {
            rows.items.iter().any(|q| {
                q.paused && q.name == job.job.queue && q.connection_id == job.job.connection_id
            })
        })
    }
}

/// Whether the hub hears of a connection in this state; of another the store has to be read. One that
/// is stale is late, but what comes of it comes through the hub.
pub(super) fn has_live_feed(freshness: Freshness) -> bool {
    match freshness {
        Freshness::Live | Freshness::Stale => true,
        Freshness::Unreachable | Freshness::EventsOff => false,
    }
}

/// After 15 s of silence: `{timestamp}`, seconds since the Unix epoch.
pub(super) fn heartbeat() -> Bytes {
    #[derive(Serialize)]
    struct Beat {
        timestamp: f64,
    }
    let timestamp = UNIX_EPOCH.elapsed().map_or(0.0, |d| d.as_secs_f64());
    let mut out = BytesMut::new();
    sse::event(&mut out, None, "heartbeat", &Beat { timestamp });
    out.freeze()
}

/// The states as this contract calls them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Pending,
    Running,
    Paused,
    Completed,
    Failed,
    Cancelled,
}

impl Word {
    fn of(state: JobState) -> Self {
        match state {
            JobState::Queued | JobState::Scheduled | JobState::Unknown => Self::Pending,
            JobState::Active | JobState::Retrying => Self::Running,
            JobState::Completed => Self::Completed,
            JobState::Failed => Self::Failed,
            JobState::Cancelled => Self::Cancelled,
        }
    }

    fn waits(self) -> bool {
        matches!(self, Self::Pending | Self::Paused)
    }
}

struct Status {
    connection: shared::ConnectionId,
    attempt: u32,
    body: JobStatus,
}

/// `job_status`. The last three fields are the step fields under the names of the source.
#[derive(Serialize)]
struct JobStatus {
    job_id: JobId,
    status: Word,
    /// 0 to 100.
    progress_percent: f32,
    completed_steps: u32,
    total_steps: u32,
    /// 1-based.
    current_step: Option<u32>,
    error_message: Option<String>,
    updated_at: Option<Timestamp>,
    completed_sheets: u32,
    total_sheets: u32,
    current_sheet: Option<u32>,
}

impl Status {
    fn of(detail: &JobDetail, status: Word) -> Self {
        let job = &detail.job;
        // Counted on the steps where there are any: the row's own number is paced, like all progress.
        let ended = detail.steps.iter().filter(|s| s.state == StepState::Completed).count();
        let completed_steps = match u32::try_from(ended) {
            Ok(ended) if !detail.steps.is_empty() => ended,
            _ => job.steps_done,
        };
        // What the running step says of itself is a share of its own part; the row may be of the step before.
        let within = job.progress.filter(|_| job.steps_done == completed_steps).unwrap_or(0.0);
        #[expect(clippy::cast_precision_loss, reason = "a plan has a few hundred steps")]
        let share = match status {
            Word::Completed => 100.0,
            _ if job.steps_total == 0 => within,
            _ => (100.0 * completed_steps as f32 + within) / job.steps_total as f32,
        };
        let running = detail.steps.iter().find(|s| s.state == StepState::Active);
        let current_step = running.map(|s| s.ordinal + 1);
        let body = JobStatus {
            job_id: job.id,
            status,
            progress_percent: share.clamp(0.0, 100.0),
            completed_steps,
            total_steps: job.steps_total,
            current_step,
            error_message: job.error.clone(),
            updated_at: detail.timeline.last().map(|entry| entry.at),
            completed_sheets: completed_steps,
            total_sheets: job.steps_total,
            current_sheet: current_step,
        };
        Self { connection: job.connection_id, attempt: job.attempt, body }
    }
}

impl JobStatus {
    /// What a position stands for: all but the progress inside a step.
    fn position(&self) -> (Word, Option<u32>, u32, Option<&str>) {
        (self.status, self.current_step, self.completed_steps, self.error_message.as_deref())
    }

    #[expect(clippy::float_cmp, reason = "the same reading twice is the same number")]
    fn differs(&self, other: &Self) -> bool {
        self.position() != other.position() || self.progress_percent != other.progress_percent
    }
}
