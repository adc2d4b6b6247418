//! Which resources a list asks for: the filter of RFC 7644 §3.4.2.2 as a value.
//!
//! A parsed filter is canonical. Attribute names are spelt and literals typed as the schema says, and what can be said
//! in two ways is said in one, so that whoever evaluates it (here [`Filter::matches`], elsewhere SQL) has six cases:
//!
//! | written | becomes |
//! |---|---|
//! | `a ne x` | `not (a eq x)` |
//! | `a eq null`, `a ne null` | `not (a pr)`, `a pr` |
//! | `emails eq x`, `emails.value eq x` | `emails[value eq x]` |
//! | `emails[type eq "work"].value eq x` (sent by Entra), `emails[type eq "work"] eq x` | `emails[type eq "work" and value eq x]` |
//! | `manager eq x` | `urn:…:enterprise:2.0:User:manager.value eq x` |
//! | a term on an attribute that no schema knows | [`Filter::Unknown`] |
//! | `not (not (a pr))`, `(a pr and b pr) and c pr` | `a pr`, `a pr and b pr and c pr` |

use chrono::{DateTime, Utc};

use crate::attribute_path::AttributePath;

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
}
