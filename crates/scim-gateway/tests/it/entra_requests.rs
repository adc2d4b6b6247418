//! Entra's requests, in the shapes in which they were recorded (reference/entra-wire.md 1.3 to 1.10).

use bus_contract::subject::Verb;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::World;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn adele() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "externalId": "adele.vance",
        "userName": "adele.vance@contoso.com",
        "active": true,
        "displayName": "Adele Vance",
        "emails": [{ "primary": true, "type": "work", "value": "adele.vance@contoso.com" }],
        "meta": { "resourceType": "User" },
        "name": { "formatted": "Adele Vance", "familyName": "Vance", "givenName": "Adele" },
        "roles": [],
        ENTERPRISE: { "employeeNumber": "10442" }
    })
}

/// Sends the PATCH to a fresh Adele and returns what it answered.
async fn patched(world: &World, operations: Value) -> Value {
    let created = world.send(Method::POST, "/scim/Users", adele()).await;
    assert_eq!(created.status, 201, "{created:?}");
    let path = format!("/scim/Users/{}", created.body["id"].as_str().unwrap());
    let patch =
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations });
    let answer = world.send(Method::PATCH, &path, patch).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(world.get(&path).await.body, answer.body, "what was answered is what is there");
    assert_eq!(world.delete(&path).await.status, 204);
    answer.body
}

#[tokio::test]
async fn test_connection_gets_an_empty_list() {
    let world = World::start().await;
    for path in [
        "/scim/Users?filter=userName+eq+%22f3a1c1de-3c07-4a52-9a20-0d7b5c2a9d10%22",
        "/scim/Users/?filter=userName+eq+%22f3a1c1de%22",
        "/scim//Users?aadOptscim062020&filter=userName+eq+%22f3a1c1de%22",
        "/scim/Users?aadOptscim062020=true&filter=userName+eq+%22f3a1c1de%22",
        "/scim/Users?filter=externalId+eq+f3a1c1de&aadOptscim062020",
        "/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22f3a1c1de%22",
    ] {
        let answer = world.get(path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let empty = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []
        });
        assert_eq!(answer.body, empty, "{path}");
    }
}

#[tokio::test]
async fn the_matching_query_finds_who_was_created_in_every_form_that_entra_sends() {
    let world = World::start().await;
    let created = world.send(Method::POST, "/scim/Users", adele()).await;
    assert_eq!(created.status, 201, "{created:?}");
    for query in [
        "filter=userName+eq+%22adele.vance%40contoso.com%22",
        "filter=userName+eq+%22ADELE.VANCE%40contoso.com%22",
        "filter=externalId+eq+%22adele.vance%22",
        "filter=externalId+eq+adele.vance",
        "filter=emails%5btype+eq+%22work%22%5d.value+eq+%22adele.vance%40contoso.com%22",
        "filter=emails%5btype+eq+%22work%22%5d+eq+%22adele.vance%40contoso.com%22",
    ] {
        let answer = world.get(&format!("/scim/Users?{query}")).await;
        assert_eq!((answer.status, &answer.body["totalResults"]), (200, &json!(1)), "{query}: {answer:?}");
        assert_eq!(answer.body["Resources"][0], created.body, "{query}");
    }
}

#[tokio::test]
async fn the_default_dialect_is_understood() {
    let world = World::start().await;
    let user = patched(
        &world,
        json!([
            { "op": "Replace", "path": "displayName", "value": "Adele Young" },
            { "op": "Add", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+49 30 1" },
            { "op": "Replace", "path": "name.familyName", "value": "Young" },
            { "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "Payroll" },
            { "op": "Remove", "path": "externalId" }
        ]),
    )
    .await;
    assert_eq!(user["displayName"], "Adele Young");
    assert_eq!(user["phoneNumbers"], json!([{ "type": "mobile", "value": "+49 30 1" }]));
    assert_eq!(user["name"]["familyName"], "Young");
    assert_eq!(user[ENTERPRISE], json!({ "employeeNumber": "10442", "department": "Payroll" }));
    assert_eq!(user.get("externalId"), None);
}

#[tokio::test]
async fn the_dialect_with_flat_keys_is_understood() {
    let world = World::start().await;
    let user = patched(
        &world,
        json!([{ "op": "replace", "value": {
            "displayName": "Adele Young",
            "name.familyName": "Young",
            format!("{ENTERPRISE}:department"): "Payroll"
        } }]),
    )
    .await;
    assert_eq!(user["displayName"], "Adele Young");
    assert_eq!(user["name"]["familyName"], "Young");
    assert_eq!(user[ENTERPRISE]["department"], "Payroll");
}

#[tokio::test]
async fn a_disable_in_any_shape_is_a_deactivation() {
    let world = World::start().await;
    for operations in [
        json!([{ "op": "Replace", "path": "active", "value": "False" }]),
        json!([{ "op": "replace", "path": "active", "value": false }]),
        json!([{ "op": "replace", "value": { "active": false } }]),
        json!([{ "op": "Add", "path": "active", "value": [{ "value": "False" }] }]),
        json!([{ "op": "Replace", "path": "title", "value": "Leaver" }, { "op": "Replace", "path": "active", "value": "False" }]),
    ] {
        let user = patched(&world, operations.clone()).await;
        assert_eq!(user["active"], false, "{operations}");
        let verbs: Vec<_> = world.directory.requests().iter().map(|(subject, _)| subject.verb).collect();
        assert!(verbs.ends_with(&[Verb::Create, Verb::Deactivate, Verb::Delete]), "{operations}: {verbs:?}");
    }
}

#[tokio::test]
async fn a_manager_comes_back_as_an_object_however_it_was_sent() {
    let world = World::start().await;
    let path = format!("{ENTERPRISE}:manager");
    for value in [json!("a-manager"), json!({ "value": "a-manager" }), json!([{ "value": "a-manager" }])] {
        let user = patched(&world, json!([{ "op": "Add", "path": path, "value": value }])).await;
        assert_eq!(user[ENTERPRISE]["manager"]["value"], "a-manager", "{value}");
    }
    for value in [json!(""), json!(null), json!({ "value": "" })] {
        let user = patched(&world, json!([{ "op": "Replace", "path": path, "value": value }])).await;
        assert_eq!(user[ENTERPRISE].get("manager"), None, "{value}");
    }
}

#[tokio::test]
async fn a_disabled_user_is_still_found_and_a_deleted_one_can_come_back() {
    let world = World::start().await;
    let id = world.user("adele").await;
    let path = format!("/scim/Users/{id}");
    let off = json!({ "Operations": [{ "op": "Replace", "path": "active", "value": "False" }] });
    assert_eq!(world.send(Method::PATCH, &path, off).await.status, 200);

    let found = world.get("/scim/Users?filter=userName+eq+%22adele%22").await;
    assert_eq!(
        (&found.body["totalResults"], &found.body["Resources"][0]["active"]),
        (&json!(1), &json!(false))
    );

    assert_eq!(world.delete(&path).await.status, 204);
    assert_ne!(world.user("adele").await, id);
}
