//! What is genuine is accepted, and read whole.

use chrono::{TimeDelta, Utc};
use saml_protocol::{Expected, refusal::Refusal, response::Unproven};
use serde_json::json;

use crate::{
    peer::{EXPECTED, NAME, REQUEST, ROLE, accept, encoded, genuine, idp, ourselves, replaced, response},
    signing::{Template, altered, unsigned},
};

#[test]
fn an_assertion_that_is_signed_is_accepted_and_read_whole() {
    let before = Utc::now();
    let assertion = accept(&genuine()).unwrap();
    assert_eq!(assertion.issuer, idp().entity_id);
    assert_eq!(assertion.name_id, NAME);
    let format = assertion.name_id_format.as_deref();
    assert_eq!(format, Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"));
    assert!(assertion.session_index.is_some());
    let authenticated = (assertion.authn_instant - before).abs();
    assert!(authenticated < TimeDelta::minutes(1), "{authenticated}");
    assert_eq!(assertion.attributes[ROLE], ["administrator", "auditor"]);
    assert_eq!(assertion.only_value("department"), Some("Payroll & Time"));
    assert_eq!(assertion.only_value(ROLE), None, "which of the two would be meant?");
    assert_eq!(assertion.signed_with, idp().certificates[0].fingerprint_sha256);
    // pysaml2 gives it an hour, and we two minutes more.
    let good_for = assertion.good_until - before;
    assert!(good_for > TimeDelta::minutes(60) && good_for < TimeDelta::minutes(70), "{good_for}");
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
    assert_eq!(unproven.in_response_to.as_deref(), Some(REQUEST));
}

#[test]
fn a_response_without_an_issuer_of_its_own_is_accepted() {
    let xml = unsigned();
    let issuer = crate::peer::between(&xml, "<ns1:Issuer", "</ns1:Issuer>").to_owned();
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
