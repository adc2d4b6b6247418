//! From what clients send to operations that mean one thing each.
//!
//! Entra writes `Add` and `Replace` for the same thing, leaves paths out and puts flat keys into the value instead
//! (the dialect behind `aadOptscim062020`), and sends text for booleans and references (entra-wire §1.7, §1.8).
//! All of that ends here.

use super::path::PatchPath;
use super::{MAX_FILTERED_LENGTH, MAX_LISTED_VALUES, MAX_OPERATIONS, MAX_PATH_LENGTH, Op, Operation};
use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::json::{self, kind_of};
use crate::resource::canonical::{Place, canonicalise, one};
use crate::schema::{Attribute, SchemaSet};
use serde_json::{Map, Value};

/// Reads the body of a PATCH.
///
/// The URN in `schemas` may be missing; no operations at all is a request to change nothing.
/// Operations on attributes that the schemas do not know are left out, like unknown attributes of a POST.
///
/// # Errors
///
/// 400 `invalidSyntax` for a body that is no PATCH, 400 `invalidPath` and `invalidFilter` for malformed paths, 400
/// `noTarget` for a remove without a path, 400 `mutability` for attributes that only the server writes and for
/// removing a required one, 400 `invalidValue` for values of the wrong type or beyond a limit.
pub fn parse(schemas: &SchemaSet, body: &[u8]) -> Result<Vec<Operation>, ScimError> {
    let mut message = json::read_object(body)?;
    let sent = match take(&mut message, "Operations") {
        Some(Value::Array(operations)) => operations,
        Some(operation @ Value::Object(_)) => vec![operation],
        Some(other) => {
            return Err(ScimError::invalid_syntax(format!(
                "'Operations' is {}, not a list",
                kind_of(&other)
            )));
        }
        None => return Err(ScimError::invalid_syntax("a PATCH has a list 'Operations'")),
    };
    if sent.len() > MAX_OPERATIONS {
        return Err(too_many());
    }
    let mut operations = Vec::with_capacity(sent.len());
    for (position, operation) in sent.into_iter().enumerate() {
        operation_of(schemas, operation, &mut operations).map_err(|error| ScimError {
            detail: format!("operation {}: {}", position + 1, error.detail),
            ..error
        })?;
        if operations.len() > MAX_OPERATIONS {
            return Err(too_many());
        }
    }
    let filtered = operations.iter().filter(|operation| operation.path.filter.is_some());
    check_filtered_length(filtered.map(|operation| operation.path.to_string().len()))?;
    let listed = operations.iter().filter_map(|operation| operation.value.as_ref()?.as_array());
    if listed.map(Vec::len).sum::<usize>() > MAX_LISTED_VALUES {
        return Err(ScimError::invalid_value(format!("a PATCH lists at most {MAX_LISTED_VALUES} values")));
    }
    Ok(operations)
}

/// Whether the filters of one request are few enough to be evaluated on every value of a list.
pub(crate) fn check_filtered_length(lengths: impl Iterator<Item = usize>) -> Result<(), ScimError> {
    if lengths.sum::<usize>() > MAX_FILTERED_LENGTH {
        return Err(ScimError::invalid_value(format!(
            "the paths with a value filter have at most {MAX_FILTERED_LENGTH} bytes together"
        )));
    }
    Ok(())
}

fn path_too_long() -> ScimError {
    ScimError::invalid_path(format!("a path has at most {MAX_PATH_LENGTH} bytes"))
}

fn too_many() -> ScimError {
    ScimError::invalid_value(format!("a PATCH has at most {MAX_OPERATIONS} operations"))
}

/// What a member of an object that is added as a whole amounts to: of a POST's body, or of a value without a path.
pub(crate) fn operations_of_member(
    schemas: &SchemaSet,
    key: &str,
    value: Value,
) -> Result<Vec<Operation>, ScimError> {
    let mut operations = Vec::new();
    Expansion { schemas, op: Op::Add, out: &mut operations }.member(key, value)?;
    Ok(operations)
}

