//! `tailboard pipelines`.

use crate::{
    console::Colour,
    failure::Failure,
    reach::Reach,
    session::Session,
    table::{self, Cell, number, whole, wide},
    words,
};
use clap::Args;
use shared::{Pipeline, Rows, Timestamp};
use std::process::ExitCode;

#[derive(Args)]
pub struct Pipelines {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    reach: Reach,
}

pub async fn run(args: Pipelines) -> Result<ExitCode, Failure> {
    let session = Session::new(&args.reach)?;
    let rows: Rows<Pipeline> = session.api.get(&["api", "v1", "pipelines"], &[]).await?;
    let console = &session.console;
    if args.json {
        console.json(&rows, true)?;
        return Ok(ExitCode::SUCCESS);
    }
    if rows.items.is_empty() {
        console.say("there are no pipelines")?;
        return Ok(ExitCode::SUCCESS);
    }
    const COLUMNS: [table::Column; 7] = [
        wide("PIPELINE").least(20),
        wide("PARAMETERS").leaves(2),
        whole("QUEUE").leaves(5),
        whole("LAST"),
        number("FAILED").leaves(3),
        whole("NEXT").leaves(1),
        wide("DESCRIPTION").leaves(4),
    ];
    let now = Timestamp::now();
    let cells: Vec<_> = rows.items.iter().map(|pipeline| row(pipeline, now)).collect();
    for line in table::lines(&COLUMNS, &cells, console) {
        console.say(&line)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn row(pipeline: &Pipeline, now: Timestamp) -> Vec<Cell> {
    let params: Vec<_> = pipeline
        .params
        .iter()
        .map(|param| match &param.default {
            Some(default) => format!("{}={default}", param.name),
            None if param.required => format!("{}=…", param.name),
            None => format!("[{}]", param.name),
        })
        .collect();
    let last = pipeline.last.first();
    let last = last.map_or(Cell::of("-"), |job| {
        let ago = words::ago(job.finished_at.unwrap_or(job.created_at), now);
        Cell::coloured(&format!("{} {ago}", job.state), Colour::of(job.state))
    });
    let ended = pipeline.completed + pipeline.failed;
    let failed = match ended {
        0 => "-".to_owned(),
        ended => format!("{} of {ended}", pipeline.failed),
    };
    let next = pipeline.schedule.as_ref().and_then(|schedule| schedule.next.first());
    vec![
        Cell::of(&pipeline.name),
        Cell::of(&params.join(" ")),
        Cell::of(&pipeline.queue),
        last,
        Cell::of(&failed),
        Cell::of(&next.map_or("-".to_owned(), |at| words::time(*at))),
        Cell::of(pipeline.description.as_deref().unwrap_or_default()),
    ]
}
