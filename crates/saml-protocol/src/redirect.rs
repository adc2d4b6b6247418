//! Messages in addresses: HTTP-Redirect with DEFLATE (SAML bindings §3.4.4.1), written and read, with its signature.

use std::{fmt, io::Read as _, io::Write as _};

use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
        RsaEncoding, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};

use crate::{
    certificate::{Certificate, KeyKind},
    document::is_plain_name,
    identity_provider::IdentityProvider,
    limits::{MAX_MESSAGE_BYTES, MAX_RELAY_STATE_BYTES},
    refusal::{Refusal, repeated},
    signature::{ECDSA_SHA256, ECDSA_SHA384, RSA_SHA256, RSA_SHA384, RSA_SHA512},
};

pub(crate) const BINDING: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
/// The longest query that is read, in bytes: messages about logouts are short.
const MAX_QUERY_BYTES: usize = 16 * 1024;

/// Which of the two parameters a message travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Parameter {
    Request,
    Response,
}

impl Parameter {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// Why a message cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A `RelayState` that identity providers may cut off.
    #[error("a RelayState has at most {MAX_RELAY_STATE_BYTES} bytes")]
    RelayStateTooLong,
    /// An identifier that XML does not allow.
    #[error("an ID begins with a letter or an underscore and has only letters, digits, '-', '_' and '.'")]
    InvalidId,
    /// The identity provider takes no logouts.
    #[error("the identity provider has no single logout service")]
    NoLogoutUrl,
    /// The key did not sign.
    #[error("the message could not be signed")]
    Signing,
}

/// What our messages are signed with: an RSA key, and the certificate by which others verify.
pub struct SigningKey {
    key: KeyPair,
    certificate: Certificate,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

/// The key or its certificate is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an RSA key of 2,048 to 8,192 bits in PKCS#8 with the certificate of this key")]
pub struct SigningKeyError;

impl SigningKey {
    /// Takes an RSA key in PKCS#8 and its certificate, both in DER.
    ///
    /// # Errors
    /// When either is of no use, or the certificate is of another key: nobody could verify what this one signs.
    pub fn from_pkcs8(key: &[u8], certificate: &[u8]) -> Result<Self, SigningKeyError> {
        let key = KeyPair::from_pkcs8(key).map_err(|_rejected| SigningKeyError)?;
        let certificate = Certificate::from_der(certificate).map_err(|_unsuitable| SigningKeyError)?;
        if certificate.key() != (KeyKind::Rsa, key.public_key().as_ref()) {
            return Err(SigningKeyError);
        }
        Ok(Self { key, certificate })
    }

    /// The certificate that metadata publishes.
    #[must_use]
    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Signs by RSASSA-PSS with SHA-256, which is not SAML's: what proves us to OpenID providers is signed by the same key.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn sign_pss(&self, octets: &[u8]) -> Result<Vec<u8>, RequestError> {
        self.sign(&RSA_PSS_SHA256, octets)
    }

    fn sign(&self, encoding: &'static dyn RsaEncoding, octets: &[u8]) -> Result<Vec<u8>, RequestError> {
        let mut signature = vec![0; self.key.public_modulus_len()];
        let signed = self.key.sign(encoding, &SystemRandom::new(), octets, &mut signature);
        signed.map(|()| signature).map_err(|_unspecified| RequestError::Signing)
    }
}

pub(crate) fn check_id(id: &str) -> Result<(), RequestError> {
    if is_plain_name(id) { Ok(()) } else { Err(RequestError::InvalidId) }
}

/// The address at which a browser hands the message over.
pub(crate) fn write(
    destination: &str,
    parameter: Parameter,
    xml: &str,
    relay_state: &str,
    signing: Option<&SigningKey>,
) -> Result<String, RequestError> {
    if relay_state.len() > MAX_RELAY_STATE_BYTES {
        return Err(RequestError::RelayStateTooLong);
    }
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair(parameter.name(), &BASE64.encode(deflated(xml)));
    if !relay_state.is_empty() {
        query.append_pair("RelayState", relay_state);
    }
    let query = match signing {
        None => query.finish(),
        Some(key) => {
            let octets = query.append_pair("SigAlg", RSA_SHA256).finish();
            let signature = BASE64.encode(key.sign(&RSA_PKCS1_SHA256, octets.as_bytes())?);
            form_urlencoded::Serializer::new(octets).append_pair("Signature", &signature).finish()
        }
    };
    let separator = if destination.contains('?') { '&' } else { '?' };
    Ok(format!("{destination}{separator}{query}"))
}

fn deflated(xml: &str) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to memory does not fail; were it to, the message would be empty and refused.
    encoder.write_all(xml.as_bytes()).and_then(|()| encoder.finish()).unwrap_or_default()
}

