//! How many streams are open, by contract.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

#[derive(Debug, Default)]
pub(super) struct Gauge(Mutex<BTreeMap<&'static str, usize>>);

impl Gauge {
    pub fn add(&self, contract: &'static str) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(contract).or_default() += 1;
    }

    pub fn remove(&self, contract: &'static str) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(contract) {
            *count -= 1;
        }
    }

    pub fn open(&self) -> Vec<(&'static str, usize)> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().map(|(contract, count)| (*contract, *count)).collect()
    }
}
