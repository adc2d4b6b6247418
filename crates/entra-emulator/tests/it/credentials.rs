//! The three kinds of credential, in a program's own process.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use entra_emulator::{Authority, Credential, Emulator, Identity, OAuthClient, SecretPlace, Settings, Tenant};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::target::{Received, Reply, Target};

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

fn client(target: &Target) -> OAuthClient {
    OAuthClient { id: "the-client".into(), token_endpoint: target.url.replace("/scim", "/oauth2/token") }
}

fn by_secret(target: &Target, place: SecretPlace) -> Credential {
    let secret = "the-client-secret&+".to_owned().into();
    Credential::ClientSecret { client: client(target), secret, place }
}

fn emulator(target: &Target, credential: Credential) -> Emulator {
    Emulator::new(Settings::with_credential(target.url.clone(), credential)).unwrap()
}

fn is_for_token(received: &Received) -> bool {
    received.route() == "POST /oauth2/token"
}

fn granted(token: &str, expires_in: u64) -> Reply {
    let body = json!({"access_token": token, "token_type": "Bearer", "expires_in": expires_in});
    Reply::text(200, "application/json", body.to_string())
}

/// Grants `token-1`, `token-2` … and lets each in as long as `accepts` says so.
fn grant(
    target: &Target,
    expires_in: u64,
    accepts: impl Fn(usize) -> bool + Send + 'static,
) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counting = Arc::clone(&count);
    target.expect_token("token-of-nobody");
    target.intercept(move |received| {
        if is_for_token(received) {
            let number = counting.fetch_add(1, Ordering::SeqCst) + 1;
            return Some(granted(&format!("token-{number}"), expires_in));
        }
        let newest = counting.load(Ordering::SeqCst);
        let is_newest = received.headers.contains(&format!("Authorization: Bearer token-{newest}"));
        Some(if is_newest && accepts(newest) {
            let empty = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0, "Resources": [],
            });
            Reply::json(200, &empty)
        } else {
            Reply::error(401, "this token has ended")
        })
    });
    count
}

fn form(received: &Received) -> Vec<(String, String)> {
    let Some(Value::String(text)) = &received.body else { panic!("no form: {received:?}") };
    form_urlencoded::parse(text.as_bytes()).into_owned().collect()
}

fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

#[tokio::test]
async fn a_secret_stands_in_the_form_or_in_a_header_and_never_in_both() {
    let target = Target::start().await;
    grant(&target, 3600, |_| true);
    emulator(&target, by_secret(&target, SecretPlace::Body)).test_connection().await.unwrap();
    emulator(&target, by_secret(&target, SecretPlace::Basic)).test_connection().await.unwrap();
    let received = target.take_received();
    let asked: Vec<_> = received.iter().filter(|received| is_for_token(received)).collect();
    let (body, header) = (form(asked[0]), form(asked[1]));
    assert_eq!(field(&body, "grant_type"), Some("client_credentials"));
    assert_eq!(
        (field(&body, "client_id"), field(&body, "client_secret")),
        (Some("the-client"), Some("the-client-secret&+"))
    );
    assert!(!asked[0].headers.iter().any(|line| line.starts_with("Authorization")));
    assert_eq!(header, [("grant_type".to_owned(), "client_credentials".to_owned())]);
    // base64 of the-client:the-client-secret%26%2B
    let basic = "Authorization: Basic dGhlLWNsaWVudDp0aGUtY2xpZW50LXNlY3JldCUyNiUyQg==".to_owned();
    assert!(asked[1].headers.contains(&basic), "{asked:?}");
}

