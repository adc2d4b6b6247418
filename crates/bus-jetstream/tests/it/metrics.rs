//! What a process tells of its connection, its messages and its answers.

use bus_contract::{
    stream::{CALLS, Stream},
    subject::{CREATE_COMPANY, LOOK_UP_USER},
};
use bus_jetstream::{Bus, Headers, Metrics, answering::Answered, metrics::Answers};
use prometheus::Registry;
use service_runtime::metrics::text;

use crate::harness::{Own, connect, eventually, settings, shared, soon, work_queue};

fn told(registry: &Registry, sample: &str) -> Option<u64> {
    let text = text(registry).unwrap();
    let value = text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '))?;
    Some(value.parse().unwrap())
}

#[tokio::test]
async fn the_connection_and_what_becomes_of_messages_is_told() {
    const STORED: &str = r#"timeclock_bus_publish_duration_seconds_count{stream="CALLS"}"#;
    const FAILED: &str = r#"timeclock_bus_publish_failures_total{stream="CALLS"}"#;
    let own = Own::start();
    let registry = Registry::new();
    let metrics = Metrics::register(&registry, &[&CALLS]).unwrap();
    let counts = || (told(&registry, STORED), told(&registry, FAILED));
    assert_eq!(counts(), (Some(0), Some(0)), "before anything was sent");
    let bus = Bus::connect_measured(&settings(&own.server.url()), metrics).await.unwrap();
    let connected = |is: u64| told(&registry, "timeclock_bus_connected") == Some(is);
    eventually("connected", || async { connected(1).then_some(()) }).await;

    let publish = async || bus.publish_durable("calls.v1.test", "id", None, "body").await;
    let refused = publish().await.unwrap().await;
    assert!(refused.is_err(), "there is no stream yet");
    assert_eq!(counts(), (Some(0), Some(1)));
    let smaller = Stream { max_bytes: 1 << 20, ..CALLS };
    bus.ensure_stream(&smaller).await.unwrap();
    publish().await.unwrap().await.unwrap();
    assert_eq!(counts(), (Some(1), Some(1)));

    own.server.kill_9().unwrap();
    eventually("disconnected", || async { connected(0).then_some(()) }).await;
    assert!(publish().await.is_err());
    assert_eq!(counts(), (Some(1), Some(2)));
    own.server.restart().unwrap();
    eventually("connected again", || async { connected(1).then_some(()) }).await;
    assert_eq!(told(&registry, "timeclock_bus_reconnects_total"), Some(1));
}

#[tokio::test]
async fn a_request_counts_by_its_answer_and_as_failed_without_one() {
    let registry = Registry::new();
    let answers = Answers::register(&registry).unwrap();
    let (look_ups, creations) = (answers.of(LOOK_UP_USER), answers.of(CREATE_COMPANY));
    look_ups.begin(&Headers::new()).end(Answered::Ok);
    look_ups.begin(&Headers::new()).end(Answered::Refused);
    drop(look_ups.begin(&Headers::new()));
    drop(creations);
    let count = |kind, result| {
        told(&registry, &format!("timeclock_bus_requests_total{{kind=\"{kind}\",result=\"{result}\"}}"))
    };
    for result in ["ok", "refused", "failed"] {
        assert_eq!(count("query.user.look_up", result), Some(1), "{result}");
        assert_eq!(count("company.create", result), Some(0), "{result}");
    }
    let timed = "timeclock_bus_request_duration_seconds_count{kind=\"query.user.look_up\"}";
    assert_eq!(told(&registry, timed), Some(3));
}

#[tokio::test]
async fn a_backlog_is_what_is_not_acknowledged_though_it_is_handed_out() {
    let bus = shared().await;
    let stream = work_queue("BACKLOG");
    bus.ensure_stream(&stream).await.unwrap();
    for id in ["1", "2", "3"] {
        bus.publish_durable("BACKLOG.a", id, None, "body").await.unwrap().await.unwrap();
    }
    let mut pull = bus.open_pull(&stream, "p-", "BACKLOG.>").await.unwrap();
    let backlog = pull.backlog();
    let first = soon("a message", pull.next_batch(1)).await.unwrap().remove(0);
    assert_eq!(backlog.count().await.unwrap(), 3);
    pull.ack_through(&first).await.unwrap();
    let count = || async { backlog.count().await.ok().filter(|count| *count == 2).map(drop) };
    eventually("one is done with", count).await;
    // A second reading ends the first, and with it what could be asked about it.
    let _second = connect_and_open(&stream).await;
    assert!(backlog.count().await.is_err());
}

async fn connect_and_open(stream: &Stream) -> (Bus, bus_jetstream::pull::Pull) {
    let bus = connect(&backing_servers::nats::Server::shared().unwrap().url()).await;
    let pull = bus.open_pull(stream, "p-", "BACKLOG.>").await.unwrap();
    (bus, pull)
}
