//! Which attributes of a resource an answer shows: `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5, §3.9).

use serde_json::{Map, Value};

use crate::attribute_path::AttributePath;
use crate::error::ScimError;
use crate::schema::{Returned, SchemaSet};

/// The longest list of attributes, in bytes.
pub const MAX_LENGTH: usize = 4096;

/// What is asked for. `schemas`, `id` and whatever else a schema returns always are shown in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Projection {
    /// Everything, which is what is asked for when nothing is said.
    #[default]
    Everything,
    /// These and nothing else.
    Only(Selection),
    /// Everything but these.
    Without(Selection),
}

/// A set of attributes, as the tree in which a rendered resource holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection(Vec<(String, Branch)>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Branch {
    Whole,
    Part(Selection),
}

impl Projection {
    /// Reads the two query parameters, comma-separated lists of attribute paths. An empty list asks for nothing.
    ///
    /// A value filter is ignored (Microsoft's reference tests ask for `emails[type eq "work"]`): all e-mail addresses
    /// are shown. Unknown attributes and what is no attribute path at all are ignored as well.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` when both lists name something, because they exclude each other (RFC 7644 §3.4.2.5), and
    /// when one is longer than [`MAX_LENGTH`].
    pub fn parse(
        schemas: &SchemaSet,
        attributes: Option<&str>,
        excluded: Option<&str>,
    ) -> Result<Self, ScimError> {
        let asked = |list: Option<&str>| list.is_some_and(|list| !list.trim().is_empty());
        if [attributes, excluded].into_iter().flatten().any(|list| list.len() > MAX_LENGTH) {
            let reason = format!("a list of attributes is longer than {MAX_LENGTH} bytes");
            return Err(ScimError::invalid_value(reason));
        }
        match (attributes, excluded) {
            _ if asked(attributes) && asked(excluded) => {
                let reason = "'attributes' and 'excludedAttributes' exclude each other";
                Err(ScimError::invalid_value(reason))
            }
            (Some(list), _) if asked(attributes) => {
                let always = every_resource_has(schemas).map(|name| AttributePath::of(name.as_str()));
                let named = names(list).filter_map(|name| known(schemas, &name));
                Ok(Self::Only(named.chain(always).collect()))
            }
            (_, Some(list)) if asked(excluded) => {
                let named = names(list).filter_map(|name| known(schemas, &name));
                Ok(Self::Without(named.filter(|path| !is_returned_always(schemas, path)).collect()))
            }
            _ => Ok(Self::Everything),
        }
    }

    /// Whether [`apply`](Self::apply) changes nothing, so that a resource may be answered without being taken apart.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(_) => false,
            Self::Without(selection) => selection.0.is_empty(),
        }
    }

    /// Whether anything of the attribute of that name, spelt as the schema does, can be shown. What cannot need not be
    /// loaded: Entra asks for groups without their members (entra-wire bug 18).
    #[must_use]
    pub fn shows(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Only(selection) => selection.branch(name).is_some(),
            Self::Without(selection) => selection.branch(name) != Some(&Branch::Whole),
        }
    }

    /// Takes from a rendered resource what is not asked for. What is left empty by that is left out.
    pub fn apply(&self, resource: &mut Map<String, Value>) {
        match self {
            Self::Everything => {}
            Self::Only(selection) => selection.keep(resource),
            Self::Without(selection) => selection.remove(resource),
        }
    }
}

impl Selection {
    fn keep(&self, object: &mut Map<String, Value>) {
        object.retain(|key, value| match self.branch(key) {
            None => false,
            Some(Branch::Whole) => true,
            Some(Branch::Part(part)) => prune(value, |object| part.keep(object)),
        });
    }

    fn remove(&self, object: &mut Map<String, Value>) {
        object.retain(|key, value| match self.branch(key) {
            None => true,
            Some(Branch::Whole) => false,
            Some(Branch::Part(part)) => prune(value, |object| part.remove(object)),
        });
    }

    fn branch(&self, key: &str) -> Option<&Branch> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, branch)| branch)
    }

    /// Adds what is found by following `keys`.
    fn insert(&mut self, keys: &[&str]) {
        let Some((first, rest)) = keys.split_first() else {
            return;
        };
        let index = self.0.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
            self.0.push(((*first).to_owned(), Branch::Part(Self::default())));
            self.0.len() - 1
        });
        if let Some((_, branch)) = self.0.get_mut(index) {
            match branch {
                Branch::Whole => {}
                Branch::Part(_) if rest.is_empty() => *branch = Branch::Whole,
                Branch::Part(part) => part.insert(rest),
            }
        }
    }
}

impl FromIterator<AttributePath> for Selection {
    fn from_iter<I: IntoIterator<Item = AttributePath>>(paths: I) -> Self {
        let mut selection = Self::default();
        for path in paths {
            let name = (!path.is_extension()).then_some(path.name.as_str());
            let keys: Vec<&str> =
                [path.urn.as_deref(), name, path.sub.as_deref()].into_iter().flatten().collect();
            selection.insert(&keys);
        }
        selection
    }
}

/// Prunes an object, or every object of a list; false when nothing is left.
fn prune(value: &mut Value, with: impl Fn(&mut Map<String, Value>)) -> bool {
    match value {
        Value::Object(object) => {
            with(object);
            !object.is_empty()
        }
        Value::Array(elements) => {
            elements.iter_mut().filter_map(Value::as_object_mut).for_each(&with);
            elements.retain(|element| element.as_object().is_none_or(|object| !object.is_empty()));
            !elements.is_empty()
        }
        _ => true,
    }
}

/// The paths of a comma-separated list, without their value filters. A comma between brackets separates nothing.
fn names(list: &str) -> impl Iterator<Item = String> {
    let (mut names, mut in_brackets, mut in_quotes) = (vec![String::new()], false, false);
    for c in list.chars() {
        match c {
            '"' if in_brackets => in_quotes = !in_quotes,
            ']' if !in_quotes => in_brackets = false,
            _ if in_brackets => {}
            '[' => in_brackets = true,
            ',' => names.push(String::new()),
            _ => names.last_mut().into_iter().for_each(|name| name.push(c)),
        }
    }
    names.into_iter()
}

fn known(schemas: &SchemaSet, name: &str) -> Option<AttributePath> {
    let path = AttributePath::parse(schemas, name).ok()?;
    let is_known = match &path.urn {
        Some(urn) if path.is_extension() => schemas.extension(urn).is_some(),
        _ => path.resolve(schemas).is_some(),
    };
    is_known.then_some(path)
}

fn is_returned_always(schemas: &SchemaSet, path: &AttributePath) -> bool {
    path.resolve(schemas).is_some_and(|resolved| resolved.leaf().returned == Returned::Always)
}

/// The names of the attributes that are shown whatever is asked for.
fn every_resource_has(schemas: &SchemaSet) -> impl Iterator<Item = &String> {
    let attributes = crate::schema::common().iter().chain(&schemas.base().attributes);
    attributes.filter(|attribute| attribute.returned == Returned::Always).map(|attribute| &attribute.name)
}
