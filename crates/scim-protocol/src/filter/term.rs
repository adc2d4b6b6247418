//! What one term of a filter means: which attribute, compared how, written in the one canonical way.

use std::borrow::Cow;

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, SubsecRound as _, Utc};

use super::parser::{has_control, refusal};
use super::{Filter, Literal, Op};
use crate::attribute_path::{AttributePath, PathError};
use crate::error::ScimError;
use crate::schema::{Attribute, Kind, SchemaSet};

/// Whose attributes the paths name.
#[derive(Clone, Copy)]
pub(super) enum Scope<'s> {
    /// A resource's.
    Resource,
    /// Those of one element of this complex attribute.
    Element(&'s Attribute),
    /// Those of something unknown: every term is read, none can match.
    Unknown,
}

impl<'s> Scope<'s> {
    /// The scope between the brackets that follow `path`.
    pub(super) fn of_elements(schemas: &'s SchemaSet, path: &AttributePath) -> Result<Self, &'static str> {
        match path.resolve(schemas) {
            None => Ok(Self::Unknown),
            Some(resolved) if resolved.sub.is_some() => {
                Err("a value filter follows an attribute, not a sub-attribute")
            }
            Some(resolved) if resolved.attribute.is_complex() => Ok(Self::Element(resolved.attribute)),
            Some(_) => Err("a value filter follows a complex attribute only"),
        }
    }
}

/// What a term says of its attribute. `ne` is a negated `eq`, `eq null` a negated `pr`.
pub(super) struct Test<'t> {
    pub(super) negated: bool,
    pub(super) check: Check<'t>,
}

pub(super) enum Check<'t> {
    Present,
    Compare {
        op: Op,
        /// Without its quotes: whether it had any does not matter, Entra quotes booleans and leaves out the quotes of text.
        literal: Cow<'t, str>,
        /// Where the literal stands.
        at: usize,
    },
}

/// A path as the schema spells it, when the schema knows it. Okta asks for `email` where the schema says `emails`.
pub(super) fn path(schemas: &SchemaSet, name: &str) -> Result<AttributePath, PathError> {
    let path = AttributePath::parse(schemas, name)?;
    let is_alias = path.urn.is_none() && path.name.eq_ignore_ascii_case("email");
    match path.sub {
        _ if !is_alias || schemas.attribute(&path.name).is_some() => Ok(path),
        None => AttributePath::parse(schemas, "emails"),
        Some(sub) => AttributePath::parse(schemas, &format!("emails.{sub}")),
    }
}

/// A term on an attribute of the resource.
pub(super) fn resource_term(
    schemas: &SchemaSet,
    path: AttributePath,
    test: Test<'_>,
) -> Result<Filter, ScimError> {
    let Some(resolved) = path.resolve(schemas) else {
        return Ok(unknown(&path));
    };
    let is_compared = matches!(test.check, Check::Compare { .. });
    let filter = match resolved.sub {
        Some(sub) if resolved.attribute.multi_valued => {
            let filter = leaf(AttributePath::of(sub.name.as_str()), sub, test.check)?;
            Filter::Element { path: AttributePath { sub: None, ..path }, filter: Box::new(filter) }
        }
        // RFC 7644 §3.4.2.2 compares the `value` of a complex attribute: `emails co "example.com"`.
        None if resolved.attribute.is_complex() && is_compared => {
            let path = AttributePath { sub: Some("value".to_owned()), ..path };
            return resource_term(schemas, path, test);
        }
        _ => leaf(path, resolved.leaf(), test.check)?,
    };
    Ok(negated(filter, test.negated))
}

/// A term between the brackets that follow `parent`.
pub(super) fn element_term(parent: &Attribute, name: &str, test: Test<'_>) -> Result<Filter, ScimError> {
    let Some(sub) = parent.sub_attribute(name) else {
        return Ok(Filter::Unknown { path: name.to_owned() });
    };
    Ok(negated(leaf(AttributePath::of(sub.name.as_str()), sub, test.check)?, test.negated))
}

