//! Making and keeping the connection.

use backing_servers::{
    nats::{Options, Server},
    port,
};
use bus_jetstream::Bus;
use futures_util::StreamExt as _;

use crate::harness::{eventually, settings, soon};

#[tokio::test]
async fn a_server_that_starts_later_is_found_and_waiting_subscriptions_come_to_life() {
    let port = port::free().unwrap();
    let bus = Bus::connect(&settings(&format!("nats://127.0.0.1:{port}"))).await.unwrap();
    let mut waiting = bus.subscribe("connection.early").await.unwrap();
    assert!(!bus.is_connected());
    assert!(bus.ping().await.is_err());
    let _server = Server::start(Options { port: Some(port), ..Options::default() }).unwrap();
    eventually("connected", || async { bus.ping().await.ok() }).await;
    bus.publish("connection.early", "hello").await.unwrap();
    assert_eq!(soon("the message", waiting.next()).await.unwrap().payload, "hello");
}

#[tokio::test]
async fn each_user_listens_to_its_own_inboxes_only() {
    const CONFIG: &str = r#"
        jetstream {}
        authorization { users: [
            { user: test, password: secret, permissions: { publish: "question", subscribe: "_INBOX.test.>" } }
            { user: other, password: secret, permissions: { publish: "_INBOX.test.>", subscribe: "question" } }
        ] }
    "#;
    let server = Server::start(Options { config: Some(CONFIG.to_owned()), ..Options::default() }).unwrap();
    let bus = crate::harness::connect(&server.url()).await;
    let other = Bus::connect(&bus_jetstream::Settings { user: "other".into(), ..settings(&server.url()) })
        .await
        .unwrap();
    let mut questions = other.serve("question", "q").await.unwrap();
    eventually("connected", || async { other.is_connected().then_some(()) }).await;
    let answering = async {
        let asked = questions.next().await.unwrap();
        asked.respond(&other, "answer").await.unwrap();
    };
    let asking = eventually("an answer", || async {
        bus.ask("question", "?", std::time::Duration::from_secs(5)).await.ok()
    });
    let (answer, ()) = soon("an answer", async { tokio::join!(asking, answering) }).await;
    assert_eq!(answer, "answer");
}

#[tokio::test]
async fn a_malformed_url_is_an_error() {
    assert!(Bus::connect(&settings("not a url")).await.is_err());
}

#[test]
fn settings_keep_the_password_to_themselves() {
    let mut reader = service_runtime::settings::Reader::new(
        [("TIMECLOCK_NATS_USER", "gateway"), ("TIMECLOCK_NATS_PASSWORD", "hunter2")].into_iter().collect(),
    );
    let settings = bus_jetstream::Settings::read(&mut reader, "scim-gateway");
    assert!(reader.finish().is_ok());
    assert_eq!(settings.url, "nats://127.0.0.1:4222");
    assert_eq!(settings.inbox_prefix(), "_INBOX.gateway");
    assert!(!format!("{settings:?}").contains("hunter2"));
}
