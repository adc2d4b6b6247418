//! One request that can never be applied does not spoil its neighbours.

use bus_contract::{
    provisioning::refused::Reason,
    subject::{Resource, Verb},
};
use serde_json::json;
use typed_ids::RequestId;

use crate::harness::{World, applied, create, eventually, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_postgres_refuses_is_kept_apart_and_refused() {
    let world = World::new();
    // One batch: everything is there before anybody applies.
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    caller.hire(json!({"userName": "before@contoso.com"})).await;
    directory.kill_9();
    for number in 0..10 {
        caller.send(Verb::Create, create(&json!({"userName": format!("fine-{number}@contoso.com")}))).await;
        if number == 4 {
            // The gateway refuses U+0000; Postgres cannot store it either.
            caller.send(Verb::Create, create(&json!({"userName": "bad\u{0}name@contoso.com"}))).await;
        }
    }

    let _directory = world.directory().await;
    for place in 0..11 {
        let outcome = caller.outcome().await;
        if place == 5 {
            assert_eq!(refusal(outcome), (Reason::Invalid, "invalidValue".to_owned()));
        } else {
            applied(outcome);
        }
    }
    assert_eq!(world.sql("select reason from dead_letters").trim(), "Postgres refuses to store it");
    assert_eq!(world.sql("select count(*) from users").trim(), "11");
    assert_eq!(world.sql("select count(*) from provisioning_log where outcome = 'refused'").trim(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_read_is_kept_whole_and_passed_over() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    caller
        .send_bytes(RequestId::mint(), Resource::User, Verb::Create, b"\xff\xff not protobuf".to_vec())
        .await;
    caller.hire(json!({"userName": "after@contoso.com"})).await;

    let letters = world.sql("select reason, encode(payload, 'escape') from dead_letters");
    assert_eq!(letters.trim(), "the body is not a timeclock.provisioning.v1.Request|\\377\\377 not protobuf");
    eventually("the metric counts it", async || {
        directory.metrics().await.contains(r#"timeclock_directory_outcomes_total{outcome="unreadable"} 1"#)
    })
    .await;
}
