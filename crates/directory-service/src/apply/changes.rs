//! What the log says of a change: which attributes, and of those that explain it, from what to what.
//!
//! Values are kept for a closed list of attributes (ADR 0010). Whatever is not on it may be personal and explains
//! nothing, so it is named and its values are not.

use scim_protocol::{Attributes, schema::ENTERPRISE_USER_URN};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest value that is kept, in characters; what is longer ends in an ellipsis.
pub(crate) const MAX_VALUE: usize = 200;
/// The most attributes that one line names. One PATCH may change more; the others are left out.
pub(crate) const MAX_CHANGES: usize = 50;

/// Of users, beside what is in [`SHOWN_OF_THE_ENTERPRISE`]. With its parts where it has any.
const SHOWN_OF_USERS: [&str; 10] = [
    "active",
    "userName",
    "externalId",
    "displayName",
    "name",
    "title",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
];
const SHOWN_OF_THE_ENTERPRISE: [&str; 6] =
    ["department", "division", "organization", "costCenter", "employeeNumber", "manager"];
const SHOWN_OF_GROUPS: [&str; 2] = ["displayName", "externalId"];

/// Whose attributes they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    User,
    Group,
}

/// One attribute that changed; as it is stored, with short names, because there are very many of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    #[serde(rename = "p")]
    pub(crate) path: String,
    /// JSON, cut at [`MAX_VALUE`].
    #[serde(rename = "b", default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_redacted: bool,
}

/// The changes as one compact JSON text; `None` where there are none.
pub(crate) fn text(
    owner: Owner,
    before: &Attributes,
    after: &Attributes,
    changed: &[String],
) -> Option<String> {
    let changes: Vec<Change> =
        changed.iter().take(MAX_CHANGES).map(|path| change(owner, before, after, path)).collect();
    // Text keys and JSON values have no way to fail.
    (!changes.is_empty()).then(|| serde_json::to_string(&changes).unwrap_or_default())
}

/// Reads what [`text`] wrote.
pub(crate) fn read(text: &str) -> Vec<Change> {
    serde_json::from_str(text).unwrap_or_default()
}

fn change(owner: Owner, before: &Attributes, after: &Attributes, path: &str) -> Change {
    let shown = shown(owner, path);
    let value = |attributes| shown.as_ref().and_then(|keys| Some(cut(find(attributes, keys)?)));
    Change { path: clipped(path), before: value(before), after: value(after), is_redacted: shown.is_none() }
}

/// The keys that lead to an attribute whose values may be kept.
fn shown(owner: Owner, path: &str) -> Option<Vec<&str>> {
    let (urn, rest) = match path.strip_prefix(ENTERPRISE_USER_URN).and_then(|rest| rest.strip_prefix(':')) {
        Some(rest) => (Some(ENTERPRISE_USER_URN), rest),
        None => (None, path),
    };
    let list: &[&str] = match (owner, urn) {
        (Owner::User, None) => &SHOWN_OF_USERS,
        (Owner::User, Some(_)) => &SHOWN_OF_THE_ENTERPRISE,
        (Owner::Group, None) => &SHOWN_OF_GROUPS,
        (Owner::Group, Some(_)) => &[],
    };
    let name = rest.split('.').next().unwrap_or_default();
    // The name of an extension's attribute begins with its URN, dots and all, so it is on no list.
    list.contains(&name).then(|| urn.into_iter().chain(rest.split('.')).collect())
}

fn find<'v>(attributes: &'v Attributes, keys: &[&str]) -> Option<&'v Value> {
    let (first, others) = keys.split_first()?;
    others.iter().try_fold(attributes.get(*first)?, |value, key| value.get(key))
}

