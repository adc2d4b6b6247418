//! What the service says about itself, as Microsoft's validators read it.

use scim_protocol::discovery::{
    Features, SERVED, resource_type, resource_types, schema, schemas, service_provider_config,
    service_provider_config_of,
};
use scim_protocol::list::MAX_RESULTS;
use scim_protocol::schema::{ENTERPRISE_USER_URN, GROUP_URN, USER_URN, groups, users};
use serde_json::{Value, json};

const BASE: &str = "https://live.timeclock365.com/scim";

/// The attribute of a schema document, then its sub-attribute and so on.
fn attribute<'d>(document: &'d Value, path: &str) -> &'d Value {
    path.split('.').fold(document, |parent, name| {
        let key = if parent.get("attributes").is_some() { "attributes" } else { "subAttributes" };
        let found = parent[key].as_array().unwrap().iter().find(|attribute| attribute["name"] == name);
        found.unwrap_or_else(|| panic!("no {name} of {path}"))
    })
}

/// Every value of a document with the key that it stands under.
fn every_value<'d>(key: &'d str, value: &'d Value, seen: &mut Vec<(&'d str, &'d Value)>) {
    seen.push((key, value));
    match value {
        Value::Object(members) => members.iter().for_each(|(key, value)| every_value(key, value, seen)),
        Value::Array(elements) => elements.iter().for_each(|element| every_value(key, element, seen)),
        _ => {}
    }
}

#[test]
fn the_configuration_promises_what_is_kept() {
    let config = service_provider_config(BASE);
    assert_eq!(config["schemas"], json!(["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"]));
    for (feature, is_supported) in [
        ("patch", true),
        ("bulk", true),
        ("filter", true),
        ("changePassword", false),
        ("sort", true),
        ("etag", true),
    ] {
        assert_eq!(config[feature]["supported"], is_supported, "{feature}");
    }
    assert_eq!(config["filter"]["maxResults"], MAX_RESULTS);
    let schemes = config["authenticationSchemes"].as_array().unwrap();
    let told: Vec<_> = schemes.iter().map(|scheme| (&scheme["type"], &scheme["description"])).collect();
    let issued = "The token that TimeClock 365 issued to the company for provisioning";
    assert_eq!(told, [(&json!("oauthbearertoken"), &json!(issued))]);
    assert_eq!(config["meta"]["location"], format!("{BASE}/ServiceProviderConfig"));
}

#[test]
fn what_is_switched_on_is_promised_with_its_limits() {
    let config = service_provider_config_of(BASE, Features { bulk: true, sort: true, cursor: true });
    assert_eq!(
        config["bulk"],
        json!({"supported": true, "maxOperations": 1_000, "maxPayloadSize": 1_048_576})
    );
    assert_eq!(config["sort"], json!({"supported": true}));
    let pagination = &config["pagination"];
    assert_eq!((&pagination["cursor"], &pagination["cursorTimeout"]), (&json!(true), &json!(3_600)));
    // Who asks for no cursor gets none.
    assert_eq!(pagination["defaultPaginationMethod"], "index");

    let config = service_provider_config_of(BASE, Features::default());
    assert_eq!(config["bulk"], json!({"supported": false, "maxOperations": 0, "maxPayloadSize": 0}));
    assert_eq!(config["pagination"]["cursor"], false);
    assert_eq!(config["pagination"].get("cursorTimeout"), None);
    assert_eq!(service_provider_config_of(BASE, SERVED), service_provider_config(BASE));
}

#[test]
fn only_what_is_served_is_listed() {
    let types = resource_types(BASE, &[users()]);
    assert_eq!(types["totalResults"], 1);
    assert_eq!(types["Resources"][0]["endpoint"], "/Users");
    assert_eq!(
        types["Resources"][0]["schemaExtensions"],
        json!([{"schema": ENTERPRISE_USER_URN, "required": false}])
    );
    assert_eq!(resource_type(BASE, &[users()], "User"), Some(types["Resources"][0].clone()));
    assert_eq!(resource_type(BASE, &[users()], "Group"), None);
    assert_eq!(schema(BASE, &[users()], GROUP_URN), None);
    assert_eq!(resource_types(BASE, &[users(), groups()])["totalResults"], 2);
    assert_eq!(schema(BASE, &[users(), groups()], GROUP_URN).unwrap()["name"], "Group");
}

