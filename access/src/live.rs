//! Who a token belongs to, in memory: asked at every request.

use crate::{
    Settings,
    secret::Digest,
    store::{KeyRow, Rows, SessionRow, Used, UserRow},
};
use engine::Caller;
use shared::{Role, Timestamp, access::Via};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// All that is stored, and the credentials of it that work.
#[derive(Default)]
pub(crate) struct Live {
    pub users: Vec<UserRow>,
    pub sessions: Vec<SessionRow>,
    pub keys: Vec<KeyRow>,
    credentials: HashMap<Digest, Credential>,
    /// Tokens of the issuer that were checked, until they expire.
    tokens: HashMap<Digest, Caller>,
}

/// Tokens remembered at most.
const MOST_TOKENS: usize = 100_000;

struct Credential {
    caller: Caller,
    digest: Digest,
    /// [`Caller::used`] as it was written down last.
    written: i64,
}

impl Live {
    /// Takes over what is stored now. Whose access is gone, or is another one, is told: its streams end.
    pub fn follow(&mut self, rows: Rows, settings: &Settings, now: Timestamp) {
        let Rows { users, sessions, keys } = rows;
        let mut before = std::mem::take(&mut self.credentials);
        let by_id: HashMap<Uuid, &UserRow> = users.iter().map(|user| (user.id, user)).collect();
        for session in &sessions {
            let Some(user) = by_id.get(&session.user).filter(|user| !user.disabled) else {
                continue;
            };
            let wanted = Wanted {
                name: user.name.clone(),
                role: user.role,
                via: Via::Session,
                credential: session.id,
                until: Some(session.until),
                used: session.used_at.0,
            };
            self.put(session.digest, wanted, &mut before);
        }
        for key in keys.iter().filter(|key| key.revoked_at.is_none()) {
            let wanted = Wanted {
                name: format!("key:{}", key.name),
                role: key.role,
                via: Via::Key,
                credential: key.id,
                until: key.until,
                used: key.used_at.map_or(0, |at| at.0),
            };
            self.put(key.digest, wanted, &mut before);
        }
        for gone in before.into_values() {
            gone.caller.ended.cancel();
        }
        (self.users, self.sessions, self.keys) = (users, sessions, keys);
        self.expire(settings, now);
    }

    fn put(&mut self, digest: Digest, wanted: Wanted, before: &mut HashMap<Digest, Credential>) {
        let credential = match before.remove(&digest) {
            Some(same) if wanted.is(&same.caller) => same,
            other => {
                let written = wanted.used;
                // Another role is another caller, whose streams begin anew; use goes on.
                let used = match other {
                    None => Arc::new(AtomicI64::new(written)),
                    Some(other) => {
                        other.caller.ended.cancel();
                        other.caller.used
                    }
                };
                Credential { caller: wanted.caller(used), digest, written }
            }
        };
        self.credentials.insert(digest, credential);
    }

    /// Ends what is past its time; whether anything was.
    pub fn expire(&mut self, settings: &Settings, now: Timestamp) -> bool {
        let before = self.credentials.len();
        self.credentials.retain(|_, Credential { caller, .. }| {
            let over = caller.until.is_some_and(|until| until <= now);
            let idle = caller.via == Via::Session && is_idle(caller, settings.session_idle, now);
            if over || idle {
                caller.ended.cancel();
            }
            !(over || idle)
        });
        self.tokens.retain(|_, caller| {
            let over = caller.until.is_some_and(|until| until <= now);
            if over {
                caller.ended.cancel();
            }
            !over
        });
        self.credentials.len() < before
    }

    /// Whose token this is, if it was checked before and is not over.
    pub fn token(&self, token: &str) -> Option<Caller> {
        let known = self.tokens.get(&Digest::of(token))?;
        known.until.is_none_or(|until| Timestamp::now() < until).then(|| known.clone())
    }

    /// Remembers a token that was checked, so that what it opened ends when it expires. What cannot be remembered
    /// is not let in.
    pub fn remember(&mut self, token: &str, caller: Caller) -> Option<Caller> {
        let digest = Digest::of(token);
        if self.tokens.len() >= MOST_TOKENS && !self.tokens.contains_key(&digest) {
            tracing::warn!("refused a token: {MOST_TOKENS} are in use, the most there may be");
            return None;
        }
        let now = Timestamp::now();
        match self.tokens.get(&digest) {
            // Two requests may have brought it at the same moment: the first one's signal is everybody's.
            Some(known) if known.until.is_none_or(|until| now < until) => Some(known.clone()),
            other => {
                // What is over, and was not swept yet, takes its streams with it, not those of the new check.
                if let Some(over) = other {
                    over.ended.cancel();
                }
                self.tokens.insert(digest, caller.clone());
                Some(caller)
            }
        }
    }

