//! A certificate with its key: can it be shown to callers?

use std::{fmt, sync::Arc, time::Duration};

use rustls::{
    InconsistentKeys,
    crypto::ring::sign::any_supported_type,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    sign::CertifiedKey,
};
use x509_cert::{Certificate, der::Decode as _};

use super::{CERTIFICATE, KEY, files::Contents};
use crate::clock::Clock;

/// A certificate that is valid now, with those that lead to its root and with its key.
pub(super) struct Identity {
    pub(super) certified: Arc<CertifiedKey>,
    /// Since 1970.
    pub(super) expires: Duration,
}

impl fmt::Debug for Identity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Why a pair of files cannot be used; each completes a sentence that begins with the setting's name.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    #[error("cannot be read: {0}")]
    CertificateUnreadable(std::io::Error),
    #[error("cannot be read: {0}")]
    KeyUnreadable(std::io::Error),
    #[error("must hold the server's certificate in PEM, followed by those that lead to its root")]
    NoCertificate,
    #[error(
        "must hold a private key in PEM, without a passphrase: RSA of 2048 bits or more, ECDSA P-256 or P-384, or Ed25519"
    )]
    NoKey,
    #[error("is the key of another certificate")]
    Mismatch,
    #[error("expired {} ago: install its successor", ago(.0))]
    Expired(Duration),
    #[error("is not valid for another {}: is the clock right?", ago(.0))]
    NotYetValid(Duration),
}

impl Unusable {
    /// The setting that names the file to blame.
    pub(super) const fn setting(&self) -> &'static str {
        match self {
            Self::KeyUnreadable(_) | Self::NoKey | Self::Mismatch => KEY,
            _ => CERTIFICATE,
        }
    }

    /// The whole sentence.
    pub(super) fn of_setting(&self) -> String {
        format!("{} {self}", self.setting())
    }
}

impl Identity {
    /// Checks everything that can be checked without knowing what callers trust.
    pub(super) fn read(contents: &Contents, clock: &Clock) -> Result<Self, Unusable> {
        let chain = CertificateDer::pem_slice_iter(&contents.certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_malformed| Unusable::NoCertificate)?;
        let first = chain.first().ok_or(Unusable::NoCertificate)?;
        let validity = Certificate::from_der(first)
            .map_err(|_malformed| Unusable::NoCertificate)?
            .tbs_certificate
            .validity;
        let (begins, expires) =
            (validity.not_before.to_unix_duration(), validity.not_after.to_unix_duration());

        // What went wrong in here is not repeated: it might say something of the key.
        let key = PrivateKeyDer::from_pem_slice(&contents.key).map_err(|_malformed| Unusable::NoKey)?;
        let key = any_supported_type(&key).map_err(|_unsupported| Unusable::NoKey)?;
        let certified = CertifiedKey::new(chain, key);
        match certified.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
            Err(rustls::Error::InconsistentKeys(_)) => return Err(Unusable::Mismatch),
            Err(_malformed) => return Err(Unusable::NoCertificate),
        }

        let now = clock.since_epoch();
        if now >= expires {
            return Err(Unusable::Expired(now - expires));
        }
        if now < begins {
            return Err(Unusable::NotYetValid(begins - now));
        }
        Ok(Self { certified: Arc::new(certified), expires })
    }
}

/// A length of time in words that need not be exact.
fn ago(time: &Duration) -> String {
    match time.as_secs() {
        seconds @ ..7_200 => format!("{} minutes", seconds / 60),
        seconds @ ..172_800 => format!("{} hours", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
