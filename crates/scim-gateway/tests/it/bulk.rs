//! `/Bulk` (RFC 7644 §3.7).

use bus_contract::{
    provisioning::{Request, request::Change},
    subject::{RequestSubject, Verb},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    directory::Mood,
    harness::{Answer, Oddities, World},
};

const SOON: &[(&str, &str)] = &[("TIMECLOCK_OUTCOME_TIMEOUT_MS", "200")];

impl World {
    /// The results of these operations.
    async fn bulk(&self, request: Value) -> Vec<Value> {
        let answer = self.send(Method::POST, "/scim/Bulk", request).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/scim+json"));
        assert_eq!(answer.body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
        answer.body["Operations"].as_array().unwrap().clone()
    }
}

fn create(user_name: &str, bulk_id: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": { "userName": user_name } })
}

fn creates(users: usize) -> Vec<Value> {
    (0..users).map(|number| create(&format!("user-{number}"), &format!("b{number}"))).collect()
}

fn statuses(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| result["status"].as_str().unwrap()).collect()
}

/// What was asked of the directory, in its order: the verbs and, of creates, the names.
fn asked(requests: &[(RequestSubject, Request)]) -> Vec<(Verb, String)> {
    let name = |request: &Request| match request.change.clone().unwrap() {
        Change::CreateUser(create) => {
            serde_json::from_str::<Value>(&create.attributes_json).unwrap()["userName"]
                .as_str()
                .unwrap()
                .to_owned()
        }
        _ => String::new(),
    };
    requests.iter().map(|(subject, request)| (subject.verb, name(request))).collect()
}

#[tokio::test]
async fn each_operation_is_answered_as_the_request_that_it_stands_for() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let lee = world.user("lee").await;
    let results = world
        .bulk(json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                create("bob", "qwerty"),
                { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "Payroll" } },
                { "method": "PUT", "path": format!("/Users/{adele}"), "version": "W/\"1\"", "data": { "userName": "adele", "title": "Clerk" } },
                { "method": "PATCH", "path": format!("/Users/{adele}"), "data": { "Operations": [{ "op": "Replace", "path": "active", "value": "False" }] } },
                { "method": "DELETE", "path": format!("/Users/{lee}") },
            ]
        }))
        .await;

    assert_eq!(statuses(&results), ["201", "201", "200", "200", "204"], "{results:?}");
    let base = format!("http://{}/scim", world.address);
    let bob = world.get("/scim/Users?filter=userName+eq+%22bob%22").await.body["Resources"][0]["id"].clone();
    let location = format!("{base}/Users/{}", bob.as_str().unwrap());
    assert_eq!(
        results[0],
        json!({ "location": location, "method": "POST", "bulkId": "qwerty", "version": "W/\"1\"", "status": "201" })
    );
    assert_eq!(results[3]["version"], "W/\"3\"");
    assert_eq!(
        (&results[4]["location"], results[4].get("version")),
        (&json!(format!("{base}/Users/{lee}")), None)
    );
    let verbs: Vec<_> = world.directory.requests().iter().map(|(subject, _)| subject.verb).collect();
    assert_eq!(verbs[2..], [Verb::Create, Verb::Create, Verb::Replace, Verb::Deactivate, Verb::Delete]);
    let requests = world.directory.requests();
    let ids: std::collections::BTreeSet<_> =
        requests.iter().map(|(_, request)| &request.request_id).collect();
    assert_eq!(ids.len(), requests.len(), "each change is a request of its own");
}

#[tokio::test]
async fn a_failure_is_told_with_its_error_and_keeps_nothing_else_from_being_done() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let results = world
        .bulk(json!({ "Operations": [
            create("ADELE", "a"),
            { "method": "DELETE", "path": format!("/Users/{adele}"), "version": "W/\"7\"" },
            { "method": "PATCH", "path": "/Users/1", "data": { "Operations": [] } },
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "G", "members": ["x"] } },
            { "method": "GET", "path": "/Users" },
            create("bob", "b"),
        ] }))
        .await;
    assert_eq!(statuses(&results), ["409", "412", "404", "400", "400", "201"], "{results:?}");
    assert_eq!(results[0]["response"]["scimType"], "uniqueness");
    assert_eq!(results[0]["response"]["status"], "409");
    assert_eq!(results[0].get("location"), None);
    assert_eq!(results[1]["location"], format!("http://{}/scim/Users/{adele}", world.address));
    assert!(results[3]["response"]["detail"].as_str().unwrap().contains("has the id 'x'"), "{results:?}");
    assert_eq!(results[5].get("response"), None);
}

