//! `tailboard queues`, `pause`, `resume`.

use super::{
    follow::read,
    watch::{self, Change, Shown, Watched, key},
};
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
use serde_json::json;
use shared::{
    EventId, Queue, Rows,
    event::{QueueDeleted, name},
};
use std::process::ExitCode;

#[derive(Args)]
pub struct Queues {
    #[command(flatten)]
    shown: Shown,
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
    watch::run(&args.shown, &List).await
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

impl Watched for List {
    type All = Rows<Queue>;
    type Row = Queue;
    const TYPES: &'static str = "queue";
    const NAME: &'static str = "name";

    async fn all(&self, session: &Session) -> Result<Rows<Queue>, Failure> {
        all(session).await
    }

    fn rows(all: Rows<Queue>) -> (Vec<Queue>, EventId) {
        (all.items, all.as_of)
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
            name::QUEUE_SNAPSHOT => Change::Row(read(event)?),
            name::QUEUE_DELETED => {
                let gone: QueueDeleted = read(event)?;
                Change::Gone(key(gone.connection_id, &gone.name), gone.revision)
            }
            _ => Change::Nothing,
        })
    }

    fn arrange(&self, queues: &mut Vec<Queue>) {
        queues.sort_by(|a, b| a.name.cmp(&b.name).then(a.connection_id.cmp(&b.connection_id)));
    }

    fn table(&self, queues: &[Queue], session: &Session) -> Vec<String> {
        const COLUMNS: [table::Column; 7] = [
            wide("QUEUE"),
            whole("STATE"),
            number("WAIT"),
            number("RUN"),
            number("SLOTS").leaves(2),
            number("ENDED/MIN").leaves(3),
            number("OLDEST").leaves(1),
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
