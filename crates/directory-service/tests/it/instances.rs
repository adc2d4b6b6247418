//! Several instances share the partitions, and lose nothing when one dies.

use std::collections::BTreeSet;

use bus_contract::{directory::look_up_user::Key, provisioning::patch_operation::Op, subject::Verb};
use serde_json::json;

use crate::harness::{Directory, World, applied, create, eventually, patch};

async fn held(directory: &Directory) -> u32 {
    let metrics = directory.metrics().await;
    let line = metrics
        .lines()
        .find(|line| line.starts_with("timeclock_directory_partitions_held "))
        .unwrap_or_default();
    line.rsplit(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_hold_half_each_and_one_takes_all_when_the_other_dies() {
    let world = World::new();
    let first = world.directory().await;
    eventually("one instance holds everything", async || held(&first).await == 16).await;
    let second = world.directory().await;
    eventually("the two share", async || held(&first).await == 8 && held(&second).await == 8).await;
    first.kill_9();
    eventually("the survivor holds everything", async || held(&second).await == 16).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_done_twice_when_instances_die_under_load() {
    const REQUESTS: usize = 600;
    let world = World::new();
    let mut directory = world.directory().await;
    let mut caller = world.caller().await;
    let counter = caller.hire(json!({"userName": "counter@contoso.com", "title": "start"})).await;

    let history = world.sql("select history_id from history");
    let mut told = BTreeSet::new();
    for number in 0..REQUESTS {
        // In turn a new user and a change of one and the same user, whose versions count the changes.
        if number % 2 == 0 {
            caller
                .send(Verb::Create, create(&json!({"userName": format!("user-{number}@contoso.com")})))
                .await;
        } else {
            let change = [(Op::Replace, "title", json!(format!("title {number}")))];
            caller.send(Verb::Update, patch(&counter.user_id, &change)).await;
        }
        if number % 150 == 100 {
            directory.kill_9();
            directory = world.directory().await;
        }
    }
    eventually("every request is applied", async || {
        world.sql("select count(*) from provisioning_log").trim() == (REQUESTS + 1).to_string()
    })
    .await;
    let counted = caller.look_up(Key::UserId(counter.user_id.clone())).await.remove(0);
    assert_eq!(usize::try_from(counted.version).unwrap(), 1 + REQUESTS / 2);
    assert_eq!(crate::harness::attributes(&counted)["title"], format!("title {}", REQUESTS - 1));
    assert_eq!(world.sql("select count(*) from users").trim(), (REQUESTS / 2 + 1).to_string());

    // However often it was taken over, the database and the bus tell the same story.
    assert_eq!(world.sql("select history_id from history"), history);

    // Whatever was answered is true.
    while told.len() < REQUESTS / 2 {
        let Ok(outcome) = tokio::time::timeout(std::time::Duration::from_secs(1), caller.outcome()).await
        else {
            break;
        };
        told.insert(applied(outcome).user_id);
    }
    for user in told {
        assert_eq!(caller.look_up(Key::UserId(user)).await.len(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redelivered_request_changes_nothing_and_its_outcome_is_repeated() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    let hired = caller.hire(json!({"userName": "once@contoso.com"})).await;
    directory.kill_9();
    let change = patch(&hired.user_id, &[(Op::Replace, "title", json!("Lead"))]);
    let request = caller.send(Verb::Update, change).await;

    // As if an earlier owner had committed this and died before it acknowledged.
    let directory = world.directory().await;
    assert!(!caller.outcome().await.repeated);
    directory.kill_9();
    world.sql("update partitions set applied_sequence = applied_sequence + 1 where applied_sequence > 0");
    let repeated =
        caller.send(Verb::Update, patch(&hired.user_id, &[(Op::Replace, "title", json!("Chief"))])).await;
    world.sql(&format!(
        "update provisioning_log set request_id = '{repeated}' where request_id = '{request}'"
    ));

    let directory = world.directory().await;
    let outcome = caller.outcome().await;
    assert!(outcome.repeated);
    assert_eq!(outcome.request_id, repeated.to_string());
    assert!(directory.metrics().await.contains("timeclock_directory_redeliveries_total 1\n"));
    let user = applied(outcome);
    assert_eq!((user.version, crate::harness::attributes(&user)["title"].clone()), (2, json!("Lead")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_lost_its_count_loses_no_request() {
    let world = World::new();
    let directory = world.directory().await;
    let mut caller = world.caller().await;
    caller.hire(json!({"userName": "before@contoso.com"})).await;
    directory.kill_9();
    // As after a crash of the server in which the stream fell back to an earlier sequence.
    world.sql("update partitions set applied_sequence = 1000000");

    let _directory = world.directory().await;
    caller.hire(json!({"userName": "after@contoso.com"})).await;
    assert_eq!(world.sql("select count(*) from users").trim(), "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_published_again_is_answered_from_the_log() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let id = caller.send(Verb::Create, create(&json!({"userName": "once@contoso.com"}))).await;
    let first = applied(caller.outcome().await);
    // The stream forgets message ids after a while, so an old request can come again at a new place.
    world.nats.restart().unwrap();
    let mut caller = crate::harness::Caller::new(world.bus("gateway").await, caller.company).await;
    let change = create(&json!({"userName": "once@contoso.com"}));
    eventually("the request is accepted again", async || {
        caller.try_send_as(id, Verb::Create, change.clone()).await
    })
    .await;
    let outcome = caller.outcome().await;
    assert!(outcome.repeated);
    assert_eq!(applied(outcome).user_id, first.user_id);
}
