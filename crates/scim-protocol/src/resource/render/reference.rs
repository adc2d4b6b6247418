//! The members of a group and the groups of a user, as they are answered (RFC 7643 §4.1.2, §4.2).

use super::Rendering;
use crate::schema::{groups, users};
use serde::Serialize;
use serde_json::{Map, Value};

/// A member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member<'a> {
    /// The id of the user or group.
    pub id: &'a str,
    /// Whether it is a group.
    pub is_group: bool,
    /// Its name for people; left out when there is none or it is empty.
    pub display: Option<&'a str>,
}

/// A group that a user is a member of, not through another group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectGroup<'a> {
    /// The id of the group.
    pub id: &'a str,
    /// Its name; left out when there is none or it is empty.
    pub display: Option<&'a str>,
}

/// One element of `members` or `groups`.
#[derive(Serialize)]
pub(super) struct Reference<'a> {
    value: &'a str,
    #[serde(rename = "$ref")]
    location: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    display: Option<&'a str>,
}

impl<'a> Reference<'a> {
    pub(super) fn to_member(rendering: &Rendering<'_>, member: &Member<'a>) -> Self {
        let schemas = if member.is_group { groups() } else { users() };
        Self {
            value: member.id,
            location: rendering.location(schemas, member.id),
            kind: if member.is_group { "Group" } else { "User" },
            display: member.display.filter(|display| !display.is_empty()),
        }
    }

    pub(super) fn to_group(rendering: &Rendering<'_>, group: &DirectGroup<'a>) -> Self {
        Self {
            value: group.id,
            location: rendering.location(groups(), group.id),
            kind: "direct",
            display: group.display.filter(|display| !display.is_empty()),
        }
    }

    pub(super) fn into_json(self) -> Value {
        let mut object = Map::new();
        object.insert("value".to_owned(), self.value.into());
        object.insert("$ref".to_owned(), self.location.into());
        object.insert("type".to_owned(), self.kind.into());
        object.extend(self.display.map(|display| ("display".to_owned(), display.into())));
        Value::Object(object)
    }
}
