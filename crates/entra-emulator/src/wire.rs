//! How does Entra word its requests? Targets and bodies of everything that is sent, in both dialects.
//!
//! Nothing here knows a socket; [`Request`] is what [`crate::client`] sends.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    mapping::{CORE_USER, Change, ENTERPRISE, Mapping, Target},
    query,
    tenant::{Group, Person},
};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const CORE_GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
/// Entra still names this schema when it creates a group.
const ADSCIM_GROUP: &str = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group";

/// How PATCH bodies are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
pub enum Dialect {
    /// `Add`, `Replace`, `Remove`; booleans as the strings `"True"` and `"False"`; one operation per attribute.
    #[value(name = "default")]
    #[serde(rename = "default")]
    Default,
    /// The `aadOptscim062020` flag: lower case, real booleans, several plain attributes in one pathless operation.
    #[value(name = "aadOptscim062020", alias = "aadoptscim062020")]
    #[serde(rename = "aadOptscim062020")]
    AadOptScim062020,
}

/// The shape of a manager reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ManagerShape {
    /// `"value": "id"`
    String,
    /// `"value": {"value": "id"}`
    Object,
    /// `"value": [{"$ref": null, "value": "id"}]`
    Array,
}

/// What is sent when a person no longer has a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ManagerRemoval {
    /// Nothing, which is what Entra mostly does.
    NotSent,
    /// `Replace` with `""`
    EmptyString,
    /// `Replace` with `{"value": ""}`
    EmptyObject,
    /// `Remove` and the path
    Remove,
}

/// What a request is for; the unit of the statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Purpose {
    Probe,
    Match,
    Create,
    Read,
    Update,
    Manager,
    Members,
    Delete,
    Verify,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Probe => "probe",
            Self::Match => "match",
            Self::Create => "create",
            Self::Read => "read",
            Self::Update => "update",
            Self::Manager => "manager",
            Self::Members => "members",
            Self::Delete => "delete",
            Self::Verify => "verify",
        })
    }
}

/// The four methods that Entra uses. It never sends PUT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Method {
    Get,
    Post,
    Patch,
    Delete,
}

impl Method {
    /// The method as it stands in the request line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request, ready to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What it is for.
    pub purpose: Purpose,
    /// Its method.
    pub method: Method,
    /// Path and query below the tenant URL, encoded: `/Users?filter=…`.
    pub target: String,
    /// Its body, for POST and PATCH.
    pub body: Option<Value>,
}

/// The choices that change the wording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wording {
    pub(crate) dialect: Dialect,
    pub(crate) mapping: Mapping,
    pub(crate) manager_shape: ManagerShape,
    pub(crate) manager_removal: ManagerRemoval,
}

/// Test Connection: a filter for a user that cannot exist.
pub(crate) fn probe_users(nobody: Uuid) -> Request {
    get(Purpose::Probe, format!("/Users?{}", query::filter_eq("userName", &nobody.to_string())))
}

/// The same for groups.
pub(crate) fn probe_groups(nobody: Uuid) -> Request {
    get(Purpose::Probe, groups_named(&nobody.to_string()))
}

/// Is there already a user with this sign-in name?
pub(crate) fn match_user(purpose: Purpose, user_principal_name: &str) -> Request {
    get(purpose, format!("/Users?{}", query::filter_eq("userName", user_principal_name)))
}

/// Is there already a group with this name?
pub(crate) fn match_group(display_name: &str) -> Request {
    get(Purpose::Match, groups_named(display_name))
}

pub(crate) fn read_user(purpose: Purpose, id: &str) -> Request {
    get(purpose, format!("/Users/{}", query::path_segment(id)))
}

/// Entra never reads members.
pub(crate) fn read_group(id: &str) -> Request {
    get(Purpose::Read, format!("/Groups/{}?excludedAttributes=members", query::path_segment(id)))
}

/// Ours, not Entra's: the whole group, to verify its members.
pub(crate) fn read_group_with_members(id: &str) -> Request {
    get(Purpose::Verify, format!("/Groups/{}", query::path_segment(id)))
}

pub(crate) fn delete_user(id: &str) -> Request {
    delete(format!("/Users/{}", query::path_segment(id)))
}

pub(crate) fn delete_group(id: &str) -> Request {
    delete(format!("/Groups/{}", query::path_segment(id)))
}

/// A group is always created without members; they follow by PATCH.
pub(crate) fn create_group(group: &Group) -> Request {
    let body = json!({
        "schemas": [CORE_GROUP, ADSCIM_GROUP],
        "externalId": group.object_id.to_string(),
        "displayName": group.display_name,
        "meta": {"resourceType": "Group"},
    });
    Request { purpose: Purpose::Create, method: Method::Post, target: "/Groups".to_owned(), body: Some(body) }
}

impl Wording {
    /// The POST of a user: what has a value, booleans real in both dialects, no manager.
    pub(crate) fn create_user(self, person: &Person) -> Request {
        let mut unordered = Map::new();
        unordered.insert("schemas".to_owned(), json!([CORE_USER, ENTERPRISE]));
        unordered.insert("meta".to_owned(), json!({"resourceType": "User"}));
        for (target, value) in self.mapping.flow(person) {
            target.write(&mut unordered, value);
        }
        // The order of Microsoft's documented body.
        let mut body = Map::new();
        for key in ["schemas", "externalId", "userName", "active"] {
            if let Some(value) = unordered.shift_remove(key) {
                body.insert(key.to_owned(), value);
            }
        }
        let enterprise = unordered.shift_remove(ENTERPRISE);
        unordered.sort_keys();
        body.append(&mut unordered);
        body.extend(enterprise.map(|value| (ENTERPRISE.to_owned(), value)));
        let body = Some(Value::Object(body));
        Request { purpose: Purpose::Create, method: Method::Post, target: "/Users".to_owned(), body }
    }

