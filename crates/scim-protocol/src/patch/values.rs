//! What an operation does to the values of a multi-valued attribute.

use super::{Allowance, Op, Operation};
use crate::error::ScimError;
use crate::filter::{Filter, matches_element};
use crate::fold::fold;
use crate::resource::MAX_VALUES;
use crate::resource::canonical::{Place, one};
use crate::resource::whole::{is_primary, make_primary, overfull_list};
use crate::schema::Attribute;
use serde_json::{Map, Value};
use std::borrow::Cow;

/// Carries out the operation on the attribute's list, which is one of `members`.
pub(super) fn change(
    members: &mut Map<String, Value>,
    attribute: &Attribute,
    operation: &Operation,
    allowance: &mut Allowance,
) -> Result<(), ScimError> {
    let path = &operation.path.attribute;
    let slot = members.entry(path.name.as_str()).or_insert(Value::Null);
    let mut items = match slot.take() {
        Value::Array(items) => items,
        Value::Null => Vec::new(),
        only => vec![only],
    };
    match (&operation.path.filter, operation.op) {
        (Some(filter), _) => allowance.evaluate(filter, &items)?,
        (None, Op::Add | Op::Remove) => allowance.fold_items(&items)?,
        (None, Op::Replace) => {}
    }
    let touched = change_items(&mut items, attribute, operation)?;
    // Now and not at the end, so that a list cannot grow through many operations in between.
    if items.len() > MAX_VALUES {
        return Err(overfull_list(&path.name));
    }
    if let Some(primary) = touched.into_iter().rfind(|at| items.get(*at).is_some_and(is_primary)) {
        make_primary(&mut items, primary);
    }
    *slot = Value::Array(items);
    Ok(())
}

/// Returns which elements were set.
fn change_items(
    items: &mut Vec<Value>,
    attribute: &Attribute,
    operation: &Operation,
) -> Result<Vec<usize>, ScimError> {
    let sub = operation.path.attribute.sub.as_deref();
    let value = operation.value.as_ref();
    match (operation.op, &operation.path.filter, sub) {
        (Op::Remove, None, None) => {
            match value {
                Some(listed) => {
                    let listed: Vec<Key<'_>> = each(listed).map(|value| key(attribute, value)).collect();
                    items.retain(|item| {
                        let item = key(attribute, item);
                        !listed.iter().any(|listed| is_listed(attribute, &item, listed))
                    });
                }
                None => items.clear(),
            }
            Ok(Vec::new())
        }
        (Op::Remove, filter, None) => {
            items.retain(|item| !selects(filter.as_ref(), item));
            Ok(Vec::new())
        }
        (Op::Remove, filter, Some(sub)) => {
            for item in items.iter_mut().filter(|item| selects(filter.as_ref(), item)) {
                if let Value::Object(members) = item {
                    members.shift_remove(sub);
                }
            }
            Ok(Vec::new())
        }
        (Op::Replace, None, None) => {
            *items = value.map(each).into_iter().flatten().cloned().collect();
            Ok((0..items.len()).collect())
        }
        (Op::Add, None, None) => Ok(add(attribute, items, value.map(each).into_iter().flatten())),
        (Op::Add | Op::Replace, filter, sub) => set(attribute, items, filter.as_ref(), sub, value),
    }
}

fn selects(filter: Option<&Filter>, item: &Value) -> bool {
    filter.is_none_or(|filter| matches_element(filter, item))
}

fn each(value: &Value) -> impl Iterator<Item = &Value> {
    match value {
        Value::Array(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    }
    .iter()
}

/// Whether `item` is the value that a remove lists: the same `value`, or for elements that have none the same
/// everything that is listed.
fn is_listed(attribute: &Attribute, item: &Value, listed: &Value) -> bool {
    match (item, listed) {
        (Value::Object(_), Value::Object(named)) => match named.get("value") {
            Some(_) => is_same(attribute, "value", item, listed),
            None => contains(attribute, item, listed, named),
        },
        _ => item == listed,
    }
}

fn contains(attribute: &Attribute, item: &Value, other: &Value, named: &Map<String, Value>) -> bool {
    named.keys().all(|name| is_same(attribute, name, item, other))
}

/// What an element is compared by: the element itself, with its text outside of ASCII folded where case does not
/// matter. Folded once for each operation, because every value that it lists is compared with every one there is.
type Key<'v> = Cow<'v, Value>;

fn key<'v>(attribute: &Attribute, element: &'v Value) -> Key<'v> {
    let folds = |name: &str, text: &str| {
        !text.is_ascii() && attribute.sub_attribute(name).is_some_and(|sub| !sub.case_exact)
    };
    let mut key = Cow::Borrowed(element);
    for (name, value) in element.as_object().into_iter().flatten() {
        if let Value::String(text) = value
            && folds(name, text)
            && let Some(part) = key.to_mut().get_mut(name)
        {
            *part = Value::String(fold(text));
        }
    }
    key
}

