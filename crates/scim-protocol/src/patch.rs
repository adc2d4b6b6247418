//! PATCH (RFC 7644 §3.5.2): what clients send, as operations that mean one thing each, and what those do.
//!
//! [`parse`] understands Entra's two dialects and everything else in `DEVIATIONS.md`, and yields operations that
//! name one attribute each and carry canonical values. [`apply`] is a pure function of the resource and them.

mod allowance;
mod apply;
pub(crate) mod message;
mod parse;
mod path;
mod values;

pub(crate) use allowance::Allowance;
pub(crate) use apply::apply_one;
pub use apply::{Patched, apply};
pub use parse::parse;
pub(crate) use parse::{Target, TargetOrigin, check_filtered_length, operations_of_member, targets};
pub use path::PatchPath;

use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::json;
use crate::schema::SchemaSet;
use serde_json::Value;
use std::fmt;

/// The most operations of one PATCH, before and after a value without a path is taken apart.
pub const MAX_OPERATIONS: usize = 1_000;
/// The most values of multi-valued attributes that all operations of one PATCH list together. Each is compared with up
/// to [`crate::resource::MAX_VALUES`] that are there.
pub const MAX_LISTED_VALUES: usize = 1_000;
/// The length of all paths with a value filter in one request, in bytes. Each filter is evaluated on up to
/// [`crate::resource::MAX_VALUES`] values.
pub const MAX_FILTERED_LENGTH: usize = 65_536;
/// The text outside of ASCII that the operations of one PATCH, or the flat keys of one body, compare without regard to
/// case, in bytes; a text that is compared twice counts twice.
pub const MAX_FOLDED_BYTES: usize = 4_194_304;
/// The longest path of an operation, in bytes.
pub const MAX_PATH_LENGTH: usize = 1_024;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Op {
    /// Sets a single value, appends to several.
    Add,
    /// Sets a single value, replaces several.
    Replace,
    /// Unassigns.
    Remove,
}

/// One change to one attribute.
#[derive(Clone, PartialEq)]
pub struct Operation {
    /// What to do.
    pub op: Op,
    /// Where. Every operation has a path: one that was sent without has become one operation for each attribute.
    pub path: PatchPath,
    /// The canonical value; always there for [`Op::Add`] and [`Op::Replace`]. For [`Op::Remove`] the values of a
    /// multi-valued attribute to remove, or `None` for all that the path selects.
    pub value: Option<Value>,
}

impl Operation {
    /// Puts an operation together again from its printed parts, as they come off the bus.
    ///
    /// # Errors
    ///
    /// 400 `invalidPath` when the schemas do not know the path, 400 `invalidSyntax` when the value is not JSON, 400
    /// `invalidValue` when an add or replace has none.
    pub fn from_parts(
        schemas: &SchemaSet,
        op: Op,
        path: &str,
        value_json: Option<&str>,
    ) -> Result<Self, ScimError> {
        let path = PatchPath::parse(schemas, path)?.ok_or_else(|| path::unknown(path))?;
        let value = value_json.map(json::read_value).transpose()?;
        if value.is_none() && op != Op::Remove {
            return Err(ScimError::invalid_value(format!("'{}' needs a value", path.attribute)));
        }
        Ok(Self { op, path, value })
    }

    /// The value as JSON text, for the bus.
    #[must_use]
    pub fn value_json(&self) -> Option<String> {
        self.value.as_ref().map(Value::to_string)
    }
}

/// Without the value, which is personal data.
impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?}", self.op, self.path)
    }
}

/// Whether the operations, taken together, let the user in (`Some(true)`), lock the user out (`Some(false)`) or
/// neither.
///
/// Clearing `active` locks out: a mapping of Entra's that evaluates to nothing (entra-wire §1.7) must not let a leaver
/// back in.
#[must_use]
pub fn sets_active(operations: &[Operation]) -> Option<bool> {
    let active = AttributePath::of("active");
    let last = operations.iter().rfind(|operation| operation.path.attribute == active)?;
    Some(last.op != Op::Remove && last.value == Some(Value::Bool(true)))
}
