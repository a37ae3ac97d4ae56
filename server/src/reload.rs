//! Reading the configuration again while the board runs: all of it, or nothing.

use crate::config::{self, AccessSettings, ConfigError};
use engine::Engine;
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Mutex;

/// What a reload did.
#[derive(Clone, Debug, Default)]
pub struct Reloaded {
    /// What holds from now on.
    pub at_once: engine::Reloaded,
    /// Keys of what the file says otherwise than at the start and what holds from the next one on.
    pub at_next_start: Vec<&'static str>,
}

/// Reloads, one at a time.
#[derive(Clone)]
pub struct Reloads {
    engine: Engine,
    file: Arc<PathBuf>,
    turn: Arc<Mutex<()>>,
    /// What of the configuration holds until the next start.
    started: Arc<AccessSettings>,
}

impl Reloads {
    /// `started` is what the file said at the start of who gets in.
    pub fn of(engine: Engine, file: PathBuf, started: AccessSettings) -> Self {
        Self { engine, file: Arc::new(file), turn: Arc::default(), started: Arc::new(started) }
    }

    /// Where the file is: relative paths in a pipeline are taken from there.
    pub fn directory(&self) -> PathBuf {
        config::directory(&self.file)
    }

    /// Reads the file; if it has no mistake, what it says holds from now on.
    ///
    /// # Errors
    /// Every mistake in it; nothing was changed then.
    pub async fn now(&self) -> Result<Reloaded, ConfigError> {
        let _turn = self.turn.lock().await;
        let path = self.file.clone();
        let settings = tokio::task::spawn_blocking(move || {
            config::load(&path).inspect(|config| config::tell_warnings(&config.engine))
        })
        .await;
        let settings = match settings {
            Ok(settings) => settings?,
            // It only ends early when the server does, or by a panic that was reported.
            Err(_) => return Ok(Reloaded::default()),
        };
        let at_next_start = settings.access.differing(&self.started);
        let at_once = self.engine.reload(settings.engine);
        tracing::info!(
            added = ?at_once.added,
            changed = ?at_once.changed,
            removed = ?at_once.removed,
            settings = ?at_once.settings,
            "the configuration was reloaded"
        );
        if !at_next_start.is_empty() {
            let keys = at_next_start.join(", ");
            tracing::warn!(keys, "of the configuration, {keys} will hold from the next start on");
        }
        Ok(Reloaded { at_once, at_next_start })
    }
}
