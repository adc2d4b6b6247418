//! Private keys at rest: encrypted under a key that the database never sees, and bound to their id.

use chacha20poly1305::{
    ChaCha20Poly1305, Key, KeyInit as _, Nonce,
    aead::{Aead as _, AeadCore as _, OsRng, Payload},
};

/// The first byte of what we seal, so that another scheme can follow.
const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 12;

/// Seals and opens private keys.
#[derive(Clone)]
struct SealingKey(ChaCha20Poly1305);

/// What seals, and what may have sealed before it.
#[derive(Clone)]
pub(crate) struct SealingKeys {
    present: SealingKey,
    previous: Option<SealingKey>,
}

/// A sealed key does not open: the sealing key is another one, or somebody changed the row.
#[derive(Debug, thiserror::Error)]
#[error(
    "the signing key {kid} cannot be unsealed; was it sealed with TIMECLOCK_SEALING_KEY or TIMECLOCK_PREVIOUS_SEALING_KEY?"
)]
pub(crate) struct UnsealError {
    kid: String,
}

/// Sealing itself failed, which happens to no input of ours.
#[derive(Debug, thiserror::Error)]
#[error("a signing key cannot be sealed")]
pub(crate) struct SealError;

impl SealingKeys {
    pub(crate) fn new(present: [u8; 32], previous: Option<[u8; 32]>) -> Self {
        Self { present: SealingKey::new(present), previous: previous.map(SealingKey::new) }
    }

    /// Seals `secret` for the key id `kid` alone.
    pub(crate) fn seal(&self, kid: &str, secret: &[u8; 32]) -> Result<Vec<u8>, SealError> {
        self.present.seal(kid, secret)
    }

    /// Opens what either of them sealed for `kid`.
    pub(crate) fn unseal(&self, kid: &str, sealed: &[u8]) -> Result<[u8; 32], UnsealError> {
        let refused = match self.present.unseal(kid, sealed) {
            Ok(secret) => return Ok(secret),
            Err(refused) => refused,
        };
        self.previous.as_ref().ok_or(refused)?.unseal(kid, sealed)
    }

    /// Whether the previous key is not needed to open it.
    pub(crate) fn is_sealed_with_present(&self, kid: &str, sealed: &[u8]) -> bool {
        self.present.unseal(kid, sealed).is_ok()
    }
}

impl SealingKey {
    fn new(key: [u8; 32]) -> Self {
        Self(ChaCha20Poly1305::new(&Key::from(key)))
    }

    fn seal(&self, kid: &str, secret: &[u8; 32]) -> Result<Vec<u8>, SealError> {
        let nonce = ChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload { msg: secret, aad: kid.as_bytes() };
        let text = self.0.encrypt(&nonce, payload).map_err(|_opaque| SealError)?;
        Ok([&[VERSION], nonce.as_slice(), &text].concat())
    }

    fn unseal(&self, kid: &str, sealed: &[u8]) -> Result<[u8; 32], UnsealError> {
        let refused = || UnsealError { kid: kid.to_owned() };
        let (&version, rest) = sealed.split_first().ok_or_else(refused)?;
        let (nonce, text) = rest.split_at_checked(NONCE_LENGTH).ok_or_else(refused)?;
        if version != VERSION {
            return Err(refused());
        }
        let payload = Payload { msg: text, aad: kid.as_bytes() };
        let secret = self.0.decrypt(Nonce::from_slice(nonce), payload).map_err(|_opaque| refused())?;
        secret.try_into().map_err(|_length| refused())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_for_its_id_and_key_alone() {
        let (key, other) = (SealingKey::new([1; 32]), SealingKey::new([2; 32]));
        let sealed = key.seal("a", &[9; 32]).unwrap();
        assert_eq!(key.unseal("a", &sealed).unwrap(), [9; 32]);
        assert!(key.unseal("b", &sealed).is_err());
        assert!(other.unseal("a", &sealed).is_err());
    }

    #[test]
    fn what_the_previous_key_sealed_opens_until_that_key_is_gone() {
        let before = SealingKeys::new([1; 32], None).seal("a", &[9; 32]).unwrap();
        let during = SealingKeys::new([2; 32], Some([1; 32]));
        assert_eq!(during.unseal("a", &before).unwrap(), [9; 32]);
        assert!(!during.is_sealed_with_present("a", &before));
        let anew = during.seal("a", &[9; 32]).unwrap();
        assert!(during.is_sealed_with_present("a", &anew));
        let after = SealingKeys::new([2; 32], None);
        assert_eq!(after.unseal("a", &anew).unwrap(), [9; 32]);
        assert!(after.unseal("a", &before).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let key = SealingKey::new([1; 32]);
        let sealed = key.seal("a", &[9; 32]).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.unseal("a", &changed).is_err(), "byte {at}");
        }
        assert!(key.unseal("a", &[]).is_err());
        assert!(key.unseal("a", &sealed[..5]).is_err());
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike() {
        let key = SealingKey::new([1; 32]);
        assert_ne!(key.seal("a", &[9; 32]).unwrap(), key.seal("a", &[9; 32]).unwrap());
    }
}
