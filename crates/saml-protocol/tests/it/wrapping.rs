//! Signature wrapping: a genuine assertion moved to wherever readers have been found to overlook it, and a forged one to
//! wherever they have been found to look.

use serde_json::json;

use crate::{
    peer::{NAME, between, genuine, refusal, replaced, response},
    signing::{Template, id_of, unsigned},
};

const EVIL_NAME: &str = "administrator@contoso.com";
/// What may be said of a message with two assertions, or with one that stands elsewhere. Never that it was accepted, and
/// never that only the signature does not fit: that would mean that something else was let through to be verified.
const REASONS: [&str; 6] =
    ["several_assertions", "duplicate_id", "wrapped", "unsigned", "foreign_reference", "no_assertion"];

/// A response in pieces: what stands before its assertion, the assertion, and what stands behind it.
struct Parts {
    head: String,
    assertion: String,
    tail: String,
}

fn parts(xml: &str) -> Parts {
    let assertion = between(xml, "<ns1:Assertion", "</ns1:Assertion>").to_owned();
    let (head, tail) = xml.split_once(&assertion).unwrap();
    Parts { head: head.to_owned(), tail: tail.to_owned(), assertion }
}

fn signature_of(assertion: &str) -> &str {
    between(assertion, "<ns2:Signature", "</ns2:Signature>")
}

/// The forged assertions: with the genuine one's identifier or another, and without a signature, with a copy of the
/// genuine one's, or with one of the attacker's own.
fn forged(original: &str) -> Vec<String> {
    let bare = replaced(original, signature_of(original), "{signature}").replace(NAME, EVIL_NAME);
    let own = Template::default().xml("_evil");
    let mut all = Vec::new();
    for id in [id_of(original), "_evil"] {
        for signature in ["", signature_of(original), &own] {
            let renamed = bare.replacen(&format!(" ID=\"{}\"", id_of(original)), &format!(" ID=\"{id}\""), 1);
            all.push(renamed.replace("{signature}", signature));
        }
    }
    all
}

/// Every way to put the genuine assertion and the forged one into one response.
fn wrapped(parts: &Parts, genuine: &str, evil: &str) -> Vec<String> {
    let Parts { head, tail, .. } = parts;
    let inside = |begin: &str, end: &str, place: &str| {
        evil.contains(place).then(|| evil.replacen(place, &format!("{begin}{genuine}{end}{place}"), 1))
    };
    let mut assertions = vec![
        format!("{genuine}{evil}"),
        format!("{evil}{genuine}"),
        format!("<ns0:Extensions>{genuine}</ns0:Extensions>{evil}"),
        format!("{evil}<ns0:Extensions>{genuine}</ns0:Extensions>"),
        format!("<x xmlns=\"urn:elsewhere\">{genuine}</x>{evil}"),
        format!("{evil}<x xmlns=\"urn:elsewhere\">{genuine}</x>"),
        format!("<ns2:Object>{genuine}</ns2:Object>{evil}"),
        format!("<ns0:Response ID=\"_inner\">{genuine}</ns0:Response>{evil}"),
        // The other way round: the forged one inside the genuine one breaks its digest, or hides in what is not signed.
        genuine.replacen("</ns1:Assertion>", &format!("{evil}</ns1:Assertion>"), 1),
        genuine.replacen("</ns2:Signature>", &format!("<ns2:Object>{evil}</ns2:Object></ns2:Signature>"), 1),
        genuine.replacen("</ns2:KeyInfo>", &format!("{evil}</ns2:KeyInfo>"), 1),
        genuine.replacen("</ns2:Transforms>", &format!("{evil}</ns2:Transforms>"), 1),
        genuine.replacen("<ns2:SignatureValue>", &format!("{evil}<ns2:SignatureValue>"), 1),
    ];
    let places = [
        ("", "", "</ns1:Assertion>"),
        ("<ns1:Advice>", "</ns1:Advice>", "<ns1:AuthnStatement"),
        ("", "", "</ns1:Subject>"),
        ("", "", "<ns1:NameID"),
        ("", "", "</ns1:Conditions>"),
        ("", "", "</ns1:AttributeValue>"),
        ("<ns2:Object>", "</ns2:Object>", "</ns2:Signature>"),
        ("", "", "</ns2:KeyInfo>"),
        ("", "", "</ds:KeyInfo>"),
    ];
    assertions.extend(places.iter().filter_map(|(begin, end, place)| inside(begin, end, place)));
    let mut all: Vec<String> =
        assertions.iter().map(|assertions| format!("{head}{assertions}{tail}")).collect();
    // The genuine one where the status is told.
    let status = "</ns0:Status>";
    let detail = format!("<ns0:StatusDetail>{genuine}</ns0:StatusDetail>{status}");
    all.push(format!("{}{evil}{tail}", head.replacen(status, &detail, 1)));
    all
}

