//! What happens to a company that calls without end, and that nothing happens to the others.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use typed_ids::{CompanyId, TokenId};

use crate::harness::{Answer, NOW, Oddities, World, eventually};

/// The least that can be set: 25 a second, and 250 at once.
const SLOW: &[(&str, &str)] = &[("TIMECLOCK_COMPANY_REQUESTS_PER_SECOND", "25")];

async fn slow() -> World {
    World::with(Oddities { settings: SLOW, calls: true, ..Oddities::default() }).await
}

async fn call(world: &World, times: usize) {
    let call = async |_| assert_eq!(world.get("/scim/ResourceTypes").await.status, 200);
    stream::iter(0..times).for_each_concurrent(16, call).await;
}

#[tokio::test]
async fn who_calls_too_often_is_told_when_to_come_back_and_others_are_let_in() {
    let world = slow().await;
    call(&world, 250).await;

    let refused = world.get("/scim/Users").await;

    refused.is_error(429);
    assert_eq!(refused.header("retry-after"), Some("1"), "{refused:?}");
    assert!(refused.detail().contains("Try again in 1 s"), "{refused:?}");
    assert!(
        (world.metric("timeclock_gateway_rate_limited_total{limit=\"rate\"}") - 1.0).abs() < f64::EPSILON
    );
    let other = world.signer.token(CompanyId::mint(), TokenId::mint(), NOW + 3_600);
    assert_eq!(Answer::of(world.anonymous(Method::GET, "/scim/Users").bearer_auth(other)).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    call(&world, 25).await;
}

#[tokio::test]
async fn a_bulk_request_pays_for_each_of_its_operations() {
    let world = slow().await;
    let operations: Vec<Value> = (0..200)
        .map(|n| json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": { "userName": format!("u{n}") } }))
        .collect();
    let body =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations });
    assert_eq!(world.send(Method::POST, "/scim/Bulk", body.clone()).await.status, 200);

    world.send(Method::POST, "/scim/Bulk", body).await.is_error(429);

    assert_eq!(world.directory.requests().len(), 200, "the second was not begun");
}

#[tokio::test]
async fn a_company_that_is_refused_without_end_fills_no_log() {
    let world = slow().await;
    call(&world, 250).await;

    let refused = async |_| world.get("/scim/ResourceTypes").await.is_error(429);
    stream::iter(0..150).for_each_concurrent(150, refused).await;

    eventually("the reports are stored", async || {
        world.metric("timeclock_gateway_calls_reported_total") >= 350.0
            && world.metric("timeclock_gateway_calls_dropped_total{reason=\"flood\"}") >= 50.0
    })
    .await;
}
