//! A company has attributes of its own, which an operator declares while everything runs.

use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::scim::{Scim, id},
    eventually,
    eventually::when,
};

const URN: &str = "urn:contoso:scim:2.0:User";

/// What the customer wrote down, in a file for the operator.
fn document(attributes: &[&str]) -> tempfile::NamedTempFile {
    let attributes: Vec<_> =
        attributes.iter().map(|name| json!({ "name": name, "type": "string" })).collect();
    let schema = json!({ "id": URN, "name": "Contoso", "description": "Ours", "attributes": attributes });
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), schema.to_string()).unwrap();
    file
}

async fn is_shown(scim: &Scim, attributes: usize) {
    let shown = async || scim.get(&format!("/Schemas/{URN}")).await.json();
    let counted = |schema: &Value| when(schema["attributes"].as_array().map_or(0, Vec::len) == attributes);
    eventually("the schema is shown as it was declared", shown, counted).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_attribute_is_stored_changed_and_found_without_a_restart_and_by_its_company_only() {
    let world = World::shared();
    let scim = &world.scim;
    let before = world.scim.create_user("before@declared.example").await;
    world.operator().declare_schema(document(&["badge"]).path().to_str().unwrap());
    is_shown(scim, 1).await;

    let body = json!({ "userName": "anna@declared.example", URN: { "badge": "B-1" } });
    let anna = scim.post("/Users", &body).await.expect(201);
    assert_eq!(anna[URN], json!({ "badge": "B-1" }));
    assert_eq!(scim.find(&format!("{URN}:badge eq \"b-1\"")).await, [anna]);
    let set = json!([{ "op": "Add", "path": format!("{URN}:badge"), "value": "B-2" }]);
    assert_eq!(scim.patch_user(&id(&before), set).await.expect(200)[URN]["badge"], "B-2");
    assert_eq!(scim.get(&format!("/Users/{}", id(&before))).await.expect(200)[URN]["badge"], "B-2");

    // To a neighbour it is an attribute that nobody knows: ignored in a body, and of nobody in a filter.
    let neighbour = world.neighbour();
    neighbour.get(&format!("/Schemas/{URN}")).await.expect_error(404);
    let theirs = neighbour.post("/Users", &body).await.expect(201);
    assert_eq!(theirs[URN], json!(null));
    assert!(neighbour.find(&format!("{URN}:badge eq \"b-1\"")).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_grows_while_it_is_used_and_goes_when_nobody_uses_it() {
    let world = World::shared();
    let (scim, operator) = (&world.scim, world.operator());
    operator.declare_schema(document(&["badge"]).path().to_str().unwrap());
    is_shown(scim, 1).await;
    let body = json!({ "userName": "anna@grown.example", URN: { "badge": "B-1" } });
    let anna = id(&scim.post("/Users", &body).await.expect(201));

    operator.declare_schema(document(&["badge", "site"]).path().to_str().unwrap());
    is_shown(scim, 2).await;
    let set = json!([{ "op": "Add", "value": { format!("{URN}:site"): "Oslo" } }]);
    let grown = scim.patch_user(&anna, set).await.expect(200);
    assert_eq!(grown[URN], json!({ "badge": "B-1", "site": "Oslo" }));

    scim.delete(&format!("/Users/{anna}")).await.expect(204);
    operator.remove_schema(URN);
    is_shown(scim, 0).await;
    scim.get(&format!("/Schemas/{URN}")).await.expect_error(404);
}
