//! Where the next page of a list begins. Opaque outside; valid for the filter and order it was made for.

use shared::{JobFilter, JobId, JobSort};
use uuid::Uuid;

/// The last row of a page, in the list's order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// What the list is ordered by: a time or a duration in milliseconds; of a search the job's number.
    pub key: i64,
    /// Of a search how many rows came before, see [`super::search`].
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
    /// Version, filter, key, id: fixed-width hex.
    pub fn encode(self, filter: &JobFilter, sort: JobSort) -> String {
        let key = self.key as u64;
        format!("2{:016x}{key:016x}{}", fingerprint(filter, sort), self.id.0.simple())
    }

    pub fn decode(text: &str, filter: &JobFilter, sort: JobSort) -> Result<Self, BadCursor> {
        let hex = text.strip_prefix('2').ok_or(BadCursor::Malformed)?;
        if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(BadCursor::Malformed);
        }
        let number = |digits| u64::from_str_radix(digits, 16).map_err(|_| BadCursor::Malformed);
        if number(&hex[..16])? != fingerprint(filter, sort) {
            return Err(BadCursor::OtherFilter);
        }
        let id = Uuid::try_parse(&hex[32..]).map_err(|_| BadCursor::Malformed)?;
        Ok(Self { key: number(&hex[16..32])? as i64, id: JobId(id) })
    }
}

/// FNV-1a of the filter in one spelling, whatever the order its values were given in. Not a secret: it
/// only keeps a client from going on in another list by mistake.
fn fingerprint(filter: &JobFilter, sort: JobSort) -> u64 {
    let mut connections: Vec<_> = filter.connections.iter().map(|id| id.0).collect();
    let mut states: Vec<_> = filter.states.iter().map(|state| state.as_str()).collect();
    connections.sort_unstable();
    connections.dedup();
    states.sort_unstable();
    states.dedup();
    let JobFilter { queue, worker, pipeline, from, to, q, .. } = filter;
    let rest = (queue, worker, pipeline, from.map(|at| at.0), to.map(|at| at.0), q);
    let text = format!("{connections:?}{states:?}{rest:?}{}", sort.as_str());
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
            let place = Place { key: ms, id: JobId(Uuid::from_u128(id)) };
            let filter = JobFilter { queue, ..JobFilter::default() };
            let sort = JobSort::Finished;
            prop_assert_eq!(Place::decode(&place.encode(&filter, sort), &filter, sort), Ok(place));
            prop_assert!(Place::decode(&place.encode(&filter, sort), &filter, JobSort::Created).is_err());
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,70}") {
            let _ = Place::decode(&text, &JobFilter::default(), JobSort::Created);
        }
    }

    #[test]
    fn a_cursor_of_another_filter_is_refused_and_the_order_of_values_does_not_matter() {
        let place = Place { key: 7, id: JobId(Uuid::nil()) };
        let states =
            |states: &[JobState]| JobFilter { states: states.to_vec(), ..JobFilter::default() };
        let sort = JobSort::Created;
        let text = place.encode(&states(&[JobState::Failed, JobState::Active]), sort);
        assert_eq!(
            Place::decode(&text, &states(&[JobState::Active, JobState::Failed]), sort),
            Ok(place)
        );
        assert_eq!(
            Place::decode(&text, &states(&[JobState::Active]), sort),
            Err(BadCursor::OtherFilter)
        );
    }
}