fn operation_of(schemas: &SchemaSet, sent: Value, out: &mut Vec<Operation>) -> Result<(), ScimError> {
    let Value::Object(mut sent) = sent else {
        return Err(ScimError::invalid_syntax(format!("it is {}, not an object", kind_of(&sent))));
    };
    let op = match take(&mut sent, "op") {
        Some(Value::String(op)) if op.eq_ignore_ascii_case("add") => Op::Add,
        Some(Value::String(op)) if op.eq_ignore_ascii_case("replace") => Op::Replace,
        Some(Value::String(op)) if op.eq_ignore_ascii_case("remove") => Op::Remove,
        _ => return Err(ScimError::invalid_syntax("'op' is one of add, replace and remove")),
    };
    let path = match take(&mut sent, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path).filter(|path| !path.trim().is_empty()),
        Some(other) => {
            return Err(ScimError::invalid_path(format!("'path' is {}, not a string", kind_of(&other))));
        }
    };
    // A serialiser that leaves nulls out turns "replace with null" into a replace without a value.
    let value = take(&mut sent, "value").unwrap_or_default();
    let mut expansion = Expansion { schemas, op, out };
    match path {
        // Checked here, not in the grammar: the canonical print that travels on the bus may be longer.
        Some(path) if path.len() > MAX_PATH_LENGTH => Err(path_too_long()),
        Some(path) => match PatchPath::parse(schemas, &path)? {
            Some(path) => expansion.target(path, value, Origin::Path),
            None => Ok(()),
        },
        None if op == Op::Remove => {
            Err(ScimError::no_target("a remove needs a path that says what to remove"))
        }
        None => expansion.resource(value),
    }
}

/// The member of that name, whatever its case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.take())
}

/// Where a path comes from decides what happens to attributes that only the server writes: named as the path of an
/// operation they are refused (RFC 7644 §3.5.2), echoed inside of a value they are ignored (§3.5.1).
#[derive(Clone, Copy, PartialEq)]
enum Origin {
    Path,
    Member,
}

struct Expansion<'a> {
    schemas: &'a SchemaSet,
    op: Op,
    out: &'a mut Vec<Operation>,
}

