//! Pauses before another try: 1, 2, 4, 8, 16 s, spread by chance so that many clients of a server that
//! comes back do not come at once.

use std::{
    hash::{BuildHasher, RandomState},
    time::Duration,
};
use tokio::time::Instant;

/// The longest that a server can make a client wait by `Retry-After`.
const LONGEST: Duration = Duration::from_secs(300);
/// Doublings of the first pause.
const DOUBLINGS: u32 = 4;
/// Further tries of a board that has never answered, and for how long there are any: it may be none.
const STRANGER: u32 = 5;
const STRANGER_PATIENCE: Duration = Duration::from_secs(20);

/// How tries are spaced, and when there are no more of them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// The first pause.
    pub first: Duration,
    /// How long a server is tried that was there before.
    pub patience: Duration,
}

/// A row of failed tries; a success ends it.
#[derive(Debug)]
pub struct Tries {
    pace: Pace,
    began: Instant,
    count: u32,
    told: bool,
}

impl Tries {
    pub fn new(pace: Pace) -> Self {
        Self { pace, began: Instant::now(), count: 0, told: false }
    }

    /// When to try again after one more failure; `asked` is what the server said, `reached` whether it ever
    /// said anything. `None`: no more.
    pub fn next(&mut self, asked: Option<Duration>, reached: bool) -> Option<Instant> {
        let waited = self.began.elapsed();
        let is_stranger = !reached && (self.count >= STRANGER || waited >= STRANGER_PATIENCE);
        if is_stranger || waited >= self.pace.patience {
            return None;
        }
        let pause = self.pace.first * 2_u32.pow(self.count.min(DOUBLINGS));
        self.count = self.count.saturating_add(1);
        let jittered = pause.mul_f64(0.75 + chance() / 2.0);
        Some(Instant::now() + asked.map_or(jittered, |asked| asked.max(jittered).min(LONGEST)))
    }

    /// Whether it has to be told now that there are tries: once.
    pub fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.told, true)
    }

    pub fn were_told(&self) -> bool {
        self.told
    }
}

/// At least 0, less than 1. Spreads load; no secret depends on it.
fn chance() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    #[expect(clippy::cast_precision_loss, reason = "32 bits fit")]
    let share = bits as f64 / (1_u64 << 32) as f64;
    share
}

/// Seconds of a `Retry-After`. The other form, a date, is no server's of ours.
pub fn retry_after(headers: &http::HeaderMap) -> Option<Duration> {
    let text = headers.get(http::header::RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_double_to_sixteen_and_what_the_server_asks_for_is_waited() {
        let pace = Pace { first: Duration::from_secs(1), patience: Duration::from_secs(600) };
        let mut tries = Tries::new(pace);
        for wanted in [1.0, 2.0, 4.0, 8.0, 16.0, 16.0] {
            let pause = (tries.next(None, true).unwrap() - Instant::now()).as_secs_f64();
            assert!((wanted * 0.75..wanted * 1.25).contains(&pause), "{pause} for {wanted}");
        }
        let asked = tries.next(Some(Duration::from_secs(40)), true).unwrap() - Instant::now();
        assert_eq!(asked, Duration::from_secs(40));
        tokio::time::advance(Duration::from_secs(601)).await;
        assert_eq!(tries.next(None, true), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_never_answered_is_given_up_after_some_tries() {
        let pace = Pace { first: Duration::from_secs(1), patience: Duration::from_secs(600) };
        let mut tries = Tries::new(pace);
        assert_eq!((0..9).filter(|_| tries.next(None, false).is_some()).count(), 5);
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_connections_and_never_answers_is_given_up_soon() {
        let pace = Pace { first: Duration::from_secs(1), patience: Duration::from_secs(600) };
        let (began, mut tries, mut made) = (Instant::now(), Tries::new(pace), 0);
        loop {
            tokio::time::sleep(Duration::from_secs(10)).await;
            made += 1;
            let Some(at) = tries.next(None, false) else { break };
            tokio::time::sleep_until(at).await;
        }
        assert!(made == 2 && began.elapsed() < Duration::from_secs(25), "{made} tries");
    }
}
