//! A client's secret: 32 random bytes that are told once, of which a digest is kept.
//!
//! SHA-256 and no slow hash: those exist because people choose passwords that can be guessed. Nobody guesses 256 random
//! bits, however fast the hash is, and a slow one would let anybody who sends requests use up the processor.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use rand::TryRngCore as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// What every client secret begins with, so that scanners of leaked secrets can search for it.
const PREFIX: &str = "tc365_cs_";
/// Random bytes in a secret.
const LENGTH: usize = 32;

/// A secret that was just made.
pub(crate) struct NewSecret(SecretString);

impl NewSecret {
    /// Makes one.
    pub(crate) fn generate() -> Result<Self, rand::rand_core::OsError> {
        let mut bytes = [0; LENGTH];
        rand::rngs::OsRng.try_fill_bytes(&mut bytes)?;
        Ok(Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into()))
    }

    /// What is told, once.
    pub(crate) fn text(&self) -> &str {
        self.0.expose_secret()
    }

    /// What is kept.
    pub(crate) fn digest(&self) -> Vec<u8> {
        digest(self.text()).to_vec()
    }

    /// Its last four characters, to tell it from others.
    pub(crate) fn hint(&self) -> String {
        self.text().chars().skip(self.text().len() - 4).collect()
    }
}

/// The digest of what somebody sent.
pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether the digests are the same, in a time that says nothing about where they differ.
pub(crate) fn is_same(kept: &[u8], sent: &[u8; 32]) -> bool {
    kept.ct_eq(sent).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_fits_its_digest_and_no_other() {
        let (one, other) = (NewSecret::generate().unwrap(), NewSecret::generate().unwrap());
        assert!(is_same(&one.digest(), &digest(one.text())));
        assert!(!is_same(&one.digest(), &digest(other.text())));
        assert!(!is_same(&[], &digest(one.text())));
    }

    #[test]
    fn a_secret_can_be_scanned_for_and_is_told_by_its_end() {
        let secret = NewSecret::generate().unwrap();
        assert_eq!(secret.text().len(), PREFIX.len() + 43);
        assert!(secret.text().starts_with(PREFIX) && secret.text().ends_with(&secret.hint()));
        assert_eq!(secret.hint().len(), 4);
    }
}
