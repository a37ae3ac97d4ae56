//! Secrets that the board makes, and what is kept of them: a hash.
//!
//! They have 256 random bits (the setup code 128), so a plain SHA-256 is enough: there is nothing to guess.

use crate::AccessError;
use sha2::{Digest as _, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// What every API key begins with, so that it is recognised where it should not be.
pub const KEY_PREFIX: &str = "tb_";

/// What is kept of a secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Digest(pub [u8; 32]);

impl Digest {
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }

    /// Takes the same time wherever the first difference is.
    pub fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

/// `bytes` random bytes of the operating system, as hexadecimal digits.
pub(crate) fn random<const BYTES: usize>() -> Result<String, AccessError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(|_| AccessError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_have_two_digits_a_byte() {
        let (a, b) = (random::<32>().unwrap(), random::<32>().unwrap());
        assert_eq!(a.len(), 64);
        assert_ne!(a, b);
        assert!(Digest::of(&a).is(&Digest::of(&a)));
        assert!(!Digest::of(&a).is(&Digest::of(&b)));
    }
}
