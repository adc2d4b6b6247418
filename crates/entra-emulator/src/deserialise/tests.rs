//! Each violation is found, and each thing that Entra tolerates is tolerated.

use std::time::Duration;

use chrono::Utc;
use serde_json::json;

use super::*;
use crate::wire::{Method, Purpose};

fn answer(content_type: &str, body: &str) -> Exchange {
    Exchange {
        purpose: Purpose::Read,
        method: Method::Get,
        target: "/scim/Users/u1".into(),
        request_body: None,
        attempt: 1,
        sent_at: Utc::now(),
        duration: Duration::ZERO,
        answer: Answer::Response {
            status: 200,
            content_type: Some(content_type.into()),
            retry_after_s: None,
            body: body.into(),
        },
    }
}

fn user() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "u1", "userName": "adele@contoso.com", "active": true,
        "emails": [{"type": "work", "primary": true, "value": "adele@contoso.com"}],
        ENTERPRISE: {"manager": {"value": "u2"}},
        "meta": {"created": "2026-09-01T08:00:00Z", "lastModified": "2026-09-01T08:00:00.123+02:00"},
    })
}

fn list(total: &Value, resources: &Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total, "startIndex": 1, "itemsPerPage": 1, "Resources": resources,
    })
}

fn read(body: &Value) -> Result<Resource, Unreadable> {
    resource(&answer("application/scim+json", &body.to_string()), Expected::User)
}

fn read_list(body: &Value) -> Result<Vec<Resource>, Unreadable> {
    super::list(&answer("application/scim+json", &body.to_string()), Expected::User)
}

#[test]
fn a_proper_user_and_a_proper_list_are_read() {
    assert_eq!(read(&user()).unwrap().id, "u1");
    assert_eq!(read_list(&list(&json!(1), &json!([user()]))).unwrap().len(), 1);
    assert_eq!(read_list(&list(&json!(0), &json!([]))), Ok(vec![]));
    let scheme_only =
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 0});
    assert_eq!(read_list(&scheme_only), Ok(vec![]));
}

#[test]
fn each_violation_in_a_user_is_named() {
    for (key, value, expected) in [
        ("id", Value::Null, "id is not a string with content"),
        ("id", json!(17), "id is not a string with content"),
        ("id", json!(""), "id is not a string with content"),
        ("schemas", json!("urn"), "schemas is not an array of strings"),
        ("schemas", Value::Null, "schemas is not an array of strings"),
        ("userName", Value::Null, "userName is not a string with content"),
        ("active", json!("True"), "active is not a boolean"),
        ("active", Value::Null, "active is not a boolean"),
        ("name", json!("Adele"), "name is not an object"),
        ("displayName", json!(1), "displayName is not a string"),
        ("emails", json!({"value": "x"}), "emails is not an array"),
        ("addresses", Value::Null, "addresses is not an array"),
        ("phoneNumbers", json!(["+1"]), "an element of phoneNumbers is not an object"),
        ("roles", json!([{"primary": "True"}]), "primary in roles is not a boolean"),
        (ENTERPRISE, json!("x"), "the enterprise extension is not an object"),
        (ENTERPRISE, json!({"manager": "u2"}), "manager is not an object"),
        (ENTERPRISE, json!({"manager": [{"value": "u2"}]}), "manager is not an object"),
        (ENTERPRISE, json!({"manager": {"displayName": "M"}}), "manager has no value that is a string"),
        ("meta", json!("now"), "meta is not an object"),
        ("meta", json!({"created": "yesterday"}), "meta.created is not a date and time"),
        ("meta", json!({"lastModified": 1_700_000_000}), "meta.lastModified is not a date and time"),
    ] {
        let mut broken = user();
        broken[key] = value;
        assert_eq!(read(&broken).unwrap_err().to_string(), expected);
        let listed = read_list(&list(&json!(1), &json!([broken])));
        assert_eq!(listed.unwrap_err().to_string(), expected, "also inside a list");
    }
}

#[test]
fn each_violation_of_a_list_is_named() {
    for (body, expected) in [
        (list(&json!("1"), &json!([user()])), "totalResults is not an integer"),
        (list(&json!(1.5), &json!([user()])), "totalResults is not an integer"),
        (list(&json!(1), &json!({})), "Resources is not an array"),
        (list(&json!(1), &json!(["u1"])), "an element of Resources is not an object"),
        (list(&json!(0), &json!([user()])), "totalResults is 0 but there are 1 Resources"),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 3}),
            "Resources is missing although totalResults is not 0",
        ),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "Resources": []}),
            "totalResults is missing",
        ),
        (user(), "schemas does not name ListResponse"),
    ] {
        assert_eq!(read_list(&body).unwrap_err().to_string(), expected);
    }
}

#[test]
fn what_is_not_scim_json_is_refused_whatever_it_says() {
    let user = user().to_string();
    for (content_type, body, expected) in [
        ("text/html", user.as_str(), "Content-Type is \"text/html\", not application/scim+json"),
        ("application/scim+json", "", "the body is empty"),
        ("application/scim+json", "[]", "the body is JSON but not an object"),
    ] {
        let error = resource(&answer(content_type, body), Expected::User).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let error = resource(&answer("application/scim+json", "<html>"), Expected::User).unwrap_err();
    assert!(error.to_string().starts_with("the body is not JSON"));
    for accepted in ["application/scim+json; charset=utf-8", "Application/JSON"] {
        assert!(resource(&answer(accepted, &user), Expected::User).is_ok());
    }
}

#[test]
fn a_group_needs_a_display_name_and_no_user_name() {
    let group = json!({"schemas": ["urn:x"], "id": "g1", "displayName": "Payroll"}).to_string();
    assert!(resource(&answer("application/scim+json", &group), Expected::Group).is_ok());
    assert!(resource(&answer("application/scim+json", &group), Expected::User).is_err());
}
