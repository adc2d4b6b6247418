//! Which resources a list asks for: the filter of RFC 7644 §3.4.2.2 as a value.
//!
//! # One way to say it
//!
//! A parsed filter is canonical. Names are spelt and literals typed as the schema says, and what can be said in two
//! ways is said in one, so that whoever evaluates it (here [`matches()`], in the directory SQL) has seven cases:
//!
//! | written | becomes |
//! |---|---|
//! | `a ne x` | `not (a eq x)` |
//! | `a eq null`, `a ne null` | `not (a pr)`, `a pr` |
//! | `emails eq x`, `email eq x` (sent by Okta), `emails.value eq x` | `emails[value eq x]` |
//! | `emails.type ne x` | `not (emails[type eq x])` |
//! | `emails[type eq "work"].value eq x` (sent by Entra), `emails[type eq "work"] eq x` | `emails[type eq "work" and value eq x]` |
//! | `manager eq x` | `urn:…:enterprise:2.0:User:manager.value eq x` |
//! | any term on an attribute that no schema knows | [`Filter::Unknown`], printed `name pr` |
//! | `not (not (a pr))`, `(a pr and b pr) and c pr` | `a pr`, `a pr and b pr and c pr` |
//!
//! # What it means
//!
//! A filter is evaluated on the resource as it is rendered, with `id`, `externalId` and `meta`.
//! Every case is true or false, never unknown: in SQL, a comparison with a missing value has to be made false before a
//! `not` sees it.
//!
//! | case | is true when |
//! |---|---|
//! | `and`, `or`, `not (…)` | as in logic; `not` binds tightest, then `and` |
//! | `a pr` | `a` has a value that is not null, not `""`, not `[]`, not `{}`; an object or a list has one when a member has; `false` is a value |
//! | `a eq x` and the other comparisons | `a` has a value and it compares so; absent: false; a value of another JSON type than the literal: false |
//! | `a ne x`, so `not (a eq x)` | `a` is absent, or is not `x`; for a list: no element is `x` |
//! | a comparison on a list of plain values (`schemas eq x`) | any element compares so |
//! | `a[…]` | one and the same element of `a` satisfies everything between the brackets; a single-valued complex attribute is a list of one, or of none when absent |
//! | `a[not (type eq x)]`, `a[type ne x]` | some element has no type, or another type than `x` |
//! | [`Filter::Unknown`] | never, whatever its operator, `ne` included; `not (…)` around it is true |
//!
//! | literal | compared by | ordered by |
//! |---|---|---|
//! | [`Literal::Exact`]: `caseExact` attributes (`id`, `externalId`, `meta.version`, …), references, binary | code points, not normalised | code point (in Postgres `COLLATE "C"`); binary has no order: `gt` is refused |
//! | [`Literal::Folded`]: all other text | code points of [`fold`](crate::fold::fold) of both sides; `co`, `sw`, `ew` as well | code point of the folded texts |
//! | [`Literal::Boolean`] | value; `eq` and `ne` only, anything else is refused | refused |
//! | [`Literal::DateTime`] | instant, in microseconds; `co`, `sw`, `ew` are refused | time |
//! | [`Literal::Number`] | value; `co`, `sw`, `ew` are refused | value |
//!
//! `co ""`, `sw ""` and `ew ""` are true of every text that is present; `eq ""` of none, because empty values are never
//! stored. Text with control characters (U+0000 to U+001F) is refused, and no escape stands for one: see `parser.rs`.

mod matches;
mod parser;
mod print;
mod term;

pub use matches::{matches, matches_element};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Number, Value};

use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::schema::SchemaSet;
use term::Scope;

/// The longest filter, in bytes of UTF-8, as it is sent and as it is printed.
pub const MAX_LENGTH: usize = 4096;
/// The most brackets that may be open at one place.
pub const MAX_DEPTH: usize = 16;
/// The most terms, those between brackets included.
pub const MAX_TERMS: usize = 64;

/// A condition on one resource, canonical.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// Every one of these; two at least, none of them an `And`.
    And(Vec<Filter>),
    /// Any one of these; two at least, none of them an `Or`.
    Or(Vec<Filter>),
    /// Not this, which is no `Not` itself.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(AttributePath),
    /// The attribute has a value that compares so.
    Compare {
        /// A plain attribute; never a complex one, and never a sub-attribute of a multi-valued one.
        path: AttributePath,
        /// How to compare.
        op: Op,
        /// What to compare with.
        value: Literal,
    },
    /// One element of the complex attribute satisfies all of the filter, whose paths are those of sub-attributes.
    Element {
        /// The complex attribute. A single-valued one has one element at most.
        path: AttributePath,
        /// The condition on the element.
        filter: Box<Filter>,
    },
    /// A term on an attribute that no schema knows: false, whatever its operator.
    Unknown {
        /// The path as it was written.
        path: String,
    },
}

/// How a value compares with a literal. `ne` and `pr` are no operators here: see [`Filter::Not`], [`Filter::Present`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `eq`
    Equal,
    /// `co`, on text only
    Contains,
    /// `sw`, on text only
    StartsWith,
    /// `ew`, on text only
    EndsWith,
    /// `gt`, on text and date-times, as the three that follow
    Greater,
    /// `ge`
    GreaterOrEqual,
    /// `lt`
    Less,
    /// `le`
    LessOrEqual,
}

