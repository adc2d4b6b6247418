//! Streams that several servers keep.

use backing_servers::nats::{Cluster, Server};
use bus_jetstream::{Bus, Error, Replicas};

use crate::harness::{bucket, connect, eventually, raw, shared, stream};

/// How many replicas the server keeps of this stream.
async fn replicas(url: &str, stream: &str) -> usize {
    let first = url.split(',').next().unwrap();
    raw(first).await.get_stream(stream).await.unwrap().cached_info().config.num_replicas
}

/// Connected to servers that have elected a leader.
async fn leading(url: &str) -> Bus {
    let bus = connect(url).await;
    eventually("JetStream answers", || async { bus.ping().await.ok() }).await;
    bus
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_three_times_survives_the_loss_of_a_server() {
    let cluster = Cluster::start(3).unwrap();
    let bus = leading(&cluster.url()).await.with_replicas(Replicas::of(3));
    let (stream, bucket) = (stream("THRICE"), bucket("THRICE"));
    let ensured = || async { bus.ensure_stream(&stream).await.ok() };
    let identity = eventually("the stream is made", ensured).await;
    eventually("the bucket is made", || async { bus.ensure_bucket(&bucket).await.ok() }).await;
    bus.put(&bucket, "a", "kept").await.unwrap();
    bus.publish_durable("THRICE.a", "1", None, "x").await.unwrap().await.unwrap();
    assert_eq!(replicas(&cluster.url(), "THRICE").await, 3);
    assert_eq!(replicas(&cluster.url(), "KV_THRICE").await, 3);

    let leader = leader(&cluster, "THRICE").await;
    leader.kill_9().unwrap();
    let after = || async { bus.publish_durable("THRICE.a", "2", None, "y").await.ok()?.await.ok() };
    let stored = eventually("the others take a message", after).await;
    assert_eq!(stored.sequence, 2, "what was stored before was forgotten");
    assert_eq!(eventually("the stream is found", ensured).await, identity);
    let entries = eventually("the bucket is read", || async { bus.entries(&bucket).await.ok() }).await;
    assert_eq!(entries.get("a").map(AsRef::as_ref), Some(b"kept".as_slice()));

    leader.restart().unwrap();
    eventually("whoever was lost has caught up", || whole(&cluster, "THRICE")).await;
}

/// The member that answers for the stream, the worst one to lose.
async fn leader<'a>(cluster: &'a Cluster, stream: &str) -> &'a Server {
    let any = raw(&cluster.members().first().unwrap().url()).await;
    let info = any.get_stream(stream).await.unwrap().cached_info().clone();
    let name = info.cluster.unwrap().leader.unwrap();
    cluster.members().iter().find(|member| member.name() == name).unwrap()
}

/// Whether every replica of the stream is current.
async fn whole(cluster: &Cluster, stream: &str) -> Option<()> {
    let any = raw(&cluster.members().first().unwrap().url()).await;
    let info = any.get_stream(stream).await.ok()?.cached_info().clone();
    let replicas = info.cluster?.replicas;
    (replicas.len() == 2 && replicas.iter().all(|replica| replica.current)).then_some(())
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_raised_in_place_and_then_left_alone_by_whoever_is_not_told() {
    let cluster = Cluster::start(3).unwrap();
    let bus = leading(&cluster.url()).await;
    let stream = stream("RAISED");
    let identity = eventually("the stream is made", || async { bus.ensure_stream(&stream).await.ok() }).await;
    assert_eq!(replicas(&cluster.url(), "RAISED").await, 1);
    bus.publish_durable("RAISED.a", "1", None, "x").await.unwrap().await.unwrap();

    let told = bus.clone().with_replicas(Replicas::of(3));
    assert_eq!(told.ensure_stream(&stream).await.unwrap(), identity);
    assert_eq!(replicas(&cluster.url(), "RAISED").await, 3);

    assert_eq!(bus.ensure_stream(&stream).await.unwrap(), identity);
    assert_eq!(replicas(&cluster.url(), "RAISED").await, 3);
    let again = eventually("the message is compared", || async {
        bus.publish_durable("RAISED.a", "1", None, "x").await.ok()?.await.ok()
    });
    assert!(again.await.duplicate, "the stream was made anew");
}

#[tokio::test]
async fn a_single_server_refuses_replicas_and_says_so() {
    let bus = shared().await.with_replicas(Replicas::of(3));
    let error = bus.ensure_stream(&stream("LONELY")).await.unwrap_err();
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("replicas > 1 not supported in non-clustered mode"), "{cause}");
}
