//! The certificates that an identity provider signs with: who they say they are, and until when.
//!
//! A certificate is trusted because the company's metadata has it; no authority is asked (SAML metadata
//! interoperability profile). Its end is heeded all the same.

use std::fmt;

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};
use x509_cert::{
    der::{
        Decode as _, Reader as _, SliceReader,
        asn1::{ObjectIdentifier, UintRef},
        referenced::OwnedToRef as _,
    },
    spki::SubjectPublicKeyInfoRef,
};

use crate::refusal::{Refusal, repeated};

/// The longest certificate, in bytes. Entra's have some 750.
const MAX_BYTES: usize = 16 * 1024;
/// The modulus of an RSA key, in bits; at most so many because verifying takes longer the longer it is.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ELLIPTIC_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// A signing certificate of an identity provider.
#[derive(Clone, PartialEq, Eq)]
pub struct Certificate {
    /// As it was published.
    pub der: Vec<u8>,
    /// SHA-256 of [`Self::der`] in lower-case hexadecimal digits.
    pub fingerprint_sha256: String,
    /// Whom it names, bounded.
    pub subject: String,
    /// When it ends.
    pub not_after: DateTime<Utc>,
    kind: KeyKind,
    key: Vec<u8>,
}

/// What its key can verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    P256,
    P384,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("fingerprint_sha256", &self.fingerprint_sha256)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

/// Why a certificate is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not an X.509 certificate.
    #[error("this is not an X.509 certificate")]
    Malformed,
    /// A key that is too weak, too long, or of a kind that is not accepted.
    #[error("the certificate's key must be RSA with 2,048 to 8,192 bits, or ECDSA on P-256 or P-384")]
    UnsuitableKey,
}

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// When it is none, or its key is not fit for signatures that are accepted here.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > MAX_BYTES {
            return Err(CertificateError::Malformed);
        }
        let certificate = x509_cert::Certificate::from_der(der)
            .map_err(|_malformed| CertificateError::Malformed)?
            .tbs_certificate;
        let not_after = certificate.validity.not_after.to_unix_duration().as_secs();
        let not_after =
            i64::try_from(not_after).ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
        let (kind, key) = key_of(&certificate.subject_public_key_info.owned_to_ref())?;
        Ok(Self {
            der: der.to_vec(),
            fingerprint_sha256: fingerprint(der),
            subject: repeated(&certificate.subject.to_string()),
            not_after: not_after.ok_or(CertificateError::Malformed)?,
            kind,
            key,
        })
    }

    /// Whether its time is over.
    #[must_use]
    pub fn has_expired(&self, now: DateTime<Utc>) -> bool {
        self.not_after <= now
    }

    /// That its time is not over.
    pub(crate) fn check_time(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if self.has_expired(now) {
            let fingerprint = self.fingerprint_sha256.clone();
            return Err(Refusal::CertificateExpired { fingerprint, not_after: self.not_after });
        }
        Ok(())
    }

    /// The kind of its key, and the key as verifiers take it: PKCS#1 or an uncompressed point.
    pub(crate) fn key(&self) -> (KeyKind, &[u8]) {
        (self.kind, &self.key)
    }
}

pub(crate) fn fingerprint(der: &[u8]) -> String {
    Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The length of the modulus of an RSA key in PKCS#1.
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus = reader.sequence(|parts| {
        let modulus = UintRef::decode(parts)?;
        let _exponent = UintRef::decode(parts)?;
        Ok(modulus)
    });
    let modulus = modulus.ok()?.as_bytes();
    let unused = usize::try_from(modulus.first()?.leading_zeros()).ok()?;
    Some(modulus.len() * 8 - unused)
}

fn key_of(info: &SubjectPublicKeyInfoRef<'_>) -> Result<(KeyKind, Vec<u8>), CertificateError> {
    let key = info.subject_public_key.raw_bytes().to_vec();
    let curve = info.algorithm.parameters_oid().ok();
    let kind = match info.algorithm.oid {
        RSA if modulus_bits(&key).is_some_and(|bits| RSA_BITS.contains(&bits)) => KeyKind::Rsa,
        ELLIPTIC_CURVE if curve == Some(P256) => KeyKind::P256,
        ELLIPTIC_CURVE if curve == Some(P384) => KeyKind::P384,
        _ => return Err(CertificateError::UnsuitableKey),
    };
    Ok((kind, key))
}
