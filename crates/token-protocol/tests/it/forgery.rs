//! Attempts to get in without the key.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use proptest::prelude::*;
use serde_json::json;
use token_protocol::{KeyError, KeySet, Refusal};

use crate::minting::{ISSUED, base64url, claims, good, header, jwk, key, keys, signed};

/// A token signed by whatever algorithm an attacker likes.
fn forged(algorithm: Algorithm, secret: &EncodingKey) -> String {
    let mut header = Header::new(algorithm);
    header.kid = Some("k1".to_owned());
    #[expect(clippy::disallowed_methods, reason = "an attacker does not keep to our doors")]
    let jwt = jsonwebtoken::encode(&header, &claims(), secret).unwrap();
    format!("tc365_{jwt}")
}

#[test]
fn a_token_without_a_signature_is_refused() {
    for none in ["none", "None", "NONE"] {
        let header = json!({"typ": "JWT", "alg": none, "kid": "k1"}).to_string();
        let body = claims().to_string();
        for signature in ["", "AAAA"] {
            let token =
                format!("tc365_{}.{}.{signature}", base64url(header.as_bytes()), base64url(body.as_bytes()));
            let refusal = keys().verify(&token, ISSUED).unwrap_err();
            assert!(matches!(refusal, Refusal::WrongAlgorithm | Refusal::Malformed), "{none}: {refusal:?}");
        }
    }
}

#[test]
fn the_public_key_is_no_hmac_secret() {
    let public = key().verifying_key();
    for secret in [&public.as_bytes()[..], &jwk("k1", &key()), base64url(public.as_bytes()).as_bytes()] {
        let token = forged(Algorithm::HS256, &EncodingKey::from_secret(secret));
        assert_eq!(keys().verify(&token, ISSUED), Err(Refusal::WrongAlgorithm));
    }
}

#[test]
fn another_algorithm_in_the_header_is_refused_whatever_the_signature() {
    for algorithm in ["RS256", "ES256", "PS512", "HS512"] {
        let header = json!({"typ": "JWT", "alg": algorithm, "kid": "k1"});
        assert_eq!(
            keys().verify(&signed(&header, &claims()), ISSUED),
            Err(Refusal::WrongAlgorithm),
            "{algorithm}"
        );
    }
}

#[test]
fn a_key_inside_the_token_is_not_used() {
    let attacker = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    let embedded: serde_json::Value = serde_json::from_slice(&jwk("k1", &attacker)).unwrap();
    let header = json!({"typ": "JWT", "alg": "EdDSA", "kid": "k1", "jwk": embedded});
    let message = format!(
        "{}.{}",
        base64url(header.to_string().as_bytes()),
        base64url(claims().to_string().as_bytes())
    );
    let signature = ed25519_dalek::Signer::sign(&attacker, message.as_bytes()).to_bytes();
    let token = format!("tc365_{message}.{}", base64url(&signature));
    assert_eq!(keys().verify(&token, ISSUED), Err(Refusal::BadSignature));
}

#[test]
fn an_unknown_or_missing_key_id_is_refused() {
    for header in [json!({"typ": "JWT", "alg": "EdDSA", "kid": "k2"}), json!({"typ": "JWT", "alg": "EdDSA"})]
    {
        assert_eq!(keys().verify(&signed(&header, &claims()), ISSUED), Err(Refusal::UnknownKey));
    }
    assert_eq!(KeySet::default().verify(&good(), ISSUED), Err(Refusal::UnknownKey));
}

#[test]
fn what_our_key_signed_as_something_else_is_no_token() {
    let mut receipt = header();
    receipt["typ"] = json!("access-end-receipt+jwt");
    assert_eq!(keys().verify(&signed(&receipt, &claims()), ISSUED), Err(Refusal::Malformed));
}

#[test]
fn a_critical_extension_is_refused() {
    let mut critical = header();
    critical["crit"] = json!(["b64"]);
    critical["b64"] = json!(false);
    assert_eq!(keys().verify(&signed(&critical, &claims()), ISSUED), Err(Refusal::Malformed));
}

#[test]
fn a_signature_under_other_claims_is_refused() {
    let mut other = claims();
    other["sub"] = json!("01890a5d-ac96-774b-bcce-b302099a8059");
    let (good, other) = (good(), signed(&header(), &other));
    let (body, _) = other.rsplit_once('.').unwrap();
    let (_, signature) = good.rsplit_once('.').unwrap();
    assert_eq!(keys().verify(&format!("{body}.{signature}"), ISSUED), Err(Refusal::BadSignature));
}

#[test]
fn only_named_ed25519_signature_keys_are_taken() {
    let x = base64url(key().verifying_key().as_bytes());
    let unfit = [
        json!({"kty": "oct", "kid": "k1", "k": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "x": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "", "x": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "use": "enc", "x": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "alg": "HS256", "x": x}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": "k1", "x": "AAAA"}),
    ];
    for document in unfit {
        let mut keys = KeySet::default();
        let refused = keys.add(document.to_string().as_bytes());
        assert!(matches!(refused, Err(KeyError::Unfit)), "{document}: {refused:?}");
        assert!(keys.is_empty());
    }
    assert!(matches!(KeySet::default().add(b"{"), Err(KeyError::Malformed(_))));
}

proptest! {
    #[test]
    fn a_token_changed_in_any_character_is_refused(at in 0..good().len(), to in "[A-Za-z0-9_.-]") {
        let mut changed = good();
        changed.replace_range(at..=at, &to);
        prop_assume!(changed != good());
        // The last character of the signature carries four bits that say nothing; decoders refuse them when set.
        prop_assert!(keys().verify(&changed, ISSUED).is_err());
    }

    #[test]
    fn whatever_is_sent_is_answered(text in ".*") {
        prop_assert!(keys().verify(&text, ISSUED).is_err());
        let prefixed = format!("tc365_{text}");
        prop_assert!(keys().verify(&prefixed, ISSUED).is_err());
    }
}
