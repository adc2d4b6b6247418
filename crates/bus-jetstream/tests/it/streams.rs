//! Making the server's streams match the contract.

use bus_contract::stream::{Retention, Stream};
use bus_jetstream::Error;

use crate::harness::{shared, stream};

#[tokio::test]
async fn a_stream_is_created_once_and_then_left_alone() {
    let bus = shared().await;
    let stream = stream("ENSURE");
    let identity = bus.ensure_stream(&stream).await.unwrap();
    bus.publish_durable("ENSURE.a", "1", None, "x").await.unwrap().await.unwrap();
    assert_eq!(bus.ensure_stream(&stream).await.unwrap(), identity);
    let again = bus.publish_durable("ENSURE.a", "1", None, "x").await.unwrap().await.unwrap();
    assert!(again.duplicate, "the stream was made anew");
}

#[tokio::test]
async fn what_can_be_changed_in_place_is_changed() {
    let bus = shared().await;
    let before = stream("ENSURE_UPDATE");
    let identity = bus.ensure_stream(&before).await.unwrap();
    let after = Stream { max_bytes: 32 << 20, description: "another", ..before };
    assert_eq!(bus.ensure_stream(&after).await.unwrap(), identity);
    let raw = crate::harness::raw_shared().await;
    let config = raw.get_stream("ENSURE_UPDATE").await.unwrap().cached_info().config.clone();
    assert_eq!((config.max_bytes, config.description.as_deref()), (32 << 20, Some("another")));
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_with_a_readable_difference() {
    let bus = shared().await;
    let before = stream("ENSURE_FIXED");
    bus.ensure_stream(&before).await.unwrap();
    let wanted = Stream { retention: Retention::WorkQueue, ..before };
    let error = bus.ensure_stream(&wanted).await.unwrap_err();
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("retention: server Limits, contract WorkQueue (fixed at creation)"), "{text}");
    assert!(text.contains("max_age: server 3600s, contract 0ns (can be updated)"), "{text}");
}

#[tokio::test]
async fn the_contract_s_own_streams_fit_the_server() {
    let bus = shared().await;
    bus.ensure_stream(&bus_contract::stream::PROVISIONING).await.unwrap();
    bus.ensure_stream(&bus_contract::stream::DIRECTORY).await.unwrap();
    bus.ensure_bucket(&bus_contract::stream::TOKENS).await.unwrap();
    bus.ensure_stream(&bus_contract::stream::PROVISIONING).await.unwrap();
    bus.ensure_bucket(&bus_contract::stream::TOKENS).await.unwrap();
}
