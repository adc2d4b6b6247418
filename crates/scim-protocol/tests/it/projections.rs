//! `attributes` and `excludedAttributes`.

use proptest::prelude::*;
use scim_protocol::projection::{MAX_LENGTH, Projection};
use scim_protocol::schema::{groups, users};
use serde_json::{Map, Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn adele() -> Map<String, Value> {
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "id": "usr_A",
        "userName": "adele",
        "name": {"givenName": "Adele", "familyName": "Vance"},
        "emails": [{"type": "work", "value": "a@contoso.com"}, {"value": "a@fabrikam.example"}],
        ENTERPRISE: {"department": "Payroll", "manager": {"value": "usr_M", "displayName": "Miriam"}},
        "meta": {"resourceType": "User", "version": "W/\"7\""}
    });
    user.as_object().unwrap().clone()
}

/// What is shown of Adele, without the two attributes that always are.
fn shown(attributes: Option<&str>, excluded: Option<&str>) -> Value {
    let mut user = adele();
    Projection::parse(users(), attributes, excluded).unwrap().apply(&mut user);
    for always in ["schemas", "id"] {
        assert!(user.shift_remove(always).is_some(), "{always} is gone");
    }
    user.into()
}

#[test]
fn only_what_is_asked_for_is_shown_beside_id_and_schemas() {
    for (list, expected) in [
        ("id", json!({})),
        ("USERNAME", json!({"userName": "adele"})),
        ("userName, name.familyname", json!({"userName": "adele", "name": {"familyName": "Vance"}})),
        ("name.familyName,name", json!({"name": {"givenName": "Adele", "familyName": "Vance"}})),
        ("name.givenName,name.familyName", json!({"name": {"givenName": "Adele", "familyName": "Vance"}})),
        ("emails.type", json!({"emails": [{"type": "work"}]})),
        ("emails.display", json!({})),
        ("title", json!({})),
        ("manager", json!({ENTERPRISE: {"manager": {"value": "usr_M", "displayName": "Miriam"}}})),
        (&format!("{ENTERPRISE}:manager.value"), json!({ENTERPRISE: {"manager": {"value": "usr_M"}}})),
        (ENTERPRISE, json!({ENTERPRISE: adele()[ENTERPRISE]})),
        (&format!("{ENTERPRISE}:department,{ENTERPRISE}"), json!({ENTERPRISE: adele()[ENTERPRISE]})),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName", json!({"userName": "adele"})),
        ("meta.version", json!({"meta": {"version": "W/\"7\""}})),
        // Unknown names and nonsense ask for nothing that there is.
        ("favouriteColour,userName", json!({"userName": "adele"})),
        ("favouriteColour", json!({})),
        (",,!,a.b.c", json!({})),
    ] {
        assert_eq!(shown(Some(list), None), expected, "{list}");
    }
}

#[test]
fn what_is_excluded_is_not_shown_and_what_is_always_shown_cannot_be_excluded() {
    let without = |keys: &[&str]| {
        let mut user = adele();
        for key in ["schemas", "id"].iter().chain(keys) {
            user.shift_remove(*key);
        }
        Value::from(user)
    };
    assert_eq!(shown(None, Some("emails,NAME")), without(&["emails", "name"]));
    assert_eq!(shown(None, Some("id,schemas,favouriteColour")), without(&[]));
    assert_eq!(shown(None, Some("name.givenName,name.familyName")), without(&["name"]));
    assert_eq!(shown(None, Some("emails.value"))["emails"], json!([{"type": "work"}]));
    assert_eq!(shown(None, Some(ENTERPRISE)), without(&[ENTERPRISE]));
    assert_eq!(shown(None, Some("manager,department")), without(&[ENTERPRISE]));
    assert_eq!(shown(None, Some("manager.displayName"))[ENTERPRISE]["manager"], json!({"value": "usr_M"}));
}

