//! A receipt says what the console said, can be checked with the published keys, and opens nothing.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bus_contract::{
    Message as _, Timestamp,
    subject::SIGN_ACCESS_END,
    token::{SignAccessEnd, failure::Reason, reply::Result as Answer, sign_access_end::Cause},
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Value, json};
use typed_ids::{RequestId, UserId};

use crate::harness::{NOW, World, failed, web};

fn ended(world: &World) -> SignAccessEnd {
    SignAccessEnd {
        company_id: world.company.to_string(),
        user_id: UserId::mint().to_string(),
        request_id: RequestId::mint().to_string(),
        cause: Cause::Deactivated.into(),
        requested_at: Some(Timestamp { seconds: 1_767_225_500, nanos: 916_000_000 }),
        enforced_at: Some(Timestamp { seconds: 1_767_225_501, nanos: 0 }),
        sessions_ended: 2,
    }
}

async fn receipt(world: &World, ended: &SignAccessEnd) -> String {
    match world.ask(SIGN_ACCESS_END, ended.clone()).await {
        Answer::Receipt(receipt) => receipt.jws,
        other => panic!("not a receipt: {other:?}"),
    }
}

/// Header and claims, checked with the key that the service publishes.
fn verified(world: &World, jws: &str) -> (jsonwebtoken::Header, Value) {
    let set: Value = serde_json::from_str(&web::get(world.http, "/.well-known/jwks.json").body).unwrap();
    let header = jsonwebtoken::decode_header(jws).unwrap();
    let keys = set["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"].as_str() == header.kid.as_deref()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    let key = DecodingKey::from_ed_components(key["x"].as_str().unwrap()).unwrap();
    #[expect(clippy::disallowed_methods, reason = "an auditor does not keep to our doors")]
    let claims = jsonwebtoken::decode::<Value>(jws, &key, &validation).unwrap().claims;
    (header, claims)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_says_what_happened_and_is_checked_with_the_published_keys() {
    let world = World::start().await;
    let ended = ended(&world);
    let (header, claims) = verified(&world, &receipt(&world, &ended).await);
    assert_eq!(header.typ.as_deref(), Some("access-end-receipt+jwt"));
    assert_eq!(
        claims,
        json!({
            "iss": claims["iss"],
            "iat": NOW,
            "company_id": ended.company_id,
            "user_id": ended.user_id,
            "request_id": ended.request_id,
            "cause": "deactivated",
            "requested_at": "2025-12-31T23:58:20.916Z",
            "enforced_at": "2025-12-31T23:58:21.000Z",
            "sessions_ended": 2,
        })
    );
    assert!(claims["iss"].as_str().is_some_and(|issuer| !issuer.is_empty()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_is_no_token() {
    let world = World::start().await;
    let jws = receipt(&world, &ended(&world)).await;
    let (keys, _) = world.published().await.unwrap();
    assert!(keys.verify(&jws, NOW).is_err());
    // Dressed up as one.
    assert!(keys.verify(&token_protocol::text::from_jwt(&jws), NOW).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_receipt_does_not_verify() {
    let world = World::start().await;
    let jws = receipt(&world, &ended(&world)).await;
    let parts: Vec<&str> = jws.split('.').collect();
    let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let other = claims.replace("\"sessions_ended\":2", "\"sessions_ended\":0");
    assert_ne!(claims, other);
    let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(other), parts[2]);
    let set: Value = serde_json::from_str(&web::get(world.http, "/.well-known/jwks.json").body).unwrap();
    let key = DecodingKey::from_ed_components(set["keys"][0]["x"].as_str().unwrap()).unwrap();
    let (message, signature) = forged.rsplit_once('.').unwrap();
    let verdict = jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, Algorithm::EdDSA);
    assert!(!verdict.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_have_happened_is_not_signed() {
    let world = World::start().await;
    let good = ended(&world);
    for bad in [
        SignAccessEnd { company_id: "contoso".to_owned(), ..good.clone() },
        SignAccessEnd { user_id: String::new(), ..good.clone() },
        SignAccessEnd { request_id: "1".to_owned(), ..good.clone() },
        SignAccessEnd { cause: 0, ..good.clone() },
        SignAccessEnd { enforced_at: None, ..good.clone() },
        SignAccessEnd { requested_at: Some(Timestamp { seconds: i64::MAX, nanos: 0 }), ..good.clone() },
    ] {
        let answer = world.ask(SIGN_ACCESS_END, bad.clone()).await;
        assert_eq!(failed(answer), Reason::Invalid, "{:?}", bad.encode_to_vec());
    }
}
