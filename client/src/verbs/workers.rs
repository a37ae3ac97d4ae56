//! `tailboard workers`.

use super::{
    follow::read,
    watch::{self, Change, Shown, Watched, key},
};
use crate::{
    console::Colour,
    failure::Failure,
    plain,
    session::Session,
    sse::Event,
    table::{self, Cell, number, whole, wide},
    words,
};
use clap::Args;
use shared::{
    EventId, Rows, Timestamp, Worker, WorkerJobs, WorkerState,
    event::{WorkerDeleted, name},
};
use std::process::ExitCode;

#[derive(Args)]
pub struct Workers {
    #[command(flatten)]
    shown: Shown,
}

pub async fn run(args: Workers) -> Result<ExitCode, Failure> {
    watch::run(&args.shown, &List).await
}

struct List;

impl Watched for List {
    type All = Rows<WorkerJobs>;
    type Row = Worker;
    const TYPES: &'static str = "worker";
    const NAME: &'static str = "id";

    async fn all(&self, session: &Session) -> Result<Rows<WorkerJobs>, Failure> {
        session.api.get(&["api", "v1", "workers"], &[]).await
    }

    fn rows(all: Rows<WorkerJobs>) -> (Vec<Worker>, EventId) {
        (all.items.into_iter().map(|row| row.worker).collect(), all.as_of)
    }

    fn key(worker: &Worker) -> String {
        key(worker.connection_id, &worker.id)
    }

    fn revision(worker: &Worker) -> u64 {
        worker.revision
    }

    fn change(
        &self,
        event: &Event,
        _: &dyn Fn(&str) -> Option<Worker>,
    ) -> Result<Change<Worker>, Failure> {
        Ok(match event.name.as_str() {
            name::WORKER_HEARTBEAT | name::WORKER_STATE => Change::Row(read(event)?),
            name::WORKER_DELETED => {
                let gone: WorkerDeleted = read(event)?;
                Change::Gone(key(gone.connection_id, &gone.id), gone.revision)
            }
            _ => Change::Nothing,
        })
    }

    fn arrange(&self, workers: &mut Vec<Worker>) {
        workers.sort_by(|a, b| a.id.cmp(&b.id).then(a.connection_id.cmp(&b.connection_id)));
    }

    fn table(&self, workers: &[Worker], session: &Session) -> Vec<String> {
        const COLUMNS: [table::Column; 7] = [
            wide("WORKER").least(12),
            whole("STATE"),
            number("RUN").leaves(1),
            number("SLOTS").leaves(5),
            number("ENDED").leaves(4),
            number("FAILED").leaves(3),
            whole("SEEN").leaves(2),
        ];
        let now = Timestamp::now();
        let rows: Vec<_> = workers
            .iter()
            .map(|worker| {
                let colour = match worker.state {
                    WorkerState::Online => Colour::Green,
                    WorkerState::Offline => Colour::Red,
                };
                vec![
                    Cell::of(&worker.id),
                    Cell::coloured(worker.state.as_str(), Some(colour)),
                    Cell::of(&worker.active_jobs.to_string()),
                    Cell::of(&worker.concurrency.to_string()),
                    Cell::of(&worker.processed.to_string()),
                    Cell::of(&worker.failed.to_string()),
                    Cell::of(&words::ago(worker.seen_at, now)),
                ]
            })
            .collect();
        table::lines(&COLUMNS, &rows, &session.console)
    }

    fn line(worker: &Worker) -> String {
        let id = plain::text(&worker.id);
        let (now, state) = (Timestamp::now(), worker.state.as_str());
        format!("{now} {id} {state} {} run", worker.active_jobs)
    }
}
