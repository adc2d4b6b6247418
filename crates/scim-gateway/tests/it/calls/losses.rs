//! What becomes of reports that cannot be stored, and of those that are under way when the process ends.

use bus_contract::stream::{CALLS, Stream};

use super::Told;
use crate::harness::{Oddities, World, eventually};

fn dropped(world: &World, reason: &str) -> f64 {
    world.metric(&format!("timeclock_gateway_calls_dropped_total{{reason=\"{reason}\"}}"))
}

#[tokio::test]
async fn without_the_stream_reports_are_lost_and_answers_are_not() {
    let world = World::start().await;
    world.user("adele").await;
    assert_eq!(world.get("/scim/Users").await.status, 200);
    eventually("the loss is counted", async || dropped(&world, "refused") > 1.0).await;
    assert!(world.metric("timeclock_gateway_calls_waiting").abs() < f64::EPSILON);

    world.bus.ensure_stream(&CALLS).await.unwrap();
    assert_eq!(world.get("/scim/Users").await.status, 200);
    let reported = async || world.metric("timeclock_gateway_calls_reported_total") > 0.0;
    eventually("what comes later is reported", reported).await;
}

#[tokio::test]
async fn when_the_stream_is_full_reports_are_lost_and_answers_are_not() {
    let world = World::start().await;
    world.bus.ensure_stream(&Stream { max_bytes: 300, ..CALLS }).await.unwrap();
    eventually("the stream is full", async || {
        assert_eq!(world.get("/scim/Users").await.status, 200);
        dropped(&world, "refused") > 0.0
    })
    .await;
    assert_eq!(world.get("/scim/Users").await.status, 200);
}

#[tokio::test]
async fn while_nats_is_away_reports_are_lost_and_answers_are_not() {
    let told = Told::start().await;
    let world = &told.world;
    world.nats.kill_9().unwrap();
    eventually("the loss is noticed", async || !world.process.health.readiness().await.ready).await;
    for _ in 0..3 {
        assert_eq!(world.get("/scim/ServiceProviderConfig").await.status, 200);
    }
    eventually("the loss is counted", async || (dropped(world, "unavailable") - 3.0).abs() < f64::EPSILON)
        .await;
}

#[tokio::test]
async fn what_is_gathered_is_sent_before_the_process_ends() {
    let mut told = Told::start().await;
    for number in 0..20 {
        told.world.user(&format!("user-{number}")).await;
    }

    told.world.process.tasks.stop().await;

    assert!((told.world.metric("timeclock_gateway_calls_reported_total") - 20.0).abs() < f64::EPSILON);
    assert!(told.world.metric("timeclock_gateway_calls_waiting").abs() < f64::EPSILON);
    let mut calls = 0;
    while calls < 20 {
        calls += told.next_batch().await.calls.len();
    }
}

#[tokio::test]
async fn what_is_deployed_lets_calls_be_reported() {
    let world = World::with(Oddities { deployed: true, calls: true, ..Oddities::default() }).await;
    assert_eq!(world.get("/scim/Users").await.status, 200);
    let reported = async || world.metric("timeclock_gateway_calls_reported_total") > 0.0;
    eventually("the call is reported", reported).await;
    assert!(dropped(&world, "refused").abs() < f64::EPSILON);
}
