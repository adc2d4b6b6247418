//! From an assertion that Entra signed to whether it is the one that a client promised (RFC 7523 §3).
//!
//! Where the keys come from is the caller's business, and so is the time. Nothing in an assertion is followed: no URL,
//! no embedded key.

use std::{collections::HashMap, fmt};

use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    errors::ErrorKind,
    jwk::{AlgorithmParameters, Jwk, KeyAlgorithm, PublicKeyUse},
};
use serde::Deserialize;

use crate::verify::CLOCK_SKEW;

/// The longest assertion, in bytes. Those of Entra have some 1,500.
pub const MAX_LENGTH: usize = 8 * 1024;
/// How far ahead an assertion may expire, in seconds: one that never ends would be a password.
pub const MAX_LIFETIME: u64 = 24 * 3600;
/// The longest key id, in bytes.
const MAX_KEY_ID_LENGTH: usize = 200;
/// Keys of one authority that are read; Entra publishes fewer than ten.
const MAX_KEYS: usize = 100;
/// The modulus of an RSA key in base64url, in characters: 2,048 bits at least (RFC 7518 §3.3), 8,192 at most, because
/// verifying takes longer the longer it is.
const MODULUS_LENGTHS: std::ops::RangeInclusive<usize> = 342..=1366;
/// The longest public exponent in base64url, in characters, for the same reason: 32 bits.
const MAX_EXPONENT_LENGTH: usize = 6;

/// RSA keys by their ids, as an authority publishes them (RFC 7517 §5).
#[derive(Clone, Default)]
pub struct AuthorityKeys(HashMap<String, DecodingKey>);

impl fmt::Debug for AuthorityKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The document is no JWK set.
#[derive(Debug, thiserror::Error)]
#[error("not a JSON Web Key set")]
pub struct KeysError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

impl AuthorityKeys {
    /// Reads a JWK set. Keys that are not for RS256 signatures are passed over, as RFC 7517 §5 wants.
    ///
    /// # Errors
    /// When the document is no JWK set.
    pub fn read(document: &[u8]) -> Result<Self, KeysError> {
        let document: Document = serde_json::from_slice(document)?;
        Ok(Self(document.keys.into_iter().take(MAX_KEYS).filter_map(key).collect()))
    }

    /// Whether there is a key of this id.
    #[must_use]
    pub fn knows(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

fn key(document: serde_json::Value) -> Option<(String, DecodingKey)> {
    let jwk: Jwk = serde_json::from_value(document).ok()?;
    let AlgorithmParameters::RSA(parameters) = &jwk.algorithm else { return None };
    let is_for_rs256 = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature))
        && matches!(jwk.common.key_algorithm, None | Some(KeyAlgorithm::RS256));
    let is_fit = MODULUS_LENGTHS.contains(&parameters.n.len()) && parameters.e.len() <= MAX_EXPONENT_LENGTH;
    let id = jwk.common.key_id.clone().filter(|id| (1..=MAX_KEY_ID_LENGTH).contains(&id.len()))?;
    let key = DecodingKey::from_rsa_components(&parameters.n, &parameters.e).ok()?;
    (is_for_rs256 && is_fit).then_some((id, key))
}

/// What the client promised that its assertions would say.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The `iss`, to the letter.
    pub issuer: &'a str,
    /// The `sub`, to the letter.
    pub subject: &'a str,
    /// The `aud` is one of these, to the letter.
    pub audiences: &'a [String],
}

