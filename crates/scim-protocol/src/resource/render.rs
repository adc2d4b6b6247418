//! A resource as it is answered (RFC 7643 §3).

use crate::Attributes;
use crate::schema::{ENTERPRISE_USER_URN, SchemaSet};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

/// What the directory knows about a resource beside its attributes.
#[derive(Debug, Clone, Copy)]
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

    fn meta(&self, schemas: &SchemaSet) -> Value {
        let moment = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Micros, true);
        json!({
            "resourceType": schemas.resource_type(),
            "created": moment(&self.created),
            "lastModified": moment(&self.last_modified),
            "version": format!("W/\"{}\"", self.version),
            "location": self.location(schemas, self.id),
        })
    }
}

/// The resource as it is answered: `schemas` with the extensions that it has attributes of, `id`, the attributes,
/// `meta`. An unresolved manager is its `value` alone.
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
    resource.insert("meta".to_owned(), rendering.meta(schemas));
    resource
}

/// [`render`] as JSON text, straight from the canonical text that the directory stores.
///
/// Without a manager to complete, nothing is parsed: the stored text is put between `id` and `meta`.
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
    let (None, Some(members)) = (&rendering.manager, members) else {
        let attributes: Attributes = serde_json::from_str(stored)?;
        return serde_json::to_vec(&render(schemas, &attributes, rendering));
    };
    let mut out = Vec::with_capacity(stored.len() + 512);
    out.extend_from_slice(b"{\"schemas\":[");
    // A quotation mark inside of a text is escaped, so a URN between two of them and a colon is a member's name.
    let named = |urn: &str| {
        members.match_indices(urn).any(|(at, _)| {
            at > 0
                && members.as_bytes().get(at - 1) == Some(&b'"')
                && members.get(at + urn.len()..).is_some_and(|rest| rest.starts_with("\":"))
        })
    };
    for (position, urn) in urns(schemas, named).enumerate() {
        if position > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut out, urn)?;
    }
    out.extend_from_slice(b"],\"id\":");
    serde_json::to_writer(&mut out, rendering.id)?;
    if !members.trim_ascii().is_empty() {
        out.push(b',');
        out.extend_from_slice(members.as_bytes());
    }
    out.extend_from_slice(b",\"meta\":");
    serde_json::to_writer(&mut out, &rendering.meta(schemas))?;
    out.push(b'}');
    Ok(out)
}

fn urns(schemas: &SchemaSet, is_present: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let extensions = schemas.extensions().map(|extension| extension.id.as_str());
    std::iter::once(schemas.base().id.as_str()).chain(extensions.filter(move |urn| is_present(urn)))
}
