//! What must hold for a resource as a whole, however its attributes came together.

use super::{MAX_RESOURCE_BYTES, MAX_VALUES};
use crate::Attributes;
use crate::error::ScimError;
use crate::schema::{Attribute, SchemaSet};
use serde_json::{Map, Value};

/// Drops what holds nothing, leaves one primary value at most, and checks required attributes and sizes.
pub(crate) fn settle(schemas: &SchemaSet, attributes: &mut Attributes) -> Result<(), ScimError> {
    settle_members(attributes, |name| schemas.attribute(name))?;
    for extension in schemas.extensions() {
        if let Some(Value::Object(members)) = attributes.get_mut(&extension.id) {
            settle_members(members, |name| extension.attribute(name))?;
            if members.is_empty() {
                attributes.shift_remove(&extension.id);
            }
        }
    }
    for required in schemas.base().attributes.iter().filter(|attribute| attribute.required) {
        let is_blank = |value: &Value| value.as_str().is_some_and(|text| text.trim().is_empty());
        if attributes.get(&required.name).is_none_or(is_blank) {
            let name = &required.name;
            return Err(ScimError::invalid_value(format!("'{name}' is required and must not be blank")));
        }
    }
    if object_weight(attributes) > MAX_RESOURCE_BYTES {
        return Err(ScimError::invalid_value(format!(
            "the resource is larger than {MAX_RESOURCE_BYTES} bytes"
        )));
    }
    Ok(())
}

fn settle_members<'s>(
    members: &mut Map<String, Value>,
    definition: impl Fn(&str) -> Option<&'s Attribute>,
) -> Result<(), ScimError> {
    let mut overfull = None;
    members.retain(|name, value| match value {
        Value::Array(items) => {
            if definition(name).is_some_and(Attribute::is_complex) {
                items.retain(|item| !is_hollow(item));
                if let Some(last) = items.iter().rposition(is_primary) {
                    make_primary(items, last);
                }
            }
            if items.len() > MAX_VALUES {
                overfull = Some(name.clone());
            }
            !items.is_empty()
        }
        Value::Object(members) => !members.is_empty(),
        _ => true,
    });
    match overfull {
        Some(name) => Err(overfull_list(&name)),
        None => Ok(()),
    }
}

/// The refusal of a list with more than [`MAX_VALUES`] values.
pub(crate) fn overfull_list(name: &str) -> ScimError {
    ScimError::invalid_value(format!("'{name}' has more than {MAX_VALUES} values"))
}

/// Whether an element says what kind of value it would be, but has no value: what is left of
/// `emails[type eq "work"]` when its address is cleared.
fn is_hollow(element: &Value) -> bool {
    element.as_object().is_some_and(|members| members.keys().all(|name| name == "type" || name == "primary"))
}

/// Whether an element is marked as the preferred one.
pub(crate) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// RFC 7643 §2.4: at most one value is primary. RFC 7644 §3.5.2: a new primary value takes the mark from the others.
pub(crate) fn make_primary(items: &mut [Value], index: usize) {
    for (at, item) in items.iter_mut().enumerate() {
        if at != index
            && let Some(primary) = item.get_mut("primary").filter(|primary| **primary == Value::Bool(true))
        {
            *primary = Value::Bool(false);
        }
    }
}

/// At least as many bytes as the value takes as JSON, which is what travels and what is stored; more by a comma for
/// each list and object at most.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null => "null".len(),
        Value::Bool(_) => "false".len(),
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text_weight(text),
        Value::Array(items) => "[]".len() + items.iter().map(|item| weight(item) + 1).sum::<usize>(),
        Value::Object(members) => object_weight(members),
    }
}

fn object_weight(members: &Map<String, Value>) -> usize {
    "{}".len() + members.iter().map(|(name, value)| text_weight(name) + weight(value) + 2).sum::<usize>()
}

/// With quotes and escapes: one control character can become six bytes.
fn text_weight(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 1,
        0..b' ' => 5,
        _ => 0,
    });
    text.len() + 2 + escapes.sum::<usize>()
}
