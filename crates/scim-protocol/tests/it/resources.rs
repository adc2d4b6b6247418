//! Reading and rendering whole resources.

use crate::generate::{any_json, attributes, body};
use chrono::{DateTime, Utc};
use proptest::prelude::*;
use scim_protocol::group;
use scim_protocol::resource::{
    self, DirectGroup, MAX_RESOURCE_BYTES, MAX_TEXT_BYTES, MAX_VALUES, Manager, Member, Rendering, render,
    render_bytes,
};
use scim_protocol::schema::{Attribute, ENTERPRISE_USER_URN, GROUP_URN, Schema, USER_URN, groups, users};
use serde_json::{Map, Value, json};

fn rendering<'a>(manager: Option<Manager<'a>>) -> Rendering<'a> {
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    Rendering {
        id: "2f0c",
        base_url: "https://live.timeclock365.com/scim",
        version: 7,
        created: at("2026-09-01T08:00:00Z"),
        last_modified: at("2026-09-18T07:12:44.123456Z"),
        manager,
        ..Rendering::default()
    }
}

const GROUPS: [DirectGroup<'_>; 2] =
    [DirectGroup { id: "g1", display: Some("Payroll \"DE\"") }, DirectGroup { id: "g2", display: Some("") }];

const MEMBERS: [Member<'_>; 4] = [
    Member { id: "2f0c", is_group: false, display: Some("Adele Vance") },
    Member { id: "g2", is_group: true, display: None },
    Member { id: "g3", is_group: true, display: Some("") },
    Member { id: "a\"b", is_group: false, display: Some("ü\n") },
];

fn refusal(body: &Value) -> String {
    resource::parse(users(), body.to_string().as_bytes()).unwrap_err().detail
}

proptest! {
    #[test]
    fn reading_what_was_answered_changes_nothing(attributes in attributes()) {
        let manager = Manager { user_id: "1a", display_name: "Miriam Graham" };
        for (manager, groups) in [(None, [].as_slice()), (Some(manager), &GROUPS)] {
            let rendering = Rendering { groups, ..rendering(manager) };
            let answered = Value::Object(render(users(), &attributes, &rendering));
            let again = resource::parse(users(), answered.to_string().as_bytes());
            prop_assert_eq!(again, Ok(attributes.clone()));
        }
    }

    #[test]
    fn reading_is_settled_after_once(body in body()) {
        let once = resource::parse(users(), body.to_string().as_bytes()).unwrap();
        let twice = resource::parse(users(), &serde_json::to_vec(&once).unwrap());
        prop_assert_eq!(twice, Ok(once));
    }

    #[test]
    fn the_spliced_answer_is_the_rendered_one(
        attributes in attributes(),
        managed in any::<bool>(),
        memberships in 0..=GROUPS.len(),
    ) {
        let manager = managed.then_some(Manager { user_id: "1a", display_name: "" });
        let rendering = Rendering { groups: &GROUPS[..memberships], ..rendering(manager) };
        let slow = Value::Object(render(users(), &attributes, &rendering)).to_string();
        let stored = serde_json::to_string(&attributes).unwrap();
        let fast = render_bytes(users(), &stored, &rendering).unwrap();
        prop_assert_eq!(String::from_utf8(fast).unwrap(), slow);
    }

    #[test]
    fn no_body_panics(body in any_json(), noise in prop::collection::vec(any::<u8>(), 0..64)) {
        for bytes in [body.to_string().as_bytes(), &noise] {
            if let Ok(attributes) = resource::parse(users(), bytes) {
                prop_assert!(attributes.contains_key("userName"));
            }
        }
    }
}

#[test]
fn a_resource_is_answered_with_what_the_server_knows() {
    let stored = json!({
        "userName": "adele.vance@contoso.com",
        "active": true,
        ENTERPRISE_USER_URN: {"manager": {"value": "1a"}},
    });
    let manager = Manager { user_id: "1a", display_name: "Miriam Graham" };
    let answered = render(users(), stored.as_object().unwrap(), &rendering(Some(manager)));
    let expected = json!({
        "schemas": [USER_URN, ENTERPRISE_USER_URN],
        "id": "2f0c",
        "userName": "adele.vance@contoso.com",
        "active": true,
        ENTERPRISE_USER_URN: {"manager": {
            "value": "1a",
            "$ref": "https://live.timeclock365.com/scim/Users/1a",
            "displayName": "Miriam Graham",
        }},
        "meta": {
            "resourceType": "User",
            "created": "2026-09-01T08:00:00.000000Z",
            "lastModified": "2026-09-18T07:12:44.123456Z",
            "version": "W/\"7\"",
            "location": "https://live.timeclock365.com/scim/Users/2f0c",
        },
    });
    assert_eq!(Value::Object(answered), expected);
}

#[test]
fn a_group_is_answered_with_the_members_that_were_loaded() {
    let stored = json!({"displayName": "Payroll"});
    let answered = |members| {
        let rendering = Rendering { members, ..rendering(None) };
        let slow = Value::Object(render(groups(), stored.as_object().unwrap(), &rendering));
        let fast = render_bytes(groups(), &stored.to_string(), &rendering).unwrap();
        assert_eq!(String::from_utf8(fast).unwrap(), slow.to_string());
        slow
    };
    let base = "https://live.timeclock365.com/scim";
    let all = answered(Some(&MEMBERS));
    let expected = json!([
        {"value": "2f0c", "$ref": format!("{base}/Users/2f0c"), "type": "User", "display": "Adele Vance"},
        {"value": "g2", "$ref": format!("{base}/Groups/g2"), "type": "Group"},
        {"value": "g3", "$ref": format!("{base}/Groups/g3"), "type": "Group"},
        {"value": "a\"b", "$ref": format!("{base}/Users/a\"b"), "type": "User", "display": "ü\n"},
    ]);
    assert_eq!(all["members"], expected);
    assert_eq!(all["schemas"], json!([GROUP_URN]));
    assert_eq!(all["meta"]["location"], format!("{base}/Groups/2f0c"));
    // A group without members says so; one whose members nobody asked for says nothing (entra-wire §2.1).
    assert_eq!(answered(Some(&[]))["members"], json!([]));
    assert_eq!(answered(None).get("members"), None);
    // What was answered can be sent back.
    let again = group::parse(all.to_string().as_bytes()).unwrap();
    assert_eq!(Value::Object(again.attributes), stored);
    assert_eq!(again.members, ["2f0c", "g2", "g3", "a\"b"]);
}

#[test]
fn a_user_is_answered_with_the_groups_of_which_it_is_a_direct_member() {
    let stored = json!({"userName": "a"});
    let answered = |groups| {
        let rendering = Rendering { groups, ..rendering(None) };
        render(users(), stored.as_object().unwrap(), &rendering).get("groups").cloned()
    };
    let base = "https://live.timeclock365.com/scim/Groups";
    let expected = json!([
        {"value": "g1", "$ref": format!("{base}/g1"), "type": "direct", "display": "Payroll \"DE\""},
        {"value": "g2", "$ref": format!("{base}/g2"), "type": "direct"},
    ]);
    assert_eq!(answered(&GROUPS), Some(expected));
    assert_eq!(answered(&[]), None);
}

#[test]
fn a_manager_that_was_not_found_is_answered_as_it_was_sent() {
    let stored = json!({"userName": "a", ENTERPRISE_USER_URN: {"manager": {"value": "QZKT"}}});
    let answered = render(users(), stored.as_object().unwrap(), &rendering(None));
    assert_eq!(answered[ENTERPRISE_USER_URN], json!({"manager": {"value": "QZKT"}}));
}

#[test]
fn only_extensions_with_attributes_are_listed() {
    // The URN as a value, once alone and once as part of a longer text, is not the extension.
    let quoted = format!("\"{ENTERPRISE_USER_URN}\":{{");
    let stored = json!({"userName": quoted, "title": ENTERPRISE_USER_URN});
    let answered = render_bytes(users(), &stored.to_string(), &rendering(None)).unwrap();
    let answered: Value = serde_json::from_slice(&answered).unwrap();
    assert_eq!(answered["schemas"], json!([USER_URN]));
    assert_eq!(answered["userName"], quoted);
}

#[test]
fn an_unusual_manager_is_completed_like_any_other() {
    let manager = Some(Manager { user_id: "1a", display_name: "Miriam \"Mimi\" Graham" });
    let spliced_is_rendered = |stored: Value| {
        let slow = Value::Object(render(users(), stored.as_object().unwrap(), &rendering(manager)));
        assert!(slow[ENTERPRISE_USER_URN]["manager"]["$ref"].is_string());
        let fast = render_bytes(users(), &stored.to_string(), &rendering(manager)).unwrap();
        assert_eq!(String::from_utf8(fast).unwrap(), slow.to_string());
    };
    spliced_is_rendered(json!({ENTERPRISE_USER_URN: {"manager": {"value": "a\\\"}b"}, "division": "x"}}));
    spliced_is_rendered(json!({
        "urn:contoso:2.0:User": {"manager": {"value": "other"}},
        ENTERPRISE_USER_URN: {"manager": {"value": "1a"}},
    }));
    spliced_is_rendered(json!({ENTERPRISE_USER_URN: {"manager": {"value": "1a", "extra": true}}}));
}

#[test]
fn stored_text_that_is_no_object_is_an_error() {
    assert!(render_bytes(users(), "[]", &rendering(None)).is_err());
    assert!(render_bytes(users(), "", &rendering(None)).is_err());
    let empty = render_bytes(users(), "{}", &rendering(None)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&empty).unwrap()["id"], "2f0c");
}

