//! From the answer of a token endpoint to a person whom the provider has proved, or the reason why not (OpenID Connect
//! Core 1.0 §3.1.3.7).

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, EmptyExtraTokenFields, IdTokenFields,
    IdTokenVerifier, Nonce, SignatureVerificationError, StandardTokenResponse, TokenResponse as _,
    core::{
        CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm,
        CoreJwsSigningAlgorithm, CoreTokenType,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    MAX_DOCUMENT_BYTES,
    configuration::{Configuration, Keys},
    refusal::Refusal,
    relying_party::RelyingParty,
};

/// How far the provider's clock may be from ours.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);
/// How long ago an ID token may have been issued: it comes by the same connection as the code goes.
const MAX_AGE: TimeDelta = TimeDelta::minutes(10);
/// The last year in which an ID token may expire: whoever adds something to a time must not come to the end of all times.
const LAST_YEAR: i32 = 9998;
/// The longest value of a claim, in bytes. Subjects have 255 at most (Core §2).
const MAX_CLAIM_BYTES: usize = 1024;
/// App roles of one person.
const MAX_ROLES: usize = 200;

/// Somebody whom a provider has proved.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// What it calls them for ever, in this application (`sub`).
    pub subject: String,
    /// What Entra calls them for ever, in every application (`oid`).
    pub object_id: Option<String>,
    /// Entra's tenant (`tid`).
    pub tenant_id: Option<String>,
    /// What they type to sign in. It can be given to somebody else, so [`Self::object_id`] is the better way to find them.
    pub preferred_user_name: Option<String>,
    /// Their app roles; `None` when nothing is said of them.
    pub roles: Option<Vec<String>>,
    /// The provider's session (`sid`).
    pub session_id: Option<String>,
    /// Until when the ID token could be accepted again, our clock being as wrong as it may: whoever lets nobody use one
    /// twice remembers it for so long.
    pub good_until: DateTime<Utc>,
    /// When they last had to prove who they are (`auth_time`); Entra says it where a company has configured it.
    pub authenticated_at: Option<DateTime<Utc>>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// What Entra says beyond the standard.
#[derive(Clone, Serialize, Deserialize)]
struct EntraClaims {
    oid: Option<String>,
    tid: Option<String>,
    roles: Option<Vec<String>>,
    sid: Option<String>,
}

/// The library demands it; it names people.
impl std::fmt::Debug for EntraClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntraClaims").finish_non_exhaustive()
    }
}

impl AdditionalClaims for EntraClaims {}

type Fields = IdTokenFields<
    EntraClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type Answer = StandardTokenResponse<Fields, CoreTokenType>;

/// What a token endpoint says when it declines (RFC 6749 §5.2).
#[derive(Deserialize)]
struct Declined {
    error: CoreErrorResponseType,
    #[serde(default)]
    error_description: String,
}

impl RelyingParty {
    /// Whom the provider has proved with this answer of its token endpoint.
    ///
    /// # Errors
    /// The first reason not to believe it.
    pub fn accept(
        &self,
        configuration: &Configuration,
        keys: &Keys,
        (answer, nonce): (&[u8], &str),
        now: DateTime<Utc>,
    ) -> Result<Identity, Refusal> {
        let answer = read(answer)?;
        let id_token = answer.id_token().ok_or(Refusal::Malformed)?;
        let issuer = configuration.issuer_url().ok_or(Refusal::WrongIssuer)?;
        // A client without a secret, to the library: no secret may ever verify what a provider signs.
        let verifier: IdTokenVerifier<'_, CoreJsonWebKey> =
            IdTokenVerifier::new_public_client(ClientId::new(self.client_id.clone()), issuer, keys.0.clone())
                .set_allowed_algs([CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256])
                .set_time_fn(move || now - CLOCK_SKEW);
        let claims =
            id_token.claims(&verifier, &Nonce::new(nonce.to_owned())).map_err(|error| refusal_of(&error))?;
        let issued_at = claims.issue_time();
        if issued_at > now + CLOCK_SKEW || issued_at < now - MAX_AGE - CLOCK_SKEW {
            return Err(Refusal::Stale { issued_at });
        }
        if claims.expiration().year() > LAST_YEAR {
            return Err(Refusal::Malformed);
        }
        // Core §3.1.3.7, 5: where it says for whom it was made, it was made for us.
        if claims.authorized_party().is_some_and(|party| party.as_str() != self.client_id) {
            return Err(Refusal::WrongAudience);
        }
        let entra = claims.additional_claims().clone();
        if entra.roles.as_ref().is_some_and(|roles| roles.len() > MAX_ROLES) {
            return Err(Refusal::TooManyRoles);
        }
        let identity = Identity {
            issuer: configuration.issuer.clone(),
            subject: claims.subject().as_str().to_owned(),
            object_id: entra.oid,
            tenant_id: entra.tid,
            preferred_user_name: claims.preferred_username().map(|name| name.as_str().to_owned()),
            roles: entra.roles,
            session_id: entra.sid,
            good_until: claims.expiration() + CLOCK_SKEW,
            authenticated_at: claims.auth_time(),
        };
        if identity.texts().any(|text| text.len() > MAX_CLAIM_BYTES) {
            return Err(Refusal::TooLarge);
        }
        // JSON can hold what no database and no log takes.
        if identity.subject.is_empty() || identity.texts().any(|text| text.chars().any(char::is_control)) {
            return Err(Refusal::Malformed);
        }
        Ok(identity)
    }
}

impl Identity {
    /// All that the provider wrote.
    fn texts(&self) -> impl Iterator<Item = &str> {
        let single = [&self.object_id, &self.tenant_id, &self.preferred_user_name, &self.session_id];
        let single = single.into_iter().flatten().chain([&self.subject]);
        single.chain(self.roles.iter().flatten()).map(String::as_str)
    }
}

fn read(answer: &[u8]) -> Result<Answer, Refusal> {
    if answer.len() > MAX_DOCUMENT_BYTES {
        return Err(Refusal::TooLarge);
    }
    if let Ok(declined) = serde_json::from_slice::<Declined>(answer) {
        return Err(Refusal::declined(declined.error.as_ref(), &declined.error_description));
    }
    serde_json::from_slice(answer).map_err(|_malformed| Refusal::Malformed)
}

fn refusal_of(error: &ClaimsVerificationError) -> Refusal {
    match error {
        ClaimsVerificationError::Expired(_) => Refusal::Expired,
        ClaimsVerificationError::InvalidAudience(_) => Refusal::WrongAudience,
        ClaimsVerificationError::InvalidIssuer(_) => Refusal::WrongIssuer,
        ClaimsVerificationError::InvalidNonce(_) => Refusal::WrongNonce,
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::CryptoError(_) => Refusal::BadSignature,
            SignatureVerificationError::NoMatchingKey | SignatureVerificationError::AmbiguousKeyId(_) => {
                Refusal::UnknownKey
            }
            _ => Refusal::WeakAlgorithm,
        },
        _ => Refusal::Malformed,
    }
}
