//! Which state follows which. Whatever is not here does not happen.

use shared::{JobState, StepState};

/// What moves a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Move {
    /// A free slot takes it.
    Claim,
    /// A cancel that needs nobody's answer: nothing of the job runs.
    Drop,
    /// Its time has come.
    Ready,
    /// The attempt failed and there will be another.
    Retry,
    /// The last word on it.
    End(JobState),
}

/// The state after a move; None: the move is late, or a duplicate.
pub(super) fn next(from: JobState, step: Move) -> Option<JobState> {
    use JobState::{Active, Cancelled, Queued, Retrying, Scheduled, Unknown};
    match (from, step) {
        (Unknown | Queued | Scheduled | Retrying, Move::Claim) => Some(Active),
        (Unknown | Queued | Scheduled | Retrying, Move::Drop) => Some(Cancelled),
        (Scheduled | Retrying, Move::Ready) => Some(Queued),
        (Active, Move::Retry) => Some(Retrying),
        (Active, Move::End(state)) if state.is_over() => Some(state),
        _ => None,
    }
}

/// Whether a step can go from one state to the other.
pub(super) fn step_follows(from: StepState, to: StepState) -> bool {
    match from {
        StepState::Pending => to != StepState::Pending,
        StepState::Active => to.is_over(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table_of_states() {
        use JobState::{
            Active, Cancelled, Completed, Failed, Queued, Retrying, Scheduled, Unknown,
        };
        let ends = JobState::ALL.map(Move::End);
        for from in JobState::ALL {
            let waits = matches!(from, Unknown | Queued | Scheduled | Retrying);
            assert_eq!(next(from, Move::Claim), waits.then_some(Active), "{from}");
            assert_eq!(next(from, Move::Drop), waits.then_some(Cancelled), "{from}");
            let later = matches!(from, Scheduled | Retrying);
            assert_eq!(next(from, Move::Ready), later.then_some(Queued), "{from}");
            assert_eq!(next(from, Move::Retry), (from == Active).then_some(Retrying), "{from}");
            for end in ends {
                let Move::End(to) = end else { unreachable!() };
                let word = matches!(to, Completed | Failed | Cancelled);
                let expected = (from == Active && word).then_some(to);
                assert_eq!(next(from, end), expected, "{from} {to}");
            }
        }
    }

    #[test]
    fn nothing_follows_what_is_over() {
        for from in JobState::ALL.into_iter().filter(|state| state.is_over()) {
            for step in JobState::ALL.map(Move::End).into_iter().chain([
                Move::Claim,
                Move::Drop,
                Move::Ready,
                Move::Retry,
            ]) {
                assert_eq!(next(from, step), None);
            }
        }
        for from in StepState::ALL {
            for to in StepState::ALL {
                let expected = match (from, to) {
                    (StepState::Pending, StepState::Pending) => false,
                    (StepState::Pending, _) => true,
                    (StepState::Active, to) => to.is_over(),
                    _ => false,
                };
                assert_eq!(step_follows(from, to), expected, "{from:?} {to:?}");
            }
        }
    }
}
