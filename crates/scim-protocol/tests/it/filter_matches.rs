//! What a filter means, line by line of the table in the documentation of `filter`.

use scim_protocol::attribute_path::AttributePath;
use scim_protocol::filter::{Filter, matches, matches_element, parse_value_filter};
use scim_protocol::schema::users;
use serde_json::{Value, json};

fn adele() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "usr_A",
        "externalId": "Adele.Vance",
        "userName": "Adele.Vance@Contoso.com",
        "active": false,
        "name": {"familyName": "Vance", "givenName": "Zoë"},
        "emails": [
            {"type": "work", "primary": true, "value": "adele.vance@contoso.com"},
            {"type": "home", "value": "adele@fabrikam.example"},
            {"value": "untyped@fabrikam.example"}
        ],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "department": "Payroll", "manager": {"value": "usr_M"}
        },
        "meta": {"resourceType": "User", "created": "2026-09-01T08:00:00Z", "version": "W/\"7\""}
    })
}

fn is_match(text: &str) -> bool {
    matches(&Filter::parse(users(), text).unwrap(), adele().as_object().unwrap())
}

#[test]
fn what_the_table_says_is_true_is_true() {
    for filter in [
        // Case, by caseExact.
        r#"userName eq "ADELE.vance@contoso.com""#,
        r#"externalId eq "Adele.Vance""#,
        r#"name.givenName eq "ZOE\u0308""#,
        r#"name.givenName co "OË""#,
        r#"userName sw "adele""#,
        r#"userName ew "CONTOSO.COM""#,
        r#"externalId sw "Adele""#,
        // pr
        "active pr",
        "emails pr",
        "name pr",
        "manager pr",
        r#"title co "" or userName co """#,
        // ne is not eq
        r#"title ne "x""#,
        r#"userName ne "x""#,
        r#"emails.value ne "nobody""#,
        "title eq null",
        "userName ne null",
        // Lists
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
        r#"emails eq "ADELE@fabrikam.example""#,
        r#"emails[type eq "work"].value eq "adele.vance@contoso.com""#,
        r#"emails[type eq "work" and not (value co "fabrikam")]"#,
        r#"emails[not (type pr)].value sw "untyped""#,
        r#"emails[type ne "work" and type ne "home"]"#,
        r#"emails[type eq "home"].primary ne true"#,
        // Single-valued complex
        r#"manager eq "usr_M""#,
        r#"name[familyName eq "vance" and givenName pr]"#,
        r#"id eq "usr_A" and manager eq "usr_M""#,
        // Booleans, times, order
        "active eq false",
        "active ne true",
        r#"meta.created eq "2026-09-01T10:00:00+02:00""#,
        r#"meta.created gt "2026-08-31T23:59:59.999Z""#,
        r#"meta.created le "2026-09-01T08:00:00Z""#,
        r#"userName gt "Adele""#,
        r#"userName lt "b""#,
        r#"externalId lt "a""#,
        "externalId ge Adele.Vance",
        // Unknown
        "not (favouriteColour pr)",
        "favouriteColour pr or active pr",
        // Precedence
        "active pr or title pr and title pr",
    ] {
        assert!(is_match(filter), "{filter}");
    }
}

#[test]
fn what_the_table_says_is_false_is_false() {
    for filter in [
        r#"externalId eq "adele.vance""#,
        r#"id eq "USR_A""#,
        r#"externalId sw "adele""#,
        r#"meta.version eq "w/\"7\"""#,
        "title pr",
        r#"title eq "x""#,
        r#"title gt """#,
        r#"not (title ne "x")"#,
        r#"emails.type ne "work""#,
        r#"emails[type eq "work" and value eq "adele@fabrikam.example"]"#,
        r#"emails[type eq "other"]"#,
        r#"emails[type eq "other"].value ne "x""#,
        r#"title eq """#,
        r#"phoneNumbers[not (type eq "work")]"#,
        r#"manager eq "usr_X""#,
        "active eq true",
        r#"meta.created gt "2026-09-01T08:00:00Z""#,
        r#"meta.lastModified gt "1970-01-01""#,
        r#"userName gt "b""#,
        r#"externalId gt "a""#,
        r#"favouriteColour eq "red""#,
        r#"favouriteColour ne "red""#,
        r#"emails[colour ne "red"]"#,
        "(active pr or title pr) and title pr",
    ] {
        assert!(!is_match(filter), "{filter}");
    }
}

