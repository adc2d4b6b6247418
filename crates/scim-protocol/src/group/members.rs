//! What operations on `members` amount to.

use super::MAX_MEMBERS_PER_REQUEST;
use crate::error::ScimError;
use crate::filter::{self, Filter, Literal};
use crate::patch::{Op, Target, TargetOrigin};
use crate::resource::canonical::{Place, one, sent_twice};
use crate::schema::{Attribute, groups};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// The net effect of one request on the members of a group.
///
/// An id is in one of the lists at most, and once. Adding who is a member and removing who is none changes nothing
/// (RFC 7644 §3.5.2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MembersChange {
    /// Whether all present members are removed first. Then `removed` is empty.
    pub clear: bool,
    /// The ids of the members to add, in the order in which they were first named.
    pub added: Vec<String>,
    /// The ids of the members to remove, in the order in which they were first named.
    pub removed: Vec<String>,
}

impl MembersChange {
    /// Whether it changes no group at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.clear && self.added.is_empty() && self.removed.is_empty()
    }
}

/// Operations on members, carried out on members that nobody has looked up yet.
#[derive(Default)]
pub(super) struct MemberOperations {
    clear: bool,
    /// The ids named since the members were last cleared, with the last word on each: whether it is added.
    said: Vec<(String, bool)>,
    /// Where each id is in `said`.
    places: HashMap<String, usize>,
    /// How many members were listed, those that were overruled included.
    listed: usize,
}

impl MemberOperations {
    pub(super) fn net(self) -> MembersChange {
        let (added, removed): (Vec<_>, Vec<_>) = self.said.into_iter().partition(|(_, is_added)| *is_added);
        let ids = |said: Vec<(String, bool)>| said.into_iter().map(|(id, _)| id).collect();
        // Who was removed after everybody was is not there anyway.
        let removed = if self.clear { Vec::new() } else { ids(removed) };
        MembersChange { clear: self.clear, added: ids(added), removed }
    }

    /// Carries out an operation whose path begins with `members`.
    pub(super) fn carry_out(&mut self, target: Target) -> Result<(), ScimError> {
        let Target { op, path, value, origin } = target;
        match (&path.filter, path.attribute.sub.as_deref()) {
            (None, None) => self.listed(op, value),
            (Some(filter), None) => self.selected(op, filter, value),
            (Some(filter), Some("value")) if op == Op::Remove => self.selected(op, filter, Value::Null),
            (None, Some("value")) => self.values(op, value),
            (Some(_), Some("value")) => Err(which_members()),
            // What is known of a member is the directory's to know: echoed inside of a value it is ignored.
            (_, Some(_)) if origin == TargetOrigin::Member => Ok(()),
            (_, Some(part)) => Err(ScimError::mutability(format!(
                "'members.{part}' is written by the server alone; add and remove members by their ids"
            ))),
        }
    }

    /// `members` with a list, or with nothing.
    fn listed(&mut self, op: Op, value: Value) -> Result<(), ScimError> {
        match op {
            // Entra-wire bug 1: only a remove that names nobody is about everybody. An empty list names nobody *to
            // remove*: it is what is left when a client has filtered its own list.
            Op::Remove if value.is_null() => self.clear(),
            Op::Remove => self.say_each(false, value)?,
            Op::Add => self.say_each(true, value)?,
            Op::Replace => {
                self.clear();
                self.say_each(true, value)?;
            }
        }
        Ok(())
    }

    /// `members[value eq "ID"]`
    fn selected(&mut self, op: Op, filter: &Filter, value: Value) -> Result<(), ScimError> {
        let mut named = Vec::new();
        ids_of_filter(filter, &mut named)?;
        if op == Op::Remove {
            return self.say_each(false, named.into());
        }
        // RFC 7644 §3.5.2.3 has `noTarget` for a replace of who is not there; to Entra such a path is a way to add
        // (rule 6), but only of the one member that it describes.
        if named.len() != 1 {
            return Err(ScimError::invalid_filter("a path that adds a member names one id"));
        }
        if !value.is_null() && self.ids(value)? != named {
            return Err(ScimError::invalid_value(
                "the value names other members than the filter of the path; send the ids to 'members'",
            ));
        }
        self.say_each(true, named.into())
    }

