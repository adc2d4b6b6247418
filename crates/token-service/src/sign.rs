//! From a record to the token's text: the only place that mints, and signs anything at all.
//!
//! Ed25519 is deterministic and the claims come from the record alone, so the same record gives the same text every
//! time, and the text need not be stored to be shown again.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bus_contract::token as wire;
use chrono::{DateTime, Utc};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey as _};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::json;
use token_protocol::{Claims, claims::AUDIENCE, text};
use typed_ids::{CompanyId, CredentialId, TokenId};

use crate::{
    receipts,
    seal::{SealingKeys, UnsealError},
    store::{clients::ClientRow, keys::KeyRow, tokens::TokenRow},
};

/// The media type of a receipt, less `application/`.
const RECEIPT_TYPE: &str = "access-end-receipt+jwt";

/// Why a token could not be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignError {
    #[error(transparent)]
    Sealed(#[from] UnsealError),
    #[error("the signing key cannot be used")]
    Key(#[from] ed25519_dalek::pkcs8::Error),
    #[error("the token cannot be signed")]
    Signature(#[from] jsonwebtoken::errors::Error),
}

/// The token of this record, with its text.
pub(crate) fn secret_token(
    sealing: &SealingKeys,
    key: &KeyRow,
    record: &TokenRow,
    shown: wire::Token,
) -> Result<wire::SecretToken, SignError> {
    let claims = Claims {
        iss: record.issuer.clone(),
        aud: AUDIENCE.to_owned(),
        sub: CompanyId::from_uuid(record.company_id),
        jti: TokenId::from_uuid(record.token_id),
        cid: None,
        iat: unix_seconds(record.issued_at),
        exp: unix_seconds(record.expires_at),
    };
    Ok(wire::SecretToken { token: Some(shown), secret: signed(sealing, key, &claims)? })
}

/// An access token of an OAuth client. Of these no record is kept: they live for an hour and end with their client.
pub(crate) fn access_token(
    sealing: &SealingKeys,
    key: &KeyRow,
    issuer: &str,
    client: &ClientRow,
    times: std::ops::Range<DateTime<Utc>>,
) -> Result<String, SignError> {
    let claims = Claims {
        iss: issuer.to_owned(),
        aud: AUDIENCE.to_owned(),
        sub: CompanyId::from_uuid(client.company_id),
        jti: TokenId::mint(),
        cid: Some(CredentialId::from_uuid(client.client_id)),
        iat: unix_seconds(times.start),
        exp: unix_seconds(times.end),
    };
    signed(sealing, key, &claims)
}

/// A receipt, in compact serialization (RFC 7515 §7.1).
pub(crate) fn receipt(
    sealing: &SealingKeys,
    key: &KeyRow,
    claims: &receipts::Claims,
) -> Result<String, SignError> {
    let mut header = Header::new(Algorithm::EdDSA);
    // A reader of tokens refuses what says that it is something else (RFC 8725 §3.11).
    header.typ = Some(RECEIPT_TYPE.to_owned());
    jwt(sealing, key, header, claims)
}

fn signed(sealing: &SealingKeys, key: &KeyRow, claims: &Claims) -> Result<String, SignError> {
    Ok(text::from_jwt(&jwt(sealing, key, Header::new(Algorithm::EdDSA), claims)?))
}

fn jwt<C: Serialize>(
    sealing: &SealingKeys,
    key: &KeyRow,
    mut header: Header,
    claims: &C,
) -> Result<String, SignError> {
    let seed = sealing.unseal(&key.kid, &key.sealed_private_key)?;
    let der = SigningKey::from_bytes(&seed).to_pkcs8_der()?;
    header.kid = Some(key.kid.clone());
    #[expect(clippy::disallowed_methods, reason = "this service is the door")]
    let jwt = jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(der.as_bytes()))?;
    Ok(jwt)
}

/// The public half as a JSON Web Key (RFC 8037 §2).
pub(crate) fn jwk(kid: &str, public_key: &[u8]) -> serde_json::Value {
    let x = URL_SAFE_NO_PAD.encode(public_key);
    json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x})
}

/// Seconds since the epoch; our times are all later than it.
pub(crate) fn unix_seconds(at: DateTime<Utc>) -> u64 {
    u64::try_from(at.timestamp()).unwrap_or_default()
}