#[test]
fn text_is_ordered_by_code_point_and_not_by_utf_16_unit() {
    // U+FF5E sorts before U+1F600, whose first UTF-16 unit is D83D.
    let resource = json!({"displayName": "\u{ff5e}"});
    let filter = Filter::parse(users(), "displayName lt \"\u{1f600}\"").unwrap();
    assert!(matches(&filter, resource.as_object().unwrap()));
}

#[test]
fn empty_values_are_absent() {
    let present = Filter::parse(users(), "title pr or name pr or emails pr").unwrap();
    for resource in [
        json!({}),
        json!({"title": null, "name": {}, "emails": []}),
        json!({"title": "", "name": {"givenName": ""}, "emails": [{}]}),
    ] {
        assert!(!matches(&present, resource.as_object().unwrap()), "{resource}");
    }
}

#[test]
fn a_value_of_another_type_than_the_schema_says_matches_nothing() {
    let resource = json!({"active": "true", "userName": 7, "emails": "x", "meta": {"created": "yesterday"}});
    for text in ["active eq true", "userName eq 7", "emails eq x", "meta.created gt 1970-01-01"] {
        let filter = Filter::parse(users(), text).unwrap();
        assert!(!matches(&filter, resource.as_object().unwrap()), "{text}");
    }
}

#[test]
fn a_company_s_own_numbers_are_compared_as_numbers() {
    let extension = serde_json::from_value(json!({
        "id": "urn:contoso:2.0:User", "name": "Contoso", "description": "Contoso's own",
        "attributes": [{"name": "floor", "type": "integer"}, {"name": "rate", "type": "decimal"}]
    }));
    let schemas = users().with_extension(extension.unwrap());
    let resource = json!({"urn:contoso:2.0:User": {"floor": 9, "rate": 2.5}});
    for (text, expected) in [
        ("floor eq 9", true),
        ("floor lt 10", true),
        ("floor gt 9.5", false),
        ("rate ge 2.5", true),
        (r#"rate eq "2.50""#, true),
        ("rate ne 3", true),
    ] {
        let filter = Filter::parse(&schemas, text).unwrap();
        assert_eq!(matches(&filter, resource.as_object().unwrap()), expected, "{text}");
    }
    assert_eq!(
        Filter::parse(&schemas, "floor eq low").unwrap_err().detail,
        "'urn:contoso:2.0:User:floor' is a number (position 9)"
    );
}

#[test]
fn a_patch_finds_its_element_or_learns_how_to_create_it() {
    let emails = AttributePath::parse(users(), "emails").unwrap();
    let inside = |text: &str| parse_value_filter(users(), &emails, text).unwrap();
    let work = inside(r#"Type eq "Work" and primary eq "True""#);
    assert!(matches_element(&work, &json!({"type": "work", "primary": true, "value": "x"})));
    assert!(!matches_element(&work, &json!({"type": "work"})));
    assert!(!matches_element(&work, &json!("work")));
    assert_eq!(work.equalities(), Some(vec![("type", "Work".into()), ("primary", true.into())]));
    for text in [
        "type pr",
        r#"type eq """#,
        r#"type ne "work""#,
        r#"type eq "a" or type eq "b""#,
        r#"type sw "w" and primary eq true"#,
    ] {
        assert_eq!(inside(text).equalities(), None, "{text}");
    }
    let user_name = AttributePath::parse(users(), "userName").unwrap();
    assert!(parse_value_filter(users(), &user_name, "value eq x").is_err());
    let unknown = AttributePath::parse(users(), "pets").unwrap();
    assert!(!matches_element(
        &parse_value_filter(users(), &unknown, "kind eq cat").unwrap(),
        &json!({"kind": "cat"})
    ));
}