#[test]
fn schemas_are_a_list_of_documents_that_can_be_fetched_one_by_one() {
    let all = schemas(BASE, &[users(), groups()]);
    assert_eq!(all["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"]));
    assert_eq!(
        (&all["totalResults"], &all["itemsPerPage"], &all["startIndex"]),
        (&3.into(), &3.into(), &1.into())
    );
    let ids: Vec<_> =
        all["Resources"].as_array().unwrap().iter().map(|schema| schema["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [USER_URN, ENTERPRISE_USER_URN, GROUP_URN]);
    for document in all["Resources"].as_array().unwrap() {
        let urn = document["id"].as_str().unwrap();
        assert_eq!(document["meta"]["location"], format!("{BASE}/Schemas/{urn}"));
        assert_eq!(schema(BASE, &[users(), groups()], &urn.to_uppercase()).as_ref(), Some(document));
    }
}

#[test]
fn documents_hold_no_nulls_and_spell_their_keywords_in_camel_case() {
    let all = schemas(BASE, &[users(), groups()]);
    let mut seen = Vec::new();
    every_value("", &all, &mut seen);
    let one_of = |value: &Value, words: &[&str]| words.iter().any(|word| value == word);
    for (key, value) in seen {
        assert!(!value.is_null(), "{key} is null");
        let is_spelt = match key {
            "mutability" => one_of(value, &["readOnly", "readWrite", "immutable", "writeOnly"]),
            "returned" => one_of(value, &["always", "never", "default", "request"]),
            "uniqueness" => one_of(value, &["none", "server", "global"]),
            "type" => one_of(
                value,
                &["string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"],
            ),
            // Ours, and nobody else's business.
            "aliases" | "maxLength" | "default" => false,
            _ => true,
        };
        assert!(is_spelt, "{key}: {value}");
    }
}

#[test]
fn what_entra_maps_by_type_has_canonical_values() {
    let user = schema(BASE, &[users()], USER_URN).unwrap();
    for (path, value) in [
        ("emails.type", "work"),
        ("phoneNumbers.type", "mobile"),
        ("phoneNumbers.type", "fax"),
        ("addresses.type", "other"),
    ] {
        let values = attribute(&user, path)["canonicalValues"].as_array().unwrap();
        assert!(values.contains(&value.into()), "{path}: {values:?}");
    }
    let group = schema(BASE, &[groups()], GROUP_URN).unwrap();
    assert_eq!(attribute(&group, "members.type")["canonicalValues"], json!(["User", "Group"]));
    assert_eq!(attribute(&user, "groups.type")["canonicalValues"], json!(["direct", "indirect"]));
    // Role types are the customer's own: Entra sends WindowsAzureActiveDirectoryRole.
    assert_eq!(attribute(&user, "roles.type").get("canonicalValues"), None);
}

#[test]
fn every_attribute_of_the_default_mapping_is_discoverable() {
    let user = schema(BASE, &[users()], USER_URN).unwrap();
    for path in [
        "userName",
        "active",
        "displayName",
        "title",
        "emails.value",
        "preferredLanguage",
        "name.givenName",
        "name.familyName",
        "name.formatted",
        "addresses.formatted",
        "addresses.streetAddress",
        "addresses.locality",
        "addresses.region",
        "addresses.postalCode",
        "addresses.country",
        "phoneNumbers.value",
        "externalId",
    ] {
        assert_eq!(attribute(&user, path)["mutability"], "readWrite", "{path}");
    }
    let enterprise = schema(BASE, &[users()], ENTERPRISE_USER_URN).unwrap();
    for path in ["employeeNumber", "department", "manager.value"] {
        assert_eq!(attribute(&enterprise, path)["mutability"], "readWrite", "{path}");
    }
    assert_eq!(attribute(&user, "externalId")["caseExact"], true);
    assert_eq!(attribute(&user, "userName")["uniqueness"], "server");
    let group = schema(BASE, &[groups()], GROUP_URN).unwrap();
    for path in ["displayName", "members", "externalId"] {
        assert_eq!(attribute(&group, path)["mutability"], "readWrite", "{path}");
    }
    assert_eq!(attribute(&group, "displayName")["required"], true);
    assert_eq!(attribute(&group, "displayName")["uniqueness"], "server");
    assert_eq!(attribute(&user, "groups")["mutability"], "readOnly");
}
