//! ID tokens that nobody signed, or somebody else.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use chrono::Utc;
use oidc_protocol::{Callback, Keys, Refusal};
use proptest::prelude::*;

use crate::sign_in::{NONCE, accept_at, configuration, keys, ourselves, shared_answer};

/// The three parts of the genuine ID token.
fn parts() -> [String; 3] {
    let (_, rest) = shared_answer().split_once("\"id_token\": \"").unwrap();
    let (token, _) = rest.split_once('"').unwrap();
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().unwrap()
}

fn with(header: &str, claims: &str, signature: &str) -> Result<(), Refusal> {
    let answer = format!(
        r#"{{"access_token": "a", "token_type": "Bearer", "id_token": "{header}.{claims}.{signature}"}}"#
    );
    accept_at(&answer, Utc::now()).map(drop)
}

#[test]
fn the_parts_of_a_genuine_one_are_accepted() {
    let [header, claims, signature] = parts();
    with(&header, &claims, &signature).unwrap();
}

#[test]
fn other_algorithms_are_refused_whatever_the_signature() {
    let [_, claims, signature] = parts();
    for algorithm in ["none", "None", "HS256", "HS512", "RS384", "PS256", "ES256", "RS1", ""] {
        for signature in ["", "AAAA", &signature] {
            let header = BASE64.encode(format!(r#"{{"alg": "{algorithm}", "typ": "JWT"}}"#));
            let refused = with(&header, &claims, signature).unwrap_err();
            assert!(
                matches!(refused, Refusal::WeakAlgorithm | Refusal::Malformed),
                "{algorithm}: {refused:?}"
            );
        }
    }
}

#[test]
fn what_was_changed_after_signing_is_refused() {
    let [header, claims, signature] = parts();
    let decoded = String::from_utf8(BASE64.decode(&claims).unwrap()).unwrap();
    for (from, to) in [("adele", "megan"), ("administrator", "owner"), ("tenant", "other")] {
        let changed = decoded.replace(from, to);
        assert_ne!(changed, decoded);
        assert_eq!(with(&header, &BASE64.encode(changed), &signature), Err(Refusal::BadSignature));
    }
}

#[test]
fn an_audience_besides_us_is_refused() {
    let [header, claims, signature] = parts();
    let decoded = String::from_utf8(BASE64.decode(&claims).unwrap()).unwrap();
    let ours = format!("\"{}\"", ourselves().client_id);
    let changed = decoded.replace(&ours, &format!("{ours}, \"another\""));
    assert_ne!(changed, decoded);
    assert_eq!(with(&header, &BASE64.encode(changed), &signature), Err(Refusal::WrongAudience));
}

#[test]
fn an_answer_without_an_id_token_or_too_long_a_one_is_refused() {
    let at = |answer: &str| accept_at(answer, Utc::now()).unwrap_err();
    assert_eq!(at(r#"{"access_token": "a", "token_type": "Bearer"}"#), Refusal::Malformed);
    assert_eq!(at("<html>"), Refusal::Malformed);
    assert_eq!(at(&" ".repeat(65 * 1024)), Refusal::TooLarge);
    let declined = r#"{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret of adele@contoso.com"}"#;
    let refused = at(declined);
    let Refusal::Declined { code, entra_error } = &refused else { panic!("{refused:?}") };
    assert_eq!((code.as_str(), entra_error.as_deref()), ("invalid_client", Some("AADSTS7000215")));
    assert!(!refused.detail().contains("adele"));
}

proptest! {
    #[test]
    fn whatever_byte_changes_nothing_else_is_read(position in 0..shared_answer().len(), byte in 32_u8..127) {
        let genuine = accept_at(shared_answer(), Utc::now()).unwrap();
        let mut bytes = shared_answer().as_bytes().to_vec();
        bytes[position] = byte;
        if let Ok(identity) = ourselves().accept(&configuration(), &keys(), (&bytes, NONCE), Utc::now()) {
            prop_assert_eq!(identity, genuine);
        }
    }

    #[test]
    fn any_bytes_are_refused_in_order(bytes in prop::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        prop_assert!(ourselves().accept(&configuration(), &keys(), (&bytes, NONCE), Utc::now()).is_err());
        drop(Keys::read(&bytes));
        drop(Callback::read(&text));
    }
}