#[tokio::test]
async fn an_access_token_is_kept_until_it_nears_its_end() {
    let target = Target::start().await;
    let count = grant(&target, 3600, |_| true);
    let mut job = emulator(&target, by_secret(&target, SecretPlace::Body));
    for _ in 0..3 {
        job.test_connection().await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    // One without a life left is replaced before each request.
    let target = Target::start().await;
    let count = grant(&target, 0, |_| true);
    let mut job = emulator(&target, by_secret(&target, SecretPlace::Body));
    for _ in 0..3 {
        job.test_connection().await.unwrap();
    }
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_refused_access_token_is_replaced_once() {
    let target = Target::start().await;
    let count = grant(&target, 3600, |newest| newest >= 2);
    emulator(&target, by_secret(&target, SecretPlace::Body)).test_connection().await.unwrap();
    assert_eq!(count.load(Ordering::SeqCst), 2);

    let target = Target::start().await;
    let count = grant(&target, 3600, |_| false);
    let refused =
        emulator(&target, by_secret(&target, SecretPlace::Body)).test_connection().await.unwrap_err();
    assert_eq!(count.load(Ordering::SeqCst), 2);
    assert!(refused.message.contains("the credentials appear to be invalid"), "{}", refused.message);
}

#[tokio::test]
async fn a_cycle_gets_one_token_however_many_requests_are_in_flight() {
    let target = Target::start().await;
    target.intercept(|received| is_for_token(received).then(|| granted(crate::target::TOKEN, 3600)));
    let mut tenant = Tenant::empty("contoso.com", 1);
    for number in 0..8 {
        tenant.hire_named("Anna", "Berg", &format!("anna.berg{number}"));
    }
    let cycle = emulator(&target, by_secret(&target, SecretPlace::Body)).run_cycle(&mut tenant).await;
    assert!(cycle.succeeded(), "{:?}", cycle.quarantine);
    let received = target.take_received();
    assert_eq!(received.iter().filter(|received| is_for_token(received)).count(), 1);
    assert_eq!(target.users().len(), 8);
}

#[tokio::test]
async fn a_client_that_gets_no_token_is_told_what_the_token_endpoint_said() {
    let target = Target::start().await;
    let mut tenant = Tenant::empty("contoso.com", 1);
    tenant.hire_named("Anna", "Berg", "anna.berg");
    for (reply, says) in [
        (
            Reply::text(
                401,
                "application/json",
                r#"{"error":"invalid_client","error_description":"no such secret"}"#,
            ),
            "invalid_client: no such secret",
        ),
        (Reply::text(502, "text/html", "<html>"), "something that is not JSON"),
        (
            Reply::text(200, "application/json", r#"{"access_token":"x","token_type":"mac"}"#),
            "no token_type Bearer",
        ),
        (Reply::text(200, "application/json", r#"{"token_type":"Bearer"}"#), "no usable access_token"),
    ] {
        target.intercept(move |received| is_for_token(received).then(|| reply.clone()));
        let mut job = emulator(&target, by_secret(&target, SecretPlace::Body));
        let cycle = job.run_cycle(&mut tenant).await;
        let message = cycle.quarantine.unwrap().message;
        assert!(
            message.contains("the credentials appear to be invalid") && message.contains(says),
            "{message}"
        );
        assert!(target.take_received().iter().all(is_for_token), "nothing is sent without a token");
    }
    // Patience where it is asked for.
    let count = Arc::new(AtomicUsize::new(0));
    target.intercept(move |received| {
        is_for_token(received).then(|| match count.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::text(429, "application/json", "{}").retry_after(0),
            _ => granted(crate::target::TOKEN, 3600),
        })
    });
    emulator(&target, by_secret(&target, SecretPlace::Body)).test_connection().await.unwrap();
}

async fn get(authority: &Authority, path: &str) -> String {
    let mut socket = TcpStream::connect(authority.url().strip_prefix("http://").unwrap()).await.unwrap();
    socket.write_all(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn an_assertion_is_signed_by_the_published_key_and_says_what_entra_says() {
    let target = Target::start().await;
    grant(&target, 3600, |_| true);
    let authority = Authority::start(([127, 0, 0, 1], 0).into()).await.unwrap();
    let identity =
        Identity { tenant: TENANT.into(), subject: "the-subject".into(), audience: "api://app".into() };
    let credential =
        Credential::Federation { client: client(&target), authority: authority.clone(), identity };
    emulator(&target, credential).test_connection().await.unwrap();

    let form = form(&target.take_received()[0]);
    assert_eq!(field(&form, "client_id"), Some("the-client"));
    assert_eq!(
        field(&form, "client_assertion_type"),
        Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
    );
    assert_eq!((field(&form, "scope"), field(&form, "client_secret")), (Some("api://app/.default"), None));
    let assertion = field(&form, "client_assertion").unwrap();

    let keys = get(&authority, &format!("/{TENANT}/discovery/v2.0/keys")).await;
    let (_, body) = keys.split_once("\r\n\r\n").unwrap();
    let keys: JwkSet = serde_json::from_str(body).unwrap();
    let id = jsonwebtoken::decode_header(assertion).unwrap().kid.unwrap();
    let key = DecodingKey::from_jwk(keys.find(&id).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["api://app"]);
    validation.set_issuer(&[authority.issuer(TENANT)]);
    #[expect(clippy::disallowed_methods, reason = "this is Entra's assertion, not a token of ours")]
    let claims = jsonwebtoken::decode::<Value>(assertion, &key, &validation).unwrap().claims;
    assert_eq!((&claims["sub"], &claims["tid"]), (&json!("the-subject"), &json!(TENANT)));
    assert!(body.find("\"d\"").is_none(), "the private key is nobody's business");
    assert!(get(&authority, "/").await.starts_with("HTTP/1.1 404"));
}