/// Whether the keys of two elements agree in a sub-attribute. Case matters where the schema says so, as it does in filters.
fn is_same(attribute: &Attribute, name: &str, one: &Value, other: &Value) -> bool {
    match (one.get(name), other.get(name)) {
        (Some(Value::String(one)), Some(Value::String(other))) if one != other => {
            let is_case_exact = attribute.sub_attribute(name).is_none_or(|sub| sub.case_exact);
            !is_case_exact && one.eq_ignore_ascii_case(other)
        }
        (one, other) => one == other,
    }
}

/// Appends the values that are not there: RFC 7643 §2.4 does not want the same `value` and `type` twice, so that what
/// else is said of one that is there (`primary`, `display`) completes it. Returns where each of them is now.
fn add<'v>(
    attribute: &Attribute,
    items: &mut Vec<Value>,
    added: impl Iterator<Item = &'v Value>,
) -> Vec<usize> {
    // `None` where an item is its own key.
    let own = |item: &Value| match key(attribute, item) {
        Cow::Borrowed(_) => None,
        Cow::Owned(key) => Some(key),
    };
    let mut keys: Vec<Option<Value>> = items.iter().map(own).collect();
    let place = |added: &Value| {
        let added_key = key(attribute, added);
        let mut there = items.iter_mut().zip(&mut keys).enumerate();
        let found =
            there.find(|(_, (item, key))| is_there(attribute, key.as_ref().unwrap_or(item), &added_key));
        if let Some((at, (item, key))) = found {
            if key.is_some() || matches!(added_key, Cow::Owned(_)) {
                merge(key.get_or_insert_with(|| item.clone()), &added_key);
            }
            merge(item, added);
            return at;
        }
        keys.push(own(added));
        items.push(added.clone());
        items.len() - 1
    };
    added.map(place).collect()
}

fn is_there(attribute: &Attribute, item: &Value, added: &Value) -> bool {
    match (item, added) {
        (Value::Object(_), Value::Object(named)) if named.contains_key("value") => {
            is_same(attribute, "value", item, added) && is_same(attribute, "type", item, added)
        }
        (Value::Object(_), Value::Object(named)) => contains(attribute, item, added, named),
        _ => item == added,
    }
}

fn merge(item: &mut Value, other: &Value) {
    match (item, other) {
        (Value::Object(members), Value::Object(other)) => {
            members.extend(other.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        (item, other) => *item = other.clone(),
    }
}

/// Sets the selected elements or a part of each. When there is none, it is made as the filter describes it: RFC 7644
/// §3.5.2.3 has `noTarget` here, but Entra replaces `emails[type eq "work"].value` of users who never had one
/// (entra-wire bug 3) and would be stuck. A filter that describes no single element keeps the RFC's answer.
fn set(
    attribute: &Attribute,
    items: &mut Vec<Value>,
    filter: Option<&Filter>,
    sub: Option<&str>,
    value: Option<&Value>,
) -> Result<Vec<usize>, ScimError> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let selected: Vec<usize> =
        items.iter().enumerate().filter(|(_, item)| selects(filter, item)).map(|(at, _)| at).collect();
    if selected.is_empty() {
        let described = filter.map_or(Some(Vec::new()), Filter::equalities);
        let made = described.map(|parts| {
            Value::Object(parts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        });
        let Some(mut made) = made.filter(|made| selects(filter, made)) else {
            let name = &attribute.name;
            return Err(ScimError::no_target(format!("no value of '{name}' matches the filter of the path")));
        };
        put(&mut made, sub, value);
        // What comes from the filter's literals has passed no limit yet.
        one(Place::of(attribute), &mut made)?;
        return Ok(add(attribute, items, std::iter::once(&made)));
    }
    for at in &selected {
        if let Some(item) = items.get_mut(*at) {
            put(item, sub, value);
        }
    }
    Ok(selected)
}

fn put(item: &mut Value, sub: Option<&str>, value: &Value) {
    match (item, sub) {
        (Value::Object(members), Some(sub)) => {
            members.insert(sub.to_owned(), value.clone());
        }
        (item, Some(sub)) => *item = Value::Object(Map::from_iter([(sub.to_owned(), value.clone())])),
        (item, None) => merge(item, value),
    }
}
