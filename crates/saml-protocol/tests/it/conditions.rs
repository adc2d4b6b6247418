//! For whom, until when and under which conditions: each promise by itself, signed with the right key.

use chrono::{TimeDelta, Utc};
use saml_protocol::{Expected, Refusal, ServiceProvider, Unproven};
use serde_json::json;

use crate::{
    peer::{
        CONSUMER, ENTITY_ID, EXPECTED, NAME, REQUEST, accept, accept_at, between, encoded, genuine, idp,
        issued_at, ourselves, refusal, replaced, response, server,
    },
    signing::{Template, altered, unsigned},
};

const ELSEWHERE: &str = "https://elsewhere.example/";

#[test]
fn an_assertion_for_another_application_is_refused() {
    let audience = format!("<ns1:Audience>{ENTITY_ID}</ns1:Audience>");
    for other in
        ["https://payroll.example/saml/metadata", &format!("{ENTITY_ID}/"), &ENTITY_ID.to_uppercase(), ""]
    {
        let xml = altered(&audience, &format!("<ns1:Audience>{other}</ns1:Audience>"));
        assert_eq!(accept(&xml), Err(Refusal::WrongAudience { received: other.to_owned() }));
    }
    // One of several is enough; one of several restrictions is not.
    accept(&altered(&audience, &format!("<ns1:Audience>{ELSEWHERE}</ns1:Audience>{audience}"))).unwrap();
    let restriction = format!(
        "<ns1:AudienceRestriction><ns1:Audience>{ELSEWHERE}</ns1:Audience></ns1:AudienceRestriction>"
    );
    let xml = altered("</ns1:Conditions>", &format!("{restriction}</ns1:Conditions>"));
    assert_eq!(refusal(&xml), "wrong_audience");
}

#[test]
fn an_assertion_for_anybody_is_refused() {
    let xml = unsigned();
    let restriction = between(&xml, "<ns1:AudienceRestriction>", "</ns1:AudienceRestriction>").to_owned();
    assert_eq!(refusal(&altered(&restriction, "")), "wrong_audience");
    let conditions = between(&xml, "<ns1:Conditions", "</ns1:Conditions>").to_owned();
    let without = Template::default().sign(&replaced(&xml, &conditions, ""));
    assert_eq!(refusal(&without), "malformed");
}

#[test]
fn a_response_that_was_sent_elsewhere_is_refused() {
    let destination = format!("Destination=\"{CONSUMER}\"");
    for other in
        [ELSEWHERE.to_owned(), format!("{CONSUMER}/"), CONSUMER.replace("https", "http"), String::new()]
    {
        let xml = altered(&destination, &format!("Destination=\"{other}\""));
        assert_eq!(accept(&xml), Err(Refusal::WrongDestination { received: other }));
    }
    assert_eq!(refusal(&altered(&destination, "")), "wrong_destination");
}

#[test]
fn a_sign_in_that_was_meant_for_elsewhere_is_refused() {
    let recipient = format!("Recipient=\"{CONSUMER}\"");
    let xml = altered(&recipient, &format!("Recipient=\"{ELSEWHERE}\""));
    assert_eq!(accept(&xml), Err(Refusal::WrongRecipient { received: ELSEWHERE.to_owned() }));
    assert_eq!(refusal(&altered(&recipient, "")), "wrong_recipient");
}

#[test]
fn a_message_from_somebody_else_is_refused() {
    let issuer = idp().entity_id;
    let xml = unsigned();
    for count in [1, 2] {
        // The response's, and then also the assertion's.
        let other =
            xml.replacen(&format!(">{issuer}</ns1:Issuer>"), ">urn:somebody-else</ns1:Issuer>", count);
        let refused = accept(&Template::default().sign(&other));
        assert_eq!(refused, Err(Refusal::WrongIssuer { received: "urn:somebody-else".to_owned() }));
    }
}