    /// `members.value` with ids. Without any it would be about every member, in a way that empties the group: too much
    /// for a guess.
    fn values(&mut self, op: Op, value: Value) -> Result<(), ScimError> {
        let ids = self.ids(value)?;
        if ids.is_empty() && op != Op::Add {
            return Err(which_members());
        }
        if op == Op::Replace {
            self.clear();
        }
        ids.into_iter().for_each(|id| self.say(op != Op::Remove, id));
        Ok(())
    }

    fn clear(&mut self) {
        self.clear = true;
        self.said.clear();
        self.places.clear();
    }

    fn say_each(&mut self, is_added: bool, value: Value) -> Result<(), ScimError> {
        self.ids(value)?.into_iter().for_each(|id| self.say(is_added, id));
        Ok(())
    }

    fn say(&mut self, is_added: bool, id: String) {
        match self.places.entry(id) {
            Entry::Vacant(place) => {
                self.said.push((place.key().clone(), is_added));
                place.insert(self.said.len() - 1);
            }
            Entry::Occupied(place) => {
                if let Some(said) = self.said.get_mut(*place.get()) {
                    said.1 = is_added;
                }
            }
        }
    }

    /// The ids of the members that a value lists.
    fn ids(&mut self, value: Value) -> Result<Vec<String>, ScimError> {
        let items = match value {
            Value::Null => Vec::new(),
            Value::Array(items) => items,
            single => vec![single],
        };
        self.listed += items.len();
        if self.listed > MAX_MEMBERS_PER_REQUEST {
            return Err(ScimError::invalid_value(format!(
                "a request lists at most {MAX_MEMBERS_PER_REQUEST} members; send the others in further requests"
            )));
        }
        items.into_iter().filter_map(|item| id_of(item).transpose()).collect()
    }
}

/// The id of one member; `None` for what stands for no value.
fn id_of(item: Value) -> Result<Option<String>, ScimError> {
    match item {
        Value::Object(member) if !member.is_empty() => id_of_object(member).map(Some),
        Value::Object(_) => Ok(None),
        plain => canonical_id(plain),
    }
}

fn id_of_object(member: Map<String, Value>) -> Result<String, ScimError> {
    let (mut id, mut reference) = (None, None);
    for (key, value) in member {
        let (name, slot) = match key.to_ascii_lowercase().as_str() {
            "value" => ("members.value", &mut id),
            "$ref" => ("members.$ref", &mut reference),
            _ => continue,
        };
        if slot.replace(value).is_some() {
            return Err(sent_twice(name));
        }
    }
    if let Some(id) = canonical_id(id.unwrap_or_default())? {
        return Ok(id);
    }
    let referred = reference.as_ref().and_then(Value::as_str).and_then(id_of_reference);
    // A member without an id is refused, not skipped: nobody would see that it is missing (entra-wire bug 17).
    canonical_id(referred.into())?.ok_or_else(|| {
        ScimError::invalid_value("a member is an object with the id of a user or group in 'value'")
    })
}

/// `https://…/Users/ID`, also relative (RFC 7643 §4.2).
fn id_of_reference(uri: &str) -> Option<&str> {
    let (collection, id) = uri.strip_suffix('/').unwrap_or(uri).rsplit_once('/')?;
    let endpoint = collection.rsplit('/').next()?;
    (endpoint.eq_ignore_ascii_case("Users") || endpoint.eq_ignore_ascii_case("Groups")).then_some(id)
}

fn canonical_id(mut value: Value) -> Result<Option<String>, ScimError> {
    let Some(attribute) = definition() else { return Ok(None) };
    let is_given = one(Place { parent: Some("members"), attribute }, &mut value)?;
    Ok(match value {
        Value::String(id) if is_given => Some(id),
        _ => None,
    })
}

fn definition() -> Option<&'static Attribute> {
    groups().attribute("members")?.sub_attribute("value")
}

/// The ids that a filter asks for, when it asks for nothing else.
fn ids_of_filter(filter: &Filter, ids: &mut Vec<String>) -> Result<(), ScimError> {
    match filter {
        Filter::Compare { path, op: filter::Op::Equal, value: Literal::Exact(id) }
            if path.name == "value" && !id.is_empty() =>
        {
            ids.push(id.clone());
            Ok(())
        }
        Filter::Or(filters) => filters.iter().try_for_each(|filter| ids_of_filter(filter, ids)),
        _ => Err(ScimError::invalid_filter(
            "a path selects members by their ids, as in members[value eq \"ID\"], joined by 'or'",
        )),
    }
}

fn which_members() -> ScimError {
    ScimError::invalid_path("the path does not say which members are meant; send a list of ids to 'members'")
}
