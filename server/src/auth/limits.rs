//! How often a caller may ask for a change.

use access::throttle::Throttle;
use engine::Caller;
use std::{sync::Arc, time::Duration};

/// Changes asked for, by caller; a cheap handle.
#[derive(Clone)]
pub struct Writes(Arc<Throttle<String>>);

impl Writes {
    pub fn new(per_minute: u32) -> Self {
        Self(Arc::new(Throttle::new(per_minute, Duration::from_secs(60))))
    }

    /// Counts one; refused, in how many seconds there may be one more.
    pub fn take(&self, caller: &Caller) -> Result<(), u64> {
        self.0.take(&*caller.name)
    }
}
