//! What every verb has: the board it asks, and where it prints.

use crate::{
    api::Api,
    console::Console,
    failure::Failure,
    reach::{Reach, Target, bearer, is_open},
};
use std::sync::Arc;

pub struct Session {
    pub api: Api,
    pub console: Arc<Console>,
}

impl Session {
    /// # Errors
    /// When it cannot be told which board is meant; nothing has been asked yet.
    pub fn new(reach: &Reach) -> Result<Self, Failure> {
        Self::of(reach, reach.target()?)
    }

    /// The same with a token that was just typed, if there is one.
    ///
    /// # Errors
    /// As above.
    pub fn with_token(reach: &Reach, token: Option<String>) -> Result<Self, Failure> {
        let mut target = reach.target()?;
        if let Some(token) = token {
            target.token = Some(bearer(&token)?);
        }
        Self::of(reach, target)
    }

    fn of(reach: &Reach, target: Target) -> Result<Self, Failure> {
        let console = Arc::new(Console::new());
        if target.token.is_some() && is_open(&target.url) {
            console.note(&format!(
                "warning: the token travels unencrypted to {}; use https",
                target.url
            ));
        }
        Ok(Self { api: Api::new(target, reach.pace(), console.clone())?, console })
    }
}