#[test]
fn the_answer_to_another_request_is_refused_wherever_it_says_so() {
    let xml = response(&json!({"in_response_to": "_somebody-elses"}));
    assert_eq!(refusal(&xml), "unknown_request");
    let in_subject = format!("InResponseTo=\"{REQUEST}\"/></ns1:SubjectConfirmation>");
    for other in ["InResponseTo=\"_other\"", ""] {
        let xml = altered(&in_subject, &format!("{other}/></ns1:SubjectConfirmation>"));
        assert_eq!(refusal(&xml), "unknown_request");
    }
}

#[test]
fn a_stolen_answer_is_no_unsolicited_one() {
    let unsolicited = Expected { request_id: None, allows_unsolicited: true };
    let at = |xml: &str| ourselves().accept(&idp(), &encoded(xml), unsolicited, Utc::now());
    assert_eq!(at(&genuine()), Err(Refusal::UnknownRequest));
    // Nor when only the envelope, which need not be signed, forgets the request.
    let xml = genuine();
    let envelope = format!(" InResponseTo=\"{REQUEST}\" Version");
    assert_eq!(at(&replaced(&xml, &envelope, " Version")), Err(Refusal::UnknownRequest));
}

#[test]
fn a_response_is_good_for_minutes_and_its_assertion_no_longer_than_it_says() {
    let xml = genuine();
    let after = |minutes| {
        let now = issued_at(&xml) + TimeDelta::minutes(minutes);
        accept_at(&xml, now).map_err(|refusal| refusal.as_str())
    };
    after(0).unwrap();
    after(11).unwrap();
    assert_eq!(after(13).unwrap_err(), "stale");
    after(-1).unwrap();
    assert_eq!(after(-3).unwrap_err(), "not_yet_valid");
}

