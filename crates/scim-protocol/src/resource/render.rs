//! A resource as it is answered (RFC 7643 §3).

mod reference;

pub use reference::{DirectGroup, Member};

use crate::Attributes;
use crate::etag::etag;
use crate::schema::{ENTERPRISE_USER_URN, SchemaSet};
use chrono::{DateTime, SecondsFormat, Utc};
use reference::Reference;
use serde_json::{Map, Value};

/// What the directory knows about a resource beside its attributes.
///
/// The default knows nothing: it is there for the fields that a resource does not have.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rendering<'a> {
    /// The resource's id.
    pub id: &'a str,
    /// The SCIM root that locations begin with, without a slash at its end: `https://live.timeclock365.com/scim`.
    pub base_url: &'a str,
    /// The number of the version, from 1.
    pub version: i64,
    /// When it was created.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub last_modified: DateTime<Utc>,
    /// The manager, when the user names one that is a user of the same company now.
    pub manager: Option<Manager<'a>>,
    /// The members of a group, in the order in which they are answered; `None` when they were not loaded, and then
    /// there is no `members` in the answer. A stored group has no `members` among its attributes.
    pub members: Option<&'a [Member<'a>]>,
    /// The groups that a user is a direct member of. Without any there is no `groups` in the answer (RFC 7643 §2.5).
    pub groups: &'a [DirectGroup<'a>],
}

/// A manager that was found.
#[derive(Debug, Clone, Copy)]
pub struct Manager<'a> {
    /// The manager's own id.
    pub user_id: &'a str,
    /// The manager's display name; empty when there is none.
    pub display_name: &'a str,
}

impl Rendering<'_> {
    fn location(&self, schemas: &SchemaSet, id: &str) -> String {
        format!("{}{}/{id}", self.base_url, schemas.endpoint())
    }

    /// The attributes that refer to other resources and are not stored with this one.
    fn references(&self) -> impl Iterator<Item = (&'static str, Vec<Reference<'_>>)> {
        let members = self.members.map(|members| {
            ("members", members.iter().map(|member| Reference::to_member(self, member)).collect())
        });
        let groups = (!self.groups.is_empty())
            .then(|| ("groups", self.groups.iter().map(|group| Reference::to_group(self, group)).collect()));
        members.into_iter().chain(groups)
    }

    /// The members of `meta` (RFC 7643 §3.1); all of them are texts.
    fn meta(&self, schemas: &SchemaSet) -> [(&'static str, String); 5] {
        let moment = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        [
            ("resourceType", schemas.resource_type().to_owned()),
            ("created", moment(&self.created)),
            ("lastModified", moment(&self.last_modified)),
            ("version", etag(self.version)),
            ("location", self.location(schemas, self.id)),
        ]
    }
}

/// The resource as it is answered: `schemas` with the extensions that it has attributes of, `id`, the attributes,
/// `members` or `groups`, `meta`. An unresolved manager is its `value` alone.
#[must_use]
pub fn render(schemas: &SchemaSet, attributes: &Attributes, rendering: &Rendering<'_>) -> Map<String, Value> {
    let mut resource = Map::with_capacity(attributes.len() + 3);
    let urns = urns(schemas, |urn| attributes.contains_key(urn)).map(Value::from).collect();
    resource.insert("schemas".to_owned(), Value::Array(urns));
    resource.insert("id".to_owned(), rendering.id.into());
    for (name, value) in attributes {
        resource.insert(name.clone(), value.clone());
    }
    if let Some(manager) = &rendering.manager
        && let Some(Value::Object(extension)) = resource.get_mut(ENTERPRISE_USER_URN)
        && let Some(Value::Object(shown)) = extension.get_mut("manager")
    {
        shown.insert("$ref".to_owned(), rendering.location(schemas, manager.user_id).into());
        if !manager.display_name.is_empty() {
            shown.insert("displayName".to_owned(), manager.display_name.into());
        }
    }
    let shown = |references: Vec<Reference<'_>>| references.into_iter().map(Reference::into_json).collect();
    for (name, references) in rendering.references() {
        resource.insert(name.to_owned(), Value::Array(shown(references)));
    }
    let meta = rendering.meta(schemas).into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    resource.insert("meta".to_owned(), Value::Object(meta.collect()));
    resource
}

