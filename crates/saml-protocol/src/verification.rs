//! The one place that knows the library for XML signatures (`saml-rs`, over `bergshamra`), so that it can be replaced.
//!
//! It is asked last, about a message of which the gate, the rules for signatures and our own checks have left only the
//! question whether the key fits; what it checks besides, by the rules that it recommends, is a second opinion.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use chrono::{DateTime, Utc};
use quick_xml::escape::escape;
use saml_rs::{
    AcsEndpoint, AssertionSignaturePolicy, AudienceValidationPolicy, BrowserInput, ClockSkew, EntityId,
    FormField, IdpDescriptor, MessageId, MetadataTrustPolicy, PendingAuthnRequest, RelayStateParam,
    ReplayPolicy, Saml, SamlError, SamlValidationContext, Sp, SpConfig, SpValidationPolicy, SsoResponse,
    SsoResponseBinding, SsoSession, VerifiedXmlSignatureCoverage, XmlPolicy,
};

use crate::{
    certificate::Certificate,
    document::{METADATA, PROTOCOL, SIGNATURE, trimmed},
    identity_provider::IdentityProvider,
    limits::{
        CLOCK_SKEW, MAX_DEPTH, MAX_ELEMENTS, MAX_MESSAGE_BYTES, MAX_XML_ATTRIBUTE_BYTES, MAX_XML_ATTRIBUTES,
    },
    redirect,
    refusal::Refusal,
    service_provider::ServiceProvider,
};

/// What the library read in the assertion that it verified. It names people, so it cannot be logged.
#[derive(PartialEq, Eq)]
pub(crate) struct Reading {
    pub(crate) assertion_id: String,
    pub(crate) issuer: String,
    pub(crate) name_id: String,
    /// People are found by one of them. Several values come in one claim or in one claim each; where some come so and
    /// some otherwise, the library loses values, and the readings differ.
    pub(crate) claims: BTreeMap<String, Vec<String>>,
}

impl Reading {
    /// The same without values that are no text, for which the library has an empty one.
    pub(crate) fn without_blanks(mut self) -> Self {
        for values in self.claims.values_mut() {
            values.retain(|value| !value.is_empty());
        }
        self.claims.retain(|_, values| !values.is_empty());
        self
    }
}

/// Which of the identity provider's certificates the assertion was signed with, and what was read in it.
///
/// Each certificate is tried by itself, because whoever set the company up wants to know which one it was.
pub(crate) fn verify<'a>(
    sp: &ServiceProvider,
    idp: &'a IdentityProvider,
    xml: &str,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<(&'a Certificate, Reading), Refusal> {
    let library = service_provider(sp).map_err(|unusable| Refusal::Library(word_for(&unusable)))?;
    let mut first = None;
    for certificate in &idp.certificates {
        match verify_by(&library, sp, idp, certificate, xml, request_id, now) {
            Ok(session) => return Ok((certificate, reading(&session)?)),
            Err(
                SamlError::SignatureVerification { .. }
                | SamlError::CertificateMismatch
                | SamlError::AssertionSignatureRequired
                | SamlError::Crypto(_),
            ) => {}
            Err(error) => first = first.or(Some(Refusal::Library(word_for(&error)))),
        }
    }
    Err(first.unwrap_or(Refusal::BadSignature))
}

/// The kind of an error, for logs. Its own text repeats what the message says, people's names among it.
const fn word_for(error: &SamlError) -> &'static str {
    match error {
        SamlError::Xml(_) => "library_xml",
        SamlError::Invalid(_) => "library_invalid",
        SamlError::ProtocolProfile(_) => "library_profile",
        SamlError::Unsupported(_) | SamlError::UnsupportedBinding { .. } => "library_unsupported",
        SamlError::IssuerMismatch { .. } => "library_issuer",
        SamlError::DestinationMismatch { .. } => "library_destination",
        SamlError::InResponseToMismatch { .. } | SamlError::InvalidInResponseTo => "library_request",
        SamlError::AudienceMismatch { .. } => "library_audience",
        SamlError::UnrecognizedCondition { .. } => "library_condition",
        SamlError::PrincipalMismatch => "library_principal",
        SamlError::StatusNotSuccess { .. } | SamlError::UndefinedStatus => "library_status",
        SamlError::TimeWindowInvalid { .. } => "library_time",
        SamlError::SubjectConfirmationInvalid { .. } => "library_subject",
        SamlError::SignatureMissing => "library_unsigned",
        SamlError::ReferenceResolution { .. } | SamlError::SignedReferenceMismatch => "library_reference",
        SamlError::AlgorithmUnsupported => "library_algorithm",
        SamlError::NoTrustedCertificate => "library_certificate",
        SamlError::PotentialWrappingAttack => "library_wrapping",
        SamlError::MissingMetadata(_) => "library_metadata",
        _ => "library_other",
    }
}

