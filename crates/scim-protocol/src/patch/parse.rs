//! From what clients send to operations that mean one thing each.
//!
//! Entra writes `Add` and `Replace` for the same thing, leaves paths out and puts flat keys into the value instead
//! (the dialect behind `aadOptscim062020`), and sends text for booleans and references (entra-wire §1.7, §1.8).
//! All of that ends here.

use super::message::{self, Sent};
use super::path::PatchPath;
use super::{MAX_FILTERED_LENGTH, MAX_LISTED_VALUES, MAX_OPERATIONS, MAX_PATH_LENGTH, Op, Operation};
use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::json::kind_of;
use crate::resource::canonical::{Place, canonicalise, one};
use crate::schema::{Attribute, SchemaSet};
use serde_json::Value;

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
    let sent = message::read(body, MAX_OPERATIONS)?;
    let mut operations = Vec::with_capacity(sent.len());
    for (position, sent) in sent.into_iter().enumerate() {
        Sent::of(sent)
            .and_then(|sent| {
                targets(schemas, sent)?.try_for_each(|target| target.expand(schemas, &mut operations))
            })
            .map_err(message::at(position))?;
        if operations.len() > MAX_OPERATIONS {
            return Err(message::too_many(MAX_OPERATIONS));
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

/// What a member of an object that is added as a whole amounts to: of a POST's body, or of a value without a path.
pub(crate) fn operations_of_member(
    schemas: &SchemaSet,
    key: &str,
    value: Value,
) -> Result<Vec<Operation>, ScimError> {
    let mut operations = Vec::new();
    if let Some(target) = Target::of_member(schemas, Op::Add, key, value)? {
        target.expand(schemas, &mut operations)?;
    }
    Ok(operations)
}

/// Where a path comes from decides what happens to attributes that only the server writes: named as the path of an
/// operation they are refused (RFC 7644 §3.5.2), echoed inside of a value they are ignored (§3.5.1).
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum TargetOrigin {
    Path,
    Member,
}

/// One attribute that an operation is about.
pub(crate) struct Target {
    pub(crate) op: Op,
    pub(crate) path: PatchPath,
    pub(crate) value: Value,
    pub(crate) origin: TargetOrigin,
}

/// What an operation is about: the one attribute that its path names, or every key of a value without a path.
/// Attributes that the schemas do not know are left out.
pub(crate) fn targets(schemas: &SchemaSet, sent: Sent) -> Result<std::vec::IntoIter<Target>, ScimError> {
    let Sent { op, path, value } = sent;
    let mut found = Vec::new();
    match path {
        Some(path) => {
            let path = PatchPath::parse(schemas, &path)?;
            found.extend(path.map(|path| Target { op, path, value, origin: TargetOrigin::Path }));
        }
        None if op == Op::Remove => {
            return Err(ScimError::no_target("a remove needs a path that says what to remove"));
        }
        None => targets_of_value(schemas, op, value, &mut found)?,
    }
    Ok(found.into_iter())
}

/// A value without a path: every key is a path of its own. The base schema's URN is a path to the same resource.
fn targets_of_value(
    schemas: &SchemaSet,
    op: Op,
    value: Value,
    found: &mut Vec<Target>,
) -> Result<(), ScimError> {
    match value {
        Value::Object(members) => {
            members.into_iter().try_for_each(|(key, value)| match schemas.split_urn(&key) {
                Some((schema, "")) if schema.id == schemas.base().id => {
                    targets_of_value(schemas, op, value, found)
                }
                _ => {
                    found.extend(Target::of_member(schemas, op, &key, value)?);
                    Ok(())
                }
            })
        }
        Value::Array(mut items) if items.len() == 1 => {
            targets_of_value(schemas, op, items.pop().unwrap_or_default(), found)
        }
        Value::Null => Ok(()),
        other => Err(ScimError::invalid_value(format!(
            "an operation without a path takes an object, not {}",
            kind_of(&other)
        ))),
    }
}

impl Target {
    /// The attribute that a key of an object names; `None` when the schemas do not know it.
    pub(crate) fn of_member(
        schemas: &SchemaSet,
        op: Op,
        key: &str,
        value: Value,
    ) -> Result<Option<Self>, ScimError> {
        match PatchPath::parse_known(schemas, key) {
            Some(_) if key.len() > MAX_PATH_LENGTH => Err(message::path_too_long()),
            Some(path) => Ok(Some(Self { op, path, value, origin: TargetOrigin::Member })),
            None => Ok(None),
        }
    }

    /// The operations that it amounts to, canonical.
    pub(crate) fn expand(self, schemas: &SchemaSet, out: &mut Vec<Operation>) -> Result<(), ScimError> {
        Expansion { schemas, op: self.op, out }.target(self.path, self.value, self.origin)
    }
}

struct Expansion<'a> {
    schemas: &'a SchemaSet,
    op: Op,
    out: &'a mut Vec<Operation>,
}

impl Expansion<'_> {
    fn member(&mut self, key: &str, value: Value) -> Result<(), ScimError> {
        match Target::of_member(self.schemas, self.op, key, value)? {
            Some(target) => self.target(target.path, target.value, target.origin),
            None => Ok(()),
        }
    }

    fn target(&mut self, path: PatchPath, value: Value, origin: TargetOrigin) -> Result<(), ScimError> {
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
                TargetOrigin::Path => {
                    Err(ScimError::mutability(format!("'{}' is written by the server alone", path.attribute)))
                }
                TargetOrigin::Member => Ok(()),
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
                    Some(sub) => self.target(part(&sub.name), value, TargetOrigin::Member),
                    None => Ok(()),
                })
            }
            // `[{"value": "id"}]`, the manager of Entra's early days
            Value::Array(mut items) if items.len() == 1 => {
                self.complex(path, attribute, items.pop().unwrap_or_default())
            }
            // `"id"`, the manager of today
            scalar @ (Value::String(_) | Value::Number(_)) if attribute.sub_attribute("value").is_some() => {
                self.target(part("value"), scalar, TargetOrigin::Member)
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
