//! References to what another operation of the same bulk request creates (RFC 7644 §3.7.2).

use crate::error::ScimError;
use serde_json::Value;
use std::collections::HashMap;

/// Nothing was created under this `bulkId`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the operation refers to a 'bulkId' under which this request has created nothing")]
pub struct Unresolved {
    /// The `bulkId`, as it was referred to.
    pub bulk_id: String,
}

impl Unresolved {
    pub(super) fn of(bulk_id: &str) -> Self {
        Self { bulk_id: bulk_id.to_owned() }
    }
}

/// 400 `invalidValue`: the operation that should have created it is missing or has failed.
impl From<Unresolved> for ScimError {
    fn from(error: Unresolved) -> Self {
        Self::invalid_value(error.to_string())
    }
}

/// The `bulkId` that a text refers to, when it is a reference.
pub(super) fn bulk_id(text: &str) -> Option<&str> {
    text.strip_prefix("bulkId:").filter(|id| !id.is_empty())
}

/// Puts ids in the place of all references in `data`: every text that is `bulkId:` and a `bulkId`, wherever it stands.
/// `known` are the ids of what was created, by `bulkId`.
///
/// # Errors
///
/// [`Unresolved`] when one is not among them; then nothing has changed.
pub fn resolve(data: &mut Value, known: &HashMap<String, String>) -> Result<(), Unresolved> {
    let mut missing = None;
    each(data, &mut |bulk_id| {
        if !known.contains_key(bulk_id) {
            missing.get_or_insert_with(|| Unresolved::of(bulk_id));
        }
    });
    match missing {
        Some(missing) => Err(missing),
        None => {
            replace(data, known);
            Ok(())
        }
    }
}

/// Shows every reference in `data` to `see`.
pub(super) fn each<'d>(data: &'d Value, see: &mut impl FnMut(&'d str)) {
    match data {
        Value::String(text) => bulk_id(text).into_iter().for_each(see),
        Value::Array(items) => items.iter().for_each(|item| each(item, see)),
        Value::Object(members) => members.values().for_each(|value| each(value, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replace(data: &mut Value, known: &HashMap<String, String>) {
    match data {
        Value::String(text) => {
            if let Some(id) = bulk_id(text).and_then(|bulk_id| known.get(bulk_id)) {
                text.clone_from(id);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, known)),
        Value::Object(members) => members.values_mut().for_each(|value| replace(value, known)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
