//! What the process shows to the outside: readiness, public keys, settings.

use service_runtime::clock::Clock;

use crate::harness::{NOW, World, eventually, reader, serve, url, web};

#[tokio::test(flavor = "multi_thread")]
async fn the_public_keys_are_a_jwk_set_that_verifies() {
    let world = World::start().await;
    let issued = world.issue(None).await;
    let response = web::get(world.http, "/.well-known/jwks.json");
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("content-type"), Some("application/jwk-set+json"));
    let set: serde_json::Value = serde_json::from_str(&response.body).unwrap();
    let mut keys = token_protocol::KeySet::default();
    for key in set["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none(), "a private key");
        keys.add(key.to_string().as_bytes()).unwrap();
    }
    assert!(keys.verify(&issued.secret, NOW).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sealing_key_than_before_is_noticed_before_anyone_asks() {
    let world = World::start().await;
    let http = std::net::SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
    let other = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    let process =
        serve(&world.nats.url(), &url(&world.database, "service"), http, &Clock::manual(NOW), other).await;
    process.health.started();
    let readiness = process.health.readiness().await;
    assert!(!readiness.ready);
    assert!(readiness.dependencies["signing_key"].contains("TIMECLOCK_SEALING_KEY"), "{readiness:?}");
    process.tasks.stop().await;
}

#[test]
fn a_sealing_key_of_another_length_is_a_problem() {
    let mut reader = reader(&[
        ("TIMECLOCK_NATS_USER", "tokens"),
        ("TIMECLOCK_NATS_PASSWORD", "secret"),
        ("TIMECLOCK_POSTGRES_URL", "postgres://localhost/x"),
        ("TIMECLOCK_SEALING_KEY", "c2hvcnQ="),
    ]);
    drop(token_service::Settings::read(&mut reader));
    let problems = reader.finish().unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    assert!(problems.0[0].contains("32 bytes in base64") && !problems.0[0].contains("c2hvcnQ"), "{problems}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_metadata_says_where_and_how_tokens_are_granted() {
    let world = World::start().await;
    let metadata = web::get(world.http, "/.well-known/oauth-authorization-server").json();
    assert_eq!(metadata["issuer"], "http://127.0.0.1:8082");
    assert_eq!(metadata["token_endpoint"], "http://127.0.0.1:8082/oauth2/token");
    assert_eq!(metadata["revocation_endpoint"], "http://127.0.0.1:8082/oauth2/revoke");
    assert_eq!(metadata["jwks_uri"], "http://127.0.0.1:8082/.well-known/jwks.json");
    assert_eq!(metadata["grant_types_supported"], serde_json::json!(["client_credentials"]));
    let methods = serde_json::json!(["client_secret_basic", "client_secret_post", "private_key_jwt"]);
    assert_eq!(metadata["token_endpoint_auth_methods_supported"], methods);
}

#[test]
fn urls_that_cannot_be_are_problems() {
    let mut reader = reader(&[
        ("TIMECLOCK_NATS_USER", "tokens"),
        ("TIMECLOCK_NATS_PASSWORD", "secret"),
        ("TIMECLOCK_POSTGRES_URL", "postgres://localhost/x"),
        ("TIMECLOCK_SEALING_KEY", "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="),
        ("TIMECLOCK_TOKEN_URL", "tokens.example.com"),
        ("TIMECLOCK_FEDERATION_AUTHORITY", "http://login.microsoftonline.com"),
    ]);
    drop(token_service::Settings::read(&mut reader));
    let problems = reader.finish().unwrap_err().0;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(
        problems[0].contains("TIMECLOCK_TOKEN_URL") && problems[1].contains("http is for loopback"),
        "{problems:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_every_route_and_of_the_next_expiry() {
    const NEXT: &str = "timeclock_tokens_next_expiry_days";
    let world = World::start().await;
    let told = |process: &service_runtime::Process| service_runtime::metrics::text(&process.metrics).unwrap();
    assert!(!told(&world.process).contains(NEXT), "nothing expires yet");
    for (path, status) in [("/.well-known/jwks.json", 200), ("/.well-known/nothing", 404)] {
        assert_eq!(web::get(world.http, path).status, status, "{path}");
    }
    web::send(world.http, "BREW /oauth2/token HTTP/1.1", "");
    for labels in [
        r#"method="GET",route="/.well-known/jwks.json",status="200""#,
        r#"method="GET",route="other",status="404""#,
        r#"method="other",route="/oauth2/token",status="405""#,
    ] {
        let sample = format!("timeclock_http_requests_total{{{labels}}} 1\n");
        assert!(told(&world.process).contains(&sample), "{sample}{}", told(&world.process));
    }

    // Another instance looks when it starts.
    drop(world.issue(None).await);
    let http = std::net::SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
    let (nats, postgres) = (world.nats.url(), url(&world.database, "service"));
    let process = serve(&nats, &postgres, http, &Clock::manual(NOW), crate::harness::SEALING_KEY).await;
    eventually("a year is left", || async {
        told(&process).contains(&format!("{NEXT} 365\n")).then_some(())
    })
    .await;
    process.tasks.stop().await;
}
