//! Whether a resource satisfies a filter.

use std::cmp::Ordering;

use chrono::DateTime;
use serde_json::{Map, Number, Value};

use super::{Filter, Literal, Op};
use crate::attribute_path::AttributePath;
use crate::fold::fold;

/// Whether a rendered resource (with `id` and `meta`) satisfies the filter.
///
/// This is the reference that every other evaluation of filters has to agree with; the table is in the
/// [module's documentation](super).
#[must_use]
pub fn matches(filter: &Filter, resource: &Map<String, Value>) -> bool {
    match filter {
        Filter::And(filters) => filters.iter().all(|filter| matches(filter, resource)),
        Filter::Or(filters) => filters.iter().any(|filter| matches(filter, resource)),
        Filter::Not(filter) => !matches(filter, resource),
        Filter::Present(path) => value(path, resource).is_some_and(is_present),
        Filter::Compare { path, op, value: literal } => {
            values(value(path, resource)).iter().any(|value| compares(value, *op, literal))
        }
        Filter::Element { path, filter } => {
            values(value(path, resource)).iter().any(|element| matches_element(filter, element))
        }
        Filter::Unknown { .. } => false,
    }
}

/// Whether one element of a complex attribute satisfies a filter whose paths are sub-attributes, as
/// [`parse_value_filter`](super::parse_value_filter) reads it.
#[must_use]
pub fn matches_element(filter: &Filter, element: &Value) -> bool {
    element.as_object().is_some_and(|element| matches(filter, element))
}

fn value<'r>(path: &AttributePath, resource: &'r Map<String, Value>) -> Option<&'r Value> {
    let value = path.get(resource)?;
    match &path.sub {
        None => Some(value),
        Some(sub) => value.get(sub),
    }
}

/// A list's elements; anything else is a list of one.
fn values(value: Option<&Value>) -> &[Value] {
    match value {
        None => &[],
        Some(Value::Array(elements)) => elements,
        Some(single) => std::slice::from_ref(single),
    }
}

/// RFC 7643 §2.5: null and the empty list are no values. Empty text and an empty object are none to us either.
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => elements.iter().any(is_present),
        Value::Object(members) => members.values().any(is_present),
    }
}

/// False where the value is not of the literal's type.
fn compares(value: &Value, op: Op, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::String(value), Literal::Exact(literal)) => text_compares(value, op, literal),
        (Value::String(value), Literal::Folded(literal)) => text_compares(&fold(value), op, &fold(literal)),
        (Value::Bool(value), Literal::Boolean(literal)) => op == Op::Equal && value == literal,
        (Value::String(value), Literal::DateTime(literal)) => {
            DateTime::parse_from_rfc3339(value).is_ok_and(|value| holds(op, value.to_utc().cmp(literal)))
        }
        (Value::Number(value), Literal::Number(literal)) => {
            number_order(value, literal).is_some_and(|order| holds(op, order))
        }
        _ => false,
    }
}

/// Text is ordered by code point, which is how UTF-8 orders its bytes.
fn text_compares(value: &str, op: Op, literal: &str) -> bool {
    match op {
        Op::Contains => value.contains(literal),
        Op::StartsWith => value.starts_with(literal),
        Op::EndsWith => value.ends_with(literal),
        _ => holds(op, value.cmp(literal)),
    }
}

fn holds(op: Op, order: Ordering) -> bool {
    match op {
        Op::Equal => order.is_eq(),
        Op::Greater => order.is_gt(),
        Op::GreaterOrEqual => order.is_ge(),
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
        Op::Contains | Op::StartsWith | Op::EndsWith => false,
    }
}

fn number_order(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i64(), right.as_i64()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}
