//! Attributes that a company has declared.

use bus_contract::{provisioning::request::Change, stream::SCHEMAS};
use reqwest::Method;
use serde_json::{Value, json};
use typed_ids::{CompanyId, TokenId};

use crate::harness::{Answer, NOW, Oddities, World, eventually};

const URN: &str = "urn:contoso:scim:2.0:User";

fn schema() -> Value {
    let attributes = json!([
        {"name": "badge", "type": "string", "caseExact": true},
        {"name": "floor", "type": "integer"},
        {"name": "sites", "type": "string", "multiValued": true},
    ]);
    json!({"id": URN, "name": "Contoso", "description": "Ours", "attributes": attributes})
}

async fn with_schema() -> World {
    let world = World::start().await;
    world.directory.extend_users(serde_json::from_value(schema()).unwrap());
    world.bus.put(&SCHEMAS, &world.company.to_string(), json!([schema()]).to_string()).await.unwrap();
    eventually("the gateway knows the schema", async || {
        world.get(&format!("/scim/Schemas/{URN}")).await.status == 200
    })
    .await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_shown_and_understood_without_a_restart() {
    let world = with_schema().await;

    let shown = world.get(&format!("/scim/Schemas/{}", URN.to_uppercase())).await.body;
    assert_eq!(shown["attributes"][0]["name"], "badge");
    let types = world.get("/scim/ResourceTypes/User").await.body;
    assert_eq!(types["schemaExtensions"][1]["schema"], URN);
    let body =
        json!({"userName": "anna", URN: {"BADGE": "B-1", "floor": "7", "nobody": 1, "sites": "Berlin"}});
    let created = world.send(Method::POST, "/scim/Users", body).await;
    assert_eq!(created.status, 201);
    let user = created.body;
    assert_eq!(user[URN], json!({"badge": "B-1", "floor": 7, "sites": ["Berlin"]}));
    assert!(user["schemas"].as_array().unwrap().contains(&json!(URN)));

    let path = format!("/scim/Users/{}", user["id"].as_str().unwrap());
    let patch = json!({"Operations": [{"op": "Replace", "path": format!("{URN}:floor"), "value": "eight"}]});
    let refused = world.send(Method::PATCH, &path, patch).await;
    assert_eq!((refused.status, refused.body["scimType"].clone()), (400, json!("invalidValue")));
    let patch =
        json!({"Operations": [{"op": "Add", "path": format!("{URN}:sites"), "value": [{"value": "Paris"}]}]});
    world.send(Method::PATCH, &path, patch).await;
    let requests = world.directory.requests();
    let Some(Change::PatchUser(sent)) = requests.last().unwrap().1.change.clone() else { panic!("no PATCH") };
    assert_eq!(sent.operations[0].path, format!("{URN}:sites"));

    world.get(&format!("/scim/Users?filter={URN}:floor+gt+5&sortBy={URN}:badge")).await;
    let asked = world.directory.take_asked().searches.pop().unwrap();
    assert_eq!(asked.filter, format!("{URN}:floor gt 5"));
    assert_eq!(asked.order.unwrap().path, format!("{URN}:badge"));
    let projected = world.get(&format!("{path}?attributes={URN}:badge")).await.body;
    assert_eq!((&projected[URN], &projected["userName"]), (&json!({"badge": "B-1"}), &Value::Null));
}

#[tokio::test(flavor = "multi_thread")]
async fn to_another_company_the_schema_does_not_exist() {
    let world = with_schema().await;
    let token = world.signer.token(CompanyId::mint(), TokenId::mint(), NOW + 3_600);

    let request = world.anonymous(Method::GET, &format!("/scim/Schemas/{URN}")).bearer_auth(token);
    let elsewhere = Answer::of(request).await;
    assert_eq!(elsewhere.status, 404);
    world.bus.delete(&SCHEMAS, &world.company.to_string()).await.unwrap();
    eventually("the gateway forgets the schema", async || {
        world.get(&format!("/scim/Schemas/{URN}")).await.status == 404
    })
    .await;
    let body = json!({"userName": "anna", URN: {"badge": "B-1"}});
    assert_eq!(world.send(Method::POST, "/scim/Users", body).await.body[URN], Value::Null);
}

/// A body that was read without the company's attributes would lose them.
#[tokio::test(flavor = "multi_thread")]
async fn before_schemas_are_known_callers_are_asked_to_come_back() {
    let world = World::with(Oddities { no_schemas: true, ..Oddities::default() }).await;

    let answer = world.send(Method::POST, "/scim/Users", json!({"userName": "anna"})).await;

    answer.is_error(503);
    assert!(!world.process.health.readiness().await.ready);
}