#[test]
fn a_genuine_assertion_proves_nothing_for_a_forged_one_wherever_either_stands() {
    let parts = parts(&genuine());
    // Also without its signature, which then stands in the forged one.
    let bare = replaced(&parts.assertion, signature_of(&parts.assertion), "");
    let mut tried = 0;
    for genuine in [&parts.assertion, &bare] {
        for evil in forged(&parts.assertion) {
            for xml in wrapped(&parts, genuine, &evil) {
                let reason = refusal(&xml);
                assert!(REASONS.contains(&reason), "{reason}: {xml}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "only {tried}");
}

#[test]
fn a_genuine_response_proves_nothing_for_one_around_it() {
    let original = response(&json!({"sign_response": true}));
    let original = original.trim_start_matches("<?xml version=\"1.0\"?>").trim();
    let evil = parts(original);
    let evil_assertion =
        replaced(&evil.assertion, signature_of(&evil.assertion), "").replace(NAME, EVIL_NAME);
    let evil_head = evil.head.replacen(" ID=\"", " ID=\"_evil", 1);
    for (begin, end) in [
        ("<ns0:Extensions>", "</ns0:Extensions>"),
        ("<ns2:Object>", "</ns2:Object>"),
        ("<x xmlns=\"urn:elsewhere\">", "</x>"),
        ("", ""),
    ] {
        for id in ["_evil-assertion", id_of(&evil.assertion)] {
            let old = format!(" ID=\"{}\"", id_of(&evil.assertion));
            let assertion = evil_assertion.replacen(&old, &format!(" ID=\"{id}\""), 1);
            for head in [&evil_head, &evil.head] {
                for xml in [
                    format!("{head}{begin}{original}{end}{assertion}{}", evil.tail),
                    format!("{head}{assertion}{begin}{original}{end}{}", evil.tail),
                    head.replacen("</ns2:Signature>", &format!("{begin}{original}{end}</ns2:Signature>"), 1)
                        + &assertion
                        + &evil.tail,
                ] {
                    let reason = refusal(&xml);
                    assert!(REASONS.contains(&reason), "{reason}: {xml}");
                }
            }
        }
    }
}

#[test]
fn a_signature_of_the_response_alone_is_not_enough() {
    let xml = response(&json!({"sign_assertion": false, "sign_response": true}));
    assert_eq!(refusal(&xml), "unsigned");
}

#[test]
fn an_unsigned_assertion_is_refused() {
    assert_eq!(refusal(&unsigned()), "unsigned");
}

#[test]
fn an_assertion_in_another_vocabulary_is_none() {
    let xml = genuine();
    let renamed =
        xml.replace("urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:1.0:assertion");
    assert_eq!(refusal(&renamed), "wrapped");
}

#[test]
fn the_only_assertion_must_stand_in_the_response_itself() {
    let Parts { head, assertion, tail } = parts(&genuine());
    for (begin, end) in [("<ns0:Extensions>", "</ns0:Extensions>"), ("<x xmlns=\"urn:elsewhere\">", "</x>")] {
        assert_eq!(refusal(&format!("{head}{begin}{assertion}{end}{tail}")), "wrapped");
    }
}

#[test]
fn a_signature_that_stands_deeper_in_the_assertion_is_none_of_its_own() {
    let xml = genuine();
    let signature = signature_of(&xml).to_owned();
    let moved =
        replaced(&xml, &signature, "").replacen("</ns1:Subject>", &format!("{signature}</ns1:Subject>"), 1);
    assert_eq!(refusal(&moved), "wrapped");
}

#[test]
fn several_genuine_assertions_are_one_too_many() {
    // Signatures have identifiers too, which are one more reason.
    let (first, second) = (parts(&genuine()), parts(&genuine().replacen(" Id=\"", " Id=\"second-", 1)));
    let both = format!("{}{}{}{}", first.head, first.assertion, second.assertion, first.tail);
    assert_eq!(refusal(&both), "several_assertions");
}

#[test]
fn an_assertion_of_another_response_of_the_same_provider_is_judged_by_what_it_says() {
    let (other, usual) = (parts(&response(&json!({"in_response_to": "_other"}))), parts(&genuine()));
    let grafted = format!("{}{}{}", usual.head, other.assertion, usual.tail);
    assert_eq!(refusal(&grafted), "unknown_request");
}