/// [`render`] as JSON text, straight from the canonical text that the directory stores.
///
/// Nothing is parsed: the stored text is put behind `id`, and what is known of the manager behind the manager's
/// `value`.
///
/// # Errors
///
/// When `attributes_json` is not a JSON object. It is not looked at closely enough to notice more than that.
pub fn render_bytes(
    schemas: &SchemaSet,
    attributes_json: &str,
    rendering: &Rendering<'_>,
) -> Result<Vec<u8>, serde_json::Error> {
    let stored = attributes_json.trim_ascii();
    let members = stored.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let seam = match &rendering.manager {
        None => Some(0),
        Some(_) => members.and_then(end_of_manager),
    };
    let Some((before, after)) = members.zip(seam).and_then(|(members, seam)| members.split_at_checked(seam))
    else {
        let attributes: Attributes = serde_json::from_str(stored)?;
        return serde_json::to_vec(&render(schemas, &attributes, rendering));
    };
    let mut out = Vec::with_capacity(stored.len() + 768);
    out.extend_from_slice(b"{\"schemas\":[");
    let named = |urn: &str| members.is_some_and(|members| names_member(members, urn));
    for (position, urn) in urns(schemas, named).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, urn)?;
    }
    out.extend_from_slice(b"],\"id\":");
    serde_json::to_writer(&mut out, rendering.id)?;
    if !(before.is_empty() && after.trim_ascii().is_empty()) {
        out.push(b',');
    }
    out.extend_from_slice(before.as_bytes());
    if let Some(manager) = &rendering.manager {
        out.extend_from_slice(b",\"$ref\":");
        serde_json::to_writer(&mut out, &rendering.location(schemas, manager.user_id))?;
        if !manager.display_name.is_empty() {
            out.extend_from_slice(b",\"displayName\":");
            serde_json::to_writer(&mut out, manager.display_name)?;
        }
    }
    out.extend_from_slice(after.as_bytes());
    for (name, references) in rendering.references() {
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        serde_json::to_writer(&mut out, &references)?;
    }
    for (position, (name, value)) in rendering.meta(schemas).iter().enumerate() {
        out.extend_from_slice(if position == 0 { b",\"meta\":{\"" } else { b",\"" });
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        serde_json::to_writer(&mut out, value)?;
    }
    out.extend_from_slice(b"}}");
    Ok(out)
}

/// Whether compact or spaced JSON has a member of that name. A quotation mark inside of a text is escaped, so a name
/// between two of them and before a colon can be nothing else.
fn names_member(json: &str, name: &str) -> bool {
    json.match_indices(name).any(|(at, _)| {
        at > 0
            && json.as_bytes().get(at - 1) == Some(&b'"')
            && json.get(at + name.len()..).is_some_and(|rest| rest.starts_with("\":"))
    })
}

/// Where the only manager's object, which is its `value` alone, ends. `None` when the text has it otherwise, or more
/// than one attribute of that name: then it has to be parsed.
fn end_of_manager(json: &str) -> Option<usize> {
    const MANAGER: &str = "\"manager\":{\"value\":\"";
    let mut found = json.match_indices(MANAGER);
    let (Some((at, _)), None) = (found.next(), found.next()) else { return None };
    let start = at + MANAGER.len();
    let value = json.get(start..)?;
    let length = value.find(['"', '\\'])?;
    // An escape in the value is rare enough to be parsed.
    value.get(length..)?.starts_with("\"}").then_some(start + length + 1)
}

fn urns(schemas: &SchemaSet, is_present: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let extensions = schemas.extensions().map(|extension| extension.id.as_str());
    std::iter::once(schemas.base().id.as_str()).chain(extensions.filter(move |urn| is_present(urn)))
}
