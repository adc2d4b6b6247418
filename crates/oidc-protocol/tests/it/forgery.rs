//! ID tokens that nobody signed, or somebody else.

use std::{path::Path, process::Command};

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

fn answer_of(header: &str, claims: &str, signature: &str) -> String {
    format!(r#"{{"access_token": "a", "token_type": "Bearer", "id_token": "{header}.{claims}.{signature}"}}"#)
}

fn with(header: &str, claims: &str, signature: &str) -> Result<(), Refusal> {
    accept_at(&answer_of(header, claims, signature), Utc::now()).map(drop)
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

fn openssl(arguments: &[&str], key: &Path, input: &[&Path]) -> Vec<u8> {
    let output = Command::new("openssl").args(arguments).arg(key).args(input).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// RFC 7518 §3.3.
#[test]
fn a_key_that_is_too_short_proves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (key, text) = (folder.path().join("key"), folder.path().join("text"));
    let [_, claims, _] = parts();
    let header = BASE64.encode(r#"{"alg": "RS256", "typ": "JWT", "kid": "ours"}"#);
    std::fs::write(&text, format!("{header}.{claims}")).unwrap();
    for (bits, expected) in
        [(1024, Some(Refusal::UnknownKey)), (2040, Some(Refusal::UnknownKey)), (2048, None)]
    {
        let made = Command::new("openssl").args(["genrsa", "-out"]).arg(&key).arg(bits.to_string()).output();
        assert!(made.unwrap().status.success());
        let modulus = String::from_utf8(openssl(&["rsa", "-modulus", "-noout", "-in"], &key, &[])).unwrap();
        let digits = modulus.trim().trim_start_matches("Modulus=").as_bytes().chunks(2);
        let modulus = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap());
        let modulus = BASE64.encode(modulus.collect::<Vec<u8>>());
        let keys = format!(
            r#"{{"keys": [{{"kty": "RSA", "use": "sig", "kid": "ours", "alg": "RS256", "e": "AQAB", "n": "{modulus}"}}]}}"#
        );
        let signature = BASE64.encode(openssl(&["dgst", "-sha256", "-sign"], &key, &[&text]));
        let answer = answer_of(&header, &claims, &signature);
        let keys = Keys::read(keys.as_bytes()).unwrap();
        let accepted = ourselves().accept(&configuration(), &keys, (answer.as_bytes(), NONCE), Utc::now());
        assert_eq!(accepted.err(), expected, "{bits}");
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
