//! Following a bucket.

use std::collections::BTreeMap;

use bus_jetstream::{Bytes, watch::Change};

use crate::harness::{Own, bucket, connect, eventually, shared, soon};

fn entries(pairs: &[(&str, &'static str)]) -> BTreeMap<String, Bytes> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), Bytes::from_static(value.as_bytes()))).collect()
}

fn put(key: &str, value: &'static str) -> Change {
    Change::Put { key: key.to_owned(), value: Bytes::from_static(value.as_bytes()) }
}

#[tokio::test]
async fn a_watcher_sees_everything_first_and_then_each_change() {
    let bus = shared().await;
    let bucket = bucket("WATCH");
    bus.ensure_bucket(&bucket).await.unwrap();
    bus.put(&bucket, "key.a", "1").await.unwrap();
    bus.put(&bucket, "key.a", "2").await.unwrap();
    bus.put(&bucket, "key.b", "1").await.unwrap();
    bus.put(&bucket, "gone", "1").await.unwrap();
    bus.delete(&bucket, "gone").await.unwrap();
    let mut watcher = bus.watch(&bucket);
    let first = soon("a snapshot", watcher.next()).await;
    assert_eq!(first, Change::Snapshot(entries(&[("key.a", "2"), ("key.b", "1")])));
    bus.put(&bucket, "key.c", "3").await.unwrap();
    bus.delete(&bucket, "key.a").await.unwrap();
    assert_eq!(soon("a change", watcher.next()).await, put("key.c", "3"));
    assert_eq!(soon("a change", watcher.next()).await, Change::Deleted { key: "key.a".to_owned() });
    assert_eq!(bus.entries(&bucket).await.unwrap(), entries(&[("key.b", "1"), ("key.c", "3")]));
}

#[tokio::test]
async fn an_empty_bucket_is_an_empty_snapshot() {
    let bus = shared().await;
    let bucket = bucket("WATCH_EMPTY");
    bus.ensure_bucket(&bucket).await.unwrap();
    let mut watcher = bus.watch(&bucket);
    // In a task, where services follow their buckets.
    let first = tokio::spawn(async move { (soon("a snapshot", watcher.next()).await, watcher) });
    let (first, mut watcher) = first.await.unwrap();
    assert_eq!(first, Change::Snapshot(BTreeMap::new()));
    bus.put(&bucket, "a", "1").await.unwrap();
    assert_eq!(soon("a change", watcher.next()).await, put("a", "1"));
}

#[tokio::test]
async fn a_watcher_waits_for_a_bucket_that_is_not_there_yet() {
    let bus = shared().await;
    let bucket = bucket("WATCH_LATER");
    assert!(matches!(bus.entries(&bucket).await, Err(bus_jetstream::Error::Refused { .. })));
    let mut watcher = bus.watch(&bucket);
    let creating = async {
        bus.ensure_bucket(&bucket).await.unwrap();
        bus.put(&bucket, "a", "1").await.unwrap();
    };
    let following = async {
        let mut seen = vec![watcher.next().await];
        if seen == [Change::Snapshot(BTreeMap::new())] {
            seen.push(watcher.next().await);
        }
        seen
    };
    let (seen, ()) =
        soon("the bucket's contents", Box::pin(async { tokio::join!(following, creating) })).await;
    let last = seen.last().unwrap();
    assert!(*last == put("a", "1") || *last == Change::Snapshot(entries(&[("a", "1")])), "{seen:?}");
}

#[tokio::test]
async fn a_restarted_server_leaves_no_watcher_deaf() {
    let own = Own::start();
    let bus = connect(&own.server.url()).await;
    let writer = connect(&own.server.url()).await;
    let bucket = bucket("WATCH_RESTART");
    bus.ensure_bucket(&bucket).await.unwrap();
    bus.put(&bucket, "a", "1").await.unwrap();
    let mut watcher = bus.watch(&bucket);
    assert_eq!(soon("a snapshot", watcher.next()).await, Change::Snapshot(entries(&[("a", "1")])));
    own.server.kill_9().unwrap();
    own.server.restart().unwrap();
    let again = soon("a snapshot after the restart", watcher.next()).await;
    assert_eq!(again, Change::Snapshot(entries(&[("a", "1")])));
    eventually("a value stored", || async { writer.put(&bucket, "b", "2").await.ok() }).await;
    assert_eq!(soon("a change after the restart", watcher.next()).await, put("b", "2"));
}

#[tokio::test]
async fn a_server_that_lost_its_disk_makes_watchers_drop_what_is_gone() {
    let own = Own::start();
    let bus = connect(&own.server.url()).await;
    let bucket = bucket("WATCH_WIPED");
    let before = bus.ensure_bucket(&bucket).await.unwrap();
    for key in ["a", "b", "c"] {
        bus.put(&bucket, key, "old").await.unwrap();
    }
    let mut watcher = bus.watch(&bucket);
    soon("a snapshot", watcher.next()).await;
    own.lose_everything();
    own.server.restart().unwrap();
    let recreating = async {
        let after =
            eventually("the bucket made anew", || async { bus.ensure_bucket(&bucket).await.ok() }).await;
        assert_ne!(before, after, "a stream made anew is another one");
        eventually("a value stored", || async { bus.put(&bucket, "b", "new").await.ok() }).await;
    };
    let following = async {
        let first = watcher.next().await;
        let Change::Snapshot(known) = &first else { panic!("not a snapshot: {first:?}") };
        if known.is_empty() { watcher.next().await } else { first }
    };
    let (seen, ()) = soon("the new contents", Box::pin(async { tokio::join!(following, recreating) })).await;
    assert!(seen == put("b", "new") || seen == Change::Snapshot(entries(&[("b", "new")])), "{seen:?}");
}

#[tokio::test]
async fn a_bucket_removed_and_made_again_is_read_anew() {
    let bus = shared().await;
    let bucket = bucket("WATCH_REMADE");
    bus.ensure_bucket(&bucket).await.unwrap();
    bus.put(&bucket, "old", "1").await.unwrap();
    let mut watcher = bus.watch(&bucket);
    soon("a snapshot", watcher.next()).await;
    crate::harness::raw_shared().await.delete_stream("KV_WATCH_REMADE").await.unwrap();
    bus.ensure_bucket(&bucket).await.unwrap();
    bus.put(&bucket, "new", "1").await.unwrap();
    // No reconnect tells: the watcher notices by the missing heartbeats.
    let seen = soon("a new snapshot", watcher.next()).await;
    assert_eq!(seen, Change::Snapshot(entries(&[("new", "1")])));
}
