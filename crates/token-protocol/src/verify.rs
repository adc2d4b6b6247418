//! From a token to whom it lets in, or why it does not.

use jsonwebtoken::{Algorithm, Validation, errors::ErrorKind};
use typed_ids::{CompanyId, CredentialId, TokenId};

use crate::{
    claims::{AUDIENCE, Claims},
    key_set::KeySet,
    text,
};

/// How far the issuer's clock may be ahead of ours, in seconds.
pub const CLOCK_SKEW: u64 = 60;

/// Whom a token lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Principal {
    /// The company whose directory it opens.
    pub company: CompanyId,
    /// The token itself.
    pub token_id: TokenId,
    /// What the caller was given once and for all, by which it is revoked and its use is counted: the OAuth client that
    /// got the token, or the token itself.
    pub credential_id: CredentialId,
    /// The second since the epoch from which it is refused.
    pub expires_at: u64,
}

/// Why a token is refused. Whether it has been revoked is not in the token; its reader keeps that list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a token of ours, or not all of it.
    #[error("this is not a TimeClock 365 token, or not all of one")]
    Malformed,
    /// Its header asks for another algorithm than `EdDSA`.
    #[error("the token is signed by an algorithm that we do not use")]
    WrongAlgorithm,
    /// Signed by a key that is not in the set.
    #[error("the token is signed by a key that is not ours")]
    UnknownKey,
    /// Signed by one of the keys, they say, and it is not so: it was changed.
    #[error("the token's signature does not fit")]
    BadSignature,
    /// Issued for something else.
    #[error("the token is not for SCIM")]
    WrongAudience,
    /// Issued later than now, by more than [`CLOCK_SKEW`].
    #[error("the token is not valid yet")]
    NotYetValid,
    /// Its time is over. It is genuine all the same, so whose it was is known.
    #[error("the token has expired")]
    Expired(Principal),
}

impl KeySet {
    /// Checks a token against these keys at `now_unix_seconds`.
    ///
    /// The algorithm is ours to say, never the token's; a key named by the header is looked up here and nowhere else.
    /// There is no leeway for expiry: both ends of it are our own clocks, and the second is stated.
    ///
    /// # Errors
    /// The first reason in the order of [`Refusal`].
    pub fn verify(&self, token: &str, now_unix_seconds: u64) -> Result<Principal, Refusal> {
        let jwt = text::jwt_of(token).ok_or(Refusal::Malformed)?;
        let header = jsonwebtoken::decode_header(jwt).map_err(|error| match error.kind() {
            // A name that the library does not know, `none` among them.
            ErrorKind::InvalidAlgorithmName => Refusal::WrongAlgorithm,
            _ => Refusal::Malformed,
        })?;
        if header.alg != Algorithm::EdDSA {
            return Err(Refusal::WrongAlgorithm);
        }
        // RFC 7515 §4.1.11: what is marked as critical must be understood; we understand no extension.
        if header.crit.is_some() {
            return Err(Refusal::Malformed);
        }
        // RFC 8725 §3.11: our keys also sign what is no token, and that says so.
        if header.typ.is_some_and(|kind| !kind.eq_ignore_ascii_case("JWT")) {
            return Err(Refusal::Malformed);
        }
        let key = self.get(header.kid.as_deref().ok_or(Refusal::UnknownKey)?).ok_or(Refusal::UnknownKey)?;
        #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
        let decoded = jsonwebtoken::decode::<Claims>(jwt, key, &signature_only());
        let claims = decoded.map_err(|error| match error.kind() {
            ErrorKind::InvalidSignature => Refusal::BadSignature,
            _ => Refusal::Malformed,
        })?;
        accept(&claims.claims, now_unix_seconds)
    }
}

/// The claims are checked by [`accept`], which is told the time instead of asking the system.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn accept(claims: &Claims, now: u64) -> Result<Principal, Refusal> {
    if claims.aud != AUDIENCE {
        return Err(Refusal::WrongAudience);
    }
    if claims.iat > now.saturating_add(CLOCK_SKEW) {
        return Err(Refusal::NotYetValid);
    }
    let principal = Principal {
        company: claims.sub,
        token_id: claims.jti,
        credential_id: claims.cid.unwrap_or_else(|| claims.jti.into()),
        expires_at: claims.exp,
    };
    if now >= principal.expires_at {
        return Err(Refusal::Expired(principal));
    }
    Ok(principal)
}
