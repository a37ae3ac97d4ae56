//! Passwords: argon2id with the parameters that OWASP names first (19 MiB, 2 passes, 1 lane), off the
//! async threads, and never more than two at a time.

use crate::{AccessError, guessable::is_guessable};
use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// 19 MiB each: what sign-ins may hold together.
const AT_A_TIME: usize = 2;
/// How many may wait, some seconds at the most.
const IN_LINE: usize = 64;
/// OWASP Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Checked against where there is no such user, so that it takes as long. Nothing hashes to it.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$AtUqbOne1VzacJx037G1Kg$o78aw1tlJt1F2AI2qYtvj+5e8PKxqbGPkOzIUQEqvJE";
/// Characters.
const SHORTEST: usize = 12;
const LONGEST: usize = 256;

pub(crate) struct Passwords {
    argon: Argon2<'static>,
    turns: Arc<Semaphore>,
    /// Those that wait for a turn, and those that have one.
    line: Semaphore,
}

impl Passwords {
    pub fn new() -> Result<Self, AccessError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| AccessError::Hash)?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let turns = Arc::new(Semaphore::new(AT_A_TIME));
        Ok(Self { argon, turns, line: Semaphore::new(IN_LINE) })
    }

    /// What to keep of a password that keeps the rules, for a user of this name.
    pub async fn hash(&self, password: String, name: &str) -> Result<String, AccessError> {
        let length = password.chars().count();
        if !(SHORTEST..=LONGEST).contains(&length) {
            let rule = format!("has {length} characters; it needs {SHORTEST} to {LONGEST}");
            return Err(AccessError::Invalid { field: "password", rule });
        }
        if is_guessable(&password, name) {
            let rule = "is made of what guessing begins with: well-known words, rows of keys, one's own name; take another"
                .to_owned();
            return Err(AccessError::Invalid { field: "password", rule });
        }
        let argon = self.argon.clone();
        self.in_turn(move || hash(&argon, &password)).await?
    }

    /// Whether it is the password that `hash` was made of. Takes as long without a `hash`.
    pub async fn is(&self, password: String, hash: Option<String>) -> Result<bool, AccessError> {
        if password.len() > 4 * LONGEST {
            return Ok(false);
        }
        let (argon, known) = (self.argon.clone(), hash.is_some());
        let hash = hash.unwrap_or_else(|| NOBODYS.to_owned());
        let is = move || {
            PasswordHash::new(&hash)
                .is_ok_and(|hash| argon.verify_password(password.as_bytes(), &hash).is_ok())
        };
        Ok(self.in_turn(is).await? && known)
    }

    /// Takes every turn: whatever is asked for waits until they are given back.
    #[cfg(test)]
    pub async fn hold(&self) -> tokio::sync::OwnedSemaphorePermit {
        self.turns.clone().acquire_many_owned(AT_A_TIME as u32).await.unwrap()
    }

    /// Returns when somebody waits for a turn.
    #[cfg(test)]
    pub async fn awaited(&self) {
        while self.line.available_permits() == IN_LINE {
            tokio::task::yield_now().await;
        }
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccessError> {
        let _place = self.line.try_acquire().map_err(|_| AccessError::TooMany(1))?;
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| AccessError::Gone)?;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| AccessError::Gone)
    }
}

fn hash(argon: &Argon2<'_>, password: &str) -> Result<String, AccessError> {
    let hash = argon.hash_password(password.as_bytes()).map_err(|_| AccessError::Hash)?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_no_other_is() {
        let passwords = Passwords::new().unwrap();
        let hash = passwords.hash("correct horse battery".to_owned(), "ann").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let is = async |word: &str, hash| passwords.is(word.to_owned(), hash).await.unwrap();
        assert!(is("correct horse battery", Some(hash.clone())).await);
        assert!(!is("correct horse battery ", Some(hash)).await);
        assert!(!is("correct horse battery", None).await);
        assert!(PasswordHash::new(NOBODYS).is_ok());
    }

    #[tokio::test]
    async fn a_short_password_is_refused_with_the_rule() {
        let error = Passwords::new().unwrap().hash("short".to_owned(), "ann").await.unwrap_err();
        assert_eq!(error.to_string(), "password has 5 characters; it needs 12 to 256");
    }
}