#[tokio::test]
async fn references_are_replaced_by_the_ids_of_what_was_created() {
    let world = World::start().await;
    let results = world
        .bulk(json!({ "Operations": [
            { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "G", "members": [{ "value": "bulkId:a" }] } },
            create("adele", "a"),
            { "method": "PATCH", "path": "/Users/bulkId:a", "data": { "Operations": [{ "op": "add", "path": "title", "value": "Clerk" }] } },
            { "method": "DELETE", "path": "/Users/bulkId:nobody" },
            { "method": "POST", "path": "/Groups", "bulkId": "h", "data": { "displayName": "H", "members": ["bulkId:nobody"] } },
            { "method": "DELETE", "path": "/Users/bulkId:a", "version": "W/\"7\"" },
        ] }))
        .await;
    assert_eq!(statuses(&results), ["201", "201", "200", "400", "400", "412"], "{results:?}");
    assert_eq!(results[2]["location"], results[1]["location"]);
    assert_eq!(results[5]["location"], results[1]["location"], "also of what fails (RFC 7644 §3.7.3)");
    let path = |result: &Value| {
        let location = result["location"].as_str().unwrap().to_owned();
        location.strip_prefix(&format!("http://{}", world.address)).unwrap().to_owned()
    };
    let (group, adele) = (world.get(&path(&results[0])).await, world.get(&path(&results[1])).await);
    assert_eq!(group.body["members"][0]["value"], adele.body["id"]);
    assert_eq!(adele.body["title"], "Clerk");
}

#[tokio::test]
async fn several_operations_are_under_way_at_once_and_keep_their_order() {
    let world = World::start().await;
    // Nothing is answered before eight have come, and then the last one first.
    world.directory.hold_back(8);
    let results = world.bulk(json!({ "Operations": creates(8) })).await;
    let bulk_ids: Vec<_> = results.iter().map(|result| result["bulkId"].as_str().unwrap()).collect();
    assert_eq!(bulk_ids, ["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"]);
    let expected: Vec<_> = (0..8).map(|number| (Verb::Create, format!("user-{number}"))).collect();
    assert_eq!(asked(&world.directory.requests()), expected);
}

#[tokio::test]
async fn after_as_many_errors_as_it_says_nothing_more_is_begun() {
    let world = World::start().await;
    world.user("taken").await;
    let operations = [create("taken", "a"), create("b", "b"), create("taken", "c"), create("d", "d")];
    let results = world.bulk(json!({ "failOnErrors": 2, "Operations": operations })).await;
    assert_eq!(statuses(&results), ["409", "201", "409"], "{results:?}");
    assert_eq!(world.get("/scim/Users").await.body["totalResults"], 2);
    let results = world.bulk(json!({ "Operations": operations })).await;
    assert_eq!(statuses(&results), ["409", "409", "409", "201"]);
}

#[tokio::test]
async fn without_the_directory_each_operation_says_what_is_known_of_it() {
    let world = World::with(Oddities { settings: SOON, ..Oddities::default() }).await;
    world.directory.set_mood(Mood::Silent);
    let results = world.bulk(json!({ "Operations": creates(40) })).await;
    assert_eq!(statuses(&results), ["503"; 40]);
    let detail = |result: &Value| result["response"]["detail"].as_str().unwrap().to_owned();
    let (_, request) = world.directory.requests().swap_remove(0);
    assert!(detail(&results[0]).contains("is stored and will be applied"), "{results:?}");
    assert!(detail(&results[0]).contains(&request.request_id), "{results:?}");
    assert!(detail(&results[39]).contains("was not begun"), "{results:?}");
    let begun = results.iter().filter(|result| !detail(result).contains("was not begun")).count();
    assert_eq!(world.directory.requests().len(), begun);
}

#[tokio::test]
async fn a_request_beyond_the_limits_is_413_and_names_the_limit() {
    let world = World::start().await;
    let padding = json!({ "Operations": [], "padding": "x".repeat(1_048_576) });
    let answer = world.send(Method::POST, "/scim/Bulk", padding).await;
    answer.is_error(413);
    assert!(answer.detail().contains("1048576"), "{answer:?}");
    let answer = world.send(Method::POST, "/scim/Bulk", json!({ "Operations": creates(1_001) })).await;
    answer.is_error(413);
    assert!(answer.detail().contains("1000"), "{answer:?}");

    // What is too large for a single request is not for several.
    let large = json!({ "Operations": [], "padding": "x".repeat(800_000) });
    assert_eq!(world.bulk(large).await, [] as [Value; 0]);
    for body in ["", "[]", "{}", "{\"Operations\":{}}", "{\"Operations\":[],\"failOnErrors\":0}"] {
        world.send(Method::POST, "/scim/Bulk", body).await.is_error(400);
    }
    Answer::of(world.anonymous(Method::POST, "/scim/Bulk")).await.is_error(401);
}
