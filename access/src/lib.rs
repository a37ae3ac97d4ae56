//! Who gets in: users, their sessions, API keys, and the log of what was done.
//!
//! [`Access`] is the handle. Everything it keeps is in `access.db` in the data directory ([`store`]), apart
//! from the board's own store, so that no change of access waits for a commit of the board. What is asked at
//! every request, who a token belongs to, is answered from memory ([`live`]); every change is committed first and
//! memory is then made equal to the store, which ends the streams of all whose access changed.
//!
//! - [`users`], [`sessions`], [`keys`], [`setup`]: the ways in; [`audit`]: what was done
//! - [`token`]: bearer tokens of a configured issuer
//! - [`password`], [`secret`]: hashing; [`guessable`]: what is no password; [`throttle`]: how often something may be tried

pub mod audit;
mod error;
mod guessable;
pub mod keys;
mod live;
mod names;
mod password;
mod secret;
pub mod sessions;
mod setup;
mod store;
#[cfg(test)]
mod superseded;
pub mod throttle;
pub mod token;
pub mod users;

pub use error::AccessError;
pub use secret::KEY_PREFIX;
pub use sessions::SignedIn;

use audit::Audit;
use engine::Caller;
use live::Live;
use password::Passwords;
use setup::Setup;
use shared::Timestamp;
use std::{
    path::Path,
    sync::{Arc, RwLock},
    time::Duration,
};
use store::Store;
use throttle::Throttle;
use token::{Issuer, Tokens};
use tokio::time::MissedTickBehavior;

/// How often expiry is looked at: streams end within this of it.
const SWEEP: Duration = Duration::from_secs(1);
/// How many sweeps between two writes of when credentials were used.
const SWEEPS_PER_WRITE: u32 = 60;

/// What is configured of access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a session lasts that is not used.
    pub session_idle: Duration,
    /// How long a session lasts at most.
    pub session_longest: Duration,
    /// Failed sign-ins, for one name from anywhere and for one address to any name, in five minutes.
    pub sign_ins: u32,
    /// How long audit entries are kept.
    pub audit_kept: Duration,
    /// Whose tokens are believed, beside the keys of our own.
    pub issuer: Option<Issuer>,
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            session_idle: Duration::from_secs(DAY),
            session_longest: Duration::from_secs(30 * DAY),
            sign_ins: 10,
            audit_kept: Duration::from_secs(400 * DAY),
            issuer: None,
        }
    }
}

/// Who gets in; a cheap handle.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    settings: Settings,
    store: Store,
    live: RwLock<Live>,
    passwords: Passwords,
    setup: Setup,
    tokens: Option<Tokens>,
    audit: Audit,
    by_name: Throttle<String>,
    by_address: Throttle<String>,
}

impl Access {
    /// Whether a data directory keeps who gets in.
    pub fn is_in(dir: &Path) -> bool {
        dir.join(store::FILE).is_file()
    }

    /// Opens what is kept in the data directory, whose lock the caller holds.
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, AccessError> {
        let store = Store::open(dir)?;
        let mut live = Live::default();
        live.follow(store.rows()?, &settings, Timestamp::now());
        let setup = Setup::new()?;
        setup.over_if(live.has_anyone(Timestamp::now()));
        let audit = Audit::start(store.clone(), settings.audit_kept);
        let window = Duration::from_secs(300);
        let (by_name, by_address) =
            (Throttle::new(settings.sign_ins, window), Throttle::new(settings.sign_ins, window));
        let live = RwLock::new(live);
        let tokens = settings.issuer.clone().map(Tokens::new).transpose()?;
        let passwords = Passwords::new()?;
        let inner =
            Inner { settings, store, live, passwords, setup, tokens, audit, by_name, by_address };
        Ok(Self(Arc::new(inner)))
    }

    /// Ends what expires, and keeps when credentials were used, until the last handle is gone.
    pub fn sweep(&self) {
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(SWEEP);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut sweeps = 0;
            loop {
                tick.tick().await;
                let Some(access) = inner.upgrade().map(Access) else { return };
                sweeps += 1;
                let expired = access.live_mut().expire(&access.0.settings, Timestamp::now());
                if expired || sweeps % SWEEPS_PER_WRITE == 0 {
                    access.keep_used().await;
                }
            }
        });
    }

    /// Writes down when credentials were used; removes what expired. What failed is tried again with the next
    /// write, whether it was used again or not.
    async fn keep_used(&self) {
        let used = self.live().used();
        let longest_idle = self.0.settings.session_idle;
        let keep = move |tx: &rusqlite::Transaction<'_>| {
            store::keep_used(tx, &used, longest_idle).map(|()| used)
        };
        match self.change(keep).await {
            Ok(used) => self.live_mut().written(&used),
            Err(error) => {
                tracing::warn!(%error, "cannot write down when sessions and keys were used");
            }
        }
    }

    /// Writes down what is only in memory. To be called before the process ends.
    pub async fn close(&self) {
        self.keep_used().await;
        self.0.audit.flush().await;
    }

    /// Whether there is a user, or a key that works: before that, only the setup link leads in.
    pub fn has_anyone(&self) -> bool {
        self.live().has_anyone(Timestamp::now())
    }

    /// Whether anybody could get in from elsewhere: a user with a password, or a key that works.
    pub fn has_credential(&self) -> bool {
        self.live().has_credential(Timestamp::now())
    }

    /// Whose bearer token this is, while it works.
    pub async fn bearer(&self, token: &str) -> Option<Caller> {
        match token::is_token(token) {
            true => self.token(token).await,
            false => self.key(token),
        }
    }

    /// Runs `change` in one transaction, then makes memory equal to what is stored.
    async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let inner = self.0.clone();
        let work = move || {
            inner.store.change(change, |rows| {
                let mut live = inner.live.write().unwrap_or_else(|held| held.into_inner());
                live.follow(rows, &inner.settings, Timestamp::now());
                inner.setup.over_if(live.has_anyone(Timestamp::now()));
            })
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| AccessError::Gone)?
    }

    /// The same for `by`, whose access may have ended while what it asked for waited for its turn.
    ///
    /// # Errors
    /// [`AccessError::Ended`] if it has; nothing is changed then.
    async fn change_by<T: Send + 'static>(
        &self,
        by: &Caller,
        change: impl FnOnce(&rusqlite::Transaction<'_>) -> Result<T, AccessError> + Send + 'static,
    ) -> Result<T, AccessError> {
        let ended = by.ended.clone();
        // Whatever ends it is a change, too, and one at a time is made.
        self.change(
            move |tx| if ended.is_cancelled() { Err(AccessError::Ended) } else { change(tx) },
        )
        .await
    }

    /// Reads from the store.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, AccessError> {
        let store = self.0.store.clone();
        let work = move || store.read(read);
        tokio::task::spawn_blocking(work).await.map_err(|_| AccessError::Gone)?
    }

    /// Nothing that holds this lock can panic half-way through a change.
    fn live(&self) -> std::sync::RwLockReadGuard<'_, Live> {
        self.0.live.read().unwrap_or_else(|held| held.into_inner())
    }

    fn live_mut(&self) -> std::sync::RwLockWriteGuard<'_, Live> {
        self.0.live.write().unwrap_or_else(|held| held.into_inner())
    }
}
