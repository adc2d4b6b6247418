//! Users, operations and nonsense to try the laws on.

use proptest::prelude::*;
use scim_protocol::Attributes;
use scim_protocol::patch::{self, Operation};
use scim_protocol::resource;
use scim_protocol::schema::{ENTERPRISE_USER_URN, users};
use serde_json::{Map, Value, json};

/// A canonical user with a bit of everything.
pub(crate) fn attributes() -> impl Strategy<Value = Attributes> {
    body().prop_map(|body| resource::parse(users(), body.to_string().as_bytes()).unwrap())
}

/// The body of a POST that is accepted.
pub(crate) fn body() -> impl Strategy<Value = Value> {
    let optional = |name: &'static str, value: BoxedStrategy<Value>| {
        prop::option::of(value).prop_map(move |value| (name, value))
    };
    (
        "[a-zA-Zß@.]{1,12}[a-z]",
        optional("displayName", text()),
        optional("active", flag()),
        optional("name", json_object(vec![("familyName", text()), ("givenName", text())])),
        optional("emails", prop::collection::vec(element(), 0..4).prop_map(Value::from).boxed()),
        optional("roles", prop::collection::vec(element(), 0..3).prop_map(Value::from).boxed()),
        optional(
            ENTERPRISE_USER_URN,
            json_object(vec![("department", text()), ("manager", json_object(vec![("value", text())]))]),
        ),
    )
        .prop_map(|(user_name, a, b, c, d, e, f)| {
            let mut user = Map::from_iter([("userName".to_owned(), user_name.into())]);
            let members = [a, b, c, d, e, f].into_iter();
            user.extend(members.filter_map(|(name, value)| Some((name.to_owned(), value?))));
            Value::Object(user)
        })
}

/// One operation as [`patch::parse`] yields it.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    let sent = (prop::sample::select(vec!["Add", "replace", "Remove"]), known_path(), likely_value())
        .prop_map(|(op, path, value)| json!({"Operations": [{"op": op, "path": path, "value": value}]}));
    sent.prop_filter_map("refused, or nothing to do", |body| {
        patch::parse(users(), body.to_string().as_bytes()).ok()?.into_iter().next()
    })
}

/// The body of a PATCH that may or may not make sense.
pub(crate) fn patch_body() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["Add", "replace", "Remove", "move"]);
    let path = prop_oneof![
        4 => known_path().prop_map(Value::from),
        1 => "[a-zA-Z.:\\[\\]\" ]{0,20}".prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let value = prop_oneof![likely_value(), any_json(), body().boxed()];
    let operation =
        (op, path, value).prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value}));
    prop::collection::vec(operation, 0..5).prop_map(|operations| json!({"Operations": operations}))
}

/// An operation on members that is accepted, of those named `a` to `f`.
pub(crate) fn group_operation() -> BoxedStrategy<Value> {
    let op = prop::sample::select(vec!["Add", "replace", "Remove"]);
    let id = prop_oneof![
        "[a-f]".prop_map(Value::from),
        "[a-f]".prop_map(|id| json!({"$ref": null, "value": id})),
        "[a-f]".prop_map(|id| json!({"$ref": format!("../Users/{id}"), "type": "User"})),
    ];
    let ids = prop::collection::vec(id.clone(), 0..4).prop_map(Value::from);
    let listed = prop_oneof![id, ids, Just(Value::Null), Just(json!(""))];
    prop_oneof![
        4 => (op, listed.clone())
            .prop_map(|(op, value)| json!({"op": op, "path": "members", "value": value})),
        1 => prop::sample::select(vec!["add", "Replace"])
            .prop_flat_map(move |op| {
                listed.clone().prop_map(move |value| json!({"op": op, "value": {"members": value}}))
            }),
        1 => "[a-f]".prop_map(|id| json!({"op": "add", "path": format!("members[value eq \"{id}\"]")})),
        2 => "[a-f]{2}".prop_map(|ids| {
            let terms: Vec<_> = ids.chars().map(|id| format!("value eq \"{id}\"")).collect();
            json!({"op": "remove", "path": format!("Members[{}]", terms.join(" or "))})
        }),
        1 => "[a-f]".prop_map(|id| json!({"op": "Remove", "path": "members.value", "value": id})),
    ]
    .boxed()
}

