//! From a response that a browser brought to an assertion that is believed, or the reason why it is not.
//!
//! The order is the defence: the gate, then what the identity provider says of itself, then the shape of signatures,
//! then every promise of the assertion, and the signature itself last, over a message in which nothing else is left to
//! find. What is returned was read by the gate's reader and, by the library that verified, read the same.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::{
    assertion::Assertion,
    certificate::fingerprint,
    conditions,
    document::{self, Element, Fault, Gate, Vocabulary},
    identity_provider::{IdentityProvider, decoded},
    instant,
    limits::{
        CLOCK_SKEW, MAX_AGE, MAX_CLAIM_BYTES, MAX_CLAIM_VALUES, MAX_CLAIMS, MAX_MESSAGE_BYTES, MAX_NAME_BYTES,
    },
    redirect,
    refusal::{Refusal, bounded, repeated},
    service_provider::ServiceProvider,
    signature, verification,
};

/// Responses pass the gate as they are; nothing is forgiven.
pub(crate) const GATE: Gate = Gate { max_bytes: MAX_MESSAGE_BYTES, accepts_comments: false };
/// The part that all status codes of SAML have.
const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status:";
pub(crate) const STATUS_SUCCESS: &str = "urn:oasis:names:tc:SAML:2.0:status:Success";
/// The attributes that are points in time.
const INSTANTS: [&str; 5] =
    ["IssueInstant", "NotBefore", "NotOnOrAfter", "SessionNotOnOrAfter", "AuthnInstant"];

/// Which request a response may answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expected<'a> {
    /// The request that this browser made, if it made one that is still open.
    pub request_id: Option<&'a str>,
    /// Whether the company lets sign-ins begin at the identity provider.
    pub allows_unsolicited: bool,
}

/// What a response says of itself. Nothing of it is proved: it only serves to find out whose certificates it must be
/// verified with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unproven {
    /// Who made it, as it says.
    pub issuer: String,
}

impl Unproven {
    /// Reads what a `SAMLResponse` says of itself.
    ///
    /// # Errors
    /// When it does not pass the gate, or is no response from anybody.
    pub fn read(saml_response: &str) -> Result<Self, Refusal> {
        let (_, response) = response(saml_response)?;
        Self::of(&response)
    }

    /// Reads what a request for a logout says of itself.
    ///
    /// # Errors
    /// When it does not pass the gate, or is no message from anybody.
    pub fn read_logout(raw_query: &str) -> Result<Self, Refusal> {
        Self::of(&document::read(&redirect::read(raw_query)?.xml, GATE)?)
    }

    fn of(message: &Element) -> Result<Self, Refusal> {
        let issuer = message.only_child(Vocabulary::Assertion, "Issuer").or_else(|| {
            let assertion = message.only_child(Vocabulary::Assertion, "Assertion")?;
            assertion.only_child(Vocabulary::Assertion, "Issuer")
        });
        let issuer = issuer.and_then(Element::text).unwrap_or_default();
        let issuer = bounded(issuer, "an Issuer", MAX_NAME_BYTES)?;
        if issuer.is_empty() {
            return Err(Refusal::WrongIssuer { received: String::new() });
        }
        Ok(Self { issuer: issuer.to_owned() })
    }
}

impl ServiceProvider {
    /// What the identity provider proved of a person with this `SAMLResponse`, once: whoever calls this keeps
    /// [`Assertion::assertion_id`] and takes each only once.
    ///
    /// # Errors
    /// The first reason not to believe it.
    pub fn accept(
        &self,
        idp: &IdentityProvider,
        saml_response: &str,
        expected: Expected<'_>,
        now: DateTime<Utc>,
    ) -> Result<Assertion, Refusal> {
        let (xml, response) = response(saml_response)?;
        check_status(&response)?;
        let assertion = only_assertion(&response)?;
        check_issuers(&response, assertion, idp)?;
        signature::check(&response, assertion)?;
        let request_id = self.check_envelope(&response, expected, now)?;
        let claims = conditions::check(assertion, self, request_id, now)?;
        check_instants(&response)?;
        let (certificate, reading) = verification::verify(self, idp, &xml, request_id, now)
            .map_err(|refusal| blame(refusal, &response, idp))?;
        certificate.check_time(now)?;
        let assertion_id = required(assertion, "ID")?.to_owned();
        let attributes = attributes(assertion)?;
        let proved = verification::Reading {
            assertion_id: assertion_id.clone(),
            issuer: idp.entity_id.clone(),
            name_id: claims.name_id.clone(),
            claims: attributes.clone(),
        };
        let proved = proved.without_blanks();
        if reading != proved {
            return Err(Refusal::ReadersDisagree);
        }
        Ok(Assertion {
            assertion_id,
            issuer: proved.issuer,
            name_id: claims.name_id,
            name_id_format: claims.name_id_format,
            authn_instant: claims.authn_instant,
            session_index: claims.session_index,
            session_not_on_or_after: claims.session_not_on_or_after,
            attributes,
            good_until: claims.issued_at + MAX_AGE + CLOCK_SKEW,
            signed_with: certificate.fingerprint_sha256.clone(),
        })
    }

