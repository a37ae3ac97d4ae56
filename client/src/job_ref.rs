//! Which job is meant: its id, the beginning or the end of it, or the newest one.

use crate::{failure::Failure, session::Session, words};
use shared::{Job, JobId, Page, Timestamp};
use std::fmt::Write;

/// The newest jobs among which a part of an id is looked for, and how many come in one answer.
const AMONG: usize = 2000;
const PAGE: usize = 200;
/// Jobs that are listed when several are meant.
const LISTED: usize = 10;

/// How sure it has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// The job is looked at.
    Read,
    /// Something happens to it: no `latest`, which is another one a moment later, and no part of an id
    /// that is short enough to be a slip.
    Act,
}

impl Care {
    fn least(self) -> usize {
        match self {
            Self::Read => 4,
            Self::Act => 6,
        }
    }
}

/// The end of an id: enough to tell two jobs apart, and unlike its beginning not a time.
pub fn short(id: JobId) -> String {
    let mut text = id.to_string();
    text.split_off(text.len().saturating_sub(8))
}

/// The job that is meant by what was typed.
///
/// # Errors
/// When there is none, or several.
pub async fn find(session: &Session, text: &str, care: Care) -> Result<JobId, Failure> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let pipeline = match text.split_once(':') {
        Some((pipeline, "latest")) => Some(Some(pipeline)),
        None if text == "latest" => Some(None),
        _ => None,
    };
    if let Some(pipeline) = pipeline {
        return match care {
            Care::Read => latest(session, pipeline).await,
            Care::Act => Err(Failure::Usage(format!(
                "{text}: this verb wants the id of a job, since the newest one may be another a moment later"
            ))),
        };
    }
    let part = text.to_ascii_lowercase();
    let is_part =
        part.len() >= care.least() && part.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if !is_part {
        let newest = if care == Care::Read { ", latest, or PIPELINE:latest" } else { "" };
        return Err(Failure::Usage(format!(
            "{text:?} is no job; wanted is its id, {} or more characters of the id's beginning or end{newest}",
            care.least()
        )));
    }
    one_of(&part, matching(session, &part).await?)
}

async fn latest(session: &Session, pipeline: Option<&str>) -> Result<JobId, Failure> {
    let mut query = vec![("limit", "1".to_owned())];
    query.extend(pipeline.map(|name| ("pipeline", name.to_owned())));
    let page: Page<Job> = session.api.get(&["api", "v1", "jobs"], &query).await?;
    page.items.first().map(|job| job.id).ok_or_else(|| {
        Failure::Usage(match pipeline {
            Some(name) => {
                format!("pipeline {name:?} has no jobs; `tailboard pipelines` lists those that are")
            }
            None => "there are no jobs yet; `tailboard run PIPELINE` makes one".to_owned(),
        })
    })
}

/// The newest jobs whose id begins or ends like this.
async fn matching(session: &Session, part: &str) -> Result<Vec<Job>, Failure> {
    let mut found = Vec::new();
    let mut seen = 0;
    let mut cursor: Option<String> = None;
    loop {
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let page: Page<Job> = session.api.get(&["api", "v1", "jobs"], &query).await?;
        seen += page.items.len();
        found.extend(page.items.into_iter().filter(|job| {
            let id = job.id.to_string();
            id.starts_with(part) || id.ends_with(part)
        }));
        cursor = page.next_cursor;
        if cursor.is_none() || seen >= AMONG {
            return Ok(found);
        }
    }
}

fn one_of(part: &str, found: Vec<Job>) -> Result<JobId, Failure> {
    match found.as_slice() {
        [] => Err(Failure::Usage(format!(
            "none of the newest {AMONG} jobs has an id that begins or ends with {part}; `tailboard jobs` lists them"
        ))),
        [one] => Ok(one.id),
        several => {
            let mut text = format!("{part} may be any of {} jobs:", several.len());
            let now = Timestamp::now();
            for job in several.iter().take(LISTED) {
                let name = crate::plain::text(&job.name);
                // Writing to a string cannot fail.
                let _ = write!(
                    text,
                    "\n  {}  {name}  {}  {}",
                    job.id,
                    job.state,
                    words::ago(job.created_at, now)
                );
            }
            if several.len() > LISTED {
                text.push_str("\n  …");
            }
            Err(Failure::Usage(text))
        }
    }
}