/// The body of a PATCH of a group that may or may not make sense.
pub(crate) fn group_patch_body() -> BoxedStrategy<Value> {
    let op = prop::sample::select(vec!["Add", "replace", "Remove", "move"]);
    let path = prop_oneof![
        prop::sample::select(vec![
            "members",
            "MEMBERS.value",
            "members.type",
            "members[value eq \"a\"].display",
            "members[value eq \"a\" and type eq \"User\"]",
            "members[not (value eq \"a\")]",
            "urn:ietf:params:scim:schemas:core:2.0:Group:members",
            "displayName",
            "externalId",
            "id",
        ])
        .prop_map(Value::from),
        "[a-z.:\\[\\]\" ]{0,20}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let anything = (op, path, any_json())
        .prop_map(|(op, path, value)| json!({"op": op, "path": path, "value": value}))
        .boxed();
    prop::collection::vec(prop_oneof![anything, group_operation()], 0..5)
        .prop_map(|operations| json!({"Operations": operations}))
        .boxed()
}

/// Any JSON at all, with names that mean something now and then.
pub(crate) fn any_json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        prop::sample::select(vec![
            "value",
            "type",
            "primary",
            "emails",
            "name",
            "userName",
            "Active",
            "manager",
            "members",
            "displayName",
            "$ref",
        ])
        .prop_map(ToOwned::to_owned),
        known_path(),
        "\\PC{0,6}",
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(name.clone(), inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
    .boxed()
}

fn known_path() -> BoxedStrategy<String> {
    prop::sample::select(vec![
        "active",
        "displayName",
        "externalId",
        "name",
        "name.familyName",
        "NAME.givenname",
        "emails",
        "emails.type",
        "emails[type eq \"work\"]",
        "emails[type eq \"work\"].value",
        "emails[type eq \"home\" and primary eq \"True\"].display",
        "emails[not (type eq \"work\")].value",
        "emails[value co \"a\" or type pr].type",
        "roles",
        "roles[primary eq \"True\"].value",
        "roles[value ne \"x\"]",
        "addresses[type eq \"work\"].locality",
        "manager",
        "manager.value",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        "urn:ietf:params:scim:schemas:core:2.0:User:title",
    ])
    .prop_map(ToOwned::to_owned)
    .boxed()
}

fn likely_value() -> BoxedStrategy<Value> {
    prop_oneof![
        text(),
        flag(),
        element(),
        prop::collection::vec(element(), 0..3).prop_map(Value::from),
        json_object(vec![("familyName", text()), ("department", text()), ("value", text())]),
        Just(Value::Null),
        Just(Value::from("")),
    ]
    .boxed()
}

fn element() -> BoxedStrategy<Value> {
    let kind = prop::sample::select(vec!["work", "home"]).prop_map(Value::from).boxed();
    json_object(vec![("value", text()), ("type", kind), ("primary", flag()), ("display", text())])
}

fn text() -> BoxedStrategy<Value> {
    "[ -~äßΣ]{0,6}".prop_map(Value::from).boxed()
}

fn flag() -> BoxedStrategy<Value> {
    prop::sample::select(vec![json!(true), json!(false), json!("True"), json!("false")]).boxed()
}

/// An object with some of the members.
fn json_object(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let members: Vec<_> = members
        .into_iter()
        .map(|(name, value)| prop::option::of(value).prop_map(move |value| (name, value)))
        .collect();
    members
        .prop_map(|members| {
            let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(present.collect())
        })
        .boxed()
}
