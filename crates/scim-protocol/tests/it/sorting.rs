//! In which order resources are answered.

use crate::generate::attributes;
use proptest::prelude::*;
use scim_protocol::error::ScimType;
use scim_protocol::schema::{Attribute, ENTERPRISE_USER_URN, Schema, USER_URN, groups, users};
use scim_protocol::sort::{By, Sort};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

fn sort(by: &str, order: Option<&str>) -> Sort {
    Sort::parse(users(), Some(by), order).unwrap().unwrap()
}

/// The names of the users in this order.
fn sorted(by: &Sort, users: &Value) -> Vec<String> {
    let mut users: Vec<Map<String, Value>> = serde_json::from_value(users.clone()).unwrap();
    users.sort_by(|a, b| by.compare(a, b));
    users.iter().map(|user| user["userName"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_sort_prints_as_the_schema_spells_it() {
    for (by, order, expected) in [
        ("USERNAME", None, "userName ascending"),
        ("name.familyname", Some("Descending"), "name.familyName descending"),
        (" emails ", Some(""), "emails.value ascending"),
        ("emails.type", Some("ascending"), "emails.type ascending"),
        ("manager", None, &format!("{ENTERPRISE_USER_URN}:manager.value ascending")),
        ("department", None, &format!("{ENTERPRISE_USER_URN}:department ascending")),
        (&format!("{USER_URN}:title"), None, "title ascending"),
        ("meta.lastModified", Some("DESCENDING"), "meta.lastModified descending"),
    ] {
        assert_eq!(sort(by, order).to_string(), expected);
    }
}

#[test]
fn without_an_attribute_there_is_no_order() {
    for by in [None, Some(""), Some(" ")] {
        assert_eq!(Sort::parse(users(), by, Some("sideways")), Ok(None));
    }
}

#[test]
fn what_has_no_order_is_refused_with_what_to_do_instead() {
    let refusal = |schemas, by: &str, order| {
        let error = Sort::parse(schemas, Some(by), order).unwrap_err();
        assert_eq!(error.scim_type, Some(ScimType::InvalidValue), "{by}");
        error.detail
    };
    for (by, order, reason) in [
        ("userName", Some("sideways"), "'sortOrder' is ascending or descending"),
        ("favouriteColour", None, "'sortBy' names no attribute of these resources"),
        ("name.shoeSize", None, "'sortBy' names no attribute of these resources"),
        (ENTERPRISE_USER_URN, None, "'sortBy' names no attribute of these resources"),
        ("na me", None, "sortBy: an attribute name begins with a letter"),
        ("name", None, "'name' has no order of its own; sort by a part of it, such as 'name.formatted'"),
        ("meta", None, "'meta' has no order of its own"),
        ("addresses", None, "sort by a part of it, such as 'addresses.formatted'"),
        ("x509Certificates", None, "resources cannot be sorted by 'x509Certificates.value'"),
        ("groups", None, "resources cannot be sorted by 'groups.value'"),
    ] {
        let detail = refusal(users(), by, order);
        assert!(detail.starts_with(reason) || detail.ends_with(reason), "{by}: {detail}");
    }
    let members = refusal(groups(), "members.display", None);
    assert_eq!(members, "resources cannot be sorted by 'members.display'");
}

#[test]
fn missing_values_are_last_when_ascending_and_first_when_descending() {
    let users = json!([
        {"userName": "none"},
        {"userName": "b", "title": "Clerk"},
        {"userName": "empty", "title": ""},
        {"userName": "a", "title": "Boss"},
        {"userName": "null", "title": null},
        {"userName": "number", "title": 7},
    ]);
    assert_eq!(sorted(&sort("title", None), &users), ["a", "b", "none", "empty", "null", "number"]);
    let descending = sorted(&sort("title", Some("descending")), &users);
    assert_eq!(descending, ["none", "empty", "null", "number", "b", "a"]);
}

#[test]
fn text_is_sorted_without_regard_to_case_unless_the_schema_regards_it() {
    let users = json!([
        {"userName": "b", "externalId": "b"},
        {"userName": "É", "externalId": "a"},
        {"userName": "A", "externalId": "B"},
        {"userName": "e\u{301}a", "externalId": "ä"},
        {"userName": "Z", "externalId": "Z"},
    ]);
    assert_eq!(sort("userName", None).by, By::Folded);
    assert_eq!(sorted(&sort("userName", None), &users), ["A", "b", "Z", "É", "e\u{301}a"]);
    assert_eq!(sort("externalId", None).by, By::Exact);
    assert_eq!(sorted(&sort("externalId", None), &users), ["A", "Z", "É", "b", "e\u{301}a"]);
}

#[test]
fn a_list_is_sorted_by_its_primary_value_or_else_its_first() {
    let users = json!([
        {"userName": "3", "emails": [{"value": "a"}, {"value": "C", "primary": true}]},
        {"userName": "2", "emails": [{"value": "B", "primary": false}, {"value": "a"}]},
        {"userName": "4", "emails": [{"type": "work"}, {"value": "a"}]},
        {"userName": "5", "emails": []},
        {"userName": "1", "emails": [{"value": "a"}]},
    ]);
    assert!(sort("emails", None).is_multi_valued);
    assert_eq!(sorted(&sort("emails.value", None), &users), ["1", "2", "3", "4", "5"]);
    assert_eq!(sorted(&sort("emails.type", None), &users), ["4", "3", "2", "5", "1"]);
    assert_eq!(sorted(&sort("emails.primary", None), &users)[..2], ["2", "3"]);
}

#[test]
fn booleans_times_and_numbers_are_sorted_by_what_they_mean() {
    let users = json!([
        {"userName": "1", "active": true, "meta": {"created": "2026-09-01T10:00:00+02:00"}},
        {"userName": "2", "active": false, "meta": {"created": "2026-09-01T07:59:59.999999Z"}},
        {"userName": "3", "meta": {"created": "2026-09-01T08:00:00.000000500Z"}},
    ]);
    assert_eq!(sorted(&sort("active", None), &users), ["2", "1", "3"]);
    // The first and the third are the same to a database that keeps microseconds.
    assert_eq!(sorted(&sort("meta.created", None), &users), ["2", "1", "3"]);
    assert_eq!(sorted(&sort("meta.created", Some("descending")), &users), ["1", "3", "2"]);

    let number: Attribute = serde_json::from_value(json!({"name": "hours", "type": "decimal"})).unwrap();
    let extension = Schema {
        id: "urn:contoso:2.0:User".to_owned(),
        name: "Contoso".to_owned(),
        description: String::new(),
        aliases: Vec::new(),
        attributes: vec![number],
    };
    let schemas = scim_protocol::schema::users().with_extension(extension);
    let hours = Sort::parse(&schemas, Some("urn:contoso:2.0:User:hours"), None).unwrap().unwrap();
    assert_eq!(hours.by, By::Number);
    let of = |hours: Value| json!({"userName": hours.to_string(), "urn:contoso:2.0:User": {"hours": hours}});
    let users = json!([
        of(json!(10)),
        of(json!(u64::MAX)),
        of(json!(9.5)),
        of(json!(-1)),
        of(json!(-0.0)),
        of(json!(i64::MAX))
    ]);
    assert_eq!(
        sorted(&hours, &users),
        ["-1", "-0.0", "9.5", "10", &i64::MAX.to_string(), &u64::MAX.to_string()]
    );
    let compared = |a: Value, b: Value| hours.compare(of(a).as_object().unwrap(), of(b).as_object().unwrap());
    assert_eq!(compared(json!(0), json!(-0.0)), Ordering::Equal);
}

proptest! {
    #[test]
    fn every_sort_is_an_order_and_descending_is_its_reverse(
        users in prop::collection::vec(attributes(), 3),
        by in prop::sample::select(vec!["userName", "emails", "roles.type", "active", "manager", "name.familyName"]),
    ) {
        let (up, down) = (sort(by, None), sort(by, Some("descending")));
        for a in &users {
            prop_assert_eq!(up.compare(a, a), Ordering::Equal);
            for b in &users {
                prop_assert_eq!(up.compare(a, b), up.compare(b, a).reverse());
                prop_assert_eq!(up.compare(a, b), down.compare(b, a));
                for c in &users {
                    if up.compare(a, b).is_le() && up.compare(b, c).is_le() {
                        prop_assert!(up.compare(a, c).is_le());
                    }
                }
            }
        }
    }
}
