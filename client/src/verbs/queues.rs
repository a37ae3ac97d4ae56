//! `tailboard queues`, `pause`, `resume`.

use super::watch::{self, Change, Watched};
use crate::{
    api::{Again, Ask},
    console::Colour,
    failure::{Failure, Refusal},
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
    EventId, Queue, Rows,
    event::{QueueDeleted, QueueSnapshot, name},
};
use std::process::ExitCode;

#[derive(Args)]
pub struct Queues {
    /// Print JSON: one document, or with --watch one object a line.
    #[arg(long)]
    json: bool,
    /// Go on with what changes, until Ctrl-C.
    #[arg(short, long)]
    watch: bool,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct Pause {
    /// Name of the queue.
    queue: String,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Args)]
pub struct Resume {
    /// Name of the queue.
    queue: String,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Queues) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    if args.watch {
        watch::run(&session, &List, args.json).await?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows = all(&session).await?;
    if args.json {
        session.console.json(&rows, true)?;
    } else {
        for line in List.table(&rows.items, &session) {
            session.console.say(&line)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub async fn pause(args: Pause) -> Result<ExitCode, Failure> {
    let queue = switch(&args.reach, &args.queue, "pause").await?;
    queue.0.console.say(&format!(
        "queue {} is paused: {} wait, {} run on",
        plain::text(&queue.1.name),
        queue.1.depth,
        queue.1.active
    ))?;
    Ok(ExitCode::SUCCESS)
}

pub async fn resume(args: Resume) -> Result<ExitCode, Failure> {
    let queue = switch(&args.reach, &args.queue, "resume").await?;
    queue.0.console.say(&format!("queue {} goes on", plain::text(&queue.1.name)))?;
    Ok(ExitCode::SUCCESS)
}

async fn switch(reach: &Reach, queue: &str, verb: &str) -> Result<(Session, Queue), Failure> {
    let session = Session::new(reach)?;
    let path = ["api", "v1", "queues", queue, verb];
    // Paused twice is paused.
    let done = session.api.json(&Ask::post(&path, json!({}), Again::Safe)).await;
    match done {
        Err(Failure::Refused(refusal)) if refusal.status == http::StatusCode::NOT_FOUND => {
            Err(with_names(&session, refusal).await)
        }
        done => Ok((session, done?)),
    }
}

async fn with_names(session: &Session, mut refusal: Refusal) -> Failure {
    if let Ok(rows) = all(session).await {
        let names: Vec<_> = rows.items.iter().map(|queue| plain::text(&queue.name)).collect();
        refusal.detail += &format!("; there are {}", names.join(", "));
    }
    Failure::Refused(refusal)
}

async fn all(session: &Session) -> Result<Rows<Queue>, Failure> {
    session.api.get(&["api", "v1", "queues"], &[]).await
}

struct List;

/// Queues of two connections may have the same name.
fn key(connection: shared::ConnectionId, name: &str) -> String {
    format!("{connection} {name}")
}

impl Watched for List {
    type Row = Queue;
    const TYPES: &'static str = "queue";

    async fn read(&self, session: &Session) -> Result<(Vec<Queue>, EventId), Failure> {
        let rows = all(session).await?;
        Ok((rows.items, rows.as_of))
    }

    fn key(queue: &Queue) -> String {
        key(queue.connection_id, &queue.name)
    }

    fn revision(queue: &Queue) -> u64 {
        queue.revision
    }

    fn change(
        &self,
        event: &Event,
        _: &dyn Fn(&str) -> Option<Queue>,
    ) -> Result<Change<Queue>, Failure> {
        Ok(match event.name.as_str() {
            name::QUEUE_SNAPSHOT => {
                Change::Row(super::follow::read::<QueueSnapshot>(event)?.into())
            }
            name::QUEUE_DELETED => {
                let gone: QueueDeleted = super::follow::read(event)?;
                Change::Gone(key(gone.connection_id, &gone.name), gone.revision)
            }
            _ => Change::Nothing,
        })
    }

    fn arrange(&self, queues: &mut Vec<Queue>) {
        queues.sort_by(|a, b| a.name.cmp(&b.name).then(a.connection_id.cmp(&b.connection_id)));
    }

    fn gone(key: &str) -> Value {
        let (connection, name) = key.split_once(' ').unwrap_or(("", key));
        json!({ "name": name, "connection_id": connection, "deleted": true })
    }

    fn table(&self, queues: &[Queue], session: &Session) -> Vec<String> {
        const COLUMNS: [table::Column; 7] = [
            wide("QUEUE"),
            whole("STATE"),
            number("WAIT"),
            number("RUN"),
            number("SLOTS"),
            number("ENDED/MIN"),
            number("OLDEST"),
        ];
        let rows: Vec<_> = queues
            .iter()
            .map(|queue| {
                let (state, colour) = match queue.paused {
                    true => ("paused", Some(Colour::Yellow)),
                    false => ("open", Some(Colour::Green)),
                };
                vec![
                    Cell::of(&queue.name),
                    Cell::coloured(state, colour),
                    Cell::of(&queue.depth.to_string()),
                    Cell::of(&queue.active.to_string()),
                    Cell::of(&queue.concurrency.map_or("-".to_owned(), |n| n.to_string())),
                    Cell::of(&format!("{:.0}", queue.rate_per_min)),
                    Cell::of(&queue.oldest_waiting_ms.map_or("-".to_owned(), words::span)),
                ]
            })
            .collect();
        table::lines(&COLUMNS, &rows, &session.console)
    }

    fn line(queue: &Queue) -> String {
        let state = if queue.paused { "paused" } else { "open" };
        let name = plain::text(&queue.name);
        let now = shared::Timestamp::now();
        format!("{now} {name} {state} {} wait {} run", queue.depth, queue.active)
    }
}
