//! A service that was started before `migrate`.

use std::time::Duration;

use backing_servers::nats;
use bus_contract::{Message as _, subject::LIST_TOKENS, token::ListTokens};
use bus_jetstream::request::AskError;
use service_runtime::clock::Clock;
use typed_ids::CompanyId;

use crate::harness::{NOW, SEALING_KEY, connect, database, deployed_nats, eventually, migrate, serve, url};

const LONG: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_comes_before_its_tables_answers_nobody_until_they_are_there() {
    let database = database();
    let nats = nats::Server::start(deployed_nats()).unwrap();
    let http = std::net::SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
    let clock = Clock::manual(NOW);
    let process = serve(&nats.url(), &url(&database, "service"), http, &clock, SEALING_KEY).await;
    process.health.started();
    let bus = connect(&nats.url(), "operator").await;
    let question = ListTokens { company_id: CompanyId::mint().to_string() }.encode_to_vec();

    eventually("it says what is missing", || async {
        let postgres = process.health.readiness().await.dependencies.remove("postgres")?;
        postgres.starts_with("migrations that are not applied yet: 2 (").then_some(())
    })
    .await;
    let unanswered = bus.ask(LIST_TOKENS, question.clone(), LONG).await;
    assert!(matches!(unanswered, Err(AskError::NoResponders)), "{unanswered:?}");

    migrate(&database).await;
    eventually("it answers", || async { bus.ask(LIST_TOKENS, question.clone(), LONG).await.ok() }).await;
    eventually("ready", || async { process.health.readiness().await.ready.then_some(()) }).await;
}
