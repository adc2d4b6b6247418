//! Reading a work queue in order.

use bus_contract::stream::Stream;
use bus_jetstream::{
    Bus,
    pull::{Delivery, Pull, PullError},
};

use futures_util::StreamExt as _;

use crate::harness::{Own, eventually, raw_shared, shared, soon, work_queue};

async fn publish(bus: &Bus, subject: &str, numbers: std::ops::Range<u32>) {
    let mut confirmations = Vec::new();
    for number in numbers {
        let subject = subject.to_owned();
        let id = format!("{subject}-{number}");
        confirmations
            .push(bus.publish_durable(subject, &id, None, number.to_be_bytes().to_vec()).await.unwrap());
    }
    for confirmation in confirmations {
        confirmation.await.unwrap();
    }
}

fn number(delivery: &Delivery) -> u32 {
    u32::from_be_bytes(delivery.payload.as_ref().try_into().unwrap())
}

/// Reads until `count` messages have come, and acknowledges each batch.
async fn read(pull: &mut Pull, count: usize) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.len() < count {
        let batch = soon("a batch", pull.next_batch(64)).await.unwrap();
        numbers.extend(batch.iter().map(number));
        pull.ack_through(batch.last().unwrap()).await.unwrap();
    }
    numbers
}

async fn messages_in(stream: &Stream) -> u64 {
    raw_shared().await.get_stream(stream.name).await.unwrap().cached_info().state.messages
}

