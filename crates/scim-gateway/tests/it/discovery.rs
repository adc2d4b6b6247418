//! What the service says about itself, and what it does not offer.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, World};

#[tokio::test]
async fn the_discovery_documents_are_served_under_their_own_locations() {
    let world = World::start().await;
    for path in [
        "/scim/ServiceProviderConfig",
        "/scim/v2/ResourceTypes/User",
        "/scim/v2/ResourceTypes/Group",
        "/scim/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group",
        "/scim/Schemas/urn:ietf:params:scim:schemas:core:2.0:User",
        "/scim/Schemas/urn%3Aietf%3Aparams%3Ascim%3Aschemas%3Aextension%3Aenterprise%3A2.0%3AUser",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"), "{path}");
        let location = format!("http://{}{}", world.address, path.replace("%3A", ":"));
        assert_eq!(answer.body["meta"]["location"], location, "{path}");
    }
    assert_eq!(world.get("/scim/ResourceTypes").await.body["totalResults"], 2);
    assert_eq!(world.get("/scim/Schemas").await.body["totalResults"], 3);
    world.get("/scim/ResourceTypes/Robot").await.is_error(404);
    world.get("/scim/Schemas/urn:robot").await.is_error(404);
}

#[tokio::test]
async fn what_is_promised_is_what_the_other_tests_prove() {
    let world = World::start().await;
    let config = world.get("/scim/ServiceProviderConfig").await.body;
    for feature in ["patch", "bulk", "filter", "sort", "etag"] {
        assert_eq!(config[feature]["supported"], true, "{feature}");
    }
    assert_eq!(config["changePassword"]["supported"], false);
    assert_eq!(
        (&config["bulk"]["maxOperations"], &config["bulk"]["maxPayloadSize"]),
        (&json!(1_000), &json!(1_048_576))
    );
    assert_eq!(
        (&config["pagination"]["cursor"], &config["pagination"]["index"]),
        (&json!(true), &json!(true))
    );
}

#[tokio::test]
async fn a_filter_on_a_discovery_document_is_403() {
    let world = World::start().await;
    for path in ["ServiceProviderConfig", "ResourceTypes", "ResourceTypes/User", "Schemas"] {
        world.get(&format!("/scim/{path}?filter=name+eq+%22User%22")).await.is_error(403);
    }
}

#[tokio::test]
async fn there_is_no_me_and_the_answer_says_why() {
    let world = World::start().await;
    for method in [Method::GET, Method::POST, Method::PATCH] {
        let answer = Answer::of(world.request(method, "/scim/Me")).await;
        answer.is_error(501);
        assert!(answer.detail().contains("stands for a company"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_names_the_right_ones() {
    let world = World::start().await;
    for (method, path, allow) in [
        (Method::DELETE, "/scim/Users", "GET, HEAD, POST"),
        (Method::POST, "/scim/Users/1", "GET, HEAD, PUT, PATCH, DELETE"),
        (Method::OPTIONS, "/scim/Users", "GET, HEAD, POST"),
        (Method::PATCH, "/scim/Schemas", "GET, HEAD"),
        (Method::GET, "/scim/.search", "POST"),
        (Method::GET, "/scim/Groups/.search", "POST"),
        (Method::GET, "/scim/v2/Bulk", "POST"),
        (Method::OPTIONS, "/scim/Groups", "GET, HEAD, POST"),
        (Method::OPTIONS, "/scim/Groups/1", "GET, HEAD, PUT, PATCH, DELETE"),
        (Method::from_bytes(b"BREW").unwrap(), "/scim/Users", "GET, HEAD, POST"),
    ] {
        let answer = Answer::of(world.request(method, path)).await;
        answer.is_error(405);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
}
