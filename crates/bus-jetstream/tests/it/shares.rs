//! Reading a log together: each message to one of those who share, and to another when that one dies.

use std::{collections::BTreeSet, time::Duration};

use bus_jetstream::{
    Bus,
    pull::{Delivery, PullError},
    share::Share,
};

use crate::harness::{Own, eventually, shared, soon, stream};

/// Long enough that nothing comes again by itself in a test that does not want it.
const LONG: Duration = Duration::from_secs(600);
const SHORT: Duration = Duration::from_millis(300);

async fn publish(bus: &Bus, subject: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let id = format!("{subject}-{number}");
        let sent = bus.publish_durable(subject.to_owned(), &id, None, number.to_be_bytes().to_vec()).await;
        sent.unwrap().await.unwrap();
    }
}

fn number(delivery: &Delivery) -> u32 {
    u32::from_be_bytes(delivery.payload.as_ref().try_into().unwrap())
}

/// Reads and acknowledges until these have all come, whatever else does.
async fn read_until(share: &mut Share, awaited: std::ops::Range<u32>) -> BTreeSet<u32> {
    let mut seen = BTreeSet::new();
    while !awaited.clone().all(|number| seen.contains(&number)) {
        for delivery in soon("a batch", share.next_batch(64)).await.unwrap() {
            seen.insert(number(&delivery));
            share.acknowledge(&delivery).await.unwrap();
        }
    }
    seen
}

#[tokio::test]
async fn who_comes_back_under_the_same_name_goes_on_where_all_were() {
    let bus = shared().await;
    let stream = stream("SHARE_PLACE");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "SHARE_PLACE.x", 0..10).await;
    let mut first = bus.open_share(&stream, "together", "SHARE_PLACE.*", LONG).await.unwrap();
    read_until(&mut first, 0..10).await;
    let backlog = bus.backlog(&stream, "together");
    eventually("all acknowledged", || async { (backlog.count().await.unwrap() == 0).then_some(()) }).await;
    drop(first);
    publish(&bus, "SHARE_PLACE.x", 10..12).await;
    let mut second = bus.open_share(&stream, "together", "SHARE_PLACE.*", LONG).await.unwrap();
    assert_eq!(read_until(&mut second, 10..12).await, BTreeSet::from([10, 11]));
}

#[tokio::test]
async fn each_message_goes_to_one_of_those_who_share() {
    let bus = shared().await;
    let stream = stream("SHARE_SPLIT");
    bus.ensure_stream(&stream).await.unwrap();
    let mut shares = Vec::new();
    for _ in 0..2 {
        shares.push(bus.open_share(&stream, "together", "SHARE_SPLIT.*", LONG).await.unwrap());
    }
    publish(&bus, "SHARE_SPLIT.x", 0..40).await;
    let (mut seen, mut count) = (BTreeSet::new(), 0);
    let [one, other] = shares.as_mut_slice() else { panic!("two") };
    while seen.len() < 40 {
        let batch = soon("a batch", async {
            tokio::select! {
                batch = one.next_batch(64) => batch.unwrap(),
                batch = other.next_batch(64) => batch.unwrap(),
            }
        });
        let batch = batch.await;
        count += batch.len();
        seen.extend(batch.iter().map(number));
    }
    assert_eq!(count, 40, "none came twice");
}

#[tokio::test]
async fn what_one_has_in_hand_when_it_dies_comes_to_another() {
    let bus = shared().await;
    let stream = stream("SHARE_DEATH");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "SHARE_DEATH.x", 0..3).await;
    let mut dying = bus.open_share(&stream, "together", "SHARE_DEATH.*", SHORT).await.unwrap();
    let in_hand = soon("a batch", dying.next_batch(64)).await.unwrap();
    assert!(!in_hand.is_empty());
    drop(dying);
    let mut other = bus.open_share(&stream, "together", "SHARE_DEATH.*", SHORT).await.unwrap();
    assert_eq!(read_until(&mut other, 0..3).await, BTreeSet::from([0, 1, 2]));
}

#[tokio::test]
async fn a_lost_connection_ends_the_reading_and_the_next_one_has_the_rest() {
    let own = Own::start();
    let bus = crate::harness::connect(&own.server.url()).await;
    let stream = stream("SHARE_LOST");
    bus.ensure_stream(&stream).await.unwrap();
    let mut share = bus.open_share(&stream, "together", "SHARE_LOST.*", SHORT).await.unwrap();
    own.server.kill_9().unwrap();
    own.server.restart().unwrap();
    let ended = soon("the end", share.next_batch(64)).await;
    assert!(matches!(ended, Err(PullError::Lost(_))), "{ended:?}");
    assert!(matches!(share.next_batch(64).await, Err(PullError::Lost(_))));
    let mut next = eventually("a new reading", || async {
        bus.open_share(&stream, "together", "SHARE_LOST.*", SHORT).await.ok()
    })
    .await;
    publish(&bus, "SHARE_LOST.x", 0..2).await;
    assert_eq!(read_until(&mut next, 0..2).await, BTreeSet::from([0, 1]));
}
