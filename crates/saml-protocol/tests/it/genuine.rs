//! What is genuine is accepted, and read whole.

use chrono::{TimeDelta, Utc};
use saml_protocol::{Expected, refusal::Refusal, response::Unproven};
use serde_json::json;

use crate::{
    peer::{
        EXPECTED, NAME, REQUEST, ROLE, accept, accept_at, between, encoded, genuine, idp, issued_at,
        ourselves, replaced, response,
    },
    signing::{Template, altered, unsigned},
};

#[test]
fn an_assertion_that_is_signed_is_accepted_and_read_whole() {
    let xml = genuine();
    let assertion = accept(&xml).unwrap();
    assert_eq!(assertion.issuer, idp().entity_id);
    assert_eq!(assertion.name_id, NAME);
    let format = assertion.name_id_format.as_deref();
    assert_eq!(format, Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"));
    assert!(assertion.session_index.is_some());
    assert_eq!(assertion.attributes[ROLE], ["administrator", "auditor"]);
    assert_eq!(assertion.only_value("department"), Some("Payroll & Time"));
    assert_eq!(assertion.only_value(ROLE), None, "which of the two would be meant?");
    assert_eq!(assertion.signed_with, idp().certificates[0].fingerprint_sha256);
    let issued_at = issued_at(between(&xml, "<ns1:Assertion", ">"));
    assert_eq!(assertion.good_until, issued_at + TimeDelta::minutes(12));
    let authenticated = (assertion.authn_instant - issued_at).abs();
    assert!(authenticated < TimeDelta::minutes(1), "{authenticated}");
}

#[test]
fn response_and_assertion_may_both_be_signed() {
    let assertion = accept(&response(&json!({"sign_response": true}))).unwrap();
    assert_eq!(assertion.name_id, NAME);
}

#[test]
fn stronger_hashes_are_accepted() {
    for (hash, digest) in [
        ("sha384", "http://www.w3.org/2001/04/xmldsig-more#sha384"),
        ("sha512", "http://www.w3.org/2001/04/xmlenc#sha512"),
    ] {
        let method = format!("http://www.w3.org/2001/04/xmldsig-more#rsa-{hash}");
        accept(&response(&json!({"sign_alg": method, "digest_alg": digest}))).unwrap();
    }
}

#[test]
fn every_assertion_has_an_identifier_of_its_own() {
    let ids = [genuine(), genuine()].map(|xml| accept(&xml).unwrap().assertion_id);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn the_same_response_gives_the_same_identifier_so_that_it_can_be_taken_once() {
    let xml = genuine();
    let (first, again) = (accept(&xml).unwrap(), accept(&xml).unwrap());
    assert_eq!((first.issuer, first.assertion_id), (again.issuer, again.assertion_id));
}

/// Of two confirmations the first may hold for a moment and the second for ever: it could be taken once by each.
#[test]
fn an_assertion_is_remembered_for_as_long_as_it_could_be_taken_again() {
    let xml = unsigned();
    let [of_response, of_assertion] = ["<ns0:Response", "<ns1:Assertion"].map(|tag| {
        let tag = between(&xml, tag, ">");
        between(tag, " IssueInstant=\"", "Z\"")
    });
    // They may be a second apart.
    let xml = xml.replace(of_assertion, of_response);
    let issued_at = issued_at(&xml);
    let confirmation = between(&xml, "<ns1:SubjectConfirmation ", "</ns1:SubjectConfirmation>").to_owned();
    let end = between(&confirmation, "NotOnOrAfter=\"", "Z\"").to_owned();
    let ending = |at: &str| confirmation.replace(&end, &format!("NotOnOrAfter=\"{at}\""));
    let soon = (issued_at + TimeDelta::minutes(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let both = ending(&soon) + &ending("9998-12-31T23:59:59Z");
    let xml = Template::default().sign(&replaced(&xml, &confirmation, &both));
    let last = issued_at + TimeDelta::minutes(12);
    for now in [issued_at, last] {
        assert_eq!(accept_at(&xml, now).unwrap().good_until, last);
    }
    assert_eq!(accept_at(&xml, last + TimeDelta::seconds(1)).unwrap_err().as_str(), "stale");
}

#[test]
fn base64_may_be_broken_into_lines() {
    let mut text = encoded(&genuine());
    for position in (76..text.len()).step_by(78) {
        text.insert_str(position, "\r\n");
    }
    ourselves().accept(&idp(), &text, EXPECTED, Utc::now()).unwrap();
}

/// As Entra sends it: default namespaces, no `Type`, fractions of a second, no response signature, one value per role,
/// a `KeyInfo` in the assertion's signature.
#[test]
fn entras_shape_is_accepted() {
    let now = Utc::now();
    let instant =
        |offset: i64| (now + TimeDelta::minutes(offset)).format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let xml = include_str!("../../testdata/entra-response.xml")
        .replace("{now}", &instant(0))
        .replace("{before}", &instant(-5))
        .replace("{end}", &instant(60))
        .replace("{issuer}", &idp().entity_id)
        .replace("{request}", REQUEST);
    let xml = Template::default().sign_entras(&xml);
    let assertion = accept(&xml).unwrap();
    assert_eq!(assertion.name_id, NAME);
    assert_eq!(assertion.attributes[ROLE], ["administrator"]);
    let object_id = "http://schemas.microsoft.com/identity/claims/objectidentifier";
    assert_eq!(assertion.only_value(object_id), Some("8c3f0f6e-0c0e-4a0b-9f6e-0a3a1b2c3d4e"));
    assert!(assertion.session_index.is_some());
}

#[test]
fn an_answer_to_nothing_is_accepted_only_where_that_is_allowed() {
    let xml = response(&json!({"in_response_to": null}));
    let accept = |expected| ourselves().accept(&idp(), &encoded(&xml), expected, Utc::now());
    let allowed = Expected { request_id: None, allows_unsolicited: true };
    accept(allowed).unwrap();
    accept(Expected { request_id: Some(REQUEST), ..allowed }).unwrap();
    assert_eq!(accept(Expected::default()), Err(Refusal::Unsolicited));
}

#[test]
fn what_a_response_says_of_itself_is_read_before_it_is_proved() {
    let unproven = Unproven::read(&encoded(&unsigned())).unwrap();
    assert_eq!(unproven.issuer, idp().entity_id);
}

#[test]
fn a_response_without_an_issuer_of_its_own_is_accepted() {
    let xml = unsigned();
    let issuer = between(&xml, "<ns1:Issuer", "</ns1:Issuer>").to_owned();
    let without = xml.replacen(&issuer, "", 1);
    accept(&Template::default().sign(&without)).unwrap();
}

#[test]
fn a_name_with_entities_is_read_whole() {
    let assertion = accept(&altered(NAME, "o&apos;brien &amp; s&#246;hne&#x40;contoso.com")).unwrap();
    assert_eq!(assertion.name_id, "o'brien & söhne@contoso.com");
}

#[test]
fn one_time_use_is_a_condition_that_is_kept_anyway() {
    let xml = altered("</ns1:Conditions>", "<ns1:OneTimeUse/></ns1:Conditions>");
    accept(&xml).unwrap();
}

/// As other products send identifiers that are no text, and claims that are empty.
#[test]
fn values_that_are_no_text_are_left_out() {
    let end = "</ns1:AttributeStatement>";
    let more = r#"<ns1:Attribute Name="opaque"><ns1:AttributeValue> <ns1:NameID>x</ns1:NameID></ns1:AttributeValue></ns1:Attribute><ns1:Attribute Name="empty"><ns1:AttributeValue/></ns1:Attribute><ns1:Attribute Name="none"/><ns1:Attribute Name="wide"><ns1:AttributeValue>
  text </ns1:AttributeValue></ns1:Attribute>"#;
    let assertion = accept(&altered(end, &format!("{more}{end}"))).unwrap();
    assert_eq!(assertion.only_value("opaque"), None);
    assert_eq!(assertion.only_value("none"), None);
    assert_eq!(assertion.only_value("wide"), Some("text"));
}

#[test]
fn values_of_one_name_are_taken_together() {
    let split = replaced(
        &unsigned(),
        "administrator</ns1:AttributeValue>",
        &format!(r#"administrator</ns1:AttributeValue></ns1:Attribute><ns1:Attribute Name="{ROLE}">"#),
    );
    let assertion = accept(&Template::default().sign(&split)).unwrap();
    assert_eq!(assertion.attributes[ROLE], ["administrator", "auditor"]);
}