    /// Who the secret belongs to, if it works by this way.
    pub fn find(&self, secret: &str, via: Via) -> Option<Caller> {
        let digest = Digest::of(secret);
        let found = self.credentials.get(&digest)?;
        let now = Timestamp::now();
        let works = found.digest.is(&digest)
            && found.caller.via == via
            && found.caller.until.is_none_or(|until| now < until);
        works.then(|| {
            found.caller.touch();
            found.caller.clone()
        })
    }

    /// Credentials that were used since it was last written down when.
    pub fn used(&self) -> Vec<Used> {
        let used =
            self.credentials.values().filter_map(|Credential { caller, written, .. }| {
                let used = caller.used.load(Ordering::Relaxed);
                let at = Timestamp(used);
                (used > *written).then_some(Used { credential: caller.credential, at })
            });
        used.collect()
    }

    /// This is written down.
    pub fn written(&mut self, used: &[Used]) {
        let used: HashMap<_, _> = used.iter().map(|used| (used.credential, used.at.0)).collect();
        for Credential { caller, written, .. } in self.credentials.values_mut() {
            *written = used.get(&caller.credential).map_or(*written, |at| (*written).max(*at));
        }
    }

    /// When each session and key that works was used last, which may be later than what is stored.
    pub fn used_by_id(&self) -> HashMap<Uuid, Timestamp> {
        let used = self.credentials.values().filter_map(|Credential { caller, .. }| {
            let used = caller.used.load(Ordering::Relaxed);
            (used > 0).then_some((caller.credential, Timestamp(used)))
        });
        used.collect()
    }

    pub fn user(&self, name: &str) -> Option<&UserRow> {
        self.users.iter().find(|user| user.name.eq_ignore_ascii_case(name))
    }

    pub fn has_anyone(&self, now: Timestamp) -> bool {
        !self.users.is_empty() || self.has_key(now)
    }

    pub fn has_credential(&self, now: Timestamp) -> bool {
        self.users.iter().any(|user| user.password.is_some() && !user.disabled) || self.has_key(now)
    }

    /// Whether a key works: what is revoked or expired is shown for a while, and is no way in.
    fn has_key(&self, now: Timestamp) -> bool {
        let works =
            |key: &KeyRow| key.revoked_at.is_none() && key.until.is_none_or(|until| now < until);
        self.keys.iter().any(works)
    }
}

fn is_idle(caller: &Caller, longest: Duration, now: Timestamp) -> bool {
    let used = Timestamp(caller.used.load(Ordering::Relaxed));
    u128::from(now.since(used)) >= longest.as_millis()
}

/// What a caller of a stored credential has to be.
struct Wanted {
    name: String,
    role: Role,
    via: Via,
    credential: Uuid,
    until: Option<Timestamp>,
    used: i64,
}

impl Wanted {
    fn is(&self, caller: &Caller) -> bool {
        *caller.name == *self.name && caller.role == self.role && caller.until == self.until
    }

    fn caller(self, used: Arc<AtomicI64>) -> Caller {
        let Self { name, role, via, credential, until, .. } = self;
        let ended = CancellationToken::new();
        Caller { name: name.into(), role, via, credential, address: None, until, ended, used }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_is_over_and_checked_again_before_the_next_sweep_begins_anew() {
        let mut live = Live::default();
        let until = |ms: i64| Some(Timestamp(Timestamp::now().0 + ms));
        let checked = |until| Caller { until, via: Via::Token, ..Caller::board() };
        let over = live.remember("a.b.c", checked(until(-1))).unwrap();
        assert!(live.token("a.b.c").is_none());
        let again = live.remember("a.b.c", checked(until(60_000))).unwrap();
        assert!(over.ended.is_cancelled());
        live.expire(&Settings::default(), Timestamp::now());
        assert!(!again.ended.is_cancelled(), "what it opens goes on");
        let same = live.remember("a.b.c", checked(until(60_000))).unwrap();
        live.expire(&Settings::default(), Timestamp(i64::MAX));
        assert!(again.ended.is_cancelled() && same.ended.is_cancelled(), "one token, one end");
    }
}
