//! What operators see of changes, of tokens and of requests that get no answer.

use bus_contract::provisioning::refused::Reason;
use reqwest::Method;
use serde_json::json;

use crate::{
    directory::Mood,
    harness::{Oddities, World, eventually},
};

fn is(world: &World, sample: &str, value: f64) -> bool {
    (world.metric(sample) - value).abs() < f64::EPSILON
}

fn creations(result: &str, scim_type: &str) -> String {
    format!(
        "timeclock_gateway_outcomes_total{{resource=\"user\",result=\"{result}\",scim_type=\"{scim_type}\",verb=\"create\"}}"
    )
}

#[tokio::test]
async fn a_change_counts_by_what_came_of_it() {
    let world =
        World::with(Oddities { settings: &[("TIMECLOCK_OUTCOME_TIMEOUT_MS", "200")], ..Oddities::default() })
            .await;
    let create = async || world.send(Method::POST, "/scim/Users", json!({ "userName": "adele" })).await;
    create().await;
    assert!(is(&world, &creations("applied", "none"), 1.0));
    world.directory.set_mood(Mood::Refusing(Reason::Conflict));
    create().await.is_error(409);
    world.directory.set_mood(Mood::Silent);
    create().await.is_error(503);
    assert!(is(&world, &creations("timeout", "none"), 1.0));
    let waited = "timeclock_gateway_outcome_wait_seconds_count{verb=\"create\"}";
    assert!(is(&world, waited, 3.0));
    // The stream's word that it keeps a request comes to the inbox of that request.
    let stored = "timeclock_bus_publish_duration_seconds_count{stream=\"PROVISIONING\"}";
    assert!(world.metric(stored) >= 1.0);
    assert!(is(&world, "timeclock_bus_publish_failures_total{stream=\"PROVISIONING\"}", 0.0));
    let auth = "timeclock_gateway_auth_total{result=\"accepted\"}";
    assert!(is(&world, auth, 3.0));
}

#[tokio::test]
async fn what_is_not_stored_is_a_failure_of_the_bus() {
    let world = World::with(Oddities { no_stream: true, ..Oddities::default() }).await;
    world.directory.stop_listening().await;
    world.send(Method::POST, "/scim/Users", json!({ "userName": "adele" })).await.is_error(503);
    assert!(is(&world, &creations("unavailable", "none"), 1.0));
    assert!(is(&world, "timeclock_bus_publish_failures_total{stream=\"PROVISIONING\"}", 1.0));
}

#[tokio::test]
async fn everything_that_a_rule_divides_by_is_there_before_the_first_request() {
    let world = World::start().await;
    let text = service_runtime::metrics::text(&world.process.metrics).unwrap();
    for zero in [
        creations("refused", "uniqueness").as_str(),
        creations("unavailable", "none").as_str(),
        "timeclock_gateway_auth_total{result=\"expired\"}",
        "timeclock_gateway_calls_dropped_total{reason=\"refused\"}",
        "timeclock_http_requests_total{method=\"PATCH\",route=\"/Groups/{id}\",status=\"503\"}",
        "timeclock_http_request_duration_seconds_count{method=\"POST\",route=\"/Bulk\"}",
    ] {
        assert!(text.contains(&format!("{zero} 0\n")), "{zero}: {text}");
    }
    eventually("the bus is connected", async || is(&world, "timeclock_bus_connected", 1.0)).await;
}
