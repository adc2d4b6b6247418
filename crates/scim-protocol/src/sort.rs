//! In which order a list is answered: `sortBy` and `sortOrder` (RFC 7644 §3.4.2.3).
//!
//! A resource is sorted by one value:
//!
//! | attribute | its value |
//! |---|---|
//! | with a single plain value | that |
//! | complex | the sub-attribute that is named, or `value` where it has one |
//! | multi-valued | that of the primary element, or else of the first |
//!
//! | [`By`] | ordered by |
//! |---|---|
//! | [`By::Exact`]: `caseExact` text, references | code point (in Postgres `COLLATE "C"`) |
//! | [`By::Folded`]: other text | code point of [`fold`] |
//! | [`By::Boolean`] | `false`, then `true` |
//! | [`By::DateTime`] | time, in microseconds |
//! | [`By::Number`] | value, in double precision |
//!
//! Without a value, or with one of another type or that is empty, a resource is last when ascending and first when
//! descending, so that one order is the other one backwards. Resources with the same value are equal here: who pages
//! through them puts the id behind.

use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::fold::fold;
use crate::resource::whole::is_primary;
use crate::schema::{Attribute, Kind, SchemaSet};
use chrono::{DateTime, SubsecRound as _, Utc};
use serde_json::{Map, Value};
use std::cmp::Ordering;
use std::fmt;

/// An order. Printed, it is the canonical path and the direction, `name.familyName descending`; the same order always
/// prints the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The plain value to sort by. The path of a multi-valued complex attribute has the sub-attribute.
    pub path: AttributePath,
    /// Whether the attribute is a list, of which the primary or else the first element counts.
    pub is_multi_valued: bool,
    /// How to compare.
    pub by: By,
    /// Whether the last come first.
    pub is_descending: bool,
}

/// How values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum By {
    /// Text, by code point.
    Exact,
    /// Text, without regard to case.
    Folded,
    /// `false` before `true`.
    Boolean,
    /// Time.
    DateTime,
    /// Value, in double precision.
    Number,
}

impl Sort {
    /// Reads the two parameters; `None` when nothing is to be sorted by, whatever the order is.
    ///
    /// RFC 7644 §3.4.2.3 does not say what an unknown attribute is. It is refused: an order that is silently another
    /// one would be taken for the one that was asked for.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` for an attribute that the schemas do not know or that has no order (a complex one without
    /// `value`, a binary one, the members of a group and the groups of a user, which are not stored with it), and for
    /// an order other than `ascending` and `descending`.
    pub fn parse(
        schemas: &SchemaSet,
        sort_by: Option<&str>,
        sort_order: Option<&str>,
    ) -> Result<Option<Self>, ScimError> {
        let given = |parameter: Option<&str>| {
            parameter.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let Some(sort_by) = given(sort_by) else { return Ok(None) };
        let is_descending = match given(sort_order) {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => return Err(ScimError::invalid_value("'sortOrder' is ascending or descending")),
        };
        let mut path = AttributePath::parse(schemas, &sort_by)
            .map_err(|error| ScimError::invalid_value(format!("sortBy: {error}")))?;
        let Some(found) = path.resolve(schemas) else {
            return Err(ScimError::invalid_value("'sortBy' names no attribute of these resources"));
        };
        let (attribute, mut leaf) = (found.attribute, found.leaf());
        if leaf.is_complex() {
            leaf = leaf.sub_attribute("value").ok_or_else(|| {
                ScimError::invalid_value(format!(
                    "'{path}' has no order of its own; sort by a part of it, such as '{path}.{}'",
                    leaf.sub_attributes.first().map_or("", |part| part.name.as_str())
                ))
            })?;
            path.sub = Some(leaf.name.clone());
        }
        match by(leaf).filter(|_| !is_apart(&path)) {
            Some(by) => Ok(Some(Self { path, is_multi_valued: attribute.multi_valued, by, is_descending })),
            None => Err(ScimError::invalid_value(format!("resources cannot be sorted by '{path}'"))),
        }
    }

    /// How two rendered resources are ordered. This is the reference that every other sorting has to agree with.
    #[must_use]
    pub fn compare(&self, a: &Map<String, Value>, b: &Map<String, Value>) -> Ordering {
        let order = match (self.key(a), self.key(b)) {
            (Some(a), Some(b)) => a.cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        if self.is_descending { order.reverse() } else { order }
    }

    /// What a resource is sorted by.
    fn key(&self, resource: &Map<String, Value>) -> Option<Key> {
        let whole = match self.path.get(resource)? {
            Value::Array(elements) => {
                elements.iter().find(|element| is_primary(element)).or(elements.first())?
            }
            single => single,
        };
        // A list of plain values has no parts.
        let value = match &self.path.sub {
            Some(sub) => whole.get(sub)?,
            None => whole,
        };
        match (self.by, value) {
            (_, Value::String(text)) if text.is_empty() => None,
            (By::Exact, Value::String(text)) => Some(Key::Text(text.clone())),
            (By::Folded, Value::String(text)) => Some(Key::Text(fold(text))),
            (By::Boolean, Value::Bool(value)) => Some(Key::Boolean(*value)),
            (By::DateTime, Value::String(text)) => {
                let time = DateTime::parse_from_rfc3339(text).ok()?;
                Some(Key::DateTime(time.to_utc().trunc_subsecs(6)))
            }
            // Zero has one sign only.
            (By::Number, Value::Number(number)) => Some(Key::Number(Double(number.as_f64()? + 0.0))),
            _ => None,
        }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path, if self.is_descending { "descending" } else { "ascending" })
    }
}

/// All keys of one order are of one kind.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Boolean(bool),
    DateTime(DateTime<Utc>),
    Number(Double),
}

/// A number as a double. Exact comparison of whole numbers among themselves alone would be no order together with
/// fractions: two that differ could both equal a third.
struct Double(f64);

impl Ord for Double {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Double {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Double {}

fn by(attribute: &Attribute) -> Option<By> {
    match attribute.kind {
        Kind::String | Kind::Reference if attribute.case_exact => Some(By::Exact),
        Kind::String | Kind::Reference => Some(By::Folded),
        Kind::Boolean => Some(By::Boolean),
        Kind::DateTime => Some(By::DateTime),
        Kind::Integer | Kind::Decimal => Some(By::Number),
        Kind::Binary | Kind::Complex => None,
    }
}

/// Whether an attribute is answered with a resource but kept elsewhere, as rows between two resources.
fn is_apart(path: &AttributePath) -> bool {
    path.urn.is_none() && matches!(path.name.as_str(), "members" | "groups")
}
