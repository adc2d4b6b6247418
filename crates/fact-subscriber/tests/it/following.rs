//! A subscriber goes on where it was, whoever dies, and takes a snapshot where its place is lost.

use bus_contract::Message as _;
use bus_contract::directory::Fact;
use fact_subscriber::{change, model::Model};
use serde_json::{Value, json};
use service_runtime::trace::{Kind, Trace};

use crate::harness::{World, created, deactivated, digest_in, eventually, fact, formed, group, joined, user};

/// Users who come, some of whom go, and groups that they join.
fn facts(count: i64) -> Vec<Fact> {
    let mut facts = vec![fact("g", "first", formed(group("g", 1)))];
    for number in 0..count {
        let name = format!("u{number}");
        facts.push(fact(format!("c{number}"), "first", created(user(&name, 1, true))));
        facts.push(fact(format!("j{number}"), "first", joined("g", number + 2, &name)));
        if number % 3 == 0 {
            facts.push(fact(format!("d{number}"), "first", deactivated(user(&name, 2, false))));
        }
    }
    facts
}

/// What a model says that was told all of this.
fn told(facts: &[Fact]) -> Value {
    let mut model = Model::in_memory().unwrap();
    let read: Vec<_> = (1..)
        .zip(facts)
        .map(|(sequence, fact)| {
            (
                sequence,
                change::read(&fact.encode_to_vec()),
                Trace::none().span(Kind::Consumer, format_args!("process")).begin(),
            )
        })
        .collect();
    let nowhere = model.place().unwrap();
    model.apply(&nowhere, &read).unwrap();
    let digest = model.digest().unwrap();
    json!({
        "sha256": digest.sha256, "users": digest.users, "seats": digest.seats, "groups": digest.groups,
        "memberships": digest.memberships,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_is_killed_again_and_again_misses_nothing_and_counts_nothing_twice() {
    let world = World::new().await;
    let facts = facts(900);
    let mut subscriber = world.subscriber("seats").await;
    for (number, chunk) in facts.chunks(150).enumerate() {
        world.announce(chunk.iter().cloned()).await;
        // Now before it has read them, now in the middle, now after.
        if number % 3 == 1 {
            let some = "timeclock_subscriber_facts_total{effect=\"applied\",kind=\"user\"}";
            eventually("some are applied", async || subscriber.metric(some) > Some(0)).await;
        }
        subscriber.kill_9();
        subscriber = world.subscriber_unready("seats");
    }
    let expected = told(&facts);
    eventually("everything is applied", async || world.digest("seats") == expected).await;
    eventually("it is ready", async || subscriber.is_ready()).await;
    for reason in ["place_lost", "another_history", "understood"] {
        let snapshots = format!("timeclock_subscriber_snapshots_total{{reason=\"{reason}\"}}");
        assert_eq!(subscriber.metric(&snapshots), Some(0), "{reason}");
    }

    let replayed = world.model("replayed");
    world.run("replay", "seats", &replayed);
    assert_eq!(digest_in(&world.run("digest", "seats", &replayed)), expected);
    let seats = world.run("seats", "seats", &replayed);
    assert!(seats.contains(
        r#"{"company":"0198c5a0-0000-7000-8000-000000000000","user":"u1","active":true,"groups":["g"]}"#
    ));
    assert!(!seats.contains("example.com"), "only ids are kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_of_different_names_do_not_disturb_each_other() {
    let world = World::new().await;
    let facts = facts(60);
    let first = world.subscriber("seats").await;
    let second = world.subscriber("search").await;
    world.announce(facts[..80].iter().cloned()).await;
    second.kill_9();
    world.announce(facts[80..].iter().cloned()).await;
    let expected = told(&facts);
    eventually("the first has everything", async || world.digest("seats") == expected).await;
    let second = world.subscriber("search").await;
    eventually("so has the second", async || world.digest("search") == expected).await;
    assert!(first.is_ready() && second.is_ready());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_whose_stream_is_lost_takes_a_snapshot() {
    let world = World::new().await;
    let subscriber = world.subscriber("seats").await;
    world.announce(facts(10)).await;
    eventually("they are applied", async || world.digest("seats")["users"] == 10).await;
    {
        // One has gone meanwhile, and the fact that said so is lost.
        let mut present = world.present.lock().unwrap();
        present.users = (1..10).map(|number| user(&format!("u{number}"), 5, true)).collect();
        present.groups = vec![(group("g", 20), vec!["u3".to_owned(), "u4".to_owned()])];
    }
    world.lose_everything().await;
    eventually("a snapshot is taken", async || {
        subscriber.metric("timeclock_subscriber_snapshots_total{reason=\"place_lost\"}") == Some(1)
    })
    .await;
    let digest = world.digest("seats");
    assert_eq!(
        (&digest["users"], &digest["seats"], &digest["memberships"]),
        (&json!(9), &json!(9), &json!(2))
    );
    world.announce([fact("later", "first", joined("g", 21, "u5"))]).await;
    eventually("what follows is applied", async || world.digest("seats")["memberships"] == 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_takes_a_snapshot_when_another_history_begins() {
    let world = World::new().await;
    let subscriber = world.subscriber("seats").await;
    world.announce(facts(4)).await;
    eventually("they are applied", async || world.digest("seats")["users"] == 4).await;
    {
        // A backup from before most of them, in which the first one's versions begin anew.
        let mut present = world.present.lock().unwrap();
        present.history = "second".to_owned();
        present.users = vec![user("u0", 1, true)];
    }
    // A fact of the first history that was still on its way.
    world.announce([fact("late", "first", created(user("u9", 1, true)))]).await;
    world.announce([fact("new", "second", deactivated(user("u0", 2, false)))]).await;
    eventually("the model is the second history's", async || {
        let digest = world.digest("seats");
        (&digest["users"], &digest["groups"]) == (&json!(1), &json!(0))
    })
    .await;
    assert!(subscriber.metric("timeclock_subscriber_snapshots_total{reason=\"another_history\"}") >= Some(1));
    world.announce([fact("next", "second", created(user("u1", 1, true)))]).await;
    eventually("and goes on with it", async || world.digest("seats")["users"] == 2).await;
    eventually("it is ready", async || subscriber.is_ready()).await;
}
