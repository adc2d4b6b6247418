//! Searches by POST (RFC 7644 §3.4.3).

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, World};

impl World {
    async fn search(&self, path: &str, query: Value) -> Answer {
        self.send(Method::POST, path, query).await
    }
}

/// What the resources of an answer are called.
fn names(answer: &Answer) -> Vec<&str> {
    let resources = answer.body["Resources"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    let name = |resource: &'_ Value| resource.get("userName").or(resource.get("displayName")).cloned();
    assert!(resources.iter().all(|resource| name(resource).is_some()), "{answer:?}");
    resources
        .iter()
        .map(|resource| resource["userName"].as_str().or(resource["displayName"].as_str()).unwrap())
        .collect()
}

async fn with_resources() -> World {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.user(name).await;
    }
    for name in ["G", "H"] {
        let answer = world.send(Method::POST, "/scim/Groups", json!({ "displayName": name })).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    world
}

#[tokio::test]
async fn a_search_answers_what_the_same_query_does() {
    let world = with_resources().await;
    for (path, body, query) in [
        ("Users", json!({ "filter": "userName eq \"B\"" }), "filter=userName+eq+%22B%22"),
        (
            "Users",
            json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": "userName pr", "startIndex": 2, "count": 1, "attributes": ["userName"],
                "sortBy": "userName", "sortOrder": "descending"
            }),
            "filter=userName+pr&startIndex=2&count=1&attributes=userName&sortBy=userName&sortOrder=descending",
        ),
        (
            "Groups",
            json!({ "filter": "displayName sw \"g\"", "excludedAttributes": ["members"] }),
            "filter=displayName+sw+%22g%22&excludedAttributes=members",
        ),
    ] {
        let answer = world.search(&format!("/scim/{path}/.search"), body.clone()).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/scim+json")));
        assert_eq!(answer.body["itemsPerPage"], 1, "{body}: {answer:?}");
        assert_eq!(answer.body, world.get(&format!("/scim/{path}?{query}")).await.body, "{body}");
    }
}

#[tokio::test]
async fn a_search_pages_by_cursor() {
    let world = with_resources().await;
    let first = world.search("/scim/v2/Users/.search", json!({ "cursor": "", "count": 2 })).await;
    let next = &first.body["nextCursor"];
    let second = world.search("/scim/v2/Users/.search", json!({ "cursor": next, "count": 2 })).await;
    assert_eq!((names(&first), names(&second)), (vec!["a", "b"], vec!["c"]));
}

#[tokio::test]
async fn a_search_that_cannot_be_read_is_refused() {
    let world = World::start().await;
    for path in ["/scim/Users/.search", "/scim/.search"] {
        world.search(path, json!([])).await.is_error(400);
        let filter = world.search(path, json!({ "filter": "x like 1" })).await;
        filter.is_error(400);
        assert_eq!(filter.body["scimType"], "invalidFilter");
        world.search(path, json!({ "filter": "x".repeat(600_000) })).await.is_error(413);
    }
}

#[tokio::test]
async fn a_search_of_everything_has_the_users_and_then_the_groups() {
    let world = with_resources().await;
    for (query, total, expected) in [
        (json!({}), 5, &["a", "b", "c", "G", "H"][..]),
        (json!({ "count": 2 }), 5, &["a", "b"]),
        (json!({ "startIndex": 3, "count": 2 }), 5, &["c", "G"]),
        (json!({ "startIndex": 5, "count": 2 }), 5, &["H"]),
        (json!({ "startIndex": 9 }), 5, &[]),
        (json!({ "count": 0 }), 5, &[]),
        (json!({ "filter": "userName gt \"a\"" }), 2, &["b", "c"]),
        (json!({ "filter": "displayName eq \"g\"" }), 1, &["G"]),
        (json!({ "filter": "meta.resourceType eq \"Group\"", "startIndex": 2 }), 2, &["H"]),
        // A filter on what groups do not have finds no group, negated or not.
        (json!({ "filter": "not (userName eq \"a\")" }), 2, &["b", "c"]),
        (json!({ "filter": "not (userName sw \"a\" or title pr) and active pr" }), 2, &["b", "c"]),
    ] {
        let answer = world.search("/scim/.search", query.clone()).await;
        assert_eq!(answer.status, 200, "{query}: {answer:?}");
        assert_eq!(
            (&answer.body["totalResults"], names(&answer)),
            (&json!(total), expected.to_vec()),
            "{query}"
        );
        assert_eq!(answer.body["itemsPerPage"], expected.len(), "{query}");
    }
    let shown = world.search("/scim/.search", json!({ "attributes": "userName" })).await;
    assert_eq!(shown.body["Resources"][0]["userName"], "a");
    assert_eq!(shown.body["Resources"][4].as_object().unwrap().keys().collect::<Vec<_>>(), ["schemas", "id"]);
}

#[tokio::test]
async fn a_search_of_everything_has_no_order_and_no_cursor() {
    let world = World::start().await;
    for query in [json!({ "sortBy": "id" }), json!({ "cursor": "" })] {
        let answer = world.search("/scim/.search", query.clone()).await;
        answer.is_error(400);
        assert!(answer.detail().contains("search /Users or /Groups"), "{query}: {answer:?}");
    }
}

/// Whoever goes on where the answer ends would otherwise never see those behind the cut.
#[tokio::test]
async fn a_search_of_everything_ends_where_the_users_were_cut_off() {
    let world = with_resources().await;
    world.directory.cut_users_off_behind(2);
    let first = world.search("/scim/.search", json!({})).await;
    assert_eq!((&first.body["totalResults"], names(&first)), (&json!(5), vec!["a", "b"]));
    let second = world.search("/scim/.search", json!({ "startIndex": 3 })).await;
    assert_eq!(names(&second), ["c", "G", "H"]);
}
