//! The tests of the validation for the gallery that call SCIM themselves.
//!
//! Those that look at Entra instead run its provisioning engine, as the scenarios in `provisioning` do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tests_e2e::{
    Scim, World,
    actors::scim::{ENTERPRISE, id},
};

super::replay! {
    "logic_app.json",
    test_17_scim_user_create,
    test_18_scim_user_update,
    test_19_scim_group_create,
    test_20_scim_group_update,
    test_21_validate_credentials,
    test_25_scim_update_manager,
}

/// What Entra's default mapping of users writes, beside `userName` and `active`, by paths of PATCH.
const OPTIONAL: [&str; 21] = [
    "displayName",
    "title",
    "preferredLanguage",
    "externalId",
    "name.givenName",
    "name.familyName",
    "name.formatted",
    "emails[type eq \"work\"].value",
    "addresses[type eq \"work\"].formatted",
    "addresses[type eq \"work\"].streetAddress",
    "addresses[type eq \"work\"].locality",
    "addresses[type eq \"work\"].region",
    "addresses[type eq \"work\"].postalCode",
    "addresses[type eq \"work\"].country",
    "phoneNumbers[type eq \"work\"].value",
    "phoneNumbers[type eq \"mobile\"].value",
    "phoneNumbers[type eq \"fax\"].value",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "nickName",
];

/// The names by which a mapping may refer to an attribute of a schema.
fn mapping_names(schema: &Value) -> Vec<String> {
    let urn = schema["id"].as_str().unwrap();
    let prefix = if urn == ENTERPRISE { format!("{urn}:") } else { String::new() };
    let mut names = Vec::new();
    for attribute in schema["attributes"].as_array().unwrap() {
        let name = format!("{prefix}{}", attribute["name"].as_str().unwrap());
        let parts = attribute["subAttributes"].as_array().into_iter().flatten();
        let kinds = parts.clone().find(|part| part["name"] == "type");
        let kinds = kinds.and_then(|kind| kind["canonicalValues"].as_array()).into_iter().flatten();
        let kinds: Vec<_> = kinds.map(|kind| format!("{name}[type eq {kind}]")).collect();
        for part in parts.filter_map(|part| part["name"].as_str()) {
            names.push(format!("{name}.{part}").to_lowercase());
            names.extend(kinds.iter().map(|kind| format!("{kind}.{part}").to_lowercase()));
        }
        names.push(name.to_lowercase());
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn test_15_schema_discoverability() {
    let World { scim, .. } = &World::shared();
    let schemas = scim.get("/Schemas").await.resources();
    let group = schemas.iter().any(|schema| schema["id"] == "urn:ietf:params:scim:schemas:core:2.0:Group");
    assert!(group, "{schemas:#?}");
    let names: BTreeSet<_> = schemas.iter().flat_map(mapping_names).collect();
    let mapped = OPTIONAL.into_iter().chain(["userName", "active", "displayName", "externalId", "members"]);
    let missing: Vec<_> = mapped.filter(|name| !names.contains(&name.to_lowercase())).collect();
    assert!(missing.is_empty(), "{missing:?} of {names:#?}");
}

/// Whether anything is at the path: the answer to a filter, which asks as Entra would.
async fn is_there(scim: &Scim, path: &str) -> bool {
    !scim.find(&format!("{path} pr")).await.is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn test_16_scim_null_update() {
    let World { scim, .. } = &World::shared();
    let ola = id(&scim.create_user("ola@fabrikam.example").await);
    for empty in [json!(""), json!(null)] {
        let all = |value: &dyn Fn(&str) -> Value| {
            let operation = |path: &&str| json!({ "op": "replace", "path": path, "value": value(path) });
            Value::Array(OPTIONAL.iter().map(operation).collect())
        };
        scim.patch_user(&ola, all(&|path| json!(format!("value of {path}")))).await.expect(200);
        for path in OPTIONAL {
            assert!(is_there(scim, path).await, "{path}");
            let clear = json!([{ "op": "replace", "path": path, "value": empty }]);
            scim.patch_user(&ola, clear).await.expect(200);
            assert!(!is_there(scim, path).await, "{path} after {empty}");
        }
        let left = scim.get(&format!("/Users/{ola}")).await.expect(200);
        let left: Vec<_> = left.as_object().unwrap().keys().collect();
        assert_eq!(left, ["schemas", "id", "userName", "active", "meta"], "{empty}");
    }
}

/// Pages of five of at least eleven, each beginning where it was asked to.
async fn assert_paged(scim: &Scim, path: &str) {
    let mut listed = BTreeSet::new();
    for page in 0..3 {
        let start = page * 5 + 1;
        let answer = scim.get(&format!("{path}?startIndex={start}&count=5")).await;
        let list = answer.expect(200);
        assert_eq!((&list["startIndex"], &list["totalResults"]), (&json!(start), &json!(11)), "{list}");
        assert_eq!(answer.resources().len(), if page < 2 { 5 } else { 1 });
        listed.extend(answer.resources().iter().map(id));
    }
    assert_eq!(listed.len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn test_23_scim_user_pagination() {
    let World { scim, .. } = &World::shared();
    for number in 0..11 {
        scim.create_user(&format!("person-{number}@fabrikam.example")).await;
    }
    assert_paged(scim, "/Users").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn test_24_scim_group_pagination() {
    let World { scim, .. } = &World::shared();
    for number in 0..11 {
        scim.create_group(&format!("Group {number}")).await;
    }
    assert_paged(scim, "/Groups").await;
}
