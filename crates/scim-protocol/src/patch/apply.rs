//! What operations do to a resource.

use super::path::unknown;
use super::{Allowance, Op, Operation, values};
use crate::Attributes;
use crate::error::ScimError;
use crate::resource::changed;
use crate::resource::whole::settle;
use crate::schema::SchemaSet;
use serde_json::{Map, Value};
use std::fmt;

/// A resource after a PATCH.
#[derive(Clone, PartialEq)]
pub struct Patched {
    /// The attributes as they are now, canonical and valid.
    pub attributes: Attributes,
    /// The canonical paths of the attributes that differ; empty when the PATCH asked for what already was.
    pub changed: Vec<String>,
}

/// Without the attributes, which are personal data.
impl fmt::Debug for Patched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patched").field("changed", &self.changed).finish_non_exhaustive()
    }
}

/// Applies the operations in their order, all or none (RFC 7644 §3.5.2): `attributes` is not touched.
///
/// # Errors
///
/// 400 `noTarget` when a filter that does not say what to create selects nothing to change, 400 `invalidPath` for a
/// path that the schemas do not know, 400 `invalidValue` when the result or the work on it breaks a limit.
pub fn apply(
    schemas: &SchemaSet,
    attributes: &Attributes,
    operations: &[Operation],
) -> Result<Patched, ScimError> {
    let mut after = attributes.clone();
    let mut allowance = Allowance::of_one_request();
    for operation in operations {
        apply_one(schemas, &mut after, operation, &mut allowance)?;
    }
    settle(schemas, &mut after)?;
    let changed = changed(attributes, &after);
    Ok(Patched { attributes: after, changed })
}

/// Applies one operation. What must hold for the resource as a whole is the caller's to check.
pub(crate) fn apply_one(
    schemas: &SchemaSet,
    attributes: &mut Attributes,
    operation: &Operation,
    allowance: &mut Allowance,
) -> Result<(), ScimError> {
    let path = &operation.path.attribute;
    if let (Some(urn), true) = (&path.urn, path.is_extension()) {
        attributes.shift_remove(urn);
        return Ok(());
    }
    let found = path.resolve(schemas).ok_or_else(|| unknown(&operation.path.to_string()))?;
    let members = match &path.urn {
        Some(urn) => object_at(attributes, urn),
        None => Some(attributes),
    };
    let Some(members) = members else { return Ok(()) };
    if found.attribute.multi_valued {
        return values::change(members, found.attribute, operation, allowance);
    }
    let (members, name) = match &path.sub {
        Some(sub) => (object_at(members, &path.name), sub),
        None => (Some(members), &path.name),
    };
    let Some(members) = members else { return Ok(()) };
    match (operation.op, &operation.value) {
        (Op::Remove, _) | (_, None) => {
            members.shift_remove(name);
        }
        (Op::Add | Op::Replace, Some(value)) => {
            members.insert(name.clone(), value.clone());
        }
    }
    // An object that was made for nothing, or lost its last part, is gone when the resource is settled.
    Ok(())
}

/// The object of that name; made when it is missing.
fn object_at<'m>(members: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    let slot = members.entry(name).or_insert(Value::Null);
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    slot.as_object_mut()
}
