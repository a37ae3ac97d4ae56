//! Where the next page of a list begins. Opaque outside; valid for the filter it was made for.

use shared::{Job, JobFilter, JobId, Timestamp};
use uuid::Uuid;

/// The last row of a page, in the list's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    pub created_at: Timestamp,
    pub id: JobId,
}

/// A cursor that is not one of this list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadCursor {
    #[error("the cursor is not one that this list gave out")]
    Malformed,
    #[error("the cursor belongs to another filter")]
    OtherFilter,
}

impl Place {
    pub fn of(job: &Job) -> Self {
        Self { created_at: job.created_at, id: job.id }
    }

    /// Version, filter, time, id: fixed-width hex.
    pub fn encode(self, filter: &JobFilter) -> String {
        let time = self.created_at.0 as u64;
        format!("1{:016x}{time:016x}{}", fingerprint(filter), self.id.0.simple())
    }

    pub fn decode(text: &str, filter: &JobFilter) -> Result<Self, BadCursor> {
        let hex = text.strip_prefix('1').ok_or(BadCursor::Malformed)?;
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadCursor::Malformed);
        }
        let number = |digits| u64::from_str_radix(digits, 16).map_err(|_| BadCursor::Malformed);
        if number(&hex[..16])? != fingerprint(filter) {
            return Err(BadCursor::OtherFilter);
        }
        let id = Uuid::try_parse(&hex[32..]).map_err(|_| BadCursor::Malformed)?;
        Ok(Self { created_at: Timestamp(number(&hex[16..32])? as i64), id: JobId(id) })
    }
}

/// FNV-1a of the filter in one spelling, whatever the order its values were given in. Not a secret: it
/// only keeps a client from going on in another list by mistake.
fn fingerprint(filter: &JobFilter) -> u64 {
    let mut connections: Vec<_> = filter.connections.iter().map(|id| id.0).collect();
    let mut states: Vec<_> = filter.states.iter().map(|state| state.as_str()).collect();
    connections.sort_unstable();
    connections.dedup();
    states.sort_unstable();
    states.dedup();
    let text = format!("{connections:?}{states:?}{:?}{:?}", filter.queue, filter.pipeline);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use shared::JobState;

    proptest! {
        #[test]
        fn a_cursor_reads_back_as_written(ms: i64, id: u128, queue in proptest::option::of(".*")) {
            let place = Place { created_at: Timestamp(ms), id: JobId(Uuid::from_u128(id)) };
            let filter = JobFilter { queue, ..JobFilter::default() };
            prop_assert_eq!(Place::decode(&place.encode(&filter), &filter), Ok(place));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,70}") {
            let _ = Place::decode(&text, &JobFilter::default());
        }
    }

    #[test]
    fn a_cursor_of_another_filter_is_refused_and_the_order_of_values_does_not_matter() {
        let place = Place { created_at: Timestamp(7), id: JobId(Uuid::nil()) };
        let states =
            |states: &[JobState]| JobFilter { states: states.to_vec(), ..JobFilter::default() };
        let text = place.encode(&states(&[JobState::Failed, JobState::Active]));
        assert_eq!(Place::decode(&text, &states(&[JobState::Active, JobState::Failed])), Ok(place));
        assert_eq!(Place::decode(&text, &states(&[JobState::Active])), Err(BadCursor::OtherFilter));
    }
}
