//! Sessions: one browser each.

use crate::{
    Access, AccessError, names,
    secret::{self, Digest},
    store::UserRow,
};
use engine::Caller;
use rusqlite::{Transaction, params};
use shared::{
    Timestamp,
    access::{Session, Via},
};
use std::{collections::HashMap, net::Ipv6Addr, time::Duration};
use uuid::Uuid;

/// Sessions of one user at most; a further sign-in ends the one that was longest not used.
const MOST: usize = 50;
/// Characters kept of what a browser says it is.
const AGENT: usize = 200;

/// A browser that was signed in just now.
pub struct SignedIn {
    pub caller: Caller,
    /// For its cookie; not kept here.
    pub secret: String,
}

/// Where somebody signs in from.
#[derive(Clone, Debug, Default)]
pub struct From {
    pub address: String,
    pub agent: String,
    /// The session that the browser has already; the new one takes its place.
    pub session: Option<Uuid>,
}

impl Access {
    /// Whose session this is, while it works.
    pub fn session(&self, secret: &str) -> Option<Caller> {
        self.live().find(secret, Via::Session)
    }

    /// How long a session lasts at most.
    pub fn session_longest(&self) -> Duration {
        self.0.settings.session_longest
    }

    /// Signs in by name and password.
    pub async fn sign_in(
        &self,
        name: &str,
        password: String,
        from: From,
    ) -> Result<SignedIn, AccessError> {
        let place = self.may_try_from(&from.address)?;
        let user = self.live().user(name).filter(|user| !user.disabled).cloned();
        // Nobody can have a name of another shape: there is nothing to count.
        let guess = names::check(name).is_ok().then(|| self.guess(name, &from.address, &user));
        if let Some(guess) = &guess {
            self.0.by_name.take(guess).map_err(AccessError::TooMany)?;
        }
        let hash = user.as_ref().and_then(|user| user.password.clone());
        let right = self.0.passwords.is(password, hash).await?;
        let Some(user) = user.filter(|_| right) else { return Err(AccessError::SignIn) };
        let signed_in =
            self.open_session(user.id, from, move |tx| is_as_checked(tx, &user)).await?;
        if let Some(guess) = &guess {
            self.0.by_name.give_back(guess);
        }
        self.0.by_address.give_back(&place);
        Ok(signed_in)
    }

    /// Counts an attempt; refuses it when there were too many from there. Gives what it was counted by.
    pub(crate) fn may_try_from(&self, address: &str) -> Result<String, AccessError> {
        let place = place(address);
        self.0.by_address.take(&place).map_err(AccessError::TooMany)?;
        Ok(place)
    }

    /// What guesses of a user's password are counted by. Where the user is signed in already they are counted apart,
    /// so that strangers elsewhere cannot use them up.
    fn guess(&self, name: &str, address: &str, user: &Option<UserRow>) -> String {
        let live = self.live();
        let here = user.as_ref().is_some_and(|user| {
            let mut sessions = live.sessions.iter();
            sessions.any(|session| session.user == user.id && session.address == address)
        });
        let name = name.to_ascii_lowercase();
        if here { format!("{name} {address}") } else { name }
    }

    /// Opens a session of a user, in one transaction with `also`.
    pub(crate) async fn open_session(
        &self,
        user: Uuid,
        from: From,
        also: impl FnOnce(&Transaction<'_>) -> Result<(), AccessError> + Send + 'static,
    ) -> Result<SignedIn, AccessError> {
        let secret = secret::random::<32>()?;
        let digest = Digest::of(&secret);
        let longest = self.0.settings.session_longest.as_millis();
        let now = Timestamp::now();
        let until = now.0.saturating_add(i64::try_from(longest).unwrap_or(i64::MAX));
        let agent: String = from.agent.chars().filter(|c| !c.is_control()).take(AGENT).collect();
        self.change(move |tx| {
            also(tx)?;
            if let Some(before) = from.session {
                tx.execute("DELETE FROM sessions WHERE id = ?", [before.as_bytes()])?;
            }
            tx.execute(
                "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE user = ?1 \
                 ORDER BY used_at DESC LIMIT -1 OFFSET ?2)",
                params![user.as_bytes(), MOST as i64 - 1],
            )?;
            let id = Uuid::now_v7();
            tx.execute(
                "INSERT INTO sessions (id, digest, user, created_at, used_at, until, address, agent) \
                 VALUES (?1, ?2, ?3, ?4, ?4, ?5, ?6, ?7)",
                params![id.as_bytes(), digest.0, user.as_bytes(), now.0, until, from.address, agent],
            )?;
            Ok(())
        })
        .await?;
        // Whoever ended it in between was faster.
        let caller = self.session(&secret).ok_or(AccessError::SignIn)?;
        Ok(SignedIn { caller, secret })
    }

    /// The sessions that `caller` may see: an admin everybody's, others their own. Newest use first.
    pub fn sessions(&self, caller: &Caller) -> Vec<Session> {
        let live = self.live();
        let used = live.used_by_id();
        let users: HashMap<_, _> = live.users.iter().map(|user| (user.id, user)).collect();
        let sees_all = caller.role == shared::Role::Admin;
        let sessions = live.sessions.iter().filter_map(|session| {
            let user = users.get(&session.user)?;
            // One that does not work any more is not shown.
            let used_at = *used.get(&session.id)?;
            (sees_all || is_own(caller, &user.name)).then(|| Session {
                id: session.id,
                user: user.name.clone(),
                created_at: session.created_at,
                used_at,
                until: session.until,
                address: session.address.clone(),
                agent: session.agent.clone(),
                current: session.id == caller.credential,
            })
        });
        let mut sessions: Vec<_> = sessions.collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.used_at));
        sessions
    }

    /// Ends a session that `caller` may see; gives whose it was.
    pub async fn end_session(&self, caller: &Caller, id: Uuid) -> Result<String, AccessError> {
        let seen = self.sessions(caller).into_iter().find(|session| session.id == id);
        let session = seen.ok_or_else(|| AccessError::NotFound(format!("session {id}")))?;
        self.change(move |tx| {
            tx.execute("DELETE FROM sessions WHERE id = ?", [id.as_bytes()])?;
            Ok(())
        })
        .await?;
        Ok(session.user)
    }
}

/// A check of a password takes its time, and waits for others. Whoever got another password meanwhile, was disabled
/// or removed is not let in by what was right before.
fn is_as_checked(tx: &Transaction<'_>, user: &UserRow) -> Result<(), AccessError> {
    let same: bool = tx.query_row(
        "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1 AND password IS ?2 AND NOT disabled)",
        params![user.id.as_bytes(), user.password],
        |row| row.get(0),
    )?;
    same.then_some(()).ok_or(AccessError::SignIn)
}

/// What one place on the internet is: an address, or the network of 2^64 that a single host has.
fn place(address: &str) -> String {
    match address.parse::<Ipv6Addr>() {
        Ok(v6) => format!("{:x}/64", u128::from(v6) >> 64),
        Err(_) => address.to_owned(),
    }
}

/// A key may have a user's name behind its colon; only a session is that user's own.
fn is_own(caller: &Caller, user: &str) -> bool {
    caller.via == Via::Session && *caller.name == *user
}