#[test]
fn every_limit_of_a_resource_holds() {
    let of = |count: usize, letter: &str| letter.repeat(count);
    assert_eq!(refusal(&json!({"userName": of(513, "x")})), "'userName' is longer than 512 characters");
    assert!(resource::parse(users(), json!({"userName": of(512, "ü")}).to_string().as_bytes()).is_ok());
    assert_eq!(refusal(&json!({"userName": of(513, "ü")})), "'userName' is longer than 512 characters");
    // Composed on its own, decomposed by NFC: four bytes become twelve.
    assert_eq!(
        refusal(&json!({"userName": of(512, "\u{1d160}")})),
        "'userName' is longer than 2048 bytes without regard to case"
    );
    assert_eq!(
        refusal(&json!({"userName": "a", "externalId": of(513, "x")})),
        "'externalId' is longer than 512 characters"
    );
    assert_eq!(
        refusal(&json!({"userName": "a", "emails": [of(513, "x")]})),
        "'emails.value' is longer than 512 characters"
    );
    assert_eq!(
        refusal(&json!({"userName": "a", "title": of(MAX_TEXT_BYTES + 1, "x")})),
        "'title' is longer than 65536 bytes"
    );
    assert_eq!(
        refusal(&json!({"userName": "a", "roles": vec!["x"; MAX_VALUES + 1]})),
        "'roles' has more than 1000 values"
    );
    let mut body = json!({"userName": "a"});
    for number in 0..2_000 {
        body[format!("emails[type eq \"{number:020}\"].value")] = "x".into();
    }
    assert_eq!(refusal(&body), "the paths with a value filter have at most 65536 bytes together");
    let addresses = vec![json!({"formatted": of(MAX_TEXT_BYTES, "x")}); MAX_RESOURCE_BYTES / MAX_TEXT_BYTES];
    assert_eq!(
        refusal(&json!({"userName": "a", "addresses": addresses})),
        "the resource is larger than 524288 bytes"
    );
}