/// A value that is not too long for the log; of an object each part by itself.
fn cut(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(clipped(text)),
        Value::Object(parts) => {
            Value::Object(parts.iter().map(|(name, part)| (name.clone(), cut(part))).collect())
        }
        // No attribute on the lists is one; a list is as long as its sender likes.
        Value::Array(_) => Value::String("…".to_owned()),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// At most [`MAX_VALUE`] characters of a text.
pub(crate) fn clipped(text: &str) -> String {
    match text.char_indices().nth(MAX_VALUE) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MAX_VALUE - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use scim_protocol::resource;
    use serde_json::json;

    use super::*;

    fn changes(owner: Owner, before: Value, after: Value) -> Value {
        let (Value::Object(before), Value::Object(after)) = (before, after) else { panic!("objects") };
        let changed = resource::changed(&before, &after);
        serde_json::from_str(&text(owner, &before, &after, &changed).unwrap_or("null".to_owned())).unwrap()
    }

    #[test]
    fn what_explains_a_change_is_kept_from_before_and_after() {
        let urn = ENTERPRISE_USER_URN;
        let manager = format!("{urn}:manager.value");
        let department = format!("{urn}:department");
        for (before, after, expected) in [
            (
                json!({"active": true}),
                json!({"active": false}),
                json!([{"p": "active", "b": true, "a": false}]),
            ),
            (json!({}), json!({"title": "Lead"}), json!([{"p": "title", "a": "Lead"}])),
            (json!({"title": "Lead"}), json!({}), json!([{"p": "title", "b": "Lead"}])),
            (
                json!({"name": {"familyName": "Ott"}}),
                json!({"name": {"familyName": "Berg"}}),
                json!([{"p": "name.familyName", "b": "Ott", "a": "Berg"}]),
            ),
            (json!({}), json!({urn: {"department": "Pay"}}), json!([{"p": department, "a": "Pay"}])),
            (
                json!({urn: {"manager": {"value": "1"}}}),
                json!({urn: {"manager": {"value": "2"}}}),
                json!([{"p": manager, "b": "1", "a": "2"}]),
            ),
        ] {
            assert_eq!(changes(Owner::User, before, after), expected);
        }
        assert_eq!(
            changes(Owner::Group, json!({"displayName": "Pay"}), json!({"displayName": "Payroll"})),
            json!([{"p": "displayName", "b": "Pay", "a": "Payroll"}])
        );
    }

    #[test]
    fn whatever_is_on_no_list_is_named_and_its_values_are_not_kept() {
        let declared = "urn:contoso:params:scim:schemas:extension:title:2.0:User";
        for (attribute, value) in [
            ("phoneNumbers", json!([{"value": "+49 30 1234"}])),
            ("emails", json!([{"value": "anna@example.com", "type": "work"}])),
            ("addresses", json!([{"streetAddress": "Hauptstraße 1"}])),
            ("photos", json!([{"value": "https://example.com/anna.jpg"}])),
            ("birthday", json!("1990-01-01")),
            ("nickName", json!("Annie")),
            ("password", json!("hunter2")),
            (declared, json!({"title": "secret"})),
        ] {
            let found = changes(Owner::User, json!({}), json!({attribute: value}));
            for change in found.as_array().unwrap() {
                assert_eq!(change["r"], true, "{attribute}");
                assert_eq!((change.get("b"), change.get("a")), (None, None), "{attribute}");
            }
            assert!(!found.as_array().unwrap().is_empty(), "{attribute}");
        }
        // What a user may show a group need not.
        assert_eq!(changes(Owner::Group, json!({}), json!({"title": "x"}))[0]["r"], true);
    }

    #[test]
    fn a_long_value_is_cut_and_a_long_list_of_changes_too() {
        let long = "ß".repeat(MAX_VALUE + 1);
        let found = changes(Owner::User, json!({"title": "ß".repeat(MAX_VALUE)}), json!({"title": long}));
        assert_eq!(found[0]["b"], "ß".repeat(MAX_VALUE));
        assert_eq!(found[0]["a"], format!("{}…", "ß".repeat(MAX_VALUE - 1)));
        let many: Attributes = (0..=MAX_CHANGES).map(|n| (format!("x{n}"), json!(1))).collect();
        let found = changes(Owner::User, json!({}), Value::Object(many));
        assert_eq!(found.as_array().unwrap().len(), MAX_CHANGES);
    }

    #[test]
    fn what_was_written_is_read_back() {
        let text = r#"[{"p":"active","b":true,"a":false},{"p":"emails","r":true}]"#;
        let changes = read(text);
        assert_eq!(serde_json::to_string(&changes).unwrap(), text);
        assert_eq!(changes[0].before, Some(json!(true)));
        assert_eq!(read("not json"), []);
    }
}
