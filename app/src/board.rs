//! What every page shows around itself and the overview shows whole: connections, counts, what
//! runs, what failed, queues, workers. Fetched once and kept true for as long as the page lives.

use crate::{
    api::{self, PageError},
    live::{Counts, Event, JobList, Model, Order, Rows, Shape, Verdict},
};
use leptos::prelude::*;
use shared::{
    Connection, EventId, Freshness, JobFilter, JobState, Queue, Worker,
    page::{Attention, Minute, Overview},
};
use std::sync::{Arc, OnceLock};

/// Rows of the overview's lists, as many as the server answers with.
const ACTIVE: usize = 20;
const FAILED: usize = 10;

#[derive(Clone)]
pub struct Board {
    as_of: ArcRwSignal<EventId>,
    pub connections: Rows<Connection>,
    pub counts: Counts,
    pub active: JobList,
    pub failed: JobList,
    pub queues: Rows<Queue>,
    pub workers: Rows<Worker>,
    /// The last hour, minute by minute.
    pub activity: ArcRwSignal<Vec<Minute>>,
    pub attention: ArcRwSignal<Vec<Attention>>,
}

/// The board on its way. In context for every component.
#[derive(Clone)]
pub struct BoardLoader {
    resource: Resource<Result<Overview, PageError>>,
    board: Arc<OnceLock<Board>>,
}

// === impl BoardLoader ===

impl BoardLoader {
    pub fn new() -> Self {
        Self { resource: Resource::new(|| (), |()| api::overview()), board: Arc::default() }
    }

    /// The one board of this page. For a `Suspend`.
    pub async fn board(&self) -> Result<Board, PageError> {
        let overview = self.resource.await?;
        Ok(self.board.get_or_init(|| Board::new(overview)).clone())
    }

    /// Whether it could not be had; tracked.
    pub fn failed(&self) -> bool {
        self.resource.with(|answer| matches!(answer, Some(Err(_))))
    }

    pub fn try_again(&self) {
        self.resource.refetch();
    }
}

// === impl Board ===

impl Board {
    fn new(overview: Overview) -> Self {
        let seq = overview.as_of.seq;
        let list = |states: &[JobState], order, room| Shape {
            filter: JobFilter { states: states.to_vec(), ..JobFilter::default() },
            order,
            room,
            slack: 0,
            newest: true,
        };
        let (active, failed) = (overview.active, overview.failed);
        let (more_active, more_failed) = (active.len() >= ACTIVE, failed.len() >= FAILED);
        Self {
            as_of: ArcRwSignal::new(overview.as_of),
            connections: Rows::new(overview.connections),
            counts: Counts::new(&JobFilter::default(), overview.counts, seq),
            active: JobList::new(
                list(&[JobState::Active], Order::Created, ACTIVE),
                active,
                more_active,
            ),
            failed: JobList::new(
                list(&[JobState::Failed], Order::Finished, FAILED),
                failed,
                more_failed,
            ),
            queues: Rows::new(overview.queues),
            workers: Rows::new(overview.workers),
            activity: ArcRwSignal::new(overview.activity),
            attention: ArcRwSignal::new(overview.attention),
        }
    }

    /// Connections whose data cannot be trusted as it stands; tracked.
    pub fn stale(&self) -> Vec<Connection> {
        let mut connections = self.connections.map(Connection::clone);
        connections.retain(|connection| connection.freshness != Freshness::Live);
        connections
    }
}

impl Model for Board {
    type Snapshot = Overview;
    const PAUSE_MS: f64 = 2000.0;

    fn as_of(&self) -> EventId {
        self.as_of.get_untracked()
    }

    fn apply(&self, event: &Event) -> Verdict {
        match event {
            Event::Job(job, before) => self.counts.apply(job, *before),
            Event::Worker(worker) => self.workers.put(worker.clone()),
            Event::WorkerDeleted(gone) => {
                self.workers.remove(&(gone.connection_id, gone.id.clone()));
            }
            Event::Queue(queue) => {
                // Its last hour comes with what is fetched.
                let key = (queue.connection_id, queue.name.clone());
                let known = self.queues.find(&key, |row| row.stats);
                let stats = known.flatten();
                self.queues.put(Queue { stats, ..queue.clone() });
            }
            Event::QueueDeleted(gone) => {
                self.queues.remove(&(gone.connection_id, gone.id.clone()));
            }
            Event::Connection(connection) => {
                // Counts whatever its number: told while the store cannot give one.
                self.connections.update(&connection.id, |row| row.clone_from(connection));
                self.connections.put(connection.clone());
            }
            // How many jobs of which state went is not told.
            Event::JobDeleted(_) => return Verdict::Refetch,
            _ => {}
        }
        let verdict = self.active.apply(event, false).or(self.failed.apply(event, false));
        // What needs attention, and the last hour, are for the server to say: when something ended, and
        // as seldom as everything is fetched.
        let ended = |state: JobState| state.is_over() || state == JobState::Retrying;
        match event {
            Event::Job(job, _) if ended(job.state) => verdict.or(Verdict::Refetch),
            _ => verdict,
        }
    }

    fn fetch(&self) -> impl Future<Output = Result<Overview, PageError>> + 'static {
        api::overview()
    }

    fn replace(&self, overview: Overview) {
        self.as_of.set(overview.as_of);
        self.connections.replace(overview.connections);
        self.counts.replace(overview.counts, overview.as_of.seq);
        let more = overview.active.len() >= ACTIVE;
        self.active.replace(overview.active, more);
        let more = overview.failed.len() >= FAILED;
        self.failed.replace(overview.failed, more);
        self.queues.replace(overview.queues);
        self.workers.replace(overview.workers);
        self.activity.set(overview.activity);
        self.attention.set(overview.attention);
    }
}
