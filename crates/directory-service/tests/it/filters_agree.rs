//! A filter means the same to Postgres as to the pure evaluation, on generated users and generated filters.

use std::collections::BTreeSet;

use bus_contract::directory::UserRecord;
use chrono::DateTime;
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use scim_protocol::{
    filter::{self, Filter},
    resource::{Manager, Rendering, render},
    schema,
};
use serde_json::{Map, Value, json};

use crate::harness::{World, attributes};

const USERS: usize = 60;
const FILTERS: usize = 400;
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What trips a careless comparison: SQL wildcards, quotes, escapes, case beyond ASCII, composition, code point order.
const TEXTS: [&str; 24] = [
    "work",
    "WORK",
    "home",
    "a%b",
    "a_b",
    "axb",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "Straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "ΟΔΥΣΣΕΥΣ",
    "οδυσσευς",
    "José",
    "Jose\u{301}",
    "Ångström",
    "ÅNGSTRÖM",
    "😀",
    "\u{ffff}",
    "Zoë",
    "{}",
    "$1",
];

fn text() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        4 => prop::sample::select(TEXTS.to_vec()).prop_map(str::to_owned),
        1 => prop::sample::select(TEXTS.to_vec()).prop_map(|text| text.chars().take(2).collect()),
        1 => (prop::sample::select(TEXTS.to_vec()), prop::sample::select(TEXTS.to_vec())).prop_map(|(a, b)| format!("{a}{b}")),
    ]
}

fn email() -> impl Strategy<Value = Value> {
    (text(), prop::sample::select(vec!["work", "Work", "home", "other"]), any::<bool>())
        .prop_map(|(value, kind, primary)| json!({"value": value, "type": kind, "primary": primary}))
}

pub(crate) fn user(number: usize) -> impl Strategy<Value = Value> {
    let optional = || prop::option::of(text());
    (
        text(),
        optional(),
        optional(),
        optional(),
        optional(),
        prop::collection::vec(email(), 0..4),
        any::<bool>(),
        optional(),
    )
        .prop_map(move |(name, external_id, title, family, department, emails, active, manager)| {
            let mut user = Map::new();
            user.insert("userName".into(), json!(format!("{name}-{number}")));
            user.insert("active".into(), json!(active));
            if let Some(external_id) = external_id {
                user.insert("externalId".into(), json!(external_id));
            }
            if let Some(title) = title {
                user.insert("title".into(), json!(title));
            }
            if let Some(family) = family {
                user.insert("name".into(), json!({"familyName": family}));
            }
            if !emails.is_empty() {
                user.insert("emails".into(), json!(emails));
            }
            let mut enterprise = Map::new();
            if let Some(department) = department {
                enterprise.insert("department".into(), json!(department));
            }
            if let Some(manager) = manager {
                enterprise.insert("manager".into(), json!({"value": manager}));
            }
            if !enterprise.is_empty() {
                user.insert(ENTERPRISE.into(), enterprise.into());
            }
            Value::Object(user)
        })
}

fn term() -> impl Strategy<Value = String> {
    let attribute = prop::sample::select(vec![
        "userName",
        "externalId",
        "title",
        "name.familyName",
        "department",
        "manager",
        "id",
        "emails",
        "emails.type",
        "nickName",
        "displayName",
        "schemas",
        "meta.resourceType",
        "meta.version",
        "nobodyKnowsThis",
    ]);
    let op = prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
    let quoted = text().prop_map(|text| json!(text).to_string());
    prop_oneof![
        6 => (attribute.clone(), op, quoted.clone()).prop_map(|(a, op, v)| format!("{a} {op} {v}")),
        1 => attribute.prop_map(|attribute| format!("{attribute} pr")),
        1 => any::<bool>().prop_map(|truth| format!("active eq {truth}")),
        1 => any::<bool>().prop_map(|truth| format!("active ne {truth}")),
        2 => quoted.clone().prop_map(|v| format!("emails[type eq \"work\"].value eq {v}")),
        1 => quoted.clone().prop_map(|v| format!("emails[not (type eq \"work\") and value co {v}]")),
        1 => quoted.prop_map(|v| format!("emails[primary eq true or value sw {v}]")),
        1 => Just("meta.created gt \"2020-01-01T00:00:00Z\"".to_owned()),
        1 => Just("meta.lastModified lt \"2020-01-01T00:00:00Z\"".to_owned()),
        1 => Just("schemas eq \"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User\"".to_owned()),
    ]
}

fn filters() -> impl Strategy<Value = String> {
    term().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} and {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} or {b})")),
            inner.prop_map(|a| format!("not ({a})")),
        ]
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_and_the_pure_evaluation_choose_the_same_users() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut runner = TestRunner::deterministic();
    let mut users = vec![];
    for number in 0..USERS {
        let attributes = user(number).new_tree(&mut runner).unwrap().current();
        users.push(caller.hire(attributes).await);
    }
    let rendered: Vec<_> = users.iter().map(|user| (user.user_id.clone(), rendered(user))).collect();

    let (mut compared, mut selective) = (0, 0);
    while compared < FILTERS {
        let text = filters().new_tree(&mut runner).unwrap().current();
        // Some combinations are no filters (`active gt true`), and refused before they reach the directory.
        let Ok(parsed) = Filter::parse(schema::users(), &text) else { continue };
        let expected: BTreeSet<_> = rendered
            .iter()
            .filter(|(_, user)| filter::matches(&parsed, user))
            .map(|(id, _)| id.clone())
            .collect();
        let (total, found) = caller.search(&parsed.to_string(), 0, 1_000).await;
        let found: BTreeSet<_> = found.into_iter().map(|user| user.user_id).collect();
        assert_eq!(found, expected, "{text}");
        assert_eq!(usize::try_from(total).unwrap(), expected.len(), "{text}");
        compared += 1;
        selective += usize::from((1..USERS).contains(&expected.len()));
    }
    // A comparison of empty lists with empty lists would prove nothing.
    assert!(selective > FILTERS / 4, "only {selective} of {FILTERS} filters told users apart");
}

pub(crate) fn rendered(user: &UserRecord) -> Map<String, Value> {
    let at = |stamp: &Option<bus_contract::Timestamp>| {
        let stamp = stamp.as_ref().unwrap();
        DateTime::from_timestamp(stamp.seconds, u32::try_from(stamp.nanos).unwrap()).unwrap()
    };
    let Value::Object(attributes) = attributes(user) else { panic!("not an object") };
    render(
        schema::users(),
        &attributes,
        &Rendering {
            id: &user.user_id,
            base_url: "https://scim.example/scim",
            version: user.version,
            created: at(&user.created_at),
            last_modified: at(&user.last_modified_at),
            manager: user
                .manager
                .as_ref()
                .map(|manager| Manager { user_id: &manager.user_id, display_name: &manager.display_name }),
            ..Rendering::default()
        },
    )
}
