//! `POST /oauth2/token` with an assertion that a tenant's authority signed (RFC 7523 §2.2).

use std::{sync::LazyLock, time::Duration};

use bus_contract::token::create_client::Authentication;
use jsonwebtoken::{Algorithm, EncodingKey};
use rsa::pkcs8::EncodePublicKey as _;
use serde_json::{Value, json};

use crate::{
    clients::{SUBJECT, TENANT, federation},
    harness::{
        NOW, World,
        authority::{Answer, SigningKey, signed},
        web::{Response, post},
    },
};

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("k1"));
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::generate("k2"));

struct Federated {
    world: World,
    client_id: String,
}

impl Federated {
    /// A federated client, whose tenant publishes the first key.
    async fn start() -> Self {
        let world = World::start().await;
        let made = world.create_client(Authentication::Federation(federation())).await;
        world.authority.answers(Answer::Keys(vec![KEY.jwk()]));
        Self { world, client_id: made.client.unwrap().client_id }
    }

    fn claims(&self) -> Value {
        json!({
            "iss": format!("{}/{TENANT}/v2.0", self.world.authority.url),
            "sub": SUBJECT, "aud": "api://timeclock365",
            "iat": NOW, "nbf": NOW, "exp": NOW + 3600, "tid": TENANT, "ver": "2.0",
        })
    }

    fn with(&self, claim: &str, value: Value) -> String {
        let mut claims = self.claims();
        claims[claim] = value;
        KEY.sign(&claims)
    }

    fn ask(&self, assertion: &str) -> Response {
        self.ask_as(&self.client_id, assertion)
    }

    fn ask_as(&self, client_id: &str, assertion: &str) -> Response {
        // In the order in which no documentation promises them.
        let form = [
            ("scope", "api://timeclock365/.default"),
            ("client_assertion", assertion),
            ("client_id", client_id),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("grant_type", "client_credentials"),
        ];
        post(self.world.http, "", &form)
    }

