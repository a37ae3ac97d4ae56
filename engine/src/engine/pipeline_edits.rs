//! Which pipelines there are: those of the configuration file, and those that were made over the API.

use super::Engine;
use crate::{
    Caller, Definition, Observation, Settings,
    board::{Ack, SendError},
};
use shared::{Origin, Timestamp};
use std::{
    collections::HashSet,
    sync::{Arc, MutexGuard, PoisonError},
};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// Pipelines that may be made over the API.
const MOST: usize = 1000;

/// Both kinds, as they were said.
pub(super) struct Edits {
    said: std::sync::Mutex<Said>,
    /// Whoever changes what was made has it until that is committed; a reload does not wait for it.
    turn: Arc<Mutex<()>>,
}

struct Said {
    file: Settings,
    /// By name; also those that do not count, as the file has their name or does not allow any.
    made: Vec<Definition>,
}

/// What became of a pipeline that was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Made,
    Changed,
    /// It was like this before.
    Unchanged,
}

/// Why a pipeline was not made, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error(
        "pipelines come from the configuration file alone; to make, change and delete them here, \
         set allow_pipeline_editing = true at the top of that file and have it read again"
    )]
    NotAllowed,
    #[error("pipeline {0:?} is in the configuration file; change it there")]
    InFile(String),
    #[error("there is no pipeline called {0}")]
    NotFound(String),
    #[error(
        "there are {MOST} pipelines that were made here, and no more are kept; delete one first"
    )]
    TooMany,
    #[error("the board has more to do than it can take on; nothing was done")]
    Busy,
    /// Not committed after five seconds; it still may be.
    #[error("it is not stored yet; it may still be done")]
    Slow,
    #[error("the server is ending")]
    Closed,
}

impl From<SendError> for EditError {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Full => Self::Busy,
            SendError::Closed => Self::Closed,
        }
    }
}

/// What a reload changed: names of pipelines, and keys of the file's other settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    pub added: Vec<String>,
    pub changed: Vec<String>,
    pub removed: Vec<String>,
    pub settings: Vec<&'static str>,
}

impl Reloaded {
    fn between(before: &Settings, after: &Settings) -> Self {
        let names = |of: &Settings, is_meant: &dyn Fn(&Definition) -> bool| -> Vec<String> {
            let meant = of.pipelines.iter().filter(|definition| is_meant(definition));
            meant.map(|definition| definition.name.clone()).collect()
        };
        Self {
            added: names(after, &|new| before.pipeline(&new.name).is_none()),
            changed: names(after, &|new| before.pipeline(&new.name).is_some_and(|old| old != new)),
            removed: names(before, &|old| after.pipeline(&old.name).is_none()),
            settings: after.differing(before),
        }
    }
}