#[test]
fn what_is_accepted_is_not_larger_as_json_than_a_resource_may_be() {
    for filler in ["x", "ü", "\"", "\\", "\n", "\u{8}", "\u{1}", "\u{1f}", "\u{7f}"] {
        let address = json!({"formatted": filler.repeat(9_000), "type": "work"});
        let body = |addresses, title: usize| {
            let addresses = vec![address.clone(); addresses];
            json!({"userName": "a", "addresses": addresses, "title": filler.repeat(title + 1)}).to_string()
        };
        let one = body(1, 0).len() - body(0, 0).len();
        let addresses = MAX_RESOURCE_BYTES / one - 1;
        let char = body(0, 1).len() - body(0, 0).len();
        let title = (MAX_RESOURCE_BYTES - body(addresses, 0).len()) / char;
        let parse = |title| resource::parse(users(), body(addresses, title).as_bytes());
        assert!(parse(title - 100).is_ok(), "{filler:?}: refused too early");
        let refused = parse(title + 1).unwrap_err().detail;
        assert_eq!(refused, "the resource is larger than 524288 bytes", "{filler:?}");
    }
}

#[test]
fn the_filters_of_flat_keys_fold_no_more_text_than_those_of_a_patch() {
    let addresses = vec![json!({"formatted": "ü".repeat(MAX_TEXT_BYTES / 2)}); 7];
    let mut body = json!({"userName": "a", "addresses": addresses});
    for number in 0..10 {
        body[format!("addresses[formatted ne \"{number}\"].region")] = "x".into();
    }
    assert_eq!(refusal(&body), "the request compares more than 4194304 bytes of text without regard to case");
    body.as_object_mut().unwrap().shift_remove("addresses[formatted ne \"9\"].region");
    assert!(resource::parse(users(), body.to_string().as_bytes()).is_ok());
}

#[test]
fn a_refusal_never_quotes_a_value() {
    let secret = "hunter2-hunter2";
    for body in [
        json!({"userName": "a", "active": secret}),
        json!({"userName": "a", "name": secret}),
        json!({"userName": "a", "emails": [{"value": "x", "primary": secret}]}),
        json!({"userName": [secret, secret]}),
        json!({"userName": format!("{secret}{}", "x".repeat(600))}),
    ] {
        assert!(!refusal(&body).contains(secret), "{}", refusal(&body));
    }
}

