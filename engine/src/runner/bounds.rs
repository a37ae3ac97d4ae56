//! How many runs of a pipeline go on at a time.
//!
//! Counted here for all queues together: a reload may move a pipeline from one to another while runs
//! of it go on, and may take it away while runs of it wait.

use crate::Settings;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::watch;

/// The pipelines that have jobs which are not over, by name, and maybe others.
#[derive(Debug, Default)]
pub struct Bounds {
    by_name: Mutex<HashMap<Arc<str>, Arc<Bound>>>,
    freed: watch::Sender<()>,
}

/// The runs of one pipeline. Whatever job waits or runs holds it: while one does, the bound of a pipeline
/// that was taken out of the configuration stays as it was.
pub struct Bound {
    name: Arc<str>,
    count: Mutex<Count>,
    freed: watch::Sender<()>,
}

#[derive(Debug)]
struct Count {
    running: u32,
    /// None: no bound.
    most: Option<u32>,
    /// Some queue found that no more may run, and is to look again when one is over.
    awaited: bool,
}

/// A run that goes on counts until this is dropped.
pub struct Turn(Arc<Bound>);

impl Bounds {
    /// The pipeline of this name. `most` is asked, while no reload changes bounds, if none of its jobs is
    /// known yet.
    pub fn of(&self, name: &str, most: impl FnOnce() -> Option<u32>) -> Arc<Bound> {
        let mut by_name = self.by_name();
        if let Some(bound) = by_name.get(name) {
            return bound.clone();
        }
        let count = Mutex::new(Count { running: 0, most: most(), awaited: false });
        let name: Arc<str> = name.into();
        let bound = Arc::new(Bound { name: name.clone(), count, freed: self.freed.clone() });
        by_name.insert(name, bound.clone());
        bound
    }

    /// From now on it is as these settings say, apart from pipelines they do not have: those are
    /// forgotten once they have no more jobs.
    pub fn replace(&self, settings: &Settings) {
        self.by_name().retain(|name, bound| match settings.pipeline(name) {
            Some(definition) => {
                bound.count().most = definition.max_concurrent;
                true
            }
            None => Arc::strong_count(bound) > 1,
        });
    }

    /// Changes when a run is over for which some queue waited.
    pub fn watch(&self) -> watch::Receiver<()> {
        self.freed.subscribe()
    }

    fn by_name(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Bound>>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bound {
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Whether one more may run. Who is told that it may not is woken when one is over.
    pub fn has_room(&self) -> bool {
        let mut count = self.count();
        let has_room = count.most.is_none_or(|most| count.running < most);
        count.awaited |= !has_room;
        has_room
    }

    /// Lets one more run, if it may.
    pub fn take(self: &Arc<Self>) -> Option<Turn> {
        let mut count = self.count();
        if count.most.is_some_and(|most| count.running >= most) {
            return None;
        }
        count.running += 1;
        Some(Turn(self.clone()))
    }

    /// Counts one that runs already, whether or not it may.
    pub fn take_up(self: &Arc<Self>) -> Turn {
        self.count().running += 1;
        Turn(self.clone())
    }

    /// Some: no more may run, as so many do and may.
    pub fn full(&self) -> Option<(u32, u32)> {
        let count = self.count();
        count.most.filter(|most| count.running >= *most).map(|most| (count.running, most))
    }

    fn count(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.name, self.count())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut count = self.0.count();
        count.running -= 1;
        if std::mem::take(&mut count.awaited) {
            self.0.freed.send_replace(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Definition;

    fn settings(most: &[(&str, Option<u32>)]) -> Settings {
        let definition = |(name, max_concurrent): &(&str, Option<u32>)| Definition {
            name: (*name).to_owned(),
            max_concurrent: *max_concurrent,
            ..Definition::default()
        };
        Settings { pipelines: most.iter().map(definition).collect(), ..Settings::default() }
    }

    #[test]
    fn who_found_no_room_is_woken_when_there_is_some() {
        let bounds = Bounds::default();
        let bound = bounds.of("a", || Some(1));
        let mut freed = bounds.watch();
        drop(bound.take().unwrap());
        assert!(!freed.has_changed().unwrap(), "nobody waited");
        let turn = bound.take().unwrap();
        assert!(!bound.has_room());
        assert!(bound.take().is_none());
        assert_eq!(bound.full(), Some((1, 1)));
        drop(turn);
        assert!(freed.has_changed().unwrap());
        freed.mark_unchanged();
        assert!(bound.has_room());
        assert_eq!(bound.full(), None);
    }

    #[test]
    fn what_runs_already_counts_though_it_is_more_than_may() {
        let bound = Bounds::default().of("a", || Some(1));
        let turns = [bound.take_up(), bound.take_up()];
        assert_eq!(bound.full(), Some((2, 1)));
        drop(turns);
        assert!(bound.has_room());
    }

    #[test]
    fn a_bound_outlives_its_pipeline_while_there_are_jobs_of_it_and_no_longer() {
        let bounds = Bounds::default();
        let bound = bounds.of("a", || Some(1));
        bounds.replace(&settings(&[]));
        bounds.replace(&settings(&[("b", None)]));
        let turn = bounds.of("a", || None).take().unwrap();
        assert!(!bound.has_room());
        drop(bound);
        bounds.replace(&settings(&[("a", Some(2))]));
        assert!(bounds.of("a", || None).has_room());
        drop(turn);
        bounds.replace(&settings(&[]));
        assert_eq!(bounds.of("a", || Some(7)).count().most, Some(7));
    }
}