/// `path[filter]`
pub(super) fn element(path: AttributePath, filter: Filter, scope: Scope<'_>) -> Filter {
    match scope {
        Scope::Element(_) => Filter::Element { path, filter: Box::new(filter) },
        Scope::Resource | Scope::Unknown => unknown(&path),
    }
}

/// `path[filter].sub` with a test, which is one of the same element.
pub(super) fn value_path_term(
    path: AttributePath,
    filter: Filter,
    scope: Scope<'_>,
    sub: Option<&str>,
    test: Test<'_>,
) -> Result<Filter, ScimError> {
    let Scope::Element(parent) = scope else {
        return Ok(unknown(&path));
    };
    if sub.is_none() && matches!(test.check, Check::Present) {
        return Ok(negated(element(path, filter, scope), test.negated));
    }
    let own = element_term(parent, sub.unwrap_or("value"), test)?;
    Ok(element(path, Filter::all(vec![filter, own]), scope))
}

fn unknown(path: &AttributePath) -> Filter {
    Filter::Unknown { path: path.to_string() }
}

fn negated(filter: Filter, negated: bool) -> Filter {
    if negated { Filter::negate(filter) } else { filter }
}

/// A test of a value that is no object.
fn leaf(path: AttributePath, attribute: &Attribute, check: Check<'_>) -> Result<Filter, ScimError> {
    match check {
        Check::Present => Ok(Filter::Present(path)),
        Check::Compare { op, literal, at } => {
            let value = typed(attribute, op, &literal)
                .map_err(|reason| refusal(&format!("'{path}' {reason}"), at))?;
            Ok(Filter::Compare { path, op, value })
        }
    }
}

fn typed(attribute: &Attribute, op: Op, literal: &str) -> Result<Literal, &'static str> {
    match attribute.kind {
        Kind::String | Kind::Reference | Kind::Binary | Kind::Complex => text(attribute, op, literal),
        Kind::Boolean if op != Op::Equal => Err("is a boolean and can only be compared with 'eq' and 'ne'"),
        Kind::Boolean if literal.eq_ignore_ascii_case("true") => Ok(Literal::Boolean(true)),
        Kind::Boolean if literal.eq_ignore_ascii_case("false") => Ok(Literal::Boolean(false)),
        Kind::Boolean => Err("is a boolean: expected true or false"),
        Kind::DateTime | Kind::Integer | Kind::Decimal if op.is_textual() => {
            Err("is no text and cannot be compared with 'co', 'sw' and 'ew'")
        }
        Kind::DateTime => date_time(literal)
            .map(Literal::DateTime)
            .ok_or("is a date-time: expected something like \"2026-09-01T08:00:00Z\""),
        Kind::Integer | Kind::Decimal => literal.parse().map(Literal::Number).or(Err("is a number")),
    }
}

fn text(attribute: &Attribute, op: Op, literal: &str) -> Result<Literal, &'static str> {
    // Postgres cannot hold U+0000, and the canonical text would have to escape the others, which nobody reads back.
    if has_control(literal) {
        return Err("cannot contain control characters");
    }
    // RFC 7644 §3.4.2.2: ordering booleans and binary values is an error.
    if attribute.kind == Kind::Binary && op.is_ordering() {
        return Err("is binary and has no order");
    }
    let exact = attribute.case_exact || attribute.kind == Kind::Binary;
    let kind = if exact { Literal::Exact } else { Literal::Folded };
    Ok(kind(literal.to_owned()))
}

/// An `xsd:dateTime`, or its date alone; UTC where no zone is given. Microseconds, because a database keeps no more.
fn date_time(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
    let naive = || text.parse::<NaiveDateTime>().map(|time| time.and_utc());
    let date = || text.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let time = zoned.or_else(|_| naive()).or_else(|_| date()).ok()?;
    (0..=9999).contains(&time.year()).then(|| time.trunc_subsecs(6))
}
