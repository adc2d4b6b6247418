//! Assertions as Entra makes them, and as others would.

use std::sync::LazyLock;

use proptest::prelude::*;
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    sha2::Sha256,
    signature::{SignatureEncoding as _, Signer as _},
    traits::PublicKeyParts as _,
};
use serde_json::{Value, json};
use token_protocol::assertion::{Assertion, AuthorityKeys, Expected, MAX_LENGTH, MAX_LIFETIME, Refusal};

use crate::minting::base64url;

const NOW: u64 = 1_700_000_000;
const ISSUER: &str = "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0";

static KEY: LazyLock<RsaPrivateKey> =
    LazyLock::new(|| RsaPrivateKey::new(&mut rsa::rand_core::OsRng, 2048).unwrap());

fn jwk() -> Value {
    let text = |number: &rsa::BigUint| base64url(&number.to_bytes_be());
    json!({"kty": "RSA", "use": "sig", "kid": "k1", "n": text(KEY.n()), "e": text(KEY.e()), "x5t": "k1"})
}

fn keys() -> AuthorityKeys {
    AuthorityKeys::read(json!({ "keys": [jwk()] }).to_string().as_bytes()).unwrap()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "the-subject", "aud": "api://app", "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
        "oid": "the-subject", "tid": "11111111-2222-4333-8444-555555555555", "ver": "2.0",
    })
}

/// By hand, so that the tests share no code with the library that verifies.
fn signed(header: &Value, claims: &Value) -> String {
    let message =
        format!("{}.{}", base64url(header.to_string().as_bytes()), base64url(claims.to_string().as_bytes()));
    let signature = SigningKey::<Sha256>::new(KEY.clone()).sign(message.as_bytes());
    format!("{message}.{}", base64url(&signature.to_bytes()))
}

fn good() -> String {
    signed(&json!({"typ": "JWT", "alg": "RS256", "kid": "k1"}), &claims())
}

fn verify(assertion: &str, now: u64) -> Result<(), Refusal> {
    let audiences = ["api://app".to_owned(), "another".to_owned()];
    let expected = Expected { issuer: ISSUER, subject: "the-subject", audiences: &audiences };
    Assertion::read(assertion)?.verify(&keys(), expected, now)
}

fn with(claim: &str, value: Value) -> String {
    let mut claims = claims();
    claims[claim] = value;
    signed(&json!({"alg": "RS256", "kid": "k1"}), &claims)
}

#[test]
fn what_the_tenant_signed_is_accepted_from_a_minute_before_to_a_minute_after() {
    for now in [NOW - 60, NOW, NOW + 3600 + 59] {
        assert_eq!(verify(&good(), now), Ok(()), "{now}");
    }
    assert_eq!(verify(&good(), NOW - 61), Err(Refusal::NotYetValid));
    assert_eq!(verify(&good(), NOW + 3600 + 60), Err(Refusal::Expired));
    assert_eq!(verify(&with("exp", json!(NOW + MAX_LIFETIME + 61)), NOW), Err(Refusal::LivesTooLong));
    assert_eq!(verify(&with("exp", json!(u64::MAX)), NOW), Err(Refusal::LivesTooLong));
}

#[test]
fn claims_are_compared_to_the_letter() {
    for (claim, value, refusal) in [
        ("iss", json!(format!("{ISSUER}/")), Refusal::WrongIssuer),
        ("iss", json!(ISSUER.to_uppercase()), Refusal::WrongIssuer),
        ("sub", json!("the-subject "), Refusal::WrongSubject),
        ("aud", json!("api://app/host"), Refusal::WrongAudience),
        ("aud", json!(["api"]), Refusal::WrongAudience),
        ("aud", json!({"0": "api://app"}), Refusal::Malformed),
        ("exp", json!(-1), Refusal::Malformed),
        ("iat", json!("now"), Refusal::Malformed),
    ] {
        assert_eq!(verify(&with(claim, value.clone()), NOW), Err(refusal), "{claim} {value}");
    }
    assert_eq!(verify(&with("aud", json!(["x", "another"])), NOW), Ok(()));
    for claim in ["iss", "sub", "aud", "exp"] {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        let lacking = signed(&json!({"alg": "RS256", "kid": "k1"}), &claims);
        assert_eq!(verify(&lacking, NOW), Err(Refusal::Malformed), "{claim}");
    }
}

#[test]
fn the_header_chooses_a_published_key_and_nothing_else() {
    let header = |header: Value| verify(&signed(&header, &claims()), NOW);
    assert_eq!(header(json!({"alg": "RS256", "kid": "k2"})), Err(Refusal::UnknownKey));
    assert_eq!(header(json!({"alg": "RS256"})), Err(Refusal::UnknownKey));
    assert_eq!(header(json!({"alg": "RS256", "kid": "k2", "jwk": jwk()})), Err(Refusal::UnknownKey));
    assert_eq!(header(json!({"alg": "RS256", "kid": "k1", "crit": ["x"]})), Err(Refusal::Malformed));
    for algorithm in ["RS384", "PS256", "ES256", "HS256", "EdDSA"] {
        let refused = header(json!({"alg": algorithm, "kid": "k1"}));
        assert_eq!(refused, Err(Refusal::WrongAlgorithm), "{algorithm}");
    }
    assert!(header(json!({"alg": "none", "kid": "k1"})).is_err());
    assert_eq!(verify(&"a".repeat(MAX_LENGTH + 1), NOW), Err(Refusal::TooLong));
}

#[test]
fn only_rsa_signature_keys_of_a_sound_size_are_taken() {
    let change = |name: &str, value: Value| {
        let mut jwk = jwk();
        jwk[name] = value;
        jwk
    };
    for unfit in [
        change("kty", json!("oct")),
        change("use", json!("enc")),
        change("alg", json!("RS512")),
        change("kid", json!("")),
        change("n", json!("A".repeat(341))),
        change("n", json!("A".repeat(1367))),
        change("e", json!("AAAAAAAB")),
        json!({"kid": "k1"}),
        json!(7),
    ] {
        let document = json!({"keys": [unfit.clone(), jwk()]}).to_string();
        let mut other = jwk();
        other["kid"] = json!("k2");
        let alone = json!({"keys": [unfit.clone(), other]}).to_string();
        assert!(AuthorityKeys::read(document.as_bytes()).unwrap().knows("k1"), "the good one is still taken");
        assert!(!AuthorityKeys::read(alone.as_bytes()).unwrap().knows("k1"), "{unfit}");
    }
    for no_set in ["", "{}", "[]", r#"{"keys": 1}"#] {
        assert!(AuthorityKeys::read(no_set.as_bytes()).is_err(), "{no_set}");
    }
}

proptest! {
    #[test]
    fn an_assertion_changed_in_any_character_is_refused(at in 0..good().len(), to in "[A-Za-z0-9_.-]") {
        let mut changed = good();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != good());
        prop_assert!(verify(&changed, NOW).is_err());
    }

    #[test]
    fn whatever_is_sent_as_an_assertion_is_answered(text in ".*", document in any::<Vec<u8>>()) {
        prop_assert!(verify(&text, NOW).is_err());
        prop_assert!(AuthorityKeys::read(&document).is_err());
    }
}
