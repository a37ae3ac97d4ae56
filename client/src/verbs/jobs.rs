//! `tailboard jobs`: the list, once or as it changes.

use super::{
    follow::read,
    watch::{self, Change, Shown, Watched},
};
use crate::{
    console::Colour,
    failure::Failure,
    job_ref::short,
    plain,
    session::Session,
    sse::Event,
    table::{self, Cell, number, whole, wide},
    words,
};
use clap::Args;
use serde_json::{Value, json};
use shared::{
    EventId, Job, JobFilter, JobSort, JobState, Page, Timestamp,
    event::{JobDeleted, JobProgress, name},
};
use std::process::ExitCode;

/// Rows of one answer at most.
const PAGE: usize = 200;

#[derive(Args)]
pub struct Jobs {
    /// Only jobs in these states: a list of queued, scheduled, active, retrying, completed, failed, cancelled, unknown.
    #[arg(long, value_name = "STATES", value_delimiter = ',')]
    state: Vec<JobState>,
    /// Only jobs of this pipeline.
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// Only jobs of this queue.
    #[arg(long, value_name = "NAME")]
    queue: Option<String>,
    /// Only jobs of this worker.
    #[arg(long, value_name = "ID")]
    worker: Option<String>,
    /// Only jobs made since then: 10m, 2h, 1d ago, or 2026-02-27T10:30:00Z.
    #[arg(long, value_name = "TIME", value_parser = words::moment)]
    since: Option<Timestamp>,
    /// Only jobs made before then.
    #[arg(long, value_name = "TIME", value_parser = words::moment)]
    until: Option<Timestamp>,
    /// Words in name, parameters, error or id; the last one may be a beginning.
    #[arg(short = 'q', long, value_name = "WORDS")]
    search: Option<String>,
    /// `created` (newest first), `finished` (ended last first) or `duration` (longest first).
    #[arg(long, value_name = "ORDER", default_value = "created", conflicts_with = "watch")]
    sort: JobSort,
    /// How many.
    #[arg(short = 'n', long, value_name = "COUNT", default_value = "20", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    #[command(flatten)]
    shown: Shown,
}

pub async fn run(args: Jobs) -> Result<ExitCode, Failure> {
    let list = List {
        filter: JobFilter {
            connections: Vec::new(),
            states: args.state,
            queue: args.queue,
            worker: args.worker,
            pipeline: args.pipeline,
            from: args.since,
            to: args.until,
            q: args.search.filter(|words| !words.trim().is_empty()),
        },
        sort: args.sort,
        // At most 10,000.
        limit: args.limit as usize,
    };
    watch::run(&args.shown, &list).await
}

struct List {
    filter: JobFilter,
    sort: JobSort,
    limit: usize,
}

impl List {
    fn query(&self) -> Vec<(&'static str, String)> {
        let JobFilter { connections: _, states, queue, worker, pipeline, from, to, q } =
            self.filter.clone();
        let mut query = vec![("sort", self.sort.as_str().to_owned())];
        if !states.is_empty() {
            let states: Vec<_> = states.iter().map(|state| state.as_str()).collect();
            query.push(("state", states.join(",")));
        }
        let texts = [("queue", queue), ("worker", worker), ("pipeline", pipeline), ("q", q)];
        query.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text?))));
        let times = [("from", from), ("to", to)];
        query.extend(times.into_iter().filter_map(|(name, at)| Some((name, at?.to_string()))));
        query
    }

    fn belongs(&self, job: Job) -> Change<Job> {
        match (self.filter.matches(&job), self.filter.is_decidable()) {
            (_, false) => Change::Unknown,
            (true, _) => Change::Row(job),
            (false, _) => Change::Left(job),
        }
    }
}

impl Watched for List {
    type All = Page<Job>;
    type Row = Job;
    const TYPES: &'static str = "job";
    const NAME: &'static str = "id";

    /// As many rows as are wanted, of as many answers as that takes.
    async fn all(&self, session: &Session) -> Result<Page<Job>, Failure> {
        let mut all: Option<Page<Job>> = None;
        loop {
            let have = all.as_ref().map_or(0, |page| page.items.len());
            let mut query = self.query();
            query.push(("limit", (self.limit - have).min(PAGE).to_string()));
            let cursor = all.as_ref().and_then(|page| page.next_cursor.clone());
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let next: Page<Job> = session.api.get(&["api", "v1", "jobs"], &query).await?;
            let page = match all.take() {
                // The first `as_of` is the one that no row is older than.
                Some(page) => Page {
                    items: page.items.into_iter().chain(next.items).collect(),
                    next_cursor: next.next_cursor,
                    ..page
                },
                None => next,
            };
            if page.next_cursor.is_none() || page.items.len() >= self.limit {
                return Ok(page);
            }
            all = Some(page);
        }
    }