impl Edits {
    pub fn new(file: Settings, made: Vec<Definition>) -> Self {
        Self { said: std::sync::Mutex::new(Said { file, made }), turn: Arc::default() }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Said {
    /// What holds: the file, and what was made beside it where that is allowed.
    fn settings(&self) -> Settings {
        merged(self.file.clone(), &self.made)
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.made.binary_search_by(|made| made.name.as_str().cmp(name))
    }

    fn what_becomes_of(&self, definition: &Definition) -> Result<Put, EditError> {
        self.may_edit(&definition.name)?;
        match self.place(&definition.name) {
            Ok(at) if self.made[at] == *definition => Ok(Put::Unchanged),
            Ok(_) => Ok(Put::Changed),
            Err(_) if self.made.len() >= MOST => Err(EditError::TooMany),
            Err(_) => Ok(Put::Made),
        }
    }

    fn made_here(&self, name: &str) -> Result<(), EditError> {
        self.may_edit(name)?;
        self.place(name).map(drop).map_err(|_| EditError::NotFound(name.to_owned()))
    }

    fn may_edit(&self, name: &str) -> Result<(), EditError> {
        if !self.file.allow_pipeline_editing {
            return Err(EditError::NotAllowed);
        }
        match self.file.pipeline(name) {
            Some(_) => Err(EditError::InFile(name.to_owned())),
            None => Ok(()),
        }
    }
}

/// The pipelines of the file and those that were made, whose names the file does not have.
pub(super) fn merged(file: Settings, made: &[Definition]) -> Settings {
    if !file.allow_pipeline_editing {
        if !made.is_empty() {
            tracing::warn!(
                pipelines = made.len(),
                "pipelines that were made over the API are kept, but not there: \
                 allow_pipeline_editing is not set"
            );
        }
        return file;
    }
    let names: HashSet<_> = file.pipelines.iter().map(|definition| &*definition.name).collect();
    let mut added = Vec::new();
    for definition in made {
        if names.contains(&*definition.name) {
            tracing::warn!(
                pipeline = definition.name,
                "it was made over the API too; the one of the configuration file counts"
            );
            continue;
        }
        if file.queues.iter().all(|queue| queue.name != definition.queue) {
            tracing::warn!(
                pipeline = definition.name,
                queue = definition.queue,
                "its queue is not in the configuration any more: its runs wait"
            );
        }
        added.push(definition.clone());
    }
    let mut settings = file;
    settings.pipelines.extend(added);
    settings
}

impl Engine {
    /// From now on it is as these settings say, all of it, with the pipelines that were made beside
    /// them. Jobs keep the definition they were queued with.
    pub fn reload(&self, settings: Settings) -> Reloaded {
        let mut said = self.inner.edits.said();
        said.file = settings;
        self.hold(&said)
    }

    /// Whether a pipeline of this name may be made, changed or deleted now.
    ///
    /// # Errors
    /// `NotAllowed`, `InFile`.
    pub fn may_edit_pipeline(&self, name: &str) -> Result<(), EditError> {
        self.inner.edits.said().may_edit(name)
    }

    /// Makes a pipeline, or changes one that was made; resolves when that is committed. The definition
    /// has to be checked. Jobs keep the one they were queued with.
    ///
    /// # Errors
    /// As [`EditError`] says; of all but `Slow` and `Closed` nothing is left behind.
    pub async fn put_pipeline(
        &self,
        caller: &Caller,
        definition: Definition,
    ) -> Result<Put, EditError> {
        let definition = Definition { origin: Origin::Api, ..definition };
        let turn = self.inner.edits.turn.clone().lock_owned().await;
        let put = self.inner.edits.said().what_becomes_of(&definition)?;
        if put == Put::Unchanged {
            return Ok(put);
        }
        let told = Observation::PipelinePut {
            name: definition.name.clone(),
            // Names to texts, numbers and lists: this cannot fail to be JSON.
            definition: serde_json::to_string(&definition).unwrap_or_default(),
            by: caller.name.to_string(),
            at: Timestamp::now(),
        };
        let ack = self.inner.board.try_send(told)?;
        let name = definition.name.clone();
        self.edited(ack, turn, |engine| {
            let mut said = engine.inner.edits.said();
            match said.place(&definition.name) {
                Ok(at) => said.made[at] = definition,
                Err(at) => said.made.insert(at, definition),
            }
            engine.hold(&said);
        })
        .await?;
        tracing::info!(pipeline = name, by = %caller.name, ?put, "pipeline made or changed");
        Ok(put)
    }

    /// Deletes a pipeline that was made; resolves when that is committed. Its runs that are not over
    /// are cancelled after that, its log ends with the last of them, its jobs stay.
    ///
    /// # Errors
    /// As [`EditError`] says.
    pub async fn delete_pipeline(&self, caller: &Caller, name: &str) -> Result<(), EditError> {
        let turn = self.inner.edits.turn.clone().lock_owned().await;
        self.inner.edits.said().made_here(name)?;
        let ack =
            self.inner.board.try_send(Observation::PipelineDeleted { name: name.to_owned() })?;
        let (name, by) = (name.to_owned(), caller.clone());
        self.edited(ack, turn, move |engine| {
            let mut said = engine.inner.edits.said();
            if let Ok(at) = said.place(&name) {
                said.made.remove(at);
            }
            let runs = engine.inner.runner.pipeline_logs().remove(&name);
            engine.hold(&said);
            drop(said);
            tracing::info!(pipeline = name, by = %by.name, "pipeline deleted");
            engine.deed(engine.clone().end_all_of(by, name, runs));
        })
        .await
    }

    /// Does what follows from a commit, and resolves after it.
    async fn edited(
        &self,
        ack: Ack,
        turn: OwnedMutexGuard<()>,
        then: impl FnOnce(&Engine) + Send + 'static,
    ) -> Result<(), EditError> {
        let done = self.when_committed(ack, |engine, _| async move {
            then(&engine);
            drop(turn);
        });
        match done.await {
            Some(Ok(_)) => Ok(()),
            Some(Err(_)) => Err(EditError::Closed),
            None => Err(EditError::Slow),
        }
    }

    /// Lets hold what is said, and tells what that changed.
    fn hold(&self, said: &Said) -> Reloaded {
        let (before, settings) = (self.inner.runner.settings(), said.settings());
        let reloaded = Reloaded::between(&before, &settings);
        self.inner.runner.replace(settings);
        reloaded
    }
}