#[test]
fn what_has_expired_is_refused_wherever_it_says_so() {
    let xml = unsigned();
    let now = issued_at(&xml);
    let old = (now - TimeDelta::minutes(3)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let recent = (now - TimeDelta::minutes(1)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    for begin in ["<ns1:Conditions ", "<ns1:SubjectConfirmationData "] {
        let element = between(&xml, begin, ">").to_owned();
        let end = between(&element, " NotOnOrAfter=\"", "Z\"").to_owned();
        let ended = |at: &str| {
            let expired = element.replace(&end, &format!(" NotOnOrAfter=\"{at}\""));
            Template::default().sign(&replaced(&xml, &element, &expired))
        };
        assert_eq!(refusal(&ended(&old)), "expired", "{begin}");
        accept_at(&ended(&recent), now).unwrap();
        // Forever is no time.
        let forever = Template::default().sign(&replaced(&xml, &element, &element.replace(&end, "")));
        assert_eq!(refusal(&forever), "malformed", "{begin}");
        // Nor is one in another place of the world, or in no place at all.
        for odd in
            ["2036-01-01T00:00:00+02:00", "2036-01-01T00:00:00", "9999-12-31T23:59:59Z", "tomorrow", ""]
        {
            assert_eq!(refusal(&ended(odd)), "malformed", "{begin} {odd}");
        }
    }
    // Nor where another confirmation holds: the library looks at all of them.
    let confirmation = between(&xml, "<ns1:SubjectConfirmation ", "</ns1:SubjectConfirmation>").to_owned();
    let end = between(&confirmation, " NotOnOrAfter=\"", "Z\"").to_owned();
    let more = confirmation.replace(&end, " NotOnOrAfter=\"9999-12-31T23:59:59Z\"");
    let both = Template::default().sign(&replaced(&xml, &confirmation, &(confirmation.clone() + &more)));
    assert_eq!(refusal(&both), "malformed");
    let statement = "<ns1:AuthnStatement ";
    let ended = altered(statement, &format!("{statement}SessionNotOnOrAfter=\"{old}\" "));
    assert_eq!(refusal(&ended), "expired");
}

#[test]
fn what_has_not_begun_is_refused_wherever_it_says_so() {
    let xml = unsigned();
    let ahead = (Utc::now() + TimeDelta::minutes(60)).format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let conditions = between(&xml, "<ns1:Conditions ", ">").to_owned();
    let begin = between(&conditions, "NotBefore=\"", "Z\"").to_owned();
    let later = conditions.replace(&begin, &format!("NotBefore=\"{ahead}\""));
    assert_eq!(refusal(&Template::default().sign(&replaced(&xml, &conditions, &later))), "not_yet_valid");
    let data = "<ns1:SubjectConfirmationData ";
    assert_eq!(refusal(&altered(data, &format!("{data}NotBefore=\"{ahead}\" "))), "not_yet_valid");
    // IssueInstant of the response, which need not be signed, and of the assertion, which is.
    for element in ["<ns0:Response", "<ns1:Assertion"] {
        let tag = between(&xml, element, ">").to_owned();
        let instant = between(&tag, " IssueInstant=\"", "Z\"").to_owned();
        let later = tag.replace(&instant, &format!(" IssueInstant=\"{ahead}\""));
        assert_eq!(refusal(&Template::default().sign(&replaced(&xml, &tag, &later))), "not_yet_valid");
    }
}

#[test]
fn a_condition_that_is_not_known_is_refused_by_its_name() {
    for (condition, name) in [
        ("<x:Weather xmlns:x=\"urn:x\"/>", "Weather"),
        ("<ns1:Condition/>", "Condition"),
        ("<x:OneTimeUse xmlns:x=\"urn:x\"/>", "OneTimeUse"),
    ] {
        let xml = altered("</ns1:Conditions>", &format!("{condition}</ns1:Conditions>"));
        assert_eq!(accept(&xml), Err(Refusal::UnknownCondition { name: name.to_owned() }));
    }
}

#[test]
fn only_a_bearer_is_confirmed() {
    let bearer = "urn:oasis:names:tc:SAML:2.0:cm:bearer";
    for method in
        ["urn:oasis:names:tc:SAML:2.0:cm:holder-of-key", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"]
    {
        assert_eq!(refusal(&altered(bearer, method)), "not_bearer");
    }
}

#[test]
fn nobody_is_no_name() {
    let xml = unsigned();
    let name = between(&xml, "<ns1:NameID", "</ns1:NameID>").to_owned();
    for other in ["", "<ns1:NameID/>", "<ns1:NameID> </ns1:NameID>", &name.repeat(2), "<ns1:EncryptedID/>"] {
        assert_eq!(refusal(&altered(&name, other)), "no_name_id", "{other}");
    }
    let halved = name.replace(NAME, "admin<x xmlns=\"urn:x\"/>.evil");
    assert_eq!(refusal(&altered(&name, &halved)), "no_name_id");
}

#[test]
fn a_person_who_was_not_authenticated_is_not_signed_in() {
    let xml = unsigned();
    let statement = between(&xml, "<ns1:AuthnStatement", "</ns1:AuthnStatement>").to_owned();
    assert_eq!(refusal(&Template::default().sign(&replaced(&xml, &statement, ""))), "malformed");
}

#[test]
fn a_failed_sign_in_is_told_by_its_codes_and_without_names() {
    let wish = json!({
        "in_response_to": REQUEST,
        "destination": CONSUMER,
        "message": format!("AADSTS50105: {NAME} is not assigned to the application"),
    });
    let refused = accept(&server().tell("/refuse", &wish.to_string()).unwrap()).unwrap_err();
    let Refusal::Status { codes, entra_error } = &refused else { panic!("{refused:?}") };
    assert_eq!(codes, "Responder, AuthnFailed");
    assert_eq!(entra_error.as_deref(), Some("AADSTS50105"));
    assert!(refused.detail().contains("AADSTS50105") && !refused.detail().contains(NAME));
    // Also when an assertion comes with it.
    let failed = altered("status:Success", "status:Requester");
    assert_eq!(refusal(&failed), "status");
}

#[test]
fn an_encrypted_assertion_is_refused_with_what_to_do() {
    let xml = unsigned();
    let assertion = between(&xml, "<ns1:Assertion", "</ns1:Assertion>").to_owned();
    let encrypted = replaced(&xml, &assertion, "<ns1:EncryptedAssertion/>");
    let refused = accept(&encrypted).unwrap_err();
    assert_eq!(refused, Refusal::Encrypted);
    assert!(refused.detail().contains("Switch token encryption off"));
    assert_eq!(refusal(&replaced(&xml, &assertion, "")), "no_assertion");
}

#[test]
fn another_message_or_version_is_refused() {
    let xml = genuine();
    assert_eq!(refusal(&xml.replacen("Version=\"2.0\"", "Version=\"1.1\"", 1)), "unexpected_message");
    assert_eq!(refusal(&ourselves().metadata()), "unexpected_message");
    let elsewhere = xml.replace("SAML:2.0:protocol", "SAML:1.0:protocol");
    assert_eq!(refusal(&elsewhere), "unexpected_message");
}

#[test]
fn more_claims_than_are_read_are_refused() {
    let claim = |name: usize| {
        format!("<ns1:Attribute Name=\"c{name}\"><ns1:AttributeValue>v</ns1:AttributeValue></ns1:Attribute>")
    };
    let end = "</ns1:AttributeStatement>";
    let many: String = (0..201).map(claim).collect();
    assert_eq!(refusal(&altered(end, &format!("{many}{end}"))), "too_many_claims");
    let values = "<ns1:AttributeValue>v</ns1:AttributeValue>".repeat(2_001);
    let xml = altered(end, &format!("<ns1:Attribute Name=\"groups\">{values}</ns1:Attribute>{end}"));
    assert_eq!(refusal(&xml), "too_many_claims");
}

/// The library sees text where we see none.
#[test]
fn claims_that_two_readers_do_not_read_the_same_are_refused() {
    let value = ">Payroll &amp; Time</ns1:AttributeValue>";
    let halved = ">Payroll<x xmlns=\"urn:x\"/></ns1:AttributeValue>";
    assert_eq!(refusal(&altered(value, halved)), "readers_disagree");
}

#[test]
fn longer_names_and_claims_than_are_read_are_refused() {
    let xml = unsigned();
    let statement = between(&xml, "<ns1:AuthnStatement ", ">");
    let index = between(statement, " SessionIndex=\"", "\">").to_owned();
    let format = between(&xml, "<ns1:NameID", ">").to_owned();
    let attribute = "<ns1:Attribute Name=\"department\"";
    let name = |count| "x".repeat(count);
    let with = |count: usize, most: usize| {
        [
            altered(NAME, &name(count)),
            altered(&format, &format!("<ns1:NameID Format=\"urn:{}\">", name(count - 4))),
            Template::default().sign(&replaced(&xml, &index, &format!(" SessionIndex=\"{}\">", name(count)))),
            altered(attribute, &format!("<ns1:Attribute Name=\"{}\"", name(count))),
            altered("Payroll &amp; Time", &name(most)),
        ]
    };
    for longest in with(1024, 4096) {
        accept(&longest).unwrap();
    }
    for longer in with(1025, 4097) {
        let refused = accept(&longer).unwrap_err();
        assert_eq!(refused.as_str(), "too_large");
        assert!(refused.detail().contains("bytes"), "{}", refused.detail());
    }
    let issuer = xml.replace(&format!(">{}<", idp().entity_id), &format!(">{}<", name(1025)));
    assert_eq!(Unproven::read(&encoded(&issuer)).unwrap_err().as_str(), "too_large");
}

#[test]
fn at_another_service_the_same_response_is_refused() {
    let other =
        ServiceProvider { entity_id: "https://other.example/saml/metadata".to_owned(), ..ourselves() };
    let refused = other.accept(&idp(), &encoded(&genuine()), EXPECTED, Utc::now()).unwrap_err();
    assert_eq!(refused.as_str(), "wrong_audience");
}
