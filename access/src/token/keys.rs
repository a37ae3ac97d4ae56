//! The issuer's keys: of a file, or of the one address that is configured.

use crate::AccessError;
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, JwkSet, KeyOperations, PublicKeyUse},
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long fetched keys are used before they are fetched anew.
const FRESH: Duration = Duration::from_secs(3600);
/// How long keys are used that cannot be fetched anew.
const KEPT: Duration = Duration::from_secs(24 * 3600);
/// Time between two fetches that a token with an unknown key can cause.
const BETWEEN: Duration = Duration::from_secs(60);
/// How long a fetch may take, and how large its answer may be.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST: usize = 1024 * 1024;

/// Where the issuer's keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A JWKS document behind `https://`, or `http://` on this machine.
    Url(String),
    /// A JWKS document, or one public key in PEM.
    File(PathBuf),
}

impl KeySource {
    /// # Errors
    /// When the file cannot be read, or has no keys. What is fetched is not asked for here.
    pub fn check(&self) -> Result<(), AccessError> {
        match self {
            Self::File(path) => read(path).map(|_| ()),
            Self::Url(_) => Ok(()),
        }
    }
}

/// The keys as they were found last.
pub(super) struct Keys {
    source: KeySource,
    client: Option<reqwest::Client>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    keys: Arc<Vec<Key>>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
    /// The end of the fetch that was begun last.
    over: Option<CancellationToken>,
}

enum Key {
    /// Of a set: what it says of itself decides what it is used for.
    Listed(Box<Jwk>),
    /// A lone key of a file: for any `kid`, and the algorithms of its family.
    Lone(DecodingKey),
}

impl Keys {
    pub fn new(source: KeySource) -> Result<Self, AccessError> {
        let mut known = Known::default();
        let client = match &source {
            KeySource::File(path) => {
                known.keys = Arc::new(read(path)?);
                None
            }
            KeySource::Url(_) => {
                // Another part of the process may have chosen it before.
                let _ = rustls::crypto::ring::default_provider().install_default();
                let client = reqwest::Client::builder()
                    .timeout(PATIENCE)
                    // The keys are where they were said to be, and nowhere else.
                    .redirect(reqwest::redirect::Policy::none())
                    .build();
                Some(client.map_err(|error| AccessError::Keys(error.to_string()))?)
            }
        };
        Ok(Self { source, client, known: Arc::new(Mutex::new(known)) })
    }

    /// The key for a token with this `kid` and algorithm. Keys that are not known are looked for once a minute.
    pub async fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
        if let Some(over) = self.fetching(kid, algorithm) {
            over.cancelled().await;
        }
        let known = lock(&self.known);
        // A key that was withdrawn meanwhile is not used for ever.
        let stale = known.fetched.is_some_and(|at| at.elapsed() >= KEPT);
        let keys = known.keys.clone();
        drop(known);
        if stale { None } else { chosen(&keys, kid, algorithm) }
    }

    /// The end of a fetch that has to be waited for: the keys are old, or have not this one. Whoever comes while one
    /// is under way waits for the same.
    fn fetching(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<CancellationToken> {
        let (KeySource::Url(url), Some(client)) = (&self.source, &self.client) else { return None };
        let mut known = lock(&self.known);
        let old = known.fetched.is_none_or(|at| at.elapsed() >= FRESH);
        if !old && chosen(&known.keys, kid, algorithm).is_some() {
            return None;
        }
        if let Some(over) = known.over.as_ref().filter(|over| !over.is_cancelled()) {
            return Some(over.clone());
        }
        if known.tried.is_some_and(|at| at.elapsed() < BETWEEN) {
            return None;
        }
        known.tried = Some(Instant::now());
        let over = CancellationToken::new();
        known.over = Some(over.clone());
        drop(known);
        // A task of its own: a request that is given up takes no fetch with it, of which there is one a minute.
        let (client, url, known) = (client.clone(), url.clone(), self.known.clone());
        let ends = over.clone().drop_guard();
        tokio::spawn(async move {
            match fetch(&client, &url).await {
                Ok(keys) => {
                    let mut known = lock(&known);
                    known.keys = Arc::new(keys);
                    known.fetched = Some(Instant::now());
                }
                Err(why) => tracing::warn!(url, why, "the issuer's keys cannot be fetched"),
            }
            drop(ends);
        });
        Some(over)
    }
}

/// Nothing that holds this lock can panic half-way through a change.
fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

fn chosen(keys: &[Key], kid: Option<&str>, algorithm: Algorithm) -> Option<DecodingKey> {
    let mut fitting = keys.iter().filter_map(|key| match key {
        Key::Lone(key) => (key.family() == algorithm.family()).then(|| key.clone()),
        Key::Listed(jwk) => {
            let common = &jwk.common;
            let named = kid.is_some() && common.key_id.as_deref() == kid;
            // A token without a `kid` goes with a set of one key.
            let only = kid.is_none() && keys.len() == 1;
            let signs =
                common.public_key_use.as_ref().is_none_or(|is| *is == PublicKeyUse::Signature)
                    && common
                        .key_operations
                        .as_ref()
                        .is_none_or(|all| all.contains(&KeyOperations::Verify));
            let same =
                common.key_algorithm.is_none_or(|of| of.to_string() == format!("{algorithm:?}"));
            ((named || only) && signs && same).then(|| DecodingKey::from_jwk(jwk).ok())?
        }
    });
    fitting.next()
}

async fn fetch(client: &reqwest::Client, url: &str) -> Result<Vec<Key>, String> {
    let wrong = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url).send().await.map_err(wrong)?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("the answer is {}", answer.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(wrong)? {
        if body.len() + chunk.len() > MOST {
            return Err(format!("the answer is longer than {MOST} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    let set: JwkSet = serde_json::from_slice(&body).map_err(|error| error.to_string())?;
    Ok(set.keys.into_iter().map(|jwk| Key::Listed(Box::new(jwk))).collect())
}

fn read(path: &Path) -> Result<Vec<Key>, AccessError> {
    let fail = |source| AccessError::Io { path: path.to_owned(), source };
    let bytes = std::fs::read(path).map_err(fail)?;
    if let Ok(set) = serde_json::from_slice::<JwkSet>(&bytes) {
        return Ok(set.keys.into_iter().map(|jwk| Key::Listed(Box::new(jwk))).collect());
    }
    let lone = DecodingKey::from_rsa_pem(&bytes)
        .or_else(|_| DecodingKey::from_ec_pem(&bytes))
        .or_else(|_| DecodingKey::from_ed_pem(&bytes));
    lone.map(|key| vec![Key::Lone(key)]).map_err(|_| {
        AccessError::Keys(format!(
            "{} is neither a JWKS document nor a public key in PEM",
            path.display()
        ))
    })
}
