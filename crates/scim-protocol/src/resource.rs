//! A whole resource: what clients send in POST and PUT, and what they are answered.

pub(crate) mod canonical;
mod render;
pub(crate) mod whole;

pub use render::{DirectGroup, Manager, Member, Rendering, render, render_bytes};

use crate::Attributes;
use crate::error::ScimError;
use crate::schema::{Attribute, Schema, SchemaSet};
use crate::{json, patch};
use canonical::{Place, canonicalise, members, sent_twice};
use serde_json::{Map, Value};
use whole::settle;

/// The longest text of an attribute without a shorter limit of its own, in bytes.
pub const MAX_TEXT_BYTES: usize = 65_536;
/// The longest case-folded form of an attribute with a `maxLength`, in bytes. A Postgres B-tree entry holds about 2,700.
pub const MAX_INDEXED_BYTES: usize = 2_048;
/// The most values of one multi-valued attribute.
pub const MAX_VALUES: usize = 1_000;
/// The largest resource, in bytes of its canonical attributes as JSON.
pub const MAX_RESOURCE_BYTES: usize = 524_288;

/// Reads the body of a POST or PUT: canonical and valid, or refused.
///
/// Names in any spelling, Entra's types (see `DEVIATIONS.md`), flat keys (`"name.familyName"`,
/// `"urn:…:User:department"`) and misspelt URNs are understood; unknown names, empty values and attributes that the
/// server writes are left out. Nothing is added: what a user without `active` is depends on whether there was one
/// before, which the directory knows.
///
/// # Errors
///
/// 400 `invalidSyntax` for a body that is no JSON object or says one thing twice; 400 `invalidValue` for a value of
/// the wrong type or beyond a limit, or a required attribute without one.
pub fn parse(schemas: &SchemaSet, body: &[u8]) -> Result<Attributes, ScimError> {
    parse_object(schemas, json::read_object(body)?)
}

/// Whom a body names by this attribute, whatever else is wrong with it: for the record of its refusal.
///
/// A body that is no JSON object, or says one thing twice, names nobody.
#[must_use]
pub fn name_in(body: &[u8], attribute: &str) -> Option<String> {
    let object = json::read_object(body).ok()?;
    let (_, name) = object.iter().find(|(key, _)| key.eq_ignore_ascii_case(attribute))?;
    name.as_str().map(ToOwned::to_owned)
}

/// [`parse`] of a body that has been read as JSON.
pub(crate) fn parse_object(schemas: &SchemaSet, mut attributes: Attributes) -> Result<Attributes, ScimError> {
    let mut irregular = Vec::new();
    attributes.retain(|key, value| {
        if matches!(key.as_str(), "schemas" | "id" | "meta") {
            return false;
        }
        let is_regular = match schemas.base().attribute(key) {
            Some(known) => known.name == *key,
            None => key == "externalId" || schemas.extensions().any(|extension| extension.id == *key),
        };
        if !is_regular {
            irregular.push((key.clone(), value.take()));
        }
        is_regular
    });
    let filtered = irregular.iter().map(|(key, _)| key).filter(|key| key.contains('['));
    patch::check_filtered_length(filtered.map(String::len))?;
    regular_members(schemas, &mut attributes)?;
    let mut allowance = patch::Allowance::of_one_request();
    for (key, value) in irregular {
        add_irregular(schemas, &mut attributes, &key, value, &mut allowance)?;
    }
    settle(schemas, &mut attributes)?;
    Ok(attributes)
}

fn regular_members(schemas: &SchemaSet, attributes: &mut Attributes) -> Result<(), ScimError> {
    let mut refused = None;
    attributes.retain(|key, value| {
        let kept = match schemas.attribute(key) {
            Some(attribute) => base_member(attribute, value),
            None => schemas.extension(key).map_or(Ok(false), |extension| extension_member(extension, value)),
        };
        refused.is_none() && kept.unwrap_or_else(|error| refused.replace(error).is_some())
    });
    refused.map_or(Ok(()), Err)
}

fn base_member(attribute: &Attribute, value: &mut Value) -> Result<bool, ScimError> {
    if attribute.is_kept() { canonicalise(Place::of(attribute), value) } else { Ok(false) }
}

fn extension_member(extension: &Schema, value: &mut Value) -> Result<bool, ScimError> {
    match value {
        Value::Object(object) => {
            members(&extension.attributes, None, object)?;
            Ok(!object.is_empty())
        }
        Value::Null => Ok(false),
        other if other.as_str().is_some_and(str::is_empty) => Ok(false),
        other => Err(ScimError::invalid_value(format!(
            "'{}' takes an object, not {}",
            extension.id,
            json::kind_of(other)
        ))),
    }
}

/// A key that is not a name as the schema spells it is a path: another spelling, `name.familyName`,
/// `urn:…:User:department`, `manager`. It means what a PATCH that adds it would mean.
fn add_irregular(
    schemas: &SchemaSet,
    attributes: &mut Attributes,
    key: &str,
    value: Value,
    allowance: &mut patch::Allowance,
) -> Result<(), ScimError> {
    let mut operations = patch::operations_of_member(schemas, key, value)?;
    // An empty value says nothing in a body; in a PATCH it would clear the attribute.
    operations.retain(|operation| operation.op != patch::Op::Remove);
    if !operations.is_empty()
        && let Some(path) = patch::PatchPath::parse_known(schemas, key)
        && path.names_whole_attribute()
        && path.attribute.get(attributes).is_some()
    {
        return Err(sent_twice(&path.to_string()));
    }
    operations.iter().try_for_each(|operation| patch::apply_one(schemas, attributes, operation, allowance))
}

/// The canonical paths of the attributes that differ: `name.familyName`, `emails`, `urn:…:User:department`.
#[must_use]
pub fn changed(before: &Attributes, after: &Attributes) -> Vec<String> {
    let mut paths = Vec::new();
    differences(before, after, "", &mut paths);
    paths
}

fn differences(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    prefix: &str,
    paths: &mut Vec<String>,
) {
    let gone = before.keys().filter(|name| !after.contains_key(*name));
    for name in after.keys().chain(gone) {
        let pair = (before.get(name), after.get(name));
        if pair.0 == pair.1 {
            continue;
        }
        let path = format!("{prefix}{name}");
        let is_extension = prefix.is_empty() && name.contains(':');
        match (pair.0.and_then(Value::as_object), pair.1.and_then(Value::as_object)) {
            (Some(before), Some(after)) => {
                let separator = if is_extension { ':' } else { '.' };
                differences(before, after, &format!("{path}{separator}"), paths);
            }
            (Some(members), None) | (None, Some(members)) if is_extension => {
                paths.extend(members.keys().map(|member| format!("{path}:{member}")));
            }
            _ => paths.push(path),
        }
    }
}
