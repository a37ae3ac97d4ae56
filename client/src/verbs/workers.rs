//! `tailboard workers`.

use super::watch::{self, Change, Watched};
use crate::{
    console::Colour,
    failure::Failure,
    plain,
    reach::Reach,
    session::Session,
    sse::Event,
    table::{self, Cell, number, whole, wide},
    words,
};
use clap::Args;
use serde_json::{Value, json};
use shared::{
    EventId, Rows, Timestamp, Worker, WorkerJobs, WorkerState,
    event::{WorkerChange, WorkerDeleted, name},
};
use std::process::ExitCode;

#[derive(Args)]
pub struct Workers {
    /// Print JSON: one document, or with --watch one object a line.
    #[arg(long)]
    json: bool,
    /// Go on with what changes, until Ctrl-C.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Workers) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    if args.watch {
        watch::run(&session, &List, args.json).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = all(&session).await?;
    if args.json {
        session.console.json(&rows, true)?;
        return Ok(ExitCode::SUCCESS);
    }
    let workers: Vec<_> = rows.items.iter().map(|row| row.worker.clone()).collect();
    for line in List.table(&workers, &session) {
        session.console.say(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn all(session: &Session) -> Result<Rows<WorkerJobs>, Failure> {
    session.api.get(&["api", "v1", "workers"], &[]).await
}

struct List;

/// Workers of two connections may have the same id.
fn key(connection: shared::ConnectionId, id: &str) -> String {
    format!("{connection} {id}")
}

impl Watched for List {
    type Row = Worker;
    const TYPES: &'static str = "worker";

    async fn read(&self, session: &Session) -> Result<(Vec<Worker>, EventId), Failure> {
        let rows = all(session).await?;
        Ok((rows.items.into_iter().map(|row| row.worker).collect(), rows.as_of))
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
            name::WORKER_HEARTBEAT | name::WORKER_STATE => {
                Change::Row(super::follow::read::<WorkerChange>(event)?.into_worker())
            }
            name::WORKER_DELETED => {
                let gone: WorkerDeleted = super::follow::read(event)?;
                Change::Gone(key(gone.connection_id, &gone.id), gone.revision)
            }
            _ => Change::Nothing,
        })
    }

    fn arrange(&self, workers: &mut Vec<Worker>) {
        workers.sort_by(|a, b| a.id.cmp(&b.id).then(a.connection_id.cmp(&b.connection_id)));
    }

    fn gone(key: &str) -> Value {
        let (connection, id) = key.split_once(' ').unwrap_or(("", key));
        json!({ "id": id, "connection_id": connection, "deleted": true })
    }

    fn table(&self, workers: &[Worker], session: &Session) -> Vec<String> {
        const COLUMNS: [table::Column; 7] = [
            wide("WORKER"),
            whole("STATE"),
            number("RUN"),
            number("SLOTS"),
            number("ENDED"),
            number("FAILED"),
            whole("SEEN"),
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
