//! What a value that a client sent becomes as a value of its attribute.
//!
//! Entra and the clients beside it are careless with types (entra-wire §1.5, §1.7, §1.8): booleans are text, a list
//! of one stands for its element and the other way round, a reference is its bare id.
//! Each of these has one meaning, so each is accepted; a value that would have to be *altered* is refused instead,
//! because a client that reads back something else sends it again in every cycle.
//! Values are worked on where they are: a value that is canonical already costs no allocation.

use super::whole::overfull_list;
use super::{MAX_INDEXED_BYTES, MAX_TEXT_BYTES, MAX_VALUES};
use crate::error::ScimError;
use crate::fold::fold;
use crate::json::kind_of;
use crate::schema::{Attribute, Kind, find};
use chrono::Datelike as _;
use serde_json::map::Entry;
use serde_json::{Map, Value};
use std::fmt;

/// An attribute and, for a sub-attribute, the name of what it is part of.
#[derive(Clone, Copy)]
pub(crate) struct Place<'s> {
    pub(crate) parent: Option<&'s str>,
    pub(crate) attribute: &'s Attribute,
}

impl<'s> Place<'s> {
    pub(crate) fn of(attribute: &'s Attribute) -> Self {
        Self { parent: None, attribute }
    }

    fn part(self, attribute: &'s Attribute) -> Self {
        Self { parent: Some(&self.attribute.name), attribute }
    }

    fn refuse(self, expected: &str, value: &Value) -> ScimError {
        ScimError::invalid_value(format!("'{self}' takes {expected}, not {}", kind_of(value)))
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.parent {
            Some(parent) => write!(f, "{parent}.{}", self.attribute.name),
            None => f.write_str(&self.attribute.name),
        }
    }
}

/// Makes `value` canonical; `false` when it stands for no value (`null`, `""`, `[]`, `{}`).
pub(crate) fn canonicalise(place: Place<'_>, value: &mut Value) -> Result<bool, ScimError> {
    if place.attribute.multi_valued { many(place, value) } else { one(place, value) }
}

fn many(place: Place<'_>, value: &mut Value) -> Result<bool, ScimError> {
    if !value.is_array() {
        let only = value.take();
        *value = Value::Array(vec![only]);
    }
    let Value::Array(items) = value else { return Ok(false) };
    if items.len() > MAX_VALUES {
        return Err(overfull_list(&place.to_string()));
    }
    let mut refused = None;
    items.retain_mut(|item| {
        refused.is_none() && single(place, item).unwrap_or_else(|error| refused.replace(error).is_some())
    });
    refused.map_or(Ok(!items.is_empty()), Err)
}

/// Makes `value` one canonical value of the attribute, also where the attribute is a list of such values.
pub(crate) fn one(place: Place<'_>, value: &mut Value) -> Result<bool, ScimError> {
    if let Value::Array(items) = value {
        if items.len() > 1 {
            return Err(place.refuse("one value", value));
        }
        *value = items.pop().unwrap_or_default();
    }
    single(place, value)
}

fn single(place: Place<'_>, value: &mut Value) -> Result<bool, ScimError> {
    if place.attribute.is_complex() {
        return complex(place, value);
    }
    // Entra sends the values of a simple list as objects: `[{"value": "7"}]`.
    if let Value::Object(object) = value {
        let is_empty = object.is_empty();
        let inner = object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case("value"));
        *value = match inner {
            Some((_, inner)) => inner.take(),
            None if is_empty => Value::Null,
            None => return Err(place.refuse("a plain value", value)),
        };
    }
    if value.is_null() || value.as_str().is_some_and(str::is_empty) {
        return Ok(false);
    }
    match place.attribute.kind {
        Kind::Boolean => boolean(place, value)?,
        Kind::Integer | Kind::Decimal => number(place, value)?,
        Kind::DateTime => {
            text(place, value)?;
            if !value.as_str().is_some_and(is_moment) {
                return Err(ScimError::invalid_value(format!(
                    "'{place}' takes a date-time with a zone, such as 2026-09-01T08:00:00Z"
                )));
            }
        }
        Kind::String | Kind::Binary | Kind::Reference | Kind::Complex => text(place, value)?,
    }
    Ok(true)
}

/// Whether a text is a moment that every store can hold: of the years 1 to 9999, less than 16 hours from UTC.
fn is_moment(text: &str) -> bool {
    const ZONES: i32 = 16 * 3_600;
    chrono::DateTime::parse_from_rfc3339(text).is_ok_and(|moment| {
        (1..=9_999).contains(&moment.year())
            && (1..=9_999).contains(&moment.to_utc().year())
            && moment.offset().local_minus_utc().abs() < ZONES
    })
}

/// Booleans are sent as `"True"` and `"False"`, because Entra's mapping expressions yield text.
fn boolean(place: Place<'_>, value: &mut Value) -> Result<(), ScimError> {
    let meant = match &*value {
        Value::Bool(_) => return Ok(()),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => true,
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => false,
        _ => {
            return Err(ScimError::invalid_value(format!(
                "'{place}' takes true or false (or the strings \"True\" and \"False\"), not {}",
                match value {
                    Value::String(_) => "another string",
                    _ => kind_of(value),
                }
            )));
        }
    };
    *value = meant.into();
    Ok(())
}

