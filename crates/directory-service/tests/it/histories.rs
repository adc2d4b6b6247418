//! Facts name the history that they belong to, and a new one begins when the database and the bus have parted, once.

use bus_contract::{
    Message as _,
    directory::{Fact, ListCompanies, reply},
    subject::LIST_COMPANIES,
};
use bus_jetstream::request::Subscription;
use futures_util::StreamExt as _;
use serde_json::json;

use crate::harness::{Caller, DEADLINE, Directory, World, begin_history, eventually};

async fn facts_of(world: &World, caller: &Caller) -> Subscription {
    let follower = world.bus("follower").await;
    let facts = follower.subscribe(format!("facts.v1.{}.>", caller.company)).await.unwrap();
    // The subscription is known to the server before anything is published.
    follower.ping().await.unwrap();
    facts
}

/// The history that the next fact names.
async fn named(facts: &mut Subscription) -> String {
    let message = tokio::time::timeout(DEADLINE, facts.next()).await.expect("a fact in time").unwrap();
    Fact::decode(message.payload).unwrap().history_id
}

fn present(world: &World) -> String {
    world.sql("select history_id from history").trim().to_owned()
}

/// How many histories an instance that holds every partition has begun for this reason.
async fn begun(directory: &Directory, reason: &str) -> u64 {
    eventually("it holds every partition", async || {
        directory.metrics().await.contains("timeclock_directory_partitions_held 16\n")
    })
    .await;
    let series = format!("timeclock_directory_histories_begun_total{{reason=\"{reason}\"}} ");
    let metrics = directory.metrics().await;
    metrics.lines().find_map(|line| line.strip_prefix(&series)).unwrap().parse().unwrap()
}

/// A directory that has applied something and died, and a user of it.
async fn a_past(world: &World, caller: &mut Caller) -> String {
    let directory = world.directory().await;
    let hired = caller.hire(json!({"userName": "before@contoso.com"})).await;
    eventually("every partition is taken over", async || {
        world.sql("select count(*) from partitions where stream_created_unix_nanos is not null").trim()
            == "16"
    })
    .await;
    eventually("the request is forgotten", async || {
        world.sql("select count(*) from outbox").trim() == "0"
            && directory.metrics().await.contains("timeclock_directory_facts_total 1\n")
    })
    .await;
    directory.kill_9();
    hired.user_id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_starts_again_goes_on_with_the_history_that_its_facts_name() {
    let world = World::new();
    let mut caller = world.caller().await;
    let mut facts = facts_of(&world, &caller).await;
    a_past(&world, &mut caller).await;
    let history = named(&mut facts).await;
    assert_eq!(history, present(&world));

    let directory = world.directory().await;
    for reason in ["bus_anew", "database_older", "bus_older"] {
        assert_eq!(begun(&directory, reason).await, 0, "{reason}");
    }
    caller.hire(json!({"userName": "after@contoso.com"})).await;
    assert_eq!(named(&mut facts).await, history);
    let payload = ListCompanies::default().encode_to_vec();
    let operator = world.bus("operator").await;
    let answer = operator.ask(LIST_COMPANIES, payload, DEADLINE).await.unwrap();
    let Some(reply::Result::ListCompanies(listed)) =
        bus_contract::directory::Reply::decode(answer).unwrap().result
    else {
        panic!("no list of companies");
    };
    assert_eq!(listed.history_id, history);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_made_anew_begins_one_history() {
    let world = World::new();
    let mut caller = world.caller().await;
    let mut facts = facts_of(&world, &caller).await;
    a_past(&world, &mut caller).await;
    let before = named(&mut facts).await;
    // What the database would know if this stream were another than the one it knew.
    world.sql("update history set stream_created_unix_nanos = 1");
    world.sql("update partitions set stream_created_unix_nanos = 1, applied_sequence = 1000000");

    let directory = world.directory().await;
    caller.hire(json!({"userName": "after@contoso.com"})).await;
    let after = named(&mut facts).await;
    assert_ne!(after, before);
    assert_eq!(begun(&directory, "bus_anew").await, 1);
    assert_eq!(present(&world), after);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_before_what_the_stream_forgot_begins_one_history() {
    let world = World::new();
    let mut caller = world.caller().await;
    let mut facts = facts_of(&world, &caller).await;
    a_past(&world, &mut caller).await;
    let before = named(&mut facts).await;
    world.sql("update partitions set applied_sequence = 0");

    let directory = world.directory().await;
    caller.hire(json!({"userName": "after@contoso.com"})).await;
    assert_ne!(named(&mut facts).await, before);
    assert_eq!(begun(&directory, "database_older").await, 1);
    directory.kill_9();
    let directory = world.directory().await;
    assert_eq!(begun(&directory, "database_older").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_from_before_what_the_database_applied_begins_one_history() {
    let world = World::new();
    let mut caller = world.caller().await;
    let mut facts = facts_of(&world, &caller).await;
    a_past(&world, &mut caller).await;
    let before = named(&mut facts).await;
    world.sql("update partitions set applied_sequence = 1000000");

    let directory = world.directory().await;
    caller.hire(json!({"userName": "after@contoso.com"})).await;
    assert_ne!(named(&mut facts).await, before);
    assert_eq!(begun(&directory, "bus_older").await, 1);
    directory.kill_9();
    let directory = world.directory().await;
    assert_eq!(begun(&directory, "bus_older").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_begins_a_history_by_hand() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut facts = facts_of(&world, &caller).await;
    caller.hire(json!({"userName": "before@contoso.com"})).await;
    let before = named(&mut facts).await;
    begin_history(&world.database);
    caller.hire(json!({"userName": "after@contoso.com"})).await;
    assert_ne!(named(&mut facts).await, before);
}
