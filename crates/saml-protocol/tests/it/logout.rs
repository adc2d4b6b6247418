//! Logouts of the identity provider and ours, each read by the other.

use chrono::{TimeDelta, Utc};
use saml_protocol::{
    AuthnOptions, Expected, LogoutRequest, LogoutSubject, Refusal, ServiceProvider, SigningKey,
    redirect::{RequestError, SigningKeyError},
    response::Unproven,
};
use serde_json::json;

use crate::peer::{ENTITY_ID, LOGOUT, NAME, idp, ourselves, server};

/// A service that signs, which the identity provider knows beside the one that does not.
fn signing() -> ServiceProvider {
    static INTRODUCED: std::sync::Once = std::sync::Once::new();
    let sp = signer();
    INTRODUCED.call_once(|| drop(server().tell("/service-providers", &sp.metadata()).unwrap()));
    sp
}

fn der(pem: &std::path::Path) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
    let pem = std::fs::read_to_string(pem).unwrap();
    BASE64.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap()
}

fn signer() -> ServiceProvider {
    // Any RSA key is as good as another; the second of the identity provider's is at hand.
    let (key, certificate) = server().key_files("second");
    let signing = SigningKey::from_pkcs8(&der(&key), &der(&certificate)).unwrap();
    let entity_id = "https://console.example/saml/signed".to_owned();
    ServiceProvider { entity_id, signing: Some(signing), ..ourselves() }
}

#[test]
fn a_key_is_not_taken_with_the_certificate_of_another() {
    let ((key, own), (_, others)) = (server().key_files("second"), server().key_files("first"));
    SigningKey::from_pkcs8(&der(&key), &der(&own)).unwrap();
    assert_eq!(SigningKey::from_pkcs8(&der(&key), &der(&others)).err(), Some(SigningKeyError));
}

/// The query of a logout that the identity provider begins.
fn their_request() -> String {
    let wish = json!({"peer": ENTITY_ID, "name_id": NAME, "session_index": "session-1", "relay_state": "back & forth"});
    let address = server().tell("/ask-for-logout", &wish.to_string()).unwrap();
    address.strip_prefix(&format!("{LOGOUT}?")).unwrap().to_owned()
}

fn read(query: &str) -> Result<LogoutRequest, Refusal> {
    ourselves().read_logout_request(&idp(), query, Utc::now())
}

#[test]
fn a_logout_of_the_identity_provider_is_read() {
    let query = their_request();
    let request = read(&query).unwrap();
    assert_eq!(request.name_id, NAME);
    assert_eq!(request.session_indexes, ["session-1"]);
    assert_eq!(request.relay_state.as_deref(), Some("back & forth"));
    assert_eq!(Unproven::read_logout(&query).unwrap().issuer, idp().entity_id);
}

#[test]
fn a_logout_with_longer_names_than_are_read_is_refused() {
    let of = |name: usize, index: usize| {
        let (name, index) = ("n".repeat(name), "i".repeat(index));
        let wish = json!({"peer": ENTITY_ID, "name_id": name, "session_index": index, "relay_state": ""});
        let address = server().tell("/ask-for-logout", &wish.to_string()).unwrap();
        read(address.strip_prefix(&format!("{LOGOUT}?")).unwrap())
    };
    assert_eq!(of(1024, 1024).unwrap().name_id.len(), 1024);
    assert_eq!(of(1025, 1).unwrap_err().as_str(), "too_large");
    assert_eq!(of(1, 1025).unwrap_err().as_str(), "too_large");
}

#[test]
fn a_logout_without_a_signature_is_refused() {
    let query = their_request();
    let (unsigned, _) = query.split_once("&SigAlg=").unwrap();
    assert_eq!(read(unsigned), Err(Refusal::Unsigned));
    let (without, _) = query.split_once("&Signature=").unwrap();
    assert_eq!(read(without), Err(Refusal::Unsigned));
}

#[test]
fn a_logout_that_was_changed_is_refused() {
    let query = their_request();
    let (_, signature) = query.split_once("&Signature=").unwrap();
    for changed in [
        query.replace("RelayState=back", "RelayState=forth"),
        query.replace(signature, &signature.replacen(|letter: char| letter.is_ascii_lowercase(), "A", 1)),
        query.replacen("&RelayState=back+%26+forth", "", 1),
    ] {
        assert_ne!(changed, query);
        assert_eq!(read(&changed), Err(Refusal::BadSignature), "{changed}");
    }
    let sha1 =
        query.replace("xmldsig-more%23rsa-sha256", "xmldsig%23rsa-sha1").replace("2001%2F04", "2000%2F09");
    assert_eq!(read(&sha1).unwrap_err().as_str(), "weak_algorithm");
}

#[test]
fn a_parameter_that_is_there_twice_is_refused() {
    let query = their_request();
    for name in ["SAMLRequest", "RelayState", "SigAlg", "Signature"] {
        assert_eq!(read(&format!("{query}&{name}=x")), Err(Refusal::Parameter(name)));
        assert_eq!(
            read(&format!("%{:02X}{}=x&{query}", name.as_bytes()[0], name.get(1..).unwrap())),
            Err(Refusal::Parameter(name))
        );
    }
    assert_eq!(read(&format!("{query}&SAMLResponse=x")), Err(Refusal::Parameter("SAMLResponse")));
    assert_eq!(read("RelayState=x"), Err(Refusal::Parameter("SAMLRequest")));
}