#[test]
fn changes_are_named_by_their_canonical_paths() {
    let before = json!({
        "userName": "a", "title": "x", "name": {"familyName": "b", "givenName": "c"}, "emails": [{"value": "d"}],
        ENTERPRISE_USER_URN: {"department": "e", "costCenter": "f"},
    });
    let after = json!({
        "userName": "a", "active": true, "name": {"familyName": "B", "givenName": "c"}, "emails": [{"value": "D"}],
        ENTERPRISE_USER_URN: {"department": "E", "costCenter": "f"},
    });
    let changed = |before: &Value, after: &Value| {
        let mut paths = resource::changed(before.as_object().unwrap(), after.as_object().unwrap());
        paths.sort();
        paths
    };
    let department = format!("{ENTERPRISE_USER_URN}:department");
    assert_eq!(changed(&before, &after), ["active", "emails", "name.familyName", "title", &department]);
    assert_eq!(changed(&before, &before), Vec::<String>::new());
    let cost_center = format!("{ENTERPRISE_USER_URN}:costCenter");
    let bare = json!({"userName": "a"});
    assert_eq!(changed(&before, &bare), ["emails", "name", "title", &cost_center, &department]);
}

#[test]
fn a_company_can_bring_its_own_extension() {
    let attribute = |definition: Value| serde_json::from_value::<Attribute>(definition).unwrap();
    let contoso = Schema {
        id: "urn:contoso:2.0:User".to_owned(),
        name: "ContosoUser".to_owned(),
        description: "What Contoso records".to_owned(),
        aliases: Vec::new(),
        attributes: vec![
            attribute(json!({"name": "siteIds", "multiValued": true})),
            attribute(json!({"name": "badge", "type": "integer"})),
            attribute(json!({"name": "hours", "type": "decimal"})),
            attribute(json!({"name": "hiredAt", "type": "dateTime"})),
        ],
    };
    let schemas = users().with_extension(contoso);
    let body = json!({
        "userName": "a", "active": true,
        "urn:contoso:2.0:User": {"siteIds": [{"value": "7"}, "8"], "badge": "12", "hours": "37.5"},
        "urn:contoso:2.0:User:hiredAt": "2026-09-01T08:00:00+02:00",
    });
    let attributes = resource::parse(&schemas, body.to_string().as_bytes()).unwrap();
    let expected =
        json!({"siteIds": ["7", "8"], "badge": 12, "hours": 37.5, "hiredAt": "2026-09-01T08:00:00+02:00"});
    assert_eq!(attributes["urn:contoso:2.0:User"], expected);
    for (member, reason) in [
        (json!({"badge": 1.5}), "'badge' takes a whole number, not a number"),
        (json!({"hours": "many"}), "'hours' takes a number, not a string"),
        (
            json!({"hiredAt": "yesterday"}),
            "'hiredAt' takes a date-time with a zone, such as 2026-09-01T08:00:00Z",
        ),
        // Moments to some, and to Postgres none.
        (
            json!({"hiredAt": "2026-09-01T08:00:00+20:00"}),
            "'hiredAt' takes a date-time with a zone, such as 2026-09-01T08:00:00Z",
        ),
        (
            json!({"hiredAt": "0000-09-01T08:00:00Z"}),
            "'hiredAt' takes a date-time with a zone, such as 2026-09-01T08:00:00Z",
        ),
    ] {
        let body = json!({"userName": "a", "urn:contoso:2.0:User": member}).to_string();
        assert_eq!(resource::parse(&schemas, body.as_bytes()).unwrap_err().detail, reason);
    }
    let operations = json!({"Operations": [
        {"op": "Add", "path": "urn:contoso:2.0:User:siteIds", "value": [{"value": "8"}, {"value": "9"}]},
        {"op": "Remove", "path": "urn:contoso:2.0:User:siteIds", "value": [{"value": "7"}]},
    ]});
    let operations = scim_protocol::patch::parse(&schemas, operations.to_string().as_bytes()).unwrap();
    let patched = scim_protocol::patch::apply(&schemas, &attributes, &operations).unwrap();
    assert_eq!(patched.attributes["urn:contoso:2.0:User"]["siteIds"], json!(["8", "9"]));
    let answered = render(&schemas, &patched.attributes, &rendering(None));
    assert_eq!(answered["schemas"], json!([USER_URN, "urn:contoso:2.0:User"]));
    assert_eq!(render(&schemas, &Map::new(), &rendering(None))["schemas"], json!([USER_URN]));
}