/// Why an assertion is refused. The words go to whoever sent it, so that they can put it right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than [`MAX_LENGTH`].
    #[error("the assertion has more than {MAX_LENGTH} bytes")]
    TooLong,
    /// Not a JWT, or one with claims of other types.
    #[error("the assertion is not a JWT with iss, sub, aud and exp")]
    Malformed,
    /// Not RS256.
    #[error("the assertion must be signed by RS256")]
    WrongAlgorithm,
    /// It names no key, or one that the authority does not publish.
    #[error("the assertion names no key (kid) that the tenant's authority publishes")]
    UnknownKey,
    /// The key that it names did not sign it.
    #[error("the assertion's signature does not fit")]
    BadSignature,
    /// Another `iss`.
    #[error("the assertion's issuer (iss) is not that of the client's tenant")]
    WrongIssuer,
    /// Another `sub`.
    #[error("the assertion's subject (sub) is not the one that the client was created with")]
    WrongSubject,
    /// Another `aud`.
    #[error("the assertion's audience (aud) is none of those that the client was created with")]
    WrongAudience,
    /// `nbf` or `iat` is ahead by more than [`CLOCK_SKEW`].
    #[error("the assertion is not valid yet (nbf, iat)")]
    NotYetValid,
    /// Its `exp` is past by more than [`CLOCK_SKEW`].
    #[error("the assertion has expired (exp)")]
    Expired,
    /// Its `exp` is further ahead than [`MAX_LIFETIME`].
    #[error("the assertion expires (exp) more than a day from now")]
    LivesTooLong,
}

/// An assertion whose header is in order; nothing of it is believed yet.
#[derive(Clone)]
pub struct Assertion<'a> {
    jwt: &'a str,
    key_id: String,
}

impl<'a> Assertion<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is too long, no JWT, not for RS256, names no key, or demands an extension.
    pub fn read(jwt: &'a str) -> Result<Self, Refusal> {
        if jwt.len() > MAX_LENGTH {
            return Err(Refusal::TooLong);
        }
        let header = jsonwebtoken::decode_header(jwt).map_err(|error| match error.kind() {
            // A name that the library does not know, `none` among them.
            ErrorKind::InvalidAlgorithmName => Refusal::WrongAlgorithm,
            _ => Refusal::Malformed,
        })?;
        if header.alg != Algorithm::RS256 {
            return Err(Refusal::WrongAlgorithm);
        }
        // RFC 7515 §4.1.11: what is marked as critical must be understood; we understand no extension.
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        let key_id = header.kid.filter(|id| id.len() <= MAX_KEY_ID_LENGTH).ok_or(Refusal::UnknownKey)?;
        Ok(Self { jwt, key_id })
    }

    /// The key that is said to have signed it.
    #[must_use]
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// Checks it against these keys and what was promised, at `now` in seconds since the epoch.
    ///
    /// # Errors
    /// The first reason in the order of [`Refusal`].
    pub fn verify(&self, keys: &AuthorityKeys, expected: Expected<'_>, now: u64) -> Result<(), Refusal> {
        let key = keys.0.get(&self.key_id).ok_or(Refusal::UnknownKey)?;
        #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
        let decoded = jsonwebtoken::decode::<Claims>(self.jwt, key, &signature_only());
        let claims = decoded.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => Refusal::BadSignature,
            _ => Refusal::Malformed,
        })?;
        accept(&claims.claims, expected, now)
    }
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: u64,
    nbf: Option<u64>,
    iat: Option<u64>,
}

/// RFC 7519 §4.1.3: one audience may stand without an array.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

fn accept(claims: &Claims, expected: Expected<'_>, now: u64) -> Result<(), Refusal> {
    if claims.iss != expected.issuer {
        return Err(Refusal::WrongIssuer);
    }
    if claims.sub != expected.subject {
        return Err(Refusal::WrongSubject);
    }
    let is_for_us = match &claims.aud {
        Audience::One(audience) => expected.audiences.contains(audience),
        Audience::Several(audiences) => audiences.iter().any(|one| expected.audiences.contains(one)),
    };
    if !is_for_us {
        return Err(Refusal::WrongAudience);
    }
    let latest_beginning = now.saturating_add(CLOCK_SKEW);
    if [claims.nbf, claims.iat].into_iter().flatten().any(|beginning| beginning > latest_beginning) {
        return Err(Refusal::NotYetValid);
    }
    if claims.exp.saturating_add(CLOCK_SKEW) <= now {
        return Err(Refusal::Expired);
    }
    if claims.exp > latest_beginning.saturating_add(MAX_LIFETIME) {
        return Err(Refusal::LivesTooLong);
    }
    Ok(())
}

/// The claims are checked by [`accept`], which is told the time instead of asking the system.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::RS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}