fn service_provider(sp: &ServiceProvider) -> Result<Saml<Sp>, SamlError> {
    let validation = SpValidationPolicy {
        assertions: AssertionSignaturePolicy::RequireSigned,
        audience: AudienceValidationPolicy::Validate,
        ..SpValidationPolicy::recommended()
    };
    let mut xml = XmlPolicy::default();
    xml.limits.max_bytes = MAX_MESSAGE_BYTES;
    xml.limits.max_depth = MAX_DEPTH;
    xml.limits.max_nodes = MAX_ELEMENTS;
    xml.limits.max_attributes_per_element = MAX_XML_ATTRIBUTES;
    xml.limits.max_attribute_value_bytes = MAX_XML_ATTRIBUTE_BYTES;
    let config = SpConfig::builder(EntityId::try_new(&sp.entity_id)?)
        .acs_endpoint(AcsEndpoint::post(&sp.assertion_consumer_url)?)
        .validation(validation)
        .xml(xml)
        .build()?;
    Saml::sp(config)
}

fn verify_by(
    library: &Saml<Sp>,
    sp: &ServiceProvider,
    idp: &IdentityProvider,
    certificate: &Certificate,
    xml: &str,
    request_id: Option<&str>,
    now: DateTime<Utc>,
) -> Result<SsoSession, SamlError> {
    let entity_id = EntityId::try_new(&idp.entity_id)?;
    let descriptor = IdpDescriptor::from_metadata_xml_for(
        entity_id.clone(),
        &metadata_of(idp, certificate),
        MetadataTrustPolicy::UnsignedForCompatibility,
    )?;
    let input = BrowserInput::<SsoResponse>::post(vec![FormField::new("SAMLResponse", BASE64.encode(xml))]);
    let skew = CLOCK_SKEW.num_milliseconds();
    // Who accepts an assertion twice is known to all instances, and this is one function call.
    let context = SamlValidationContext::new(now.into(), ReplayPolicy::DisabledForCompatibility)
        .with_clock_skew(ClockSkew::from_millis(-skew, skew));
    match request_id {
        None => library.accept_unsolicited_sso(&descriptor, input, context),
        Some(request_id) => {
            let pending = PendingAuthnRequest::try_new(
                MessageId::try_new(request_id)?,
                RelayStateParam::absent(),
                AcsEndpoint::post(&sp.assertion_consumer_url)?,
                SsoResponseBinding::Post,
                entity_id,
            )?;
            library.finish_sso(&descriptor, &pending, input, context)
        }
    }
}

/// The identity provider as the library wants it described, with one certificate.
fn metadata_of(idp: &IdentityProvider, certificate: &Certificate) -> String {
    format!(
        r#"<EntityDescriptor xmlns="{METADATA}" entityID="{entity_id}"><IDPSSODescriptor protocolSupportEnumeration="{PROTOCOL}"><KeyDescriptor use="signing"><KeyInfo xmlns="{SIGNATURE}"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="{binding}" Location="{location}"/></IDPSSODescriptor></EntityDescriptor>"#,
        entity_id = escape(&idp.entity_id),
        certificate = BASE64.encode(&certificate.der),
        binding = redirect::BINDING,
        location = escape(&idp.single_sign_on_url),
    )
}

fn reading(session: &SsoSession) -> Result<Reading, Refusal> {
    let covers_assertion = session.verified_xml_signatures().iter().any(|signature| {
        matches!(
            signature.coverage(),
            VerifiedXmlSignatureCoverage::ConsumedAssertion
                | VerifiedXmlSignatureCoverage::ResponseRootAndConsumedAssertion
        )
    });
    if !covers_assertion {
        return Err(Refusal::ReadersDisagree);
    }
    let claims = session.attributes().as_slice().iter().map(|claim| {
        let values = claim.values().iter().map(|value| trimmed(value.as_str()).to_owned());
        (claim.name().to_owned(), values.collect())
    });
    let reading = Reading {
        claims: claims.collect(),
        assertion_id: session.assertion_id().as_str().to_owned(),
        issuer: session.issuer().as_str().to_owned(),
        name_id: session.name_id().value().to_owned(),
    };
    Ok(reading.without_blanks())
}