    /// Checks where and when the response was sent, and returns the request that it answers.
    fn check_envelope<'a>(
        &self,
        response: &Element,
        expected: Expected<'a>,
        now: DateTime<Utc>,
    ) -> Result<Option<&'a str>, Refusal> {
        // Bindings §3.5.5.2: a signed message says where it goes. Entra always does.
        let destination = response.attribute("Destination").unwrap_or_default();
        if destination != self.assertion_consumer_url {
            return Err(Refusal::WrongDestination { received: repeated(destination) });
        }
        check_issue_instant(response, now)?;
        match (response.attribute("InResponseTo"), expected.request_id) {
            (Some(answered), Some(asked)) if answered == asked => Ok(Some(asked)),
            (Some(_), _) => Err(Refusal::UnknownRequest),
            (None, _) if expected.allows_unsolicited => Ok(None),
            (None, _) => Err(Refusal::Unsolicited),
        }
    }
}

/// The decoded message and its tree, if it is a SAML 2.0 response at all.
fn response(saml_response: &str) -> Result<(String, Element), Refusal> {
    // Base64 is a third longer than what it encodes, and may be broken into lines.
    if saml_response.len() > MAX_MESSAGE_BYTES * 3 / 2 {
        return Err(Fault::TooLarge(MAX_MESSAGE_BYTES).into());
    }
    let bytes = decoded(saml_response).ok_or(Refusal::NotEncoded)?;
    let xml = String::from_utf8(bytes).map_err(|_not_utf8| Fault::NotXml)?;
    let response = document::read(&xml, GATE)?;
    if !response.is(Vocabulary::Protocol, "Response") || response.attribute("Version") != Some("2.0") {
        return Err(Refusal::UnexpectedMessage);
    }
    Ok((xml, response))
}

/// Core §3.2.2.2. What the message in words says is not repeated: Entra writes people's names there.
fn check_status(response: &Element) -> Result<(), Refusal> {
    let status =
        response.only_child(Vocabulary::Protocol, "Status").ok_or(Refusal::Malformed("one Status"))?;
    let code =
        status.only_child(Vocabulary::Protocol, "StatusCode").ok_or(Refusal::Malformed("one StatusCode"))?;
    let codes: Vec<&str> = code.all().filter_map(|code| code.attribute("Value")).collect();
    if codes.first() == Some(&STATUS_SUCCESS) {
        return Ok(());
    }
    let codes: Vec<&str> = codes.iter().map(|code| code.strip_prefix(STATUS).unwrap_or(code)).collect();
    let message = status.only_child(Vocabulary::Protocol, "StatusMessage").and_then(Element::text);
    Err(Refusal::Status { codes: repeated(&codes.join(", ")), entra_error: message.and_then(entra_error) })
}

/// `AADSTS` and its number.
fn entra_error(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("AADSTS")?;
    let number: String = rest.chars().take_while(char::is_ascii_digit).take(10).collect();
    (!number.is_empty()).then(|| format!("AADSTS{number}"))
}

/// The only assertion anywhere, which stands where it belongs.
fn only_assertion(response: &Element) -> Result<&Element, Refusal> {
    // Whatever their namespaces: readers have been found that look at local names only.
    let count = |name: &str| response.all().filter(|element| element.name == name).count();
    if count("EncryptedAssertion") > 0 {
        return Err(Refusal::Encrypted);
    }
    match count("Assertion") {
        0 => return Err(Refusal::NoAssertion),
        1 => {}
        _ => return Err(Refusal::SeveralAssertions),
    }
    let assertion = response.only_child(Vocabulary::Assertion, "Assertion").ok_or(Refusal::Wrapped)?;
    if assertion.attribute("Version") != Some("2.0") {
        return Err(Refusal::UnexpectedMessage);
    }
    Ok(assertion)
}

