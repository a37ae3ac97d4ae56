//! The log of a pipeline, for one who follows it.

use super::{Engine, ReadError};
use crate::{
    Caller,
    pipeline_log::{Cursor, Head},
    runner::blocking,
};
use tokio::sync::watch;

/// A reader of a pipeline's log.
pub struct PipelineLog {
    engine: Engine,
    cursor: Cursor,
    head: watch::Receiver<Head>,
}

impl Engine {
    /// The log of a pipeline from the first line on that is kept. None: there is no such pipeline.
    pub fn pipeline_log(&self, _: &Caller, name: &str) -> Option<PipelineLog> {
        let (cursor, head) = self.inner.runner.pipeline_logs().read(name)?;
        Some(PipelineLog { engine: self.clone(), cursor, head })
    }
}

impl PipelineLog {
    /// The next lines, each with its `\n`: about `most` bytes, waited for if there are none yet. None:
    /// the log ended, as its pipeline was deleted or restarted.
    ///
    /// # Errors
    /// When the very first lines cannot be read.
    pub async fn next(mut self, most: usize) -> Result<(Self, Option<Vec<u8>>), ReadError> {
        loop {
            // First how far it is: what comes after this look wakes.
            let Head { ended, .. } = *self.head.borrow_and_update();
            let turn = self.engine.inner.runner.pipeline_logs().turn().await;
            let (this, text) = blocking(move || {
                let inner = self.engine.inner.clone();
                let text = self.cursor.read(most, |job| inner.runner.job_dir(job));
                drop(turn);
                (self, text)
            })
            .await;
            self = this;
            let text = text?;
            if !text.is_empty() {
                return Ok((self, Some(text)));
            }
            if ended || self.head.changed().await.is_err() {
                return Ok((self, None));
            }
        }
    }
}