#[tokio::test]
async fn messages_come_once_in_the_order_of_the_stream() {
    let bus = shared().await;
    let stream = work_queue("PULL_ORDER");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_ORDER.1.x", 0..3000).await;
    let mut pull = bus.open_pull(&stream, "p1-", "PULL_ORDER.1.>").await.unwrap();
    assert_eq!(read(&mut pull, 3000).await, (0..3000).collect::<Vec<_>>());
    publish(&bus, "PULL_ORDER.1.x", 3000..3010).await;
    assert_eq!(read(&mut pull, 10).await, (3000..3010).collect::<Vec<_>>());
    eventually("everything forgotten", || async { (messages_in(&stream).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn acknowledging_one_partition_forgets_nothing_of_another() {
    let bus = shared().await;
    let stream = work_queue("PULL_PARTITIONS");
    bus.ensure_stream(&stream).await.unwrap();
    for number in 0..50 {
        publish(&bus, "PULL_PARTITIONS.1.x", number..number + 1).await;
        publish(&bus, "PULL_PARTITIONS.2.x", number..number + 1).await;
    }
    let mut first = bus.open_pull(&stream, "p1-", "PULL_PARTITIONS.1.>").await.unwrap();
    assert_eq!(read(&mut first, 50).await.len(), 50);
    eventually("one half forgotten", || async { (messages_in(&stream).await <= 50).then_some(()) }).await;
    let mut second = bus.open_pull(&stream, "p2-", "PULL_PARTITIONS.2.>").await.unwrap();
    assert_eq!(read(&mut second, 50).await, (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_takes_what_is_there_and_no_more_than_asked() {
    let bus = shared().await;
    let stream = work_queue("PULL_BATCH");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_BATCH.x", 0..900).await;
    let mut pull = bus.open_pull(&stream, "p-", "PULL_BATCH.>").await.unwrap();
    let first = soon("a batch", pull.next_batch(1)).await.unwrap();
    assert_eq!(first.len(), 1);
    let raw = raw_shared().await.get_stream("PULL_BATCH").await.unwrap();
    let name = raw.consumer_names().next().await.unwrap().unwrap();
    eventually("everything sent ahead", || async {
        (raw.consumer_info(&name).await.unwrap().num_pending == 0).then_some(())
    })
    .await;
    // Answered on the same connection, so whatever was sent before has arrived.
    bus.ping().await.unwrap();
    // More than tokio's cooperative budget of 128.
    assert_eq!(soon("a batch", pull.next_batch(500)).await.unwrap().len(), 500);
    assert_eq!(soon("a batch", pull.next_batch(500)).await.unwrap().len(), 399);
}

#[tokio::test]
async fn a_new_reading_begins_at_the_oldest_unacknowledged_message() {
    let bus = shared().await;
    let stream = work_queue("PULL_AGAIN");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_AGAIN.x", 0..20).await;
    let mut pull = bus.open_pull(&stream, "p-", "PULL_AGAIN.>").await.unwrap();
    let mut batch = Vec::new();
    while batch.len() < 20 {
        batch.extend(soon("a batch", pull.next_batch(100)).await.unwrap());
    }
    pull.ack_through(&batch[4]).await.unwrap();
    eventually("five forgotten", || async { (messages_in(&stream).await == 15).then_some(()) }).await;
    let mut again = bus.open_pull(&stream, "p-", "PULL_AGAIN.>").await.unwrap();
    assert_eq!(read(&mut again, 15).await, (5..20).collect::<Vec<_>>());
}

#[tokio::test]
async fn opening_a_reading_ends_the_one_before() {
    let bus = shared().await;
    let stream = work_queue("PULL_OWNER");
    bus.ensure_stream(&stream).await.unwrap();
    let mut old = bus.open_pull(&stream, "p7-", "PULL_OWNER.7.>").await.unwrap();
    // The old one has its pull request at the server before the new one comes.
    publish(&bus, "PULL_OWNER.7.x", 0..1).await;
    assert_eq!(read(&mut old, 1).await, [0]);
    let mut other = bus.open_pull(&stream, "p70-", "PULL_OWNER.70.>").await.unwrap();
    let mut new = bus.open_pull(&stream, "p7-", "PULL_OWNER.7.>").await.unwrap();
    let lost = soon("the end of the old reading", old.next_batch(1)).await;
    assert!(matches!(lost, Err(PullError::Lost(_))), "{lost:?}");
    let lost = soon("the same answer", old.next_batch(1)).await;
    assert!(matches!(lost, Err(PullError::Lost(_))), "{lost:?}");
    publish(&bus, "PULL_OWNER.7.x", 1..2).await;
    assert_eq!(read(&mut new, 1).await, [1]);
    publish(&bus, "PULL_OWNER.70.x", 1..2).await;
    assert_eq!(read(&mut other, 1).await, [1]);
}

#[tokio::test]
async fn waiting_can_be_given_up_without_losing_a_message() {
    let bus = shared().await;
    let stream = work_queue("PULL_CANCEL");
    bus.ensure_stream(&stream).await.unwrap();
    let mut pull = bus.open_pull(&stream, "p-", "PULL_CANCEL.>").await.unwrap();
    let publishing = publish(&bus, "PULL_CANCEL.x", 0..200);
    tokio::pin!(publishing);
    let mut numbers = Vec::new();
    let mut published = false;
    while numbers.len() < 200 {
        tokio::select! {
            biased;
            () = &mut publishing, if !published => published = true,
            () = tokio::task::yield_now() => {}
            batch = pull.next_batch(3) => numbers.extend(batch.unwrap().iter().map(number)),
        }
        if published && numbers.len() < 200 {
            let batch = soon("a batch", pull.next_batch(3)).await.unwrap();
            numbers.extend(batch.iter().map(number));
        }
    }
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_killed_server_ends_the_reading_and_a_new_one_finds_what_was_stored() {
    let own = Own::start();
    let bus = crate::harness::connect(&own.server.url()).await;
    let stream = work_queue("PULL_KILL");
    let before = bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_KILL.x", 0..10).await;
    let mut pull = bus.open_pull(&stream, "p-", "PULL_KILL.>").await.unwrap();
    assert_eq!(read(&mut pull, 10).await.len(), 10);
    publish(&bus, "PULL_KILL.x", 10..20).await;
    own.server.kill_9().unwrap();
    let lost = soon("the end of the reading", async {
        loop {
            if let Err(error) = pull.next_batch(64).await {
                break error;
            }
        }
    })
    .await;
    assert!(matches!(lost, PullError::Lost(_)), "{lost:?}");
    assert!(matches!(
        bus.open_pull(&stream, "p-", "PULL_KILL.>").await,
        Err(bus_jetstream::Error::Unavailable { .. })
    ));
    own.server.restart().unwrap();
    eventually("connected again", || async { bus.ping().await.ok() }).await;
    assert_eq!(bus.ensure_stream(&stream).await.unwrap(), before);
    let mut pull = bus.open_pull(&stream, "p-", "PULL_KILL.>").await.unwrap();
    let mut numbers = Vec::new();
    while numbers.last() != Some(&19) {
        numbers.extend(read(&mut pull, 1).await);
    }
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert!(numbers.ends_with(&(10..20).collect::<Vec<_>>()), "{numbers:?}");
}

#[tokio::test]
async fn a_consumer_deleted_behind_our_back_ends_the_reading() {
    let bus = shared().await;
    let stream = work_queue("PULL_DELETED");
    bus.ensure_stream(&stream).await.unwrap();
    let mut pull = bus.open_pull(&stream, "p-", "PULL_DELETED.>").await.unwrap();
    publish(&bus, "PULL_DELETED.x", 0..1).await;
    assert_eq!(read(&mut pull, 1).await, [0]);
    let raw = raw_shared().await.get_stream(stream.name).await.unwrap();
    let name = raw.consumer_names().next().await.unwrap().unwrap();
    raw.delete_consumer(&name).await.unwrap();
    let lost = soon("the end of the reading", pull.next_batch(1)).await;
    assert!(matches!(lost, Err(PullError::Lost(_))), "{lost:?}");
}

#[tokio::test]
async fn a_delivery_that_the_server_repeats_is_not_handed_out_again() {
    let bus = shared().await;
    let stream = work_queue("PULL_REPEATED");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_REPEATED.x", 0..2).await;
    let mut pull = bus.open_pull(&stream, "p-", "PULL_REPEATED.>").await.unwrap();
    let mut numbers = Vec::new();
    while numbers.len() < 2 {
        numbers.extend(soon("a batch", pull.next_batch(2)).await.unwrap().iter().map(number));
    }
    let raw = raw_shared().await;
    let consumers = raw.get_stream(stream.name).await.unwrap();
    let name = consumers.consumer_names().next().await.unwrap().unwrap();
    // What a reader would send to get the first message again at once: of delivery 1, stream sequence 1.
    let refusal = format!("$JS.ACK.{}.{name}.1.1.1.0.0", stream.name);
    raw.client().publish(refusal, "-NAK".into()).await.unwrap();
    eventually("the repetition sent", || async {
        (consumers.consumer_info(&name).await.unwrap().delivered.consumer_sequence == 3).then_some(())
    })
    .await;
    publish(&bus, "PULL_REPEATED.x", 2..3).await;
    let batch = soon("a batch", pull.next_batch(2)).await.unwrap();
    assert_eq!(batch.iter().map(number).collect::<Vec<_>>(), [2]);
    pull.ack_through(&batch[0]).await.unwrap();
    eventually("all acknowledged", || async { (messages_in(&stream).await == 0).then_some(()) }).await;
}

#[tokio::test]
async fn a_delivery_that_never_arrived_ends_the_reading_before_what_is_behind_it() {
    let bus = shared().await;
    let stream = work_queue("PULL_GAP");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_GAP.x", 0..3).await;
    let mut pull = bus.open_pull(&stream, "p-", "PULL_GAP.>").await.unwrap();
    let raw = raw_shared().await;
    let name = raw.get_stream(stream.name).await.unwrap().consumer_names().next().await.unwrap().unwrap();
    // The first delivery goes to somebody else, as if it had been lost on its way to us.
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.PULL_GAP.{name}");
    let mut elsewhere = raw.client().subscribe("elsewhere").await.unwrap();
    raw.client().publish_with_reply(next, "elsewhere", "1".into()).await.unwrap();
    let taken = soon("the stolen delivery", elsewhere.next()).await.unwrap();
    assert_eq!(taken.payload.as_ref(), 0_u32.to_be_bytes());
    let gap = soon("the end of the reading", pull.next_batch(64)).await;
    assert!(matches!(gap, Err(PullError::Gap { expected: 1, got: 2 })), "{gap:?}");
    let mut again = bus.open_pull(&stream, "p-", "PULL_GAP.>").await.unwrap();
    assert_eq!(read(&mut again, 3).await, [0, 1, 2]);
}

#[tokio::test]
async fn a_quiet_reading_stays_alive_beyond_its_heartbeats() {
    let bus = shared().await;
    let stream = work_queue("PULL_QUIET");
    bus.ensure_stream(&stream).await.unwrap();
    let mut pull = bus.open_pull(&stream, "p-", "PULL_QUIET.>").await.unwrap();
    let quiet = bus_jetstream::pull::HEARTBEAT * 3;
    assert!(
        tokio::time::timeout(quiet, pull.next_batch(1)).await.is_err(),
        "something came, or the reading ended"
    );
    publish(&bus, "PULL_QUIET.x", 0..1).await;
    assert_eq!(read(&mut pull, 1).await, [0]);
}

#[tokio::test]
async fn pending_tells_how_far_behind_the_reader_is() {
    let bus = shared().await;
    let stream = work_queue("PULL_PENDING");
    bus.ensure_stream(&stream).await.unwrap();
    publish(&bus, "PULL_PENDING.x", 0..7).await;
    let mut pull = bus.open_pull(&stream, "p-", "PULL_PENDING.>").await.unwrap();
    assert_eq!(pull.pending(), 7);
    soon("a batch", pull.next_batch(1)).await.unwrap();
    assert_eq!(pull.pending(), 6);
}