    fn rows(page: Page<Job>) -> (Vec<Job>, EventId) {
        (page.items, page.as_of)
    }

    fn rest(page: &Page<Job>) -> Option<String> {
        page.next_cursor.as_ref()?;
        let or_more = if page.total.exact { "" } else { " or more" };
        let (shown, count) = (page.items.len(), page.total.count);
        Some(format!("the first {shown} of {count}{or_more}; --limit shows more"))
    }

    fn key(job: &Job) -> String {
        job.id.to_string()
    }

    fn revision(job: &Job) -> u64 {
        job.revision
    }

    fn change(
        &self,
        event: &Event,
        known: &dyn Fn(&str) -> Option<Job>,
    ) -> Result<Change<Job>, Failure> {
        Ok(match event.name.as_str() {
            name::JOB_STATE => self.belongs(read(event)?),
            name::JOB_PROGRESS => {
                let news: JobProgress = read(event)?;
                match known(&news.id.to_string()) {
                    Some(job) => Change::Row(Job {
                        progress: news.progress,
                        step: news.step,
                        steps_done: news.steps_done,
                        steps_total: news.steps_total,
                        revision: news.revision,
                        ..job
                    }),
                    None => Change::Nothing,
                }
            }
            name::JOB_DELETED => {
                let gone: JobDeleted = read(event)?;
                Change::Gone(gone.id.to_string(), gone.revision)
            }
            _ => Change::Nothing,
        })
    }

    fn arrange(&self, jobs: &mut Vec<Job>) {
        jobs.sort_by_key(|job| std::cmp::Reverse((job.created_at, job.id)));
        jobs.truncate(self.limit);
    }

    fn gone(key: &str) -> Value {
        json!({ "id": key, "deleted": true })
    }

    fn table(&self, jobs: &[Job], session: &Session) -> Vec<String> {
        if jobs.is_empty() {
            return vec!["no such jobs".to_owned()];
        }
        const COLUMNS: [table::Column; 6] = [
            whole("ID"),
            wide("NAME"),
            whole("STATE"),
            whole("CREATED").leaves(1),
            number("TIME").leaves(3),
            wide("WHAT").leaves(2),
        ];
        let now = Timestamp::now();
        let rows: Vec<_> = jobs.iter().map(|job| row(job, now)).collect();
        table::lines(&COLUMNS, &rows, &session.console)
    }

    fn line(job: &Job) -> String {
        let (name, what) = (plain::text(&job.name), plain::text(&what(job)));
        let line = format!("{} {} {name} {} {what}", Timestamp::now(), short(job.id), job.state);
        line.trim_end().to_owned()
    }
}

fn row(job: &Job, now: Timestamp) -> Vec<Cell> {
    let ran = match (job.duration_ms, job.started_at) {
        (Some(ms), _) => words::span(ms),
        (None, Some(began)) if !job.state.is_over() => words::span(now.since(began) / 1000 * 1000),
        _ => String::new(),
    };
    vec![
        Cell::of(&short(job.id)),
        Cell::of(&job.name),
        Cell::coloured(job.state.as_str(), Colour::of(job.state)),
        Cell::of(&words::ago(job.created_at, now)),
        Cell::of(&ran),
        Cell::of(&what(job)),
    ]
}

/// What it does now, or why it failed.
fn what(job: &Job) -> String {
    match (job.state, &job.step) {
        (JobState::Failed | JobState::Retrying, _) => job.error.clone().unwrap_or_default(),
        (JobState::Active, Some(step)) => {
            let progress = job.progress.map_or(String::new(), |p| format!(" {p:.0} %"));
            format!("{step} ({} of {}){progress}", job.steps_done + 1, job.steps_total)
        }
        (JobState::Scheduled, _) => {
            job.run_at.map_or(String::new(), |at| format!("due {}", words::time(at)))
        }
        _ => String::new(),
    }
}
