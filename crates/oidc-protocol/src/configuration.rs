//! What a provider says of itself (OpenID Connect Discovery 1.0): its addresses and its keys.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use openidconnect::{
    IssuerUrl,
    core::{CoreJsonWebKeySet, CoreProviderMetadata},
};
use serde_json::Value;
use url::{Host, Url};

use crate::MAX_DOCUMENT_BYTES;

/// What an issuer's configuration is found by (Discovery §4).
const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The shortest modulus of an RSA key that counts, in bits.
const MIN_RSA_BITS: usize = 2_048;
/// The longest address, in bytes.
const MAX_ADDRESS_BYTES: usize = 1024;

/// A provider's addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Configuration {
    /// How it calls itself, to the letter.
    pub issuer: String,
    /// Where people are sent to sign in.
    pub authorization_url: String,
    /// Where a code is exchanged.
    pub token_url: String,
    /// Where its keys are.
    pub keys_url: String,
}

/// Why a configuration or keys are of no use. The words go to whoever set the provider up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// Longer than anything that is read.
    #[error("the provider's document is longer than {MAX_DOCUMENT_BYTES} bytes")]
    TooLarge,
    /// Not what Discovery demands.
    #[error("this is not an OpenID provider's configuration or key set")]
    Malformed,
    /// The document is about somebody else. Entra's for all tenants (`common`) is about nobody.
    #[error("the configuration is of another issuer; for Entra, use the address with your tenant's ID")]
    AnotherIssuer,
    /// It exchanges no codes.
    #[error("the provider has no token endpoint")]
    NoTokenUrl,
    /// An address that is not safe to use.
    #[error("the address of the {0} must begin with https://")]
    UnsafeUrl(&'static str),
    /// A longer address than is taken.
    #[error("the address of the {0} is longer than {MAX_ADDRESS_BYTES} bytes")]
    AddressTooLong(&'static str),
}

impl Configuration {
    /// Where an issuer's configuration is. Whoever gives that address itself, as Entra's *Endpoints* show it, gets it back.
    #[must_use]
    pub fn address_of(issuer: &str) -> String {
        if issuer_before(issuer).is_some() {
            return issuer.to_owned();
        }
        format!("{}{WELL_KNOWN}", issuer.trim_end_matches('/'))
    }

    /// Reads the configuration that was fetched from this address, which says whose it has to be (Discovery §4.1). An issuer
    /// with a slash at its end has the same address as one without.
    ///
    /// # Errors
    /// When it is none, is another issuer's, or has addresses that are not safe.
    pub fn read_from(address: &str, document: &[u8]) -> Result<Self, ConfigurationError> {
        let issuer = issuer_before(address).ok_or(ConfigurationError::AnotherIssuer)?;
        match Self::read(issuer, document) {
            Err(ConfigurationError::AnotherIssuer) => Self::read(&format!("{issuer}/"), document),
            other => other,
        }
    }

    /// Reads the configuration of this issuer.
    ///
    /// # Errors
    /// When it is none, is another issuer's, or has addresses that are not safe.
    pub fn read(issuer: &str, document: &[u8]) -> Result<Self, ConfigurationError> {
        let metadata: CoreProviderMetadata = read(document)?;
        // Discovery §4.3: exactly.
        if metadata.issuer().as_str() != issuer {
            return Err(ConfigurationError::AnotherIssuer);
        }
        let token_url = metadata.token_endpoint().ok_or(ConfigurationError::NoTokenUrl)?;
        let checked = |url: &str, what| {
            if url.len() > MAX_ADDRESS_BYTES {
                return Err(ConfigurationError::AddressTooLong(what));
            }
            if is_safe(url) { Ok(url.to_owned()) } else { Err(ConfigurationError::UnsafeUrl(what)) }
        };
        Ok(Self {
            issuer: checked(issuer, "issuer")?,
            authorization_url: checked(metadata.authorization_endpoint().as_str(), "authorization endpoint")?,
            token_url: checked(token_url.as_str(), "token endpoint")?,
            keys_url: checked(metadata.jwks_uri().as_str(), "keys")?,
        })
    }

    pub(crate) fn issuer_url(&self) -> Option<IssuerUrl> {
        IssuerUrl::new(self.issuer.clone()).ok()
    }
}

/// A provider's keys, as it published them.
#[derive(Debug, Clone)]
pub struct Keys(pub(crate) CoreJsonWebKeySet);

impl Keys {
    /// Reads a JWK set. Keys of kinds that are not known are passed over, as RFC 7517 §5 wants, and so are those that
    /// are too short.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(document: &[u8]) -> Result<Self, ConfigurationError> {
        let mut set: Value = read(document)?;
        if let Some(keys) = set.get_mut("keys").and_then(Value::as_array_mut) {
            keys.retain(is_long_enough);
        }
        serde_json::from_value(set).map(Self).map_err(|_malformed| ConfigurationError::Malformed)
    }
}

/// The issuer whose configuration an address is of. Entra's may have a query with an application's ID.
fn issuer_before(address: &str) -> Option<&str> {
    let (path, _) = address.split_once('?').unwrap_or((address, ""));
    path.strip_suffix(WELL_KNOWN)
}

/// RFC 7518 §3.3; the library takes any length.
fn is_long_enough(key: &Value) -> bool {
    if key.get("kty").and_then(Value::as_str) != Some("RSA") {
        return true;
    }
    let modulus = key.get("n").and_then(Value::as_str).unwrap_or_default();
    let modulus = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let modulus = modulus.get(zeros..).unwrap_or_default();
    // Its first byte must have its highest bit where the bytes are just enough.
    let least = MIN_RSA_BITS / 8;
    modulus.len() > least || (modulus.len() == least && modulus.first().is_some_and(|first| *first >= 0x80))
}

fn read<T: serde::de::DeserializeOwned>(document: &[u8]) -> Result<T, ConfigurationError> {
    if document.len() > MAX_DOCUMENT_BYTES {
        return Err(ConfigurationError::TooLarge);
    }
    serde_json::from_slice(document).map_err(|_malformed| ConfigurationError::Malformed)
}

/// HTTPS, or this machine itself, where people try things out.
fn is_safe(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Ipv4(host)) => host.is_loopback(),
        Some(Host::Ipv6(host)) => host.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let has_user = !url.username().is_empty() || url.password().is_some();
    let is_plain = address.chars().all(|character| character.is_ascii_graphic()) && url.fragment().is_none();
    is_plain && !has_user && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}
