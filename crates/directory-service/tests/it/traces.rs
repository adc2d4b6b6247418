//! The trace of a request goes on in what is announced of it.

use bus_jetstream::Headers;
use futures_util::StreamExt as _;
use serde_json::json;
use service_runtime::trace::InTrace as _;

use crate::harness::{DEADLINE, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_carries_the_trace_of_its_request() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let follower = world.bus("follower").await;
    let mut facts = follower.subscribe(format!("facts.v1.{}.>", caller.company)).await.unwrap();
    let mut sent = Headers::new();
    sent.set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    sent.set("tracestate", "vendor=value");

    caller.hire(json!({"userName": "anna@contoso.com"})).in_trace(&sent.trace()).await;

    let fact = tokio::time::timeout(DEADLINE, facts.next()).await.expect("a fact in time").unwrap();
    for name in ["traceparent", "tracestate"] {
        assert_eq!(fact.headers.get(name), sent.get(name), "{name}");
    }
}