    /// Asserts that it is refused, by words that name the check.
    fn refused(&self, assertion: &str, says: &str) {
        let response = self.ask(assertion);
        assert_eq!(response.error(), (401, "invalid_client".into()), "{says}");
        assert!(response.description().contains(says), "{says}: {response:?}");
        assert!(!response.body.contains(assertion));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_of_the_tenant_is_as_good_as_a_secret() {
    let it = Federated::start().await;
    let (keys, _) = it.world.published().await.unwrap();
    for audience in [
        json!("api://timeclock365"),
        json!(["api://timeclock365"]),
        json!(["x", "8adf8e6e-67b2-4cf2-a259-e3dc5476c621"]),
    ] {
        let token = it.ask(&it.with("aud", audience)).access_token();
        let principal = keys.verify(&token, NOW).unwrap();
        assert_eq!(principal.company, it.world.company);
        assert_eq!(principal.credential_id.to_string(), it.client_id);
    }
    assert_eq!(
        it.world.authority.paths(),
        [format!("/{TENANT}/discovery/v2.0/keys")],
        "fetched once, and kept"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_claim_that_is_not_as_promised_is_named() {
    let it = Federated::start().await;
    let authority = it.world.authority.url.clone();
    for (claim, value, says) in [
        ("iss", json!(format!("{authority}/{TENANT}/v2.0/")), "(iss)"),
        ("iss", json!(format!("{authority}/22222222-2222-4333-8444-555555555555/v2.0")), "(iss)"),
        ("sub", json!(SUBJECT.to_uppercase()), "(sub)"),
        ("aud", json!("api://timeclock365/"), "(aud)"),
        ("aud", json!([]), "(aud)"),
        ("nbf", json!(NOW + 61), "(nbf, iat)"),
        ("iat", json!(NOW + 61), "(nbf, iat)"),
        ("exp", json!(NOW - 60), "(exp)"),
        ("exp", json!(NOW + 24 * 3600 + 61), "more than a day"),
        ("exp", json!("soon"), "not a JWT"),
        ("sub", json!(null), "not a JWT"),
    ] {
        it.refused(&it.with(claim, value.clone()), says);
    }
    // Clocks may differ by a minute.
    for (claim, value) in
        [("nbf", NOW + 60), ("iat", NOW + 60), ("exp", NOW - 59), ("exp", NOW + 24 * 3600 + 60)]
    {
        it.ask(&it.with(claim, json!(value))).access_token();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_rs256_by_a_published_key_is_a_signature() {
    let it = Federated::start().await;
    it.ask(&KEY.sign(&it.claims())).access_token();
    // The public key as an HMAC secret, in each form that one could try.
    let public = KEY.private.to_public_key();
    let pem = public.to_public_key_pem(rsa::pkcs8::LineEnding::LF).unwrap();
    let der = public.to_public_key_der().unwrap();
    for secret in [pem.as_bytes(), der.as_bytes(), KEY.jwk()["n"].as_str().unwrap().as_bytes()] {
        it.refused(&signed(Algorithm::HS256, "k1", &EncodingKey::from_secret(secret), &it.claims()), "RS256");
    }
    let good = KEY.sign(&it.claims());
    let (_, body_and_signature) = good.split_once('.').unwrap();
    let (body, signature) = body_and_signature.split_once('.').unwrap();
    let header = |json: Value| {
        base64::Engine::encode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, json.to_string())
    };
    for none in ["none", "None", "NONE"] {
        let unsigned = format!("{}.{body}.", header(json!({"alg": none, "kid": "k1", "typ": "JWT"})));
        // A name that is no algorithm; the library does not always say which part it is that it cannot read.
        it.refused(&unsigned, "the assertion");
    }
    let rs512 = header(json!({"alg": "RS512", "kid": "k1"}));
    it.refused(&format!("{rs512}.{body}.{signature}"), "RS256");
    let no_kid = header(json!({"alg": "RS256"}));
    it.refused(&format!("{no_kid}.{body}.{signature}"), "(kid)");
    let critical = header(json!({"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": false}));
    it.refused(&format!("{critical}.{body}.{signature}"), "not a JWT");
    // Another's key under the published id, and the published signature over other claims.
    let impostor = SigningKey { id: "k1".into(), private: OTHER.private.clone() };
    it.refused(&impostor.sign(&it.claims()), "signature does not fit");
    let other_claims = it.with("jti", json!("another"));
    let (rest, _) = other_claims.rsplit_once('.').unwrap();
    it.refused(&format!("{rest}.{signature}"), "signature does not fit");
    it.refused("not a jwt", "not a JWT");
    it.refused(&format!("{good}{}", "A".repeat(8 * 1024)), "more than 8192 bytes");
    assert_eq!(it.world.authority.asked(), 1, "none of these makes us ask again");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_key_makes_us_ask_once_a_minute_and_a_new_one_is_found() {
    let it = Federated::start().await;
    it.ask(&KEY.sign(&it.claims())).access_token();
    it.world.clock.advance(Duration::from_secs(60));
    for _ in 0..5 {
        it.refused(&OTHER.sign(&it.claims()), "(kid)");
    }
    assert_eq!(it.world.authority.asked(), 2);
    // The tenant's keys roll over.
    it.world.authority.answers(Answer::Keys(vec![KEY.jwk(), OTHER.jwk()]));
    it.refused(&OTHER.sign(&it.claims()), "(kid)");
    it.world.clock.advance(Duration::from_secs(60));
    it.ask(&OTHER.sign(&it.claims())).access_token();
    it.ask(&KEY.sign(&it.claims())).access_token();
    assert_eq!(it.world.authority.asked(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_at_the_same_time_fetch_the_keys_once() {
    let it = Federated::start().await;
    let assertion = KEY.sign(&it.claims());
    std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| it.ask(&assertion).access_token())).collect();
        for asked in asking {
            asked.join().unwrap();
        }
    });
    assert_eq!(it.world.authority.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_authority_is_away_its_keys_are_used_for_a_day() {
    let it = Federated::start().await;
    let assertion = |now: u64| it.with("exp", json!(now + 3600));
    it.ask(&assertion(NOW)).access_token();
    it.world.authority.answers(Answer::Nothing);
    it.world.clock.advance(Duration::from_secs(24 * 3600 - 1));
    it.ask(&assertion(NOW + 24 * 3600 - 1)).access_token();
    assert!(it.world.authority.asked() >= 2, "keys of an hour ago are asked for again");
    it.world.clock.advance(Duration::from_secs(1));
    let away = it.ask(&assertion(NOW + 24 * 3600));
    assert_eq!(away.error(), (503, "temporarily_unavailable".into()));
    assert!(away.header("retry-after").is_some());
    it.world.authority.answers(Answer::Keys(vec![KEY.jwk()]));
    it.world.clock.advance(Duration::from_secs(60));
    it.ask(&assertion(NOW + 24 * 3600 + 60)).access_token();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_that_answers_nonsense_is_as_good_as_away() {
    let it = Federated::start().await;
    let elsewhere = crate::harness::authority::Authority::start();
    elsewhere.answers(Answer::Keys(vec![KEY.jwk()]));
    let padding = " ".repeat(256 * 1024);
    for answer in [
        Answer::Body("<html>".into()),
        Answer::Body(format!("{}{padding}", json!({"keys": [KEY.jwk()]}))),
        Answer::Redirect(format!("{}/keys", elsewhere.url)),
        Answer::Nothing,
    ] {
        it.world.authority.answers(answer);
        assert_eq!(it.ask(&KEY.sign(&it.claims())).error(), (503, "temporarily_unavailable".into()));
        it.world.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(elsewhere.asked(), 0, "a redirect is not followed");
    // Keys that are not for RS256 signatures are passed over, and too short ones are none.
    let mut odd =
        vec![json!({"kty": "EC", "kid": "k1", "crv": "P-256", "x": "AA", "y": "AA"}), json!({"kty": "?"})];
    let mut for_encryption = KEY.jwk();
    for_encryption["use"] = json!("enc");
    let mut short = KEY.jwk();
    short["n"] = json!("A".repeat(171));
    odd.extend([for_encryption, short]);
    it.world.authority.answers(Answer::Keys(odd));
    it.refused(&KEY.sign(&it.claims()), "(kid)");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_proves_the_client_that_was_created_for_it_and_no_other() {
    let it = Federated::start().await;
    let assertion = KEY.sign(&it.claims());
    let with_secret = it.world.client(None).await.client.unwrap().client_id;
    let unknown = typed_ids::CredentialId::mint().to_string();
    let mut another = federation();
    another.subject = "another".into();
    let another = it.world.create_client(Authentication::Federation(another)).await.client.unwrap().client_id;
    for (client_id, says) in [
        (with_secret.as_str(), "no client of this id"),
        (&unknown, "no client of this id"),
        ("contoso", "no client of this id"),
        (&another, "(sub)"),
    ] {
        let response = it.ask_as(client_id, &assertion);
        assert_eq!(response.error(), (401, "invalid_client".into()), "{client_id}");
        assert!(response.description().contains(says), "{response:?}");
    }
    let by_secret =
        [("grant_type", "client_credentials"), ("client_id", it.client_id.as_str()), ("client_secret", "x")];
    assert_eq!(post(it.world.http, "", &by_secret).error(), (401, "invalid_client".into()));
}
