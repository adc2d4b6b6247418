//! Who signs people in for a company: where they are sent, and whose signatures count.

use base64::Engine as _;
use url::{Host, Url};

use crate::{
    certificate::{Certificate, CertificateError},
    document::{self, Element, Fault, Gate, Vocabulary},
    limits::{MAX_CERTIFICATES, MAX_METADATA_BYTES},
    redirect,
};

/// The longest entity id (SAML core §8.3.6) and the longest address, in bytes.
const MAX_ADDRESS_BYTES: usize = 1024;

/// An identity provider, as its metadata describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityProvider {
    /// How it calls itself, to the letter.
    pub entity_id: String,
    /// Where people are sent to sign in, by HTTP-Redirect.
    pub single_sign_on_url: String,
    /// Where logouts are sent, by HTTP-Redirect, if it takes any.
    pub single_logout_url: Option<String>,
    /// What it signs with: a signature by any of them counts. Several are there while they are rolled over.
    pub certificates: Vec<Certificate>,
}

/// Why metadata is of no use. The words go to whoever pasted it or its address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// XML that is not looked at any further.
    #[error("the metadata cannot be read: {0}")]
    Document(Fault),
    /// Something else than the metadata of one provider.
    #[error(
        "this is not the SAML metadata of one identity provider (an EntityDescriptor with an IDPSSODescriptor). In \
         Entra, copy the 'App Federation Metadata Url'"
    )]
    NotAnIdentityProvider,
    /// No entity id, or too long a one.
    #[error("the metadata has no entityID, or one that is longer than {MAX_ADDRESS_BYTES} bytes")]
    EntityId,
    /// It takes no request by HTTP-Redirect.
    #[error("the identity provider has no SingleSignOnService for HTTP-Redirect")]
    NoSignOnUrl,
    /// An address that is not safe to send people to.
    #[error("the address of a {0} in the metadata must begin with https://")]
    UnsafeUrl(&'static str),
    /// It signs with nothing.
    #[error("the metadata has no certificate for signatures")]
    NoCertificate,
    /// More than are tried.
    #[error("the metadata has more than {MAX_CERTIFICATES} certificates for signatures")]
    TooManyCertificates,
    /// A certificate is of no use.
    #[error("a certificate of the metadata is of no use: {0}")]
    Certificate(CertificateError),
}

impl IdentityProvider {
    /// Reads SAML metadata, Entra's federation metadata among it; what other protocols say in it is passed over.
    ///
    /// A signature on it proves nothing that is not proved otherwise, and is not looked at: the metadata is believed
    /// because an administrator pasted it, or because it came over HTTPS from the address that they pasted.
    ///
    /// # Errors
    /// When it cannot be read, describes no identity provider, or one that people should not be sent to.
    pub fn read_metadata(xml: &str) -> Result<Self, MetadataError> {
        // Microsoft's begins with a byte order mark.
        let xml = xml.trim_start_matches('\u{feff}').trim();
        let gate = Gate { max_bytes: MAX_METADATA_BYTES, accepts_comments: true };
        let entity = document::read(xml, gate).map_err(MetadataError::Document)?;
        if !entity.is(Vocabulary::Metadata, "EntityDescriptor") {
            return Err(MetadataError::NotAnIdentityProvider);
        }
        let descriptor = entity
            .only_child(Vocabulary::Metadata, "IDPSSODescriptor")
            .filter(|descriptor| speaks_saml_2(descriptor))
            .ok_or(MetadataError::NotAnIdentityProvider)?;
        let entity_id = entity.attribute("entityID").filter(|id| (1..=MAX_ADDRESS_BYTES).contains(&id.len()));
        let single_sign_on_url = address(descriptor, "SingleSignOnService")?;
        Ok(Self {
            entity_id: entity_id.ok_or(MetadataError::EntityId)?.to_owned(),
            single_sign_on_url: single_sign_on_url.ok_or(MetadataError::NoSignOnUrl)?,
            single_logout_url: address(descriptor, "SingleLogoutService")?,
            certificates: certificates(descriptor)?,
        })
    }
}

/// SAML metadata §2.4.1.
fn speaks_saml_2(descriptor: &Element) -> bool {
    let protocols = descriptor.attribute("protocolSupportEnumeration").unwrap_or_default();
    protocols.split_ascii_whitespace().any(|protocol| protocol == document::PROTOCOL)
}

/// The address of a service that takes HTTP-Redirect.
fn address(descriptor: &Element, service: &'static str) -> Result<Option<String>, MetadataError> {
    let mut services = descriptor.children(Vocabulary::Metadata, service);
    let by_redirect = services.find(|service| service.attribute("Binding") == Some(redirect::BINDING));
    let Some(location) = by_redirect.and_then(|service| service.attribute("Location")) else {
        return Ok(None);
    };
    if is_safe(location) { Ok(Some(location.to_owned())) } else { Err(MetadataError::UnsafeUrl(service)) }
}

/// HTTPS, or this machine itself, where people try things out. RFC 9700 §2.6 draws the same line.
fn is_safe(location: &str) -> bool {
    let Ok(url) = Url::parse(location) else { return false };
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let has_nothing_odd = location.len() <= MAX_ADDRESS_BYTES
        && location.chars().all(|character| character.is_ascii_graphic())
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    has_nothing_odd && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback))
}

fn certificates(descriptor: &Element) -> Result<Vec<Certificate>, MetadataError> {
    let mut certificates: Vec<Certificate> = Vec::new();
    // SAML metadata §2.4.1.1: a key without a use is for both.
    let keys = descriptor
        .children(Vocabulary::Metadata, "KeyDescriptor")
        .filter(|key| matches!(key.attribute("use"), None | Some("signing")));
    let texts = keys.flat_map(Element::all).filter(|part| part.is(Vocabulary::Signature, "X509Certificate"));
    for text in texts {
        let certificate = certificate(text.text().unwrap_or_default()).map_err(MetadataError::Certificate)?;
        // Entra lists the same one several times.
        if certificates.iter().any(|known| known.der == certificate.der) {
            continue;
        }
        if certificates.len() == MAX_CERTIFICATES {
            return Err(MetadataError::TooManyCertificates);
        }
        certificates.push(certificate);
    }
    if certificates.is_empty() { Err(MetadataError::NoCertificate) } else { Ok(certificates) }
}

fn certificate(base64: &str) -> Result<Certificate, CertificateError> {
    let der = decoded(base64).ok_or(CertificateError::Malformed)?;
    Certificate::from_der(&der)
}

/// Base64 in XML, which may be broken into lines (XML Schema §3.2.16).
pub(crate) fn decoded(base64: &str) -> Option<Vec<u8>> {
    let compact: String = base64.chars().filter(|character| !character.is_ascii_whitespace()).collect();
    base64::engine::general_purpose::STANDARD.decode(compact).ok()
}
