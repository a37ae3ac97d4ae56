//! Bearer tokens (JWT) of one configured issuer.
//!
//! Which keys and which algorithms count is configured; nothing that a token says of itself (`jku`, `x5u`, `iss`,
//! its algorithm) leads anywhere. A token that was checked is remembered until it expires.

mod keys;

pub use jsonwebtoken::Algorithm;
pub use keys::KeySource;

use crate::Access;
use base64ct::{Base64UrlUnpadded, Encoding};
use engine::Caller;
use jsonwebtoken::{Validation, decode, decode_header};
use keys::Keys;
use serde::Deserialize;
use serde_json::Value;
use shared::{Role, Timestamp, access::Via};
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How far the issuer's clock may be off where a token says from when on it holds.
const CLOCKS_APART: u64 = 30;
/// How long a token is believed that was checked; then its streams end and their clients come again.
const CHECKED_AGAIN_MS: i64 = 3_600_000;
/// Bytes of a token.
const LONGEST: usize = 8 * 1024;
/// Characters of a subject.
const LONGEST_NAME: usize = 200;

/// Whose tokens are believed, and what they have to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// What `iss` has to be.
    pub issuer: String,
    /// What `aud` has to be, or contain.
    pub audience: String,
    pub keys: KeySource,
    pub algorithms: Vec<Algorithm>,
    /// The claim that has the role: a text, or a list of texts of which the highest counts.
    pub role_claim: String,
    /// What the claim's texts mean; empty: they are the roles' own names.
    pub roles: BTreeMap<String, Role>,
}

/// The algorithms that may be configured: those whose keys can be published.
pub const ALGORITHMS: [(&str, Algorithm); 9] = [
    ("RS256", Algorithm::RS256),
    ("RS384", Algorithm::RS384),
    ("RS512", Algorithm::RS512),
    ("PS256", Algorithm::PS256),
    ("PS384", Algorithm::PS384),
    ("PS512", Algorithm::PS512),
    ("ES256", Algorithm::ES256),
    ("ES384", Algorithm::ES384),
    ("EdDSA", Algorithm::EdDSA),
];

/// Checks tokens.
pub(crate) struct Tokens {
    issuer: Issuer,
    keys: Keys,
}

/// What a token has to say, each of its type: a token with another type is refused.
#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "iss")]
    _iss: String,
    sub: String,
    /// Seconds since 1970, as the other times; they need not be whole (RFC 7519, 2).
    exp: f64,
    #[serde(rename = "nbf")]
    _nbf: Option<f64>,
    #[serde(rename = "iat")]
    _iat: Option<f64>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

/// Why a token is not believed; for the log, never for whoever sent it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it is no token that could be checked: {0}")]
    Malformed(jsonwebtoken::errors::Error),
    #[error("it is not a token of access, or asks for what is not understood")]
    Kind,
    #[error("its algorithm is not one that is allowed")]
    Algorithm,
    #[error("the issuer has no such key")]
    Key,
    #[error("{0}")]
    Wrong(jsonwebtoken::errors::Error),
    #[error("it is over")]
    Over,
    #[error("its subject is empty, too long or has control characters")]
    Subject,
    #[error("its claim {0} gives it no role here")]
    Role(String),
}

impl Tokens {
    pub fn new(issuer: Issuer) -> Result<Self, crate::AccessError> {
        let keys = Keys::new(issuer.keys.clone())?;
        Ok(Self { issuer, keys })
    }

    /// Who sent the token.
    pub async fn check(&self, token: &str) -> Result<Caller, Refused> {
        if token.len() > LONGEST {
            return Err(Refused::Algorithm);
        }
        let header = decode_header(token).map_err(Refused::Malformed)?;
        let usual =
            |typ: &str| typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("at+jwt");
        if !header.typ.as_deref().is_none_or(usual) || has_crit(token) {
            return Err(Refused::Kind);
        }
        if !self.issuer.algorithms.contains(&header.alg) {
            return Err(Refused::Algorithm);
        }
        let key = self.keys.find(header.kid.as_deref(), header.alg).await.ok_or(Refused::Key)?;
        let mut validation = Validation::new(header.alg);
        validation.leeway = CLOCKS_APART;
        validation.validate_nbf = true;
        validation.set_issuer(&[&self.issuer.issuer]);
        validation.set_audience(&[&self.issuer.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        let claims = decode::<Claims>(token, &key, &validation).map_err(Refused::Wrong)?.claims;
        // No leeway at the end: streams end with it. And what is checked is not believed for ever: the issuer may
        // have withdrawn the key.
        let until = ((claims.exp * 1000.0) as i64).min(Timestamp::now().0 + CHECKED_AGAIN_MS);
        if until <= Timestamp::now().0 {
            return Err(Refused::Over);
        }
        let length = claims.sub.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || claims.sub.chars().any(char::is_control) {
            return Err(Refused::Subject);
        }
        let role = self.role(claims.others.get(&self.issuer.role_claim));
        let role = role.ok_or_else(|| Refused::Role(self.issuer.role_claim.clone()))?;
        Ok(Caller {
            name: Arc::from(format!("token:{}", claims.sub)),
            role,
            via: Via::Token,
            credential: Uuid::nil(),
            address: None,
            until: Some(Timestamp(until)),
            ended: CancellationToken::new(),
            used: Arc::default(),
        })
    }

    /// The highest role that the claim gives; a claim of another type gives none.
    fn role(&self, claim: Option<&Value>) -> Option<Role> {
        let role = |word: &str| match self.issuer.roles.is_empty() {
            true => Role::parse(word),
            false => self.issuer.roles.get(word).copied(),
        };
        match claim? {
            Value::String(word) => role(word),
            Value::Array(words) => {
                let words: Option<Vec<&str>> = words.iter().map(Value::as_str).collect();
                words?.into_iter().filter_map(role).max()
            }
            _ => None,
        }
    }
}

/// Whether its head has `crit`: what stands there has to be understood, and nothing of it is.
fn has_crit(token: &str) -> bool {
    let head = token.split('.').next().unwrap_or_default();
    let head = Base64UrlUnpadded::decode_vec(head).unwrap_or_default();
    let head = serde_json::from_slice::<BTreeMap<String, Value>>(&head).unwrap_or_default();
    head.contains_key("crit")
}

/// Whether it has the shape of a token, rather than of a key.
pub(crate) fn is_token(text: &str) -> bool {
    text.split('.').count() == 3
}

impl Access {
    /// Who sent a token of the configured issuer. One that was checked is known again until it expires.
    pub(crate) async fn token(&self, token: &str) -> Option<Caller> {
        let tokens = self.0.tokens.as_ref()?;
        if let Some(known) = self.live().token(token) {
            return Some(known);
        }
        match tokens.check(token).await {
            Ok(caller) => self.live_mut().remember(token, caller),
            Err(why) => {
                tracing::debug!(%why, "refused a token");
                None
            }
        }
    }
}