#[test]
fn a_value_filter_in_the_list_shows_the_whole_attribute() {
    let emails = json!({"emails": adele()["emails"]});
    for list in [
        r#"emails[type eq "work"]"#,
        r#"emails[type eq "wo,rk]"]"#,
        r#"emails[type eq "work"],favouriteColour"#,
        r#"emails[type eq "work""#,
    ] {
        assert_eq!(shown(Some(list), None), emails, "{list}");
    }
    let values =
        json!({"emails": [{"value": "a@contoso.com"}, {"value": "a@fabrikam.example"}], "userName": "adele"});
    assert_eq!(shown(Some(r#"emails[type eq "work"].value,userName"#), None), values);
}

#[test]
fn members_are_left_out_when_entra_asks_for_that() {
    let mut group = json!({"id": "grp_1", "displayName": "Payroll", "members": [{"value": "usr_A"}]});
    let projection = Projection::parse(groups(), None, Some("members")).unwrap();
    assert!(!projection.is_everything());
    projection.apply(group.as_object_mut().unwrap());
    assert_eq!(group, json!({"id": "grp_1", "displayName": "Payroll"}));
}

#[test]
fn what_is_not_shown_need_not_be_loaded() {
    let shows = |attributes, excluded| {
        let projection = Projection::parse(groups(), attributes, excluded).unwrap();
        let mut group = json!({"id": "grp_1", "displayName": "Payroll", "members": [{"value": "usr_A"}]});
        projection.apply(group.as_object_mut().unwrap());
        assert_eq!(projection.shows("members"), group.get("members").is_some(), "{projection:?}");
        projection.shows("members")
    };
    assert!(shows(None, None));
    assert!(shows(Some("Members.VALUE"), None));
    assert!(shows(None, Some("displayName,members.display")));
    assert!(!shows(Some("displayName"), None));
    assert!(!shows(None, Some("members.value,MEMBERS")));
}

#[test]
fn the_two_lists_exclude_each_other_and_are_limited() {
    let refusal =
        |attributes, excluded| Projection::parse(users(), attributes, excluded).unwrap_err().to_json();
    assert_eq!(refusal(Some("userName"), Some("emails"))["scimType"], "invalidValue");
    let long = "a,".repeat(MAX_LENGTH);
    assert_eq!(refusal(Some(&long), None)["scimType"], "invalidValue");
    assert_eq!(refusal(None, Some(&long))["scimType"], "invalidValue");
    assert_eq!(shown(Some("userName"), Some(" ")), json!({"userName": "adele"}));
}

#[test]
fn nothing_asked_is_known_to_change_nothing() {
    for (attributes, excluded) in
        [(None, None), (Some(""), Some(" ")), (None, Some("favouriteColour")), (None, Some("id"))]
    {
        let projection = Projection::parse(users(), attributes, excluded).unwrap();
        assert!(projection.is_everything());
        let mut user = adele();
        projection.apply(&mut user);
        assert_eq!(user, adele());
    }
    assert!(!Projection::parse(users(), Some("favouriteColour"), None).unwrap().is_everything());
}

proptest! {
    #[test]
    fn asking_for_a_list_and_excluding_it_share_nothing_but_what_is_always_shown(
        names in proptest::collection::vec(
            proptest::sample::select(vec!["userName", "name.givenName", "name", "emails.type", "emails", "manager", "meta"]), 1..4,
        ),
    ) {
        let list = names.join(",");
        let (with, without) = (shown(Some(&list), None), shown(None, Some(&list)));
        for leaf in ["/userName", "/name/givenName", "/name/familyName", "/emails/0/type", "/meta/version"] {
            let (with, without) = (with.pointer(leaf).is_some(), without.pointer(leaf).is_some());
            prop_assert!(with != without, "{} of {}", leaf, list);
        }
    }

    #[test]
    fn no_list_makes_the_parser_panic_and_applying_twice_is_applying_once(list in any::<String>()) {
        if let Ok(projection) = Projection::parse(users(), Some(&list), None) {
            let mut once = adele();
            projection.apply(&mut once);
            let mut twice = once.clone();
            projection.apply(&mut twice);
            prop_assert_eq!(once, twice);
        }
    }
}