/// What to compare with, and by its kind how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// The attribute is `caseExact`: compare as it stands, order by code point.
    Exact(String),
    /// The attribute is not: compare `fold(value)` with `fold(literal)`, order those by code point. Kept as written.
    Folded(String),
    /// Compare as a boolean.
    Boolean(bool),
    /// Compare chronologically.
    DateTime(DateTime<Utc>),
    /// Compare as a number. No attribute of ours needs it, a company's own extension may.
    Number(Number),
}

impl Op {
    pub(crate) const ALL: [Self; 8] = [
        Self::Equal,
        Self::Contains,
        Self::StartsWith,
        Self::EndsWith,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Less,
        Self::LessOrEqual,
    ];

    /// The operator as the RFC spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Equal => "eq",
            Self::Contains => "co",
            Self::StartsWith => "sw",
            Self::EndsWith => "ew",
            Self::Greater => "gt",
            Self::GreaterOrEqual => "ge",
            Self::Less => "lt",
            Self::LessOrEqual => "le",
        }
    }

    /// Whether it looks into text: `co`, `sw`, `ew`.
    #[must_use]
    pub const fn is_textual(self) -> bool {
        matches!(self, Self::Contains | Self::StartsWith | Self::EndsWith)
    }

    /// Whether it needs an order: `gt`, `ge`, `lt`, `le`.
    #[must_use]
    pub const fn is_ordering(self) -> bool {
        matches!(self, Self::Greater | Self::GreaterOrEqual | Self::Less | Self::LessOrEqual)
    }
}

impl Filter {
    /// Reads a filter, whose text is no longer URL-encoded.
    ///
    /// # Errors
    ///
    /// 400 `invalidFilter` with the position in bytes, for what is no filter, for a comparison that the attribute's
    /// type does not have, and beyond [`MAX_LENGTH`], [`MAX_DEPTH`] or [`MAX_TERMS`]. The detail quotes no literal.
    pub fn parse(schemas: &SchemaSet, text: &str) -> Result<Self, ScimError> {
        parser::parse(schemas, Scope::Resource, text)
    }

    /// Every one of `filters`, of which there is at least one.
    pub(crate) fn all(filters: Vec<Self>) -> Self {
        joined(filters, Self::And, |filter| match filter {
            Self::And(inner) => Ok(inner),
            other => Err(other),
        })
    }

    /// Any one of `filters`, of which there is at least one.
    pub(crate) fn any(filters: Vec<Self>) -> Self {
        joined(filters, Self::Or, |filter| match filter {
            Self::Or(inner) => Ok(inner),
            other => Err(other),
        })
    }

    pub(crate) fn negate(filter: Self) -> Self {
        match filter {
            Self::Not(inner) => *inner,
            other => Self::Not(Box::new(other)),
        }
    }

    /// The literals that are compared without regard to case, one for each comparison.
    pub(crate) fn folded_literals(&self) -> Vec<&str> {
        match self {
            Self::Compare { value: Literal::Folded(text), .. } => vec![text],
            Self::Present(_) | Self::Compare { .. } | Self::Unknown { .. } => Vec::new(),
            Self::Not(filter) | Self::Element { filter, .. } => filter.folded_literals(),
            Self::And(filters) | Self::Or(filters) => {
                filters.iter().flat_map(Self::folded_literals).collect()
            }
        }
    }

    /// The sub-attributes and values that an element must have to match, when the filter asks for nothing but equality:
    /// `[type eq "work" and primary eq true]`. From them a PATCH creates the element that it does not find.
    ///
    /// `None` also for a comparison with empty text: no element that is stored can satisfy it.
    #[must_use]
    pub fn equalities(&self) -> Option<Vec<(&str, Value)>> {
        match self {
            Self::Compare { value: Literal::Exact(text) | Literal::Folded(text), .. } if text.is_empty() => {
                None
            }
            Self::Compare { path, op: Op::Equal, value } => Some(vec![(path.name.as_str(), value.to_json())]),
            Self::And(filters) => {
                let parts: Option<Vec<_>> = filters.iter().map(Self::equalities).collect();
                Some(parts?.into_iter().flatten().collect())
            }
            _ => None,
        }
    }
}

/// Reads what stands between the brackets of a PATCH path: `type eq "work"` of `emails[type eq "work"].value`.
///
/// # Errors
///
/// 400 `invalidFilter`, as [`Filter::parse`], and when `parent` is not a complex attribute.
pub fn parse_value_filter(
    schemas: &SchemaSet,
    parent: &AttributePath,
    text: &str,
) -> Result<Filter, ScimError> {
    let scope = Scope::of_elements(schemas, parent).map_err(ScimError::invalid_filter)?;
    parser::parse(schemas, scope, text)
}

impl Literal {
    /// The literal as a value of a resource.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Exact(text) | Self::Folded(text) => Value::String(text.clone()),
            Self::Boolean(value) => Value::Bool(*value),
            Self::DateTime(time) => Value::String(time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            Self::Number(number) => Value::Number(number.clone()),
        }
    }
}

/// `filters` as one: those that `inner` opens stand in the list themselves, a list of one is its element.
fn joined(
    filters: Vec<Filter>,
    join: fn(Vec<Filter>) -> Filter,
    inner: fn(Filter) -> Result<Vec<Filter>, Filter>,
) -> Filter {
    let mut flat: Vec<Filter> =
        filters.into_iter().flat_map(|filter| inner(filter).unwrap_or_else(|other| vec![other])).collect();
    match flat.len() {
        1 => flat.swap_remove(0),
        _ => join(flat),
    }
}