fn number(place: Place<'_>, value: &mut Value) -> Result<(), ScimError> {
    if let Value::String(text) = value
        && let Ok(number) = serde_json::from_str::<serde_json::Number>(text.trim())
    {
        *value = Value::Number(number);
    }
    match value {
        Value::Number(number) if place.attribute.kind == Kind::Decimal || !number.is_f64() => Ok(()),
        _ if place.attribute.kind == Kind::Integer => Err(place.refuse("a whole number", value)),
        _ => Err(place.refuse("a number", value)),
    }
}

/// A whole number becomes its digits: they are what the directory it comes from shows, and reading them back gives
/// the same text. Anything with a fraction or an exponent could be spelt in several ways and is refused.
fn text(place: Place<'_>, value: &mut Value) -> Result<(), ScimError> {
    if let Value::Number(number) = value
        && !number.is_f64()
    {
        *value = Value::String(number.to_string());
    }
    let Value::String(text) = value else { return Err(place.refuse("a string", value)) };
    if text.len() > MAX_TEXT_BYTES {
        return Err(ScimError::invalid_value(format!("'{place}' is longer than {MAX_TEXT_BYTES} bytes")));
    }
    let Some(limit) = place.attribute.max_length else { return Ok(()) };
    let is_plain = text.is_ascii();
    if text.len() > limit && (is_plain || text.chars().count() > limit) {
        return Err(ScimError::invalid_value(format!("'{place}' is longer than {limit} characters")));
    }
    if !is_plain && fold(text).len() > MAX_INDEXED_BYTES {
        return Err(ScimError::invalid_value(format!(
            "'{place}' is longer than {MAX_INDEXED_BYTES} bytes without regard to case"
        )));
    }
    Ok(())
}

fn complex(place: Place<'_>, value: &mut Value) -> Result<bool, ScimError> {
    match value {
        Value::Null => return Ok(false),
        Value::String(text) if text.is_empty() => return Ok(false),
        Value::Object(_) => {}
        // `"manager": "id"`, `"members": ["id"]`, `"emails": ["a@contoso.com"]`
        Value::String(_) | Value::Number(_) if place.attribute.sub_attribute("value").is_some() => {
            *value = Value::Object(Map::from_iter([("value".to_owned(), value.take())]));
        }
        _ => return Err(place.refuse("an object", value)),
    }
    let Value::Object(object) = value else { return Ok(false) };
    if place.attribute.name == "roles" {
        unpack_role(object);
    }
    members(&place.attribute.sub_attributes, Some(place), object)?;
    Ok(!object.is_empty())
}

/// Entra's `AppRoleAssignmentsComplex` writes the role as an object *in text*, in the place of the role's value
/// (entra-wire §1.9, bug 19): `{"value": "{\"id\":…,\"value\":\"Supervisor\",\"displayName\":\"Supervisor\"}"}`.
fn unpack_role(role: &mut Map<String, Value>) {
    let Some((_, packed)) = role.iter().find(|(key, _)| key.eq_ignore_ascii_case("value")) else { return };
    let Some(text) = packed.as_str().filter(|text| text.trim_start().starts_with('{')) else { return };
    let Ok(Value::Object(unpacked)) = crate::json::read_value(text) else { return };
    if !unpacked.contains_key("value") {
        return;
    }
    role.retain(|key, _| !key.eq_ignore_ascii_case("value"));
    for (key, value) in unpacked {
        let key = if key == "displayName" { "display".to_owned() } else { key };
        role.entry(key).or_insert(value);
    }
}

/// Makes the members of an object canonical: names as the schema spells them; unknown ones, those that the server
/// writes and empty ones gone.
pub(crate) fn members(
    definitions: &[Attribute],
    parent: Option<Place<'_>>,
    object: &mut Map<String, Value>,
) -> Result<(), ScimError> {
    if object.keys().any(|key| find(definitions, key).is_some_and(|known| known.name != *key)) {
        respell(definitions, object)?;
    }
    let mut refused = None;
    object.retain(|key, value| {
        let Some(definition) = find(definitions, key).filter(|known| known.is_kept()) else { return false };
        let place = parent.map_or(Place::of(definition), |parent| parent.part(definition));
        refused.is_none()
            && canonicalise(place, value).unwrap_or_else(|error| refused.replace(error).is_some())
    });
    refused.map_or(Ok(()), Err)
}

fn respell(definitions: &[Attribute], object: &mut Map<String, Value>) -> Result<(), ScimError> {
    let sent = std::mem::take(object);
    for (key, value) in sent {
        let key = find(definitions, &key).map_or(key, |known| known.name.clone());
        match object.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
            Entry::Occupied(entry) => return Err(sent_twice(entry.key())),
        }
    }
    Ok(())
}

pub(crate) fn sent_twice(name: &str) -> ScimError {
    ScimError::invalid_syntax(format!("'{name}' is sent twice, in different spellings"))
}
