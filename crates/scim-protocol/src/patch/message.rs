//! The message of a PATCH: a list of operations, of which each has an `op` and perhaps a `path` and a `value`
//! (RFC 7644 §3.5.2). What a path or a value says is not looked at here.

use super::{MAX_PATH_LENGTH, Op};
use crate::error::ScimError;
use crate::json::{self, kind_of};
use serde_json::{Map, Value};

/// One operation as it was sent.
pub(crate) struct Sent {
    pub(crate) op: Op,
    /// Neither blank nor longer than [`MAX_PATH_LENGTH`].
    pub(crate) path: Option<String>,
    /// `null` also where there is none: a serialiser that leaves nulls out turns "replace with null" into a replace
    /// without a value.
    pub(crate) value: Value,
}

/// The operations of a body, up to `limit` of them.
pub(crate) fn read(body: &[u8], limit: usize) -> Result<Vec<Value>, ScimError> {
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
    if sent.len() > limit { Err(too_many(limit)) } else { Ok(sent) }
}

impl Sent {
    /// Reads one operation.
    pub(crate) fn of(sent: Value) -> Result<Self, ScimError> {
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
        // Checked here, not in the grammar: the canonical print that travels on the bus may be longer.
        if path.as_ref().is_some_and(|path| path.len() > MAX_PATH_LENGTH) {
            return Err(path_too_long());
        }
        let value = take(&mut sent, "value").unwrap_or_default();
        Ok(Self { op, path, value })
    }
}

/// The refusal of one operation, with its number as people count.
pub(crate) fn at(position: usize) -> impl FnOnce(ScimError) -> ScimError {
    move |error| ScimError { detail: format!("operation {}: {}", position + 1, error.detail), ..error }
}

pub(crate) fn path_too_long() -> ScimError {
    ScimError::invalid_path(format!("a path has at most {MAX_PATH_LENGTH} bytes"))
}

pub(crate) fn too_many(limit: usize) -> ScimError {
    ScimError::invalid_value(format!("a PATCH has at most {limit} operations"))
}

/// The member of that name, whatever its case.
fn take(object: &mut Map<String, Value>, name: &str) -> Option<Value> {
    object.iter_mut().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.take())
}
