//! Who calls: the bearer token, and from it alone the company.

use actix_web::{HttpRequest, http::header::AUTHORIZATION};
use prometheus::IntCounterVec;
use quick_cache::sync::Cache;
use service_runtime::clock::Clock;
use sha2::{Digest as _, Sha256};
use token_protocol::{Principal, Refusal};
use typed_ids::{CompanyId, CredentialId};

use crate::{
    keyring::{Keyring, Verified},
    metrics::Metrics,
};

/// Tokens that are remembered as verified. About 100 bytes each; a company has one or two.
const CACHE_ENTRIES: usize = 20_000;

/// The longest `Authorization` header that is looked at, in bytes. Ours are under 1,000.
const MAX_HEADER: usize = 4_096;

/// The metric label of those who are let in.
const ACCEPTED: &str = "accepted";
/// Every metric label.
pub(crate) const RESULTS: [&str; 8] =
    [ACCEPTED, "missing", "garbled", "unknown", "not_yet_valid", "expired", "revoked", "not_ready"];

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) company: CompanyId,
    pub(crate) credential_id: CredentialId,
}

impl From<Principal> for Caller {
    fn from(principal: Principal) -> Self {
        Self { company: principal.company, credential_id: principal.credential_id }
    }
}

/// Why a caller is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthRefusal {
    /// No `Authorization: Bearer` header.
    Missing,
    /// Not a token of ours, or not whole.
    Garbled,
    /// Signed by no key that we know, or not for SCIM.
    Unknown,
    /// Issued in our future.
    NotYetValid,
    /// Past its end.
    Expired(Caller),
    /// Revoked, or retired by a rotation.
    Revoked(Caller),
    /// No keys have arrived yet, so nothing can be said about the token.
    NotReady,
}

impl AuthRefusal {
    /// The metric label.
    const fn reason(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Garbled => "garbled",
            Self::Unknown => "unknown",
            Self::NotYetValid => "not_yet_valid",
            Self::Expired(_) => "expired",
            Self::Revoked(_) => "revoked",
            Self::NotReady => "not_ready",
        }
    }

    /// Who calls with a credential that let them in once.
    pub(crate) const fn whose(self) -> Option<Caller> {
        match self {
            Self::Expired(caller) | Self::Revoked(caller) => Some(caller),
            Self::Missing | Self::Garbled | Self::Unknown | Self::NotYetValid | Self::NotReady => None,
        }
    }
}

impl From<Refusal> for AuthRefusal {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // A token that lost or changed a character in the copying has a signature that does not fit.
            Refusal::Malformed | Refusal::WrongAlgorithm | Refusal::BadSignature => Self::Garbled,
            Refusal::UnknownKey | Refusal::WrongAudience => Self::Unknown,
            Refusal::NotYetValid => Self::NotYetValid,
            Refusal::Expired(principal) => Self::Expired(principal.into()),
        }
    }
}

/// Verifies tokens, and remembers the ones it has verified by their SHA-256.
pub(crate) struct Auth {
    keyring: Keyring,
    verified: Cache<[u8; 32], Verified>,
    clock: Clock,
    results: IntCounterVec,
}

impl Auth {
    pub(crate) fn new(keyring: Keyring, clock: Clock, metrics: &Metrics) -> Self {
        Self { keyring, verified: Cache::new(CACHE_ENTRIES), clock, results: metrics.auth.clone() }
    }

    /// Who makes this request.
    pub(crate) fn caller(&self, request: &HttpRequest) -> Result<Caller, AuthRefusal> {
        let verified = self.keyring.generation().ok_or(AuthRefusal::NotReady).and_then(|generation| {
            let token = bearer(request)?;
            self.verify(token, generation)
        });
        let result = verified.as_ref().err().map_or(ACCEPTED, |refusal| refusal.reason());
        self.results.with_label_values(&[result]).inc();
        verified.map(|Verified { principal, .. }| principal.into())
    }

    /// What changes between two uses of a token is checked at each: the keys, the time, the revocations.
    fn verify(&self, token: &str, generation: u64) -> Result<Verified, AuthRefusal> {
        let now = self.clock.unix_seconds();
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let remembered = self.verified.get(&digest).filter(|verified| verified.generation == generation);
        let verified = match remembered {
            Some(Verified { principal, .. }) if now >= principal.expires_at => {
                return Err(AuthRefusal::Expired(principal.into()));
            }
            Some(verified) => verified,
            None => {
                let verified = self.keyring.verify(token, now)?;
                self.verified.insert(digest, verified);
                verified
            }
        };
        if self.keyring.is_revoked(&verified.principal, now) {
            return Err(AuthRefusal::Revoked(verified.principal.into()));
        }
        Ok(verified)
    }
}

/// The token in `Authorization: Bearer <token>`; the scheme in any case (RFC 7235 §2.1).
fn bearer(request: &HttpRequest) -> Result<&str, AuthRefusal> {
    let header = request.headers().get(AUTHORIZATION).ok_or(AuthRefusal::Missing)?;
    if header.len() > MAX_HEADER {
        return Err(AuthRefusal::Garbled);
    }
    let text = header.to_str().map_err(|_not_ascii| AuthRefusal::Garbled)?.trim();
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    match (scheme.eq_ignore_ascii_case("bearer"), token.trim()) {
        (false, _) | (true, "") => Err(AuthRefusal::Missing),
        (true, token) => Ok(token),
    }
}