    /// All differences of one user in one PATCH.
    pub(crate) fn update_user(self, id: &str, changes: &[Change]) -> Request {
        let operations = match self.dialect {
            Dialect::Default => changes.iter().map(|change| self.operation(change)).collect(),
            Dialect::AadOptScim062020 => self.folded(changes),
        };
        patch(Purpose::Update, user_target(id), operations)
    }

    /// The manager reference, in a PATCH of its own after the users. `had_one` decides between add and replace.
    pub(crate) fn set_manager(self, id: &str, manager_id: &str, had_one: bool) -> Request {
        let value = match self.manager_shape {
            ManagerShape::String => json!(manager_id),
            ManagerShape::Object => json!({ "value": manager_id }),
            ManagerShape::Array => json!([{ "$ref": null, "value": manager_id }]),
        };
        let verb = if had_one { "Replace" } else { "Add" };
        self.manager_operation(id, verb, Some(value))
    }

    /// The removal of the manager, when it is sent at all.
    pub(crate) fn remove_manager(self, id: &str) -> Option<Request> {
        match self.manager_removal {
            ManagerRemoval::NotSent => None,
            ManagerRemoval::EmptyString => Some(self.manager_operation(id, "Replace", Some(json!("")))),
            ManagerRemoval::EmptyObject => {
                Some(self.manager_operation(id, "Replace", Some(json!({"value": ""}))))
            }
            ManagerRemoval::Remove => Some(self.manager_operation(id, "Remove", None)),
        }
    }

    /// A group's new name.
    pub(crate) fn rename_group(self, id: &str, display_name: &str) -> Request {
        let operation = match self.dialect {
            Dialect::Default => json!({"op": "Replace", "path": "displayName", "value": display_name}),
            Dialect::AadOptScim062020 => json!({"op": "replace", "value": {"displayName": display_name}}),
        };
        patch(Purpose::Update, group_target(id), vec![operation])
    }

    /// Member changes of one group in one PATCH: first who joins, then who leaves.
    pub(crate) fn change_members(self, id: &str, joining: &[String], leaving: &[String]) -> Request {
        let reference = |member: &String| json!({"$ref": null, "value": member});
        let mut operations = Vec::new();
        if !joining.is_empty() {
            let value: Vec<_> = joining.iter().map(reference).collect();
            operations.push(json!({"op": self.verb("Add"), "path": "members", "value": value}));
        }
        match self.dialect {
            Dialect::Default if !leaving.is_empty() => {
                let value: Vec<_> = leaving.iter().map(reference).collect();
                operations.push(json!({"op": "Remove", "path": "members", "value": value}));
            }
            Dialect::Default => {}
            Dialect::AadOptScim062020 => operations.extend(
                leaving
                    .iter()
                    .map(|member| json!({"op": "remove", "path": format!("members[value eq \"{member}\"]")})),
            ),
        }
        patch(Purpose::Members, group_target(id), operations)
    }

    fn manager_operation(self, id: &str, verb: &str, value: Option<Value>) -> Request {
        let mut operation = Map::new();
        operation.insert("op".to_owned(), json!(self.verb(verb)));
        operation.insert("path".to_owned(), json!(Target::Enterprise("manager").to_string()));
        operation.extend(value.map(|value| ("value".to_owned(), value)));
        patch(Purpose::Manager, user_target(id), vec![Value::Object(operation)])
    }

    /// Entra says Add when it believes that the target attribute is empty.
    fn operation(self, change: &Change) -> Value {
        let verb = if change.current.is_none() { "Add" } else { "Replace" };
        json!({"op": self.verb(verb), "path": change.target.to_string(), "value": self.value(&change.desired)})
    }

    /// The flagged dialect: value paths keep their operation; several plain attributes become one pathless replace
    /// with flat keys, a single one keeps its path.
    fn folded(self, changes: &[Change]) -> Vec<Value> {
        let (plain, typed): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| change.target.is_single_valued());
        let mut operations: Vec<_> = typed.into_iter().map(|change| self.operation(change)).collect();
        match plain.as_slice() {
            [] => {}
            [one] => operations.push(self.operation(one)),
            several => {
                let value: Map<_, _> =
                    several.iter().map(|c| (c.target.to_string(), self.value(&c.desired))).collect();
                operations.push(json!({"op": "replace", "value": value}));
            }
        }
        operations
    }

    fn verb(self, verb: &str) -> String {
        match self.dialect {
            Dialect::Default => verb.to_owned(),
            Dialect::AadOptScim062020 => verb.to_lowercase(),
        }
    }

    fn value(self, value: &Value) -> Value {
        match (self.dialect, value) {
            (Dialect::Default, Value::Bool(true)) => json!("True"),
            (Dialect::Default, Value::Bool(false)) => json!("False"),
            _ => value.clone(),
        }
    }
}

fn groups_named(display_name: &str) -> String {
    format!("/Groups?excludedAttributes=members&{}", query::filter_eq("displayName", display_name))
}

fn user_target(id: &str) -> String {
    format!("/Users/{}", query::path_segment(id))
}

fn group_target(id: &str) -> String {
    format!("/Groups/{}", query::path_segment(id))
}

fn get(purpose: Purpose, target: String) -> Request {
    Request { purpose, method: Method::Get, target, body: None }
}

fn delete(target: String) -> Request {
    Request { purpose: Purpose::Delete, method: Method::Delete, target, body: None }
}

fn patch(purpose: Purpose, target: String, operations: Vec<Value>) -> Request {
    let body = json!({"schemas": [PATCH_OP], "Operations": Value::Array(operations)});
    Request { purpose, method: Method::Patch, target, body: Some(body) }
}

#[cfg(test)]
mod tests;
