//! The public keys that verify tokens, by their ids.

use std::{collections::HashMap, fmt};

use jsonwebtoken::{
    DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse},
};

/// Public keys by their ids. Only Ed25519 keys can be in it, so a token's header cannot choose another algorithm for one
/// of them.
#[derive(Clone, Default)]
pub struct KeySet(HashMap<String, DecodingKey>);

/// Why a document is no key for us.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Not a JSON Web Key (RFC 7517).
    #[error("not a JSON Web Key")]
    Malformed(#[source] serde_json::Error),
    /// A key, but not a named Ed25519 signature key (RFC 8037).
    #[error("not an Ed25519 signature key with a kid")]
    Unfit,
    /// Its `x` is not a public key.
    #[error("its public part cannot be read")]
    Unreadable(#[source] jsonwebtoken::errors::Error),
}

impl KeySet {
    /// Adds a key from its JWK document; one of the same id is replaced.
    ///
    /// # Errors
    /// See [`KeyError`]; the set is then as before.
    pub fn add(&mut self, jwk_document: &[u8]) -> Result<(), KeyError> {
        let jwk: Jwk = serde_json::from_slice(jwk_document).map_err(KeyError::Malformed)?;
        let is_ed25519 = matches!(
            &jwk.algorithm,
            AlgorithmParameters::OctetKeyPair(parameters) if parameters.curve == EllipticCurve::Ed25519
        );
        let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature))
            && matches!(jwk.common.key_algorithm, None | Some(KeyAlgorithm::EdDSA));
        let id = jwk.common.key_id.clone().filter(|id| !id.is_empty());
        let (true, true, Some(id)) = (is_ed25519, is_for_signatures, id) else { return Err(KeyError::Unfit) };
        let key = DecodingKey::from_jwk(&jwk).map_err(KeyError::Unreadable)?;
        if key.try_get_as_bytes().map_err(KeyError::Unreadable)?.len() != PUBLIC_KEY_LENGTH {
            return Err(KeyError::Unfit);
        }
        self.0.insert(id, key);
        Ok(())
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&DecodingKey> {
        self.0.get(id)
    }
}

/// An Ed25519 public key, in bytes.
const PUBLIC_KEY_LENGTH: usize = 32;

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