impl Expansion<'_> {
    /// A value without a path: every key is a path of its own. The base schema's URN is a path to the same resource.
    fn resource(&mut self, value: Value) -> Result<(), ScimError> {
        match value {
            Value::Object(members) => {
                members.into_iter().try_for_each(|(key, value)| match self.schemas.split_urn(&key) {
                    Some((schema, "")) if schema.id == self.schemas.base().id => self.resource(value),
                    _ => self.member(&key, value),
                })
            }
            Value::Array(mut items) if items.len() == 1 => self.resource(items.pop().unwrap_or_default()),
            Value::Null => Ok(()),
            other => Err(ScimError::invalid_value(format!(
                "an operation without a path takes an object, not {}",
                kind_of(&other)
            ))),
        }
    }

    fn member(&mut self, key: &str, value: Value) -> Result<(), ScimError> {
        match PatchPath::parse_known(self.schemas, key) {
            Some(_) if key.len() > MAX_PATH_LENGTH => Err(path_too_long()),
            Some(path) => self.target(path, value, Origin::Member),
            None => Ok(()),
        }
    }

    fn target(&mut self, path: PatchPath, value: Value, origin: Origin) -> Result<(), ScimError> {
        if path.attribute.is_extension() {
            return self.extension(path, value);
        }
        let schemas = self.schemas;
        let Some(found) = path.attribute.resolve(schemas) else { return Ok(()) };
        // Clients add an extension's URN to `schemas` by hand; it follows from the attributes here.
        if path.attribute == AttributePath::of("schemas") {
            return Ok(());
        }
        if found.attribute.is_read_only() || found.leaf().is_read_only() {
            return match origin {
                Origin::Path => {
                    Err(ScimError::mutability(format!("'{}' is written by the server alone", path.attribute)))
                }
                Origin::Member => Ok(()),
            };
        }
        if !found.leaf().is_kept() {
            return Ok(());
        }
        match found.sub {
            Some(sub) => {
                let place = Place { parent: Some(&found.attribute.name), attribute: sub };
                self.leaf(path, place, value)
            }
            None if found.attribute.multi_valued && path.filter.is_none() => {
                self.list(path, found.attribute, value)
            }
            None if found.attribute.multi_valued => self.leaf(path, Place::of(found.attribute), value),
            None if found.attribute.is_complex() => self.complex(path, found.attribute, value),
            None => self.leaf(path, Place::of(found.attribute), value),
        }
    }

    fn extension(&mut self, path: PatchPath, value: Value) -> Result<(), ScimError> {
        match value {
            _ if self.op == Op::Remove => self.remove(path),
            Value::Object(members) if !members.is_empty() => members
                .into_iter()
                .try_for_each(|(key, value)| self.member(&format!("{}:{key}", path.attribute), value)),
            other if is_nothing(&other) => self.remove(path),
            other => Err(ScimError::invalid_value(format!(
                "'{}' takes an object, not {}",
                path.attribute,
                kind_of(&other)
            ))),
        }
    }

    /// A complex attribute merges (RFC 7644 §3.5.2.3): each part is an operation of its own.
    fn complex(&mut self, path: PatchPath, attribute: &Attribute, value: Value) -> Result<(), ScimError> {
        if self.op == Op::Remove || is_nothing(&value) {
            return self.remove(path);
        }
        let part = |sub: &str| PatchPath {
            attribute: AttributePath { sub: Some(sub.to_owned()), ..path.attribute.clone() },
            filter: None,
        };
        match value {
            Value::Object(members) => {
                members.into_iter().try_for_each(|(key, value)| match attribute.sub_attribute(&key) {
                    Some(sub) => self.target(part(&sub.name), value, Origin::Member),
                    None => Ok(()),
                })
            }
            // `[{"value": "id"}]`, the manager of Entra's early days
            Value::Array(mut items) if items.len() == 1 => {
                self.complex(path, attribute, items.pop().unwrap_or_default())
            }
            // `"id"`, the manager of today
            scalar @ (Value::String(_) | Value::Number(_)) if attribute.sub_attribute("value").is_some() => {
                self.target(part("value"), scalar, Origin::Member)
            }
            other => Err(ScimError::invalid_value(format!(
                "'{}' takes an object, not {}",
                path.attribute,
                kind_of(&other)
            ))),
        }
    }

    fn list(&mut self, path: PatchPath, attribute: &Attribute, mut value: Value) -> Result<(), ScimError> {
        if self.op == Op::Remove && value.is_null() {
            return self.remove(path);
        }
        let has_values = canonicalise(Place::of(attribute), &mut value)?;
        match self.op {
            // Nothing listed is nothing to add, and nothing to remove: never "everything".
            Op::Add | Op::Remove if !has_values => Ok(()),
            Op::Replace if !has_values => self.remove(path),
            op => {
                self.out.push(Operation { op, path, value: Some(value) });
                Ok(())
            }
        }
    }

    /// One value, also where it goes into each element that a filter selects.
    fn leaf(&mut self, path: PatchPath, place: Place<'_>, mut value: Value) -> Result<(), ScimError> {
        if self.op == Op::Remove {
            return match place.attribute.required {
                true => Err(ScimError::mutability(format!(
                    "'{}' is required and cannot be removed",
                    path.attribute
                ))),
                false => self.remove(path),
            };
        }
        if one(place, &mut value)? {
            self.out.push(Operation { op: self.op, path, value: Some(value) });
            return Ok(());
        }
        match place.attribute.required {
            true => Err(ScimError::invalid_value(format!(
                "'{}' is required and must not be empty",
                path.attribute
            ))),
            false => self.remove(path),
        }
    }

    fn remove(&mut self, path: PatchPath) -> Result<(), ScimError> {
        let cleared = path.attribute.resolve(self.schemas).and_then(|found| found.leaf().cleared.clone());
        let op = if cleared.is_some() { Op::Replace } else { Op::Remove };
        self.out.push(Operation { op, path, value: cleared });
        Ok(())
    }
}

/// What stands for no value: `null`, `""`, `[]`, `{}`, and a list of one of them.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}
