//! Which job was made before, by a request that is repeated or for a time that was due.

use super::state::State;
use crate::{
    observation::{NewJob, RequestKey},
    store::{StoreError, Writer},
};
use shared::{Job, JobId, Timestamp};
use std::collections::HashMap;
use uuid::Uuid;

/// What is known of it without a look into the store.
#[derive(Debug, Default)]
pub(super) struct Made {
    keys: HashMap<(String, String), (Uuid, JobId)>,
    dues: HashMap<(String, Timestamp), JobId>,
    /// Rows of those jobs, read for the answer.
    rows: HashMap<JobId, Job>,
}

/// What there is already.
pub(super) enum Before {
    No,
    /// It made this job.
    Job(JobId, Option<Box<Job>>),
    /// The key was used for another request.
    OtherRequest,
}

impl Made {
    /// A job is made by this observation.
    pub fn put(&mut self, id: JobId, key: Option<&RequestKey>, due: Option<(&str, Timestamp)>) {
        if let Some(key) = key {
            self.keys.insert((key.caller.clone(), key.key.clone()), (key.request, id));
        }
        if let Some((pipeline, at)) = due {
            self.dues.insert((pipeline.to_owned(), at), id);
        }
    }

    /// What is in the store needs no place here.
    pub fn committed(&mut self) {
        self.keys.clear();
        self.dues.clear();
        self.rows.clear();
    }

    pub fn before(&mut self, new: &NewJob) -> Before {
        if let Some(key) = &new.key
            && let Some((request, id)) = self.keys.get(&(key.caller.clone(), key.key.clone()))
        {
            return match *request == key.request {
                true => Before::Job(*id, self.rows.get(id).cloned().map(Box::new)),
                false => Before::OtherRequest,
            };
        }
        if let (Some(pipeline), Some(at)) = (&new.pipeline, new.due)
            && let Some(id) = self.dues.get(&(pipeline.clone(), at))
        {
            return Before::Job(*id, self.rows.get(id).cloned().map(Box::new));
        }
        Before::No
    }
}

impl State {
    /// Reads whether the request, or the due time, made a job before.
    pub(super) fn known_before(&mut self, new: &NewJob, store: &Writer) -> Result<(), StoreError> {
        if let Some(key) = &new.key
            && let Some((request, job)) = store.request(key, new.created_at)?
        {
            self.made.keys.insert((key.caller.clone(), key.key.clone()), (request, job));
            self.made_row(job, store)?;
        }
        if let (Some(pipeline), Some(at)) = (&new.pipeline, new.due)
            && let Some(job) = store.due(pipeline, at)?
        {
            self.made.dues.insert((pipeline.clone(), at), job);
            self.made_row(job, store)?;
        }
        Ok(())
    }

    fn made_row(&mut self, id: JobId, store: &Writer) -> Result<(), StoreError> {
        if let Some(head) = store.head(id)? {
            self.made.rows.insert(id, head.job);
        }
        Ok(())
    }
}
