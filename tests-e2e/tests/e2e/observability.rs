//! What operators see, and what nobody may see.

use std::collections::BTreeSet;

use entra_emulator::{Action, Tenant};
use serde_json::{Map, Value};
use tests_e2e::{
    World, eventually,
    eventually::when,
    fault::{Part, SERVICES, all_ready},
    observe::{self, second_listener},
};

#[tokio::test(flavor = "multi_thread")]
async fn every_service_tells_its_health_its_readiness_and_its_metrics() {
    let world = World::shared();
    for service in SERVICES {
        for path in ["/healthz", "/readyz"] {
            let (status, body) = second_listener(world.stack(), service, path).await.unwrap();
            assert_eq!(status, 200, "{service} {path}: {body}");
        }
        let (status, metrics) = second_listener(world.stack(), service, "/metrics").await.unwrap();
        assert_eq!(status, 200, "{service}");
        assert!(metrics.contains("process_resident_memory_bytes"), "{service}: {metrics}");
        for described in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
            let name = described.split(' ').next().unwrap();
            assert!(metrics.contains(&format!("# HELP {name} ")), "{service}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_counts_what_it_answers() {
    let world = World::shared();
    let count =
        async || observe::metric(world.stack(), "scim-gateway", "timeclock_http_requests_total").await;
    let before = count().await.unwrap_or_default();
    for _request in 0..10 {
        world.scim.get("/Users").await.expect(200);
    }
    eventually("ten more requests are counted", count, |now| when(now.unwrap_or_default() >= before + 10.0))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_follows_postgres_and_nats_while_health_stays() {
    let world = World::to_disturb().await;
    let stack = world.stack();
    // The gateway needs no Postgres of its own; its questions to a directory without one are answered by 503.
    for (part, dependents) in [
        (Part::Postgres, &["directory-service", "token-service", "admin-console"][..]),
        (Part::Nats, &SERVICES[..]),
    ] {
        part.kill(stack);
        for service in dependents {
            let observe = async || second_listener(stack, service, "/readyz").await;
            let what = format!("{service} is not ready without {part:?}");
            eventually(&what, observe, |answer| when(matches!(answer, Some((503, _))))).await;
            let (status, _) = second_listener(stack, service, "/healthz").await.unwrap();
            assert_eq!(status, 200, "{service} without {part:?}");
        }
        world.scim.get("/Users").await.expect_error(503);
        part.start_again(stack);
        println!("without {part:?}: all services ready {:?} after its return", all_ready(stack).await);
        eventually(
            "the gateway answers again",
            async || world.scim.get("/Users").await,
            |answer| when(answer.status == 200),
        )
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_nothing_personal_is_in_any_log_or_metric() {
    const SURNAME: &str = "Przybyszewska";
    let world = World::shared();
    let mut entra = world.entra(Tenant::empty("unmentionable.example", 5), |_defaults| ());
    let anna = entra.tenant.hire_named("Stanislawa", SURNAME, "stanislawa.przybyszewska");
    let other = entra.tenant.hire_named("Namesake", "Other", "namesake.przybyszewska");
    entra.cycle().await;
    entra.tenant.set_manager(anna, Some(other));
    entra.tenant.disable(anna);
    assert_eq!(entra.cycle().await.succeeded_users(Action::Disable), 1);
    // What is refused must not be quoted in a log either.
    let taken = tests_e2e::actors::scim::user("stanislawa.przybyszewska@unmentionable.example");
    world.scim.post("/Users", &taken).await.expect_error(409);
    world.scim.get("/Users?filter=userName+eq+%22stanislawa.przybyszewska").await.expect_error(400);
    let rotated = world.operator().rotate("1d");

    let mut texts = observe::logs(world.stack());
    for service in SERVICES {
        let (_, metrics) = second_listener(world.stack(), service, "/metrics").await.unwrap();
        texts.push((format!("{service}'s metrics"), metrics));
    }
    assert!(texts.iter().any(|(_, text)| text.contains(&world.company.id)), "the logs tell of this company");
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    let secrets = [
        signature(&world.company.scim_token),
        signature(&rotated.secret),
        SURNAME.to_lowercase(),
        "unmentionable.example".to_owned(),
    ];
    for (name, text) in &texts {
        for secret in &secrets {
            let found =
                text.lines().find(|line| line.contains(secret) || line.to_lowercase().contains(secret));
            assert_eq!(found, None, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_field_of_the_log_is_in_the_dictionary() {
    let world = World::shared();
    let mut entra = world.entra(Tenant::empty("fields.example", 7), |_defaults| ());
    let anna = entra.tenant.hire_named("Anna", "Berg", "anna.berg");
    entra.cycle().await;
    entra.tenant.disable(anna);
    entra.cycle().await;
    drop(world.operator().rotate("1d"));
    world.scim.get("/Users?filter=userName+eq+%22").await.expect_error(400);
    world.scim.get("/nowhere").await.expect_error(404);

    let page = observe::page("log-fields.md");
    let sections = ["## Of every line", "## Of an answered request", "## Of the rest"];
    let known: BTreeSet<_> =
        sections.into_iter().flat_map(|section| observe::documented(&page, section)).collect();
    let mut unknown = BTreeSet::new();
    let mut lines = 0;
    for (log, text) in observe::logs(world.stack()) {
        let objects = text.lines().filter_map(|line| serde_json::from_str::<Map<String, Value>>(line).ok());
        let is_ours = |line: &Map<String, Value>| {
            let target = line.get("target").and_then(Value::as_str).unwrap_or_default();
            OURS.iter().any(|ours| target.starts_with(ours))
        };
        for line in objects.filter(is_ours) {
            lines += 1;
            let fields = line.keys().filter(|field| !known.contains(*field));
            unknown.extend(fields.map(|field| format!("{field} of {log}: {}", line["message"])));
        }
    }
    assert!(lines > 100, "the logs are read");
    assert_eq!(unknown, BTreeSet::new(), "not in docs/reference/log-fields.md");
}

/// Where lines of our own come from; what libraries write has fields of theirs.
const OURS: [&str; 7] = [
    "admin_console",
    "bus_jetstream",
    "directory_service",
    "pg_pool",
    "scim_gateway",
    "service_runtime",
    "token_service",
];