#[test]
fn a_logout_is_good_for_minutes_and_for_us() {
    let begin = Utc::now();
    let query = their_request();
    let at = |sp: &ServiceProvider, minutes| {
        let now = begin + TimeDelta::minutes(minutes);
        sp.read_logout_request(&idp(), &query, now).map_err(|refusal| refusal.as_str())
    };
    assert_eq!(at(&ourselves(), 30).unwrap_err(), "stale");
    assert_eq!(at(&ourselves(), -3).unwrap_err(), "not_yet_valid");
    let elsewhere = ServiceProvider { single_logout_url: "https://other.example/".to_owned(), ..ourselves() };
    assert_eq!(at(&elsewhere, 0).unwrap_err(), "wrong_destination");
    assert_eq!(read(&query.replace("SAMLRequest", "SAMLResponse")).unwrap_err().as_str(), "parameter");
}

#[test]
fn a_bomb_in_a_logout_is_refused() {
    use std::io::Write as _;

    use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&vec![b' '; 10_000_000]).unwrap();
    let bomb = BASE64.encode(encoder.finish().unwrap());
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("SAMLRequest", &bomb).finish();
    assert_eq!(read(&query).unwrap_err().as_str(), "too_large");
    assert_eq!(read(&format!("SAMLRequest={}", "A".repeat(20_000))).unwrap_err().as_str(), "too_large");
    assert_eq!(read("SAMLRequest=AAAA").unwrap_err().as_str(), "not_encoded");
}

#[test]
fn our_answer_is_one_that_the_identity_provider_understands() {
    let request = read(&their_request()).unwrap();
    let sp = signing();
    let address = sp.logout_response(&idp(), "_answer", &request, Utc::now()).unwrap();
    assert!(address.starts_with(&format!("{}/slo?SAMLResponse=", server().url())), "{address}");
    let path = address.strip_prefix(&server().url()).unwrap();
    let page = server().get(path).unwrap();
    assert!(page.contains("Signed out everywhere"), "{page}");
    // Which it would not say of just anything.
    let changed = path.replace("&RelayState=back", "&RelayState=forth");
    assert!(server().get(&changed).unwrap_err().to_string().contains("signature does not fit"));
}

#[test]
fn our_logout_is_one_that_the_identity_provider_answers() {
    let sp = signing();
    let subject = LogoutSubject { name_id: NAME, name_id_format: None, session_index: Some("session-1") };
    let address = sp.logout_request(&idp(), "_logout-1", subject, "state", Utc::now()).unwrap();
    let answer = server().get_location(address.strip_prefix(&server().url()).unwrap()).unwrap();
    assert!(answer.starts_with(&format!("{LOGOUT}?SAMLResponse=")), "{answer}");
    assert!(answer.contains("RelayState=state"), "{answer}");
}

#[test]
fn our_request_is_one_that_the_identity_provider_answers() {
    for sp in [ourselves(), signing()] {
        let is_signed = sp.signing.is_some();
        let options = AuthnOptions { force_authn: true };
        let address = sp.authn_request(&idp(), "_request-2", "state", Utc::now(), options).unwrap();
        let page = server().get(address.strip_prefix(&server().url()).unwrap()).unwrap();
        assert!(page.contains(r#"name="in_response_to" value="_request-2""#), "{page}");
        assert!(page.contains(r#"name="relay_state" value="state""#), "{page}");
        assert_eq!(address.contains("&Signature="), is_signed);
    }
}

#[test]
fn a_whole_sign_in_through_the_pages_of_the_identity_provider() {
    let form = form_urlencoded::Serializer::new(String::new())
        .append_pair("peer", ENTITY_ID)
        .append_pair("in_response_to", "_request-3")
        .append_pair("relay_state", "state")
        .append_pair("name_id", NAME)
        .append_pair("object_identifier", "8c3f0f6e-0c0e-4a0b-9f6e-0a3a1b2c3d4e")
        .append_pair("roles", "administrator")
        .finish();
    let page = server().tell("/sign-in", &form).unwrap();
    let (_, rest) = page.split_once(r#"name="SAMLResponse" value=""#).unwrap();
    let (response, _) = rest.split_once('"').unwrap();
    let expected = Expected { request_id: Some("_request-3"), allows_unsolicited: false };
    let assertion = ourselves().accept(&idp(), response, expected, Utc::now()).unwrap();
    assert_eq!(assertion.name_id, NAME);
}

#[test]
fn what_others_would_cut_off_or_not_read_is_not_sent() {
    let sp = ourselves();
    let request =
        |id: &str, state: &str| sp.authn_request(&idp(), id, state, Utc::now(), AuthnOptions::default());
    assert_eq!(request("_r", &"x".repeat(81)), Err(RequestError::RelayStateTooLong));
    for id in ["", "1", "a b", "a\"", "a<"] {
        assert_eq!(request(id, ""), Err(RequestError::InvalidId), "{id}");
    }
    let silent = saml_protocol::IdentityProvider { single_logout_url: None, ..idp() };
    let subject = LogoutSubject { name_id: NAME, name_id_format: None, session_index: None };
    assert_eq!(sp.logout_request(&silent, "_r", subject, "", Utc::now()), Err(RequestError::NoLogoutUrl));
}