fn inflated(base64: &str) -> Result<String, Refusal> {
    let compressed = BASE64.decode(base64).map_err(|_no_base64| Refusal::NotEncoded)?;
    let mut xml = String::new();
    // One byte more than is read, so that the gate refuses what is longer.
    let limit = u64::try_from(MAX_MESSAGE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bounded = DeflateDecoder::new(compressed.as_slice()).take(limit);
    bounded.read_to_string(&mut xml).map_err(|_not_deflated| Refusal::NotEncoded)?;
    Ok(xml)
}

/// A message as it arrived. Nothing of it is proved until [`Message::verify`]; it names people, so it cannot be logged.
pub(crate) struct Message {
    pub(crate) xml: String,
    pub(crate) relay_state: Option<String>,
    /// What was signed, as it arrived: others encode the same text differently.
    octets: String,
    algorithm: Option<String>,
    signature: Option<Vec<u8>>,
}

/// Takes a request out of a query, which must be as it arrived.
pub(crate) fn read(raw_query: &str) -> Result<Message, Refusal> {
    if raw_query.len() > MAX_QUERY_BYTES {
        return Err(Refusal::Document(crate::document::Fault::TooLarge(MAX_QUERY_BYTES)));
    }
    let (parameter, other) = (Parameter::Request, Parameter::Response);
    if raw(raw_query, other.name())?.is_some() {
        return Err(Refusal::Parameter(other.name()));
    }
    let message = raw(raw_query, parameter.name())?.ok_or(Refusal::Parameter(parameter.name()))?;
    let relay_state = raw(raw_query, "RelayState")?;
    let algorithm = raw(raw_query, "SigAlg")?;
    let signature = raw(raw_query, "Signature")?;
    // SAML bindings §3.4.4.1: these, in this order, whatever order they arrived in.
    let parts = [(parameter.name(), Some(message)), ("RelayState", relay_state), ("SigAlg", algorithm)];
    let octets: Vec<String> =
        parts.iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}"))).collect();
    let signature = signature
        .map(|signature| BASE64.decode(unescaped(signature)).map_err(|_no_base64| Refusal::NotEncoded))
        .transpose()?;
    Ok(Message {
        xml: inflated(&unescaped(message))?,
        relay_state: relay_state.map(unescaped),
        octets: octets.join("&"),
        algorithm: algorithm.map(unescaped),
        signature,
    })
}

/// The value of a parameter, still escaped. Twice is refused: which of them would be the signed one?
fn raw<'a>(query: &'a str, name: &'static str) -> Result<Option<&'a str>, Refusal> {
    let mut values = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .filter(|(key, _)| unescaped(key) == name)
        .map(|(_, value)| value);
    let value = values.next();
    if values.next().is_some() { Err(Refusal::Parameter(name)) } else { Ok(value) }
}

fn unescaped(value: &str) -> String {
    form_urlencoded::parse(format!("v={value}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

impl Message {
    /// Whether the identity provider signed it.
    pub(crate) fn verify(&self, idp: &IdentityProvider, now: DateTime<Utc>) -> Result<(), Refusal> {
        let signature = self.signature.as_deref().ok_or(Refusal::Unsigned)?;
        let algorithm = self.algorithm.as_deref().unwrap_or_default();
        if ![RSA_SHA256, RSA_SHA384, RSA_SHA512, ECDSA_SHA256, ECDSA_SHA384].contains(&algorithm) {
            return Err(Refusal::WeakAlgorithm { algorithm: repeated(algorithm) });
        }
        let octets = self.octets.as_bytes();
        let signer = idp.certificates.iter().find(|certificate| {
            let (kind, key) = certificate.key();
            verifier(algorithm, kind).is_some_and(|verifier| {
                UnparsedPublicKey::new(verifier, key).verify(octets, signature).is_ok()
            })
        });
        match signer {
            None => Err(Refusal::BadSignature),
            Some(certificate) => certificate.check_time(now),
        }
    }
}

/// How the named algorithm verifies by a key of this kind; the pair is ours to say, never the message's.
fn verifier(algorithm: &str, kind: KeyKind) -> Option<&'static dyn VerificationAlgorithm> {
    match (algorithm, kind) {
        (RSA_SHA256, KeyKind::Rsa) => Some(&RSA_PKCS1_2048_8192_SHA256),
        (RSA_SHA384, KeyKind::Rsa) => Some(&RSA_PKCS1_2048_8192_SHA384),
        (RSA_SHA512, KeyKind::Rsa) => Some(&RSA_PKCS1_2048_8192_SHA512),
        (ECDSA_SHA256, KeyKind::P256) => Some(&ECDSA_P256_SHA256_FIXED),
        (ECDSA_SHA384, KeyKind::P384) => Some(&ECDSA_P384_SHA384_FIXED),
        _ => None,
    }
}
