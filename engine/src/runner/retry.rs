//! Whether and when a failed attempt is followed by another.

use crate::{Definition, OnLost, Retry};
use shared::Timestamp;
use std::time::Duration;
use uuid::Uuid;

/// Attempts that `on_lost = "retry"` may add to those that `retries` allows: a run that takes the
/// machine down with it must not do so for ever.
const LOST_RETRIES: u32 = 3;

/// After attempt `number` failed. None: it was the last.
pub fn after_failure(definition: Option<&Definition>, number: u32) -> Option<Timestamp> {
    let retry = definition?.retry;
    (number <= retry.retries).then(|| soon(retry, number))
}

/// After attempt `number` was lost. None: it was the last.
pub fn after_loss(definition: Option<&Definition>, number: u32) -> Option<Timestamp> {
    let definition = definition?;
    let again = definition.on_lost == OnLost::Retry
        && number <= definition.retry.retries.saturating_add(LOST_RETRIES);
    again.then(|| soon(definition.retry, number))
}

fn soon(retry: Retry, number: u32) -> Timestamp {
    let pause = u64::try_from(pause(retry, number, random()).as_millis()).unwrap_or(u64::MAX);
    Timestamp(Timestamp::now().0.saturating_add_unsigned(pause))
}

/// The pause doubles with each attempt up to the longest; of it, between half and all is taken, so
/// that runs which failed together do not come back together. `random` is from 0 to 1.
fn pause(retry: Retry, number: u32, random: f64) -> Duration {
    let doubled = 2_u32.checked_pow(number.saturating_sub(1)).unwrap_or(u32::MAX);
    let whole = retry.delay.saturating_mul(doubled).min(retry.max_delay);
    whole.mul_f64(0.5 + random.clamp(0., 1.) / 2.)
}

fn random() -> f64 {
    // 53 random bits, as many as the number can hold.
    (Uuid::new_v4().as_u64_pair().0 & ((1 << 53) - 1)) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_the_longest_and_half_of_it_is_chance() {
        let seconds = Duration::from_secs;
        let retry = Retry { retries: 100, delay: seconds(10), max_delay: seconds(60) };
        for (number, most) in [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60), (100, 60)] {
            assert_eq!(pause(retry, number, 1.), seconds(most));
            assert_eq!(pause(retry, number, 0.), seconds(most) / 2);
        }
        assert!((0. ..1.).contains(&random()));
    }

    #[test]
    fn there_are_as_many_attempts_as_were_asked_for() {
        let mut definition = Definition::default();
        assert_eq!(after_failure(Some(&definition), 1), None);
        definition.retry.retries = 2;
        assert!(after_failure(Some(&definition), 2).is_some());
        assert_eq!(after_failure(Some(&definition), 3), None);
        assert_eq!(
            after_loss(Some(&definition), 1),
            None,
            "a lost run fails unless it says otherwise"
        );
        definition.on_lost = OnLost::Retry;
        assert!(after_loss(Some(&definition), 5).is_some());
        assert_eq!(after_loss(Some(&definition), 6), None);
    }
}
