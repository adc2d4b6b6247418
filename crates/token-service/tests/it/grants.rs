//! `POST /oauth2/token` with a secret: what is granted, and every way in which nothing is (RFC 6749 §4.4, §5.2).

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bus_contract::{
    Message as _,
    directory::{CallBatch, call::Answer as CallAnswer},
    stream::CALLS,
    subject::{self, ADD_CLIENT_SECRET, REVOKE_CLIENT, REVOKE_CLIENT_SECRET},
    token::SecretClient,
};
use futures_util::StreamExt as _;
use tracing_subscriber::fmt::MakeWriter;
use typed_ids::CredentialId;

use crate::{
    clients::{YEAR, add_secret, client, revoke, revoke_secret},
    harness::{
        NOW, SEALING_KEY, World, authority, connect, eventually, secret_client, serve, url,
        web::{self, Response, post},
    },
};

const GRANT: (&str, &str) = ("grant_type", "client_credentials");

fn basic(name: &str, secret: &str) -> String {
    format!("Authorization: Basic {}\r\n", STANDARD.encode(format!("{name}:{secret}")))
}

fn id(made: &SecretClient) -> &str {
    &made.client.as_ref().unwrap().client_id
}

fn by_body(world: &World, client_id: &str, secret: &str) -> Response {
    post(world.http, "", &[GRANT, ("client_id", client_id), ("client_secret", secret)])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_gets_a_token_of_its_company_for_an_hour_by_either_authentication() {
    let world = World::start().await;
    let made = world.client(None).await;
    let (keys, _) = world.published().await.unwrap();
    let mut ids = Vec::new();
    for response in [
        by_body(&world, id(&made), &made.secret),
        post(world.http, &basic(id(&made), &made.secret), &[GRANT]),
        post(
            world.http,
            &basic(id(&made), &made.secret),
            &[("client_id", id(&made)), GRANT, ("scope", "scim")],
        ),
        // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
        post(world.http, &basic(&id(&made).replace('-', "%2D"), &made.secret.replace('_', "%5F")), &[GRANT]),
    ] {
        let json = response.json();
        assert_eq!(
            (&json["token_type"], &json["expires_in"], &json["scope"]),
            (&"Bearer".into(), &3600.into(), &"scim".into())
        );
        assert_eq!(
            (response.header("cache-control"), response.header("pragma")),
            (Some("no-store"), Some("no-cache"))
        );
        let principal = keys.verify(&response.access_token(), NOW).unwrap();
        assert_eq!((principal.company, principal.expires_at), (world.company, NOW + 3600));
        assert_eq!(principal.credential_id.to_string(), id(&made));
        ids.push(principal.token_id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "each token is one of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scope_may_be_ours_none_or_whatever_entra_calls_everything() {
    let world = World::start().await;
    let made = world.client(None).await;
    let ask = |scope: &str| {
        post(world.http, &basic(id(&made), &made.secret), &[GRANT, ("scope", scope), ("resource", "ignored")])
    };
    for scope in ["", "scim", "api://timeclock365/.default", "scim api://x/.default"] {
        assert_eq!(ask(scope).status, 200, "{scope}");
    }
    for scope in ["admin", "scim admin", "SCIM"] {
        assert_eq!(ask(scope).error(), (400, "invalid_scope".into()), "{scope}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_request_is_told_what_is_wrong_with_it() {
    let world = World::start().await;
    let made = world.client(None).await;
    let (name, secret) = (("client_id", id(&made)), ("client_secret", made.secret.as_str()));
    let header = basic(id(&made), &made.secret);
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    for (headers, form, says) in [
        ("", &[name, secret][..], "grant_type is missing"),
        ("", &[("grant_type", ""), name, secret], "grant_type is missing"),
        ("", &[GRANT, secret], "client_id is missing"),
        ("", &[GRANT, GRANT, name, secret], "twice"),
        ("", &[GRANT, name, secret, ("x", "1"), ("x", "2")], "twice"),
        (&header, &[GRANT, secret], "in one way"),
        (&header, &[GRANT, kind, ("client_assertion", "x")], "in one way"),
        ("", &[GRANT, name, secret, kind, ("client_assertion", "x")], "in one way"),
        (&header, &[GRANT, ("client_id", "another")], "client_id is not"),
        ("", &[GRANT, name, kind], "client_assertion is missing"),
        ("", &[GRANT, kind, ("client_assertion", "x")], "client_id is missing"),
        ("", &[GRANT, name, ("client_assertion_type", "saml"), ("client_assertion", "x")], "must be urn:"),
        ("", &[GRANT, name, ("client_assertion", "x")], "must be urn:"),
    ] {
        let response = post(world.http, headers, form);
        assert_eq!(response.error(), (400, "invalid_request".into()), "{form:?}");
        assert!(response.description().contains(says), "{says}: {response:?}");
    }
    for grant_type in ["password", "authorization_code", "CLIENT_CREDENTIALS"] {
        let response = post(world.http, "", &[("grant_type", grant_type), name, secret]);
        assert_eq!(response.error(), (400, "unsupported_grant_type".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_form_is_refused_in_the_same_words() {
    let world = World::start().await;
    let request = |head: &str, body: &str| {
        web::send(world.http, &format!("{head}\r\nContent-Length: {}", body.len()), body)
    };
    let form = "Content-Type: application/x-www-form-urlencoded";
    let json = request("POST /oauth2/token HTTP/1.1\r\nContent-Type: application/json", "{}");
    assert_eq!(json.error(), (415, "invalid_request".into()));
    let large = request(&format!("POST /oauth2/token HTTP/1.1\r\n{form}"), &"x".repeat(16 * 1024 + 1));
    assert_eq!(large.error(), (413, "invalid_request".into()));
    for method in ["GET", "PUT", "DELETE"] {
        let response = request(&format!("{method} /oauth2/token HTTP/1.1\r\n{form}"), "");
        assert_eq!(response.error(), (405, "invalid_request".into()));
        assert_eq!(response.header("allow"), Some("POST"));
    }
    // Bytes that are no text are not a name of a client, and nothing worse.
    let odd = request(
        &format!("POST /oauth2/token HTTP/1.1\r\n{form}; charset=utf-8"),
        "grant_type=client_credentials&client_id=%ff%00&client_secret=%fe",
    );
    assert_eq!(odd.error(), (401, "invalid_client".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proves_nothing_gets_the_same_answer_whether_the_client_exists_or_not() {
    let world = World::start().await;
    let made = world.client(None).await;
    let wrong_secret = by_body(&world, id(&made), "tc365_cs_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let no_client = by_body(&world, &CredentialId::mint().to_string(), &made.secret);
    let no_id = by_body(&world, "contoso", &made.secret);
    for response in [&wrong_secret, &no_client, &no_id] {
        assert_eq!(response.error(), (401, "invalid_client".into()));
        assert!(response.header("www-authenticate").unwrap().starts_with("Basic realm="), "{response:?}");
        assert_eq!(response.body, wrong_secret.body);
    }
    for header in [
        "Authorization: Bearer x\r\n",
        "Authorization: Basic\r\n",
        "Authorization: Basic %%%\r\n",
        "Authorization: Basic Og==\r\n",
        "",
    ] {
        assert_eq!(post(world.http, header, &[GRANT]).error(), (401, "invalid_client".into()), "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_several_secrets_works_until_it_expires_or_is_revoked() {
    let world = World::start().await;
    let first = world.client(None).await;
    let second = secret_client(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, id(&first))).await);
    for secret in [&first.secret, &second.secret] {
        by_body(&world, id(&first), secret).access_token();
    }
    let revocation = revoke_secret(world.company, id(&first), &first.secret_id);
    client(world.ask(REVOKE_CLIENT_SECRET, revocation).await);
    let refused = by_body(&world, id(&first), &first.secret);
    assert_eq!(refused.error(), (401, "invalid_client".into()));
    assert!(refused.description().contains("is revoked"), "{refused:?}");
    by_body(&world, id(&first), &second.secret).access_token();

    world.clock.advance(Duration::from_secs(u64::from(YEAR)));
    let refused = by_body(&world, id(&first), &second.secret);
    assert_eq!(refused.error(), (401, "invalid_client".into()));
    assert!(refused.description().contains("has expired"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_client_is_unauthorized_and_its_tokens_are_on_the_gateways_list() {
    let world = World::start().await;
    let made = world.client(None).await;
    let token = by_body(&world, id(&made), &made.secret).access_token();
    client(world.ask(REVOKE_CLIENT, revoke(world.company, id(&made))).await);
    assert_eq!(by_body(&world, id(&made), &made.secret).error(), (400, "unauthorized_client".into()));
    let wrong = by_body(&world, id(&made), "tc365_cs_x");
    assert_eq!(
        wrong.error(),
        (401, "invalid_client".into()),
        "only who knows a secret hears of the revocation"
    );
    let (keys, revoked) = world.published().await.unwrap();
    let credential = keys.verify(&token, NOW).unwrap().credential_id.to_string();
    assert_eq!(revoked, [(credential, NOW.to_string())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_secret_under_another_company_s_client_proves_nothing() {
    let world = World::start().await;
    let (one, other) = (world.client(None).await, world.client(None).await);
    assert_eq!(by_body(&world, id(&one), &other.secret).error(), (401, "invalid_client".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_all_the_time_is_slowed_down_and_others_are_not() {
    let world = World::start().await;
    let (busy, other) = (world.client(None).await, world.client(None).await);
    for _ in 0..60 {
        by_body(&world, id(&busy), &busy.secret).access_token();
    }
    let limited = by_body(&world, id(&busy), &busy.secret);
    assert_eq!(limited.error(), (429, "temporarily_unavailable".into()));
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    by_body(&world, id(&other), &other.secret).access_token();
    world.clock.advance(Duration::from_secs(wait));
    by_body(&world, id(&busy), &busy.secret).access_token();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_stopped_by_address_and_does_not_use_up_what_the_client_may_ask_for() {
    let world = World::start().await;
    let made = world.client(None).await;
    let limited =
        (0..700).map(|_| by_body(&world, id(&made), "guess")).find(|response| response.status != 401);
    assert_eq!(limited.unwrap().error(), (429, "temporarily_unavailable".into()));
    world.clock.advance(Duration::from_secs(10));
    by_body(&world, id(&made), &made.secret).access_token();
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_and_what_expires_soon_are_counted() {
    let world = World::start().await;
    world.client(None).await;
    world.issue(Some(5 * 24 * 3600)).await;
    let revoked = world.issue(Some(5 * 24 * 3600)).await.token.unwrap().token_id;
    world.revoke(&revoked).await;
    // Counted at the start and once a minute, so a second instance counts at once.
    let http = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    let database = url(&world.database, "service");
    let process = serve(&world.nats.url(), &database, http, &world.clock, SEALING_KEY).await;
    let read = |name: &str, labels: &[&str]| -> Option<f64> {
        let families = process.metrics.gather();
        let family = families.iter().find(|family| family.name() == name)?;
        let metric = family.get_metric().iter().find(|metric| {
            let found: Vec<_> = metric.get_label().iter().map(|label| label.value()).collect();
            labels.iter().all(|label| found.contains(label))
        })?;
        Some(metric.get_gauge().get_value())
    };
    let count = |kind: &str, days: &str| read("timeclock_tokens_expiring_credentials", &[kind, days]);
    eventually("counted", || async { count("client_secret", "1") }).await;
    assert_eq!(["30", "7", "1"].map(|days| count("token", days)), [Some(1.0), Some(1.0), Some(0.0)]);
    assert_eq!(count("client_secret", "30"), Some(0.0));
    assert_eq!(read("timeclock_tokens_clients", &[]), Some(1.0));
    process.tasks.stop().await;
}

/// Keeps what was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_and_no_assertion_reaches_the_log() {
    let log = Log::default();
    // One level more, and the NATS client writes down whole messages.
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(log.clone()).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let world = World::start().await;
    let made = world.client(None).await;
    let token = by_body(&world, id(&made), &made.secret).access_token();
    let header = basic(id(&made), &made.secret);
    post(world.http, &header, &[GRANT]);
    by_body(&world, id(&made), "tc365_cs_wrong_secret_that_was_sent");
    let federated = world
        .create_client(bus_contract::token::create_client::Authentication::Federation(
            crate::clients::federation(),
        ))
        .await;
    let key = authority::SigningKey::generate("k1");
    let assertion = key.sign(&serde_json::json!({"iss": "x", "sub": "x", "aud": "x", "exp": NOW + 60}));
    world.authority.answers(authority::Answer::Nothing);
    let kind = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    post(world.http, "", &[GRANT, ("client_id", id(&federated)), kind, ("client_assertion", &assertion)]);
    client(world.ask(REVOKE_CLIENT, revoke(world.company, id(&made))).await);

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("cannot fetch a tenant's keys"), "nothing was logged");
    let encoded = header.trim_end().rsplit_once(' ').unwrap().1;
    let signature = assertion.rsplit_once('.').unwrap().1;
    for secret in [&made.secret, &token, "wrong_secret_that_was_sent", encoded, signature, "anna@contoso.com"]
    {
        let line = logged.lines().find(|line| line.contains(secret));
        assert_eq!(line.map(|line| line.split(": ").next()), None, "a secret or personal data in the log");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_hears_that_its_client_was_refused_and_a_stranger_s_guess_is_nobody_s() {
    let world = World::start().await;
    let directory = connect(&world.nats.url(), "directory").await;
    let mut told = directory.subscribe(subject::calls(world.company)).await.unwrap();
    directory.ensure_stream(&CALLS).await.unwrap();
    let made = world.client(None).await;
    assert_eq!(by_body(&world, &CredentialId::mint().to_string(), "tc365_cs_guessed").status, 401);
    assert_eq!(by_body(&world, id(&made), "tc365_cs_mistyped").status, 401);
    client(world.ask(REVOKE_CLIENT, revoke(world.company, id(&made))).await);
    assert_eq!(by_body(&world, id(&made), &made.secret).status, 400);
    for (status, said) in [(401, "the secret is not one of its own"), (400, "the client is revoked")] {
        let batch = CallBatch::decode(told.next().await.unwrap().payload).unwrap();
        let [call] = batch.calls.as_slice() else { panic!("{batch:?}") };
        assert_eq!((call.answer(), call.status), (CallAnswer::Unauthenticated, status));
        assert_eq!((call.credential_id.as_str(), call.address.as_str()), (id(&made), "127.0.0.1"));
        assert!(call.detail.contains(said) && !call.detail.contains("tc365_cs_mistyped"), "{call:?}");
    }
}
