//! How often a caller may ask for a change.

use access::throttle::Throttle;
use engine::Caller;
use std::{sync::Arc, time::Duration};

/// Changes asked for, by caller; a cheap handle.
#[derive(Clone)]
pub struct Writes {
    asked: Arc<Throttle<String>>,
    /// How many a caller may ask for in a minute.
    pub per_minute: u32,
}

impl Writes {
    pub fn new(per_minute: u32) -> Self {
        let asked = Throttle::new(per_minute, Duration::from_secs(60));
        Self { asked: Arc::new(asked), per_minute }
    }

    /// Counts one; refused, in how many seconds there may be one more.
    pub fn take(&self, caller: &Caller) -> Result<(), u64> {
        self.asked.take(&*caller.name)
    }
}