/// Core §2.2.5: the issuer is the entity, named by its id. The response may leave it out, the assertion may not.
fn check_issuers(response: &Element, assertion: &Element, idp: &IdentityProvider) -> Result<(), Refusal> {
    let of_response = response.children(Vocabulary::Assertion, "Issuer");
    let of_assertion = assertion.only_child(Vocabulary::Assertion, "Issuer");
    let of_assertion = of_assertion.ok_or(Refusal::Malformed("an assertion with one Issuer"))?;
    for issuer in of_response.chain([of_assertion]) {
        let received = issuer.text().unwrap_or_default();
        if received != idp.entity_id {
            return Err(Refusal::WrongIssuer { received: repeated(received) });
        }
    }
    Ok(())
}

/// Checks that every time can be read, also those that nothing here depends on: the library reads them too.
fn check_instants(response: &Element) -> Result<(), Refusal> {
    for part in response.all() {
        for instant in INSTANTS {
            instant_of(part, instant)?;
        }
    }
    Ok(())
}

/// Checks when a message was issued, and returns it.
pub(crate) fn check_issue_instant(message: &Element, now: DateTime<Utc>) -> Result<DateTime<Utc>, Refusal> {
    let issued_at = instant_of(message, "IssueInstant")?.ok_or(Refusal::Malformed("an IssueInstant"))?;
    if issued_at > now + CLOCK_SKEW {
        return Err(Refusal::NotYetValid { at: issued_at });
    }
    if issued_at < now - MAX_AGE - CLOCK_SKEW {
        return Err(Refusal::Stale { issued_at });
    }
    Ok(issued_at)
}

/// A point in time, if the attribute is there.
pub(crate) fn instant_of(element: &Element, attribute: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
    let read = |text| instant::read(text).ok_or(Refusal::Malformed("points in time in UTC"));
    element.attribute(attribute).map(read).transpose()
}

pub(crate) fn required<'a>(element: &'a Element, attribute: &'static str) -> Result<&'a str, Refusal> {
    let value = element.attribute(attribute).filter(|value| !value.is_empty());
    bounded(value.ok_or(Refusal::Malformed(attribute))?, attribute, MAX_NAME_BYTES)
}

/// A name, if the attribute is there.
pub(crate) fn name_of(element: &Element, attribute: &'static str) -> Result<Option<String>, Refusal> {
    let read = |name| bounded(name, attribute, MAX_NAME_BYTES).map(str::to_owned);
    element.attribute(attribute).map(read).transpose()
}

/// A signature that does not fit says more when it names a certificate that is not the identity provider's.
fn blame(refusal: Refusal, response: &Element, idp: &IdentityProvider) -> Refusal {
    let is_strange = |text: &str| {
        decoded(text).is_none_or(|der| {
            let fingerprint = fingerprint(&der);
            !idp.certificates.iter().any(|certificate| certificate.fingerprint_sha256 == fingerprint)
        })
    };
    if refusal == Refusal::BadSignature && signature::named_certificates(response).any(is_strange) {
        return Refusal::WrongKey;
    }
    refusal
}

/// The claims (core §2.7.3). Those of one name are taken together, because products differ in how they send several
/// values. A value that is no text is left out.
fn attributes(assertion: &Element) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
    let mut attributes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut count = 0;
    let statements = assertion.children(Vocabulary::Assertion, "AttributeStatement");
    for attribute in statements.flat_map(|statement| statement.children(Vocabulary::Assertion, "Attribute")) {
        let values = attributes.entry(required(attribute, "Name")?.to_owned()).or_default();
        for value in attribute.children(Vocabulary::Assertion, "AttributeValue").filter_map(Element::text) {
            values.push(bounded(value, "the value of a claim", MAX_CLAIM_BYTES)?.to_owned());
            count += 1;
        }
        if attributes.len() > MAX_CLAIMS || count > MAX_CLAIM_VALUES {
            return Err(Refusal::TooManyClaims);
        }
    }
    Ok(attributes)
}
