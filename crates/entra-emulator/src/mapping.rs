//! Which source attribute flows to which SCIM attribute, and what differs between the two?
//!
//! The tables are those of Microsoft's documentation: the default mapping of a SCIM application, and the target
//! list of TimeClock 365's gallery application. A source attribute without a value does not flow (it is skipped,
//! not sent as null), so it is not compared either.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::tenant::{Account, Person};

/// The URN of RFC 7643's enterprise extension, which prefixes its attributes in paths.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The core user schema (RFC 7643 §4.1).
pub(crate) const CORE_USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// A table of attribute mappings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mapping {
    /// What a non-gallery SCIM application starts with: names, mail, phones, address, department …
    Default,
    /// What TimeClock 365's gallery application documents: seven attributes.
    Gallery,
}

/// A place in a SCIM resource that Entra can map to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `displayName`
    Plain(&'static str),
    /// `name.givenName`
    Sub(&'static str, &'static str),
    /// `emails[type eq "work"].value`
    Typed(&'static str, &'static str, &'static str),
    /// `urn:…:User:department`
    Enterprise(&'static str),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(name) => f.write_str(name),
            Self::Sub(name, sub) => write!(f, "{name}.{sub}"),
            Self::Typed(name, kind, sub) => write!(f, "{name}[type eq \"{kind}\"].{sub}"),
            Self::Enterprise(name) => write!(f, "{ENTERPRISE}:{name}"),
        }
    }
}

impl Target {
    /// Whether the flagged dialect folds this target into its pathless operation.
    pub(crate) fn is_single_valued(self) -> bool {
        !matches!(self, Self::Typed(..))
    }

    /// The value at this place of a resource; an empty string counts as no value, as Entra counts it.
    pub(crate) fn read(self, resource: &Map<String, Value>) -> Option<&Value> {
        let found = match self {
            Self::Plain(name) => resource.get(name),
            Self::Sub(name, sub) => resource.get(name)?.get(sub),
            Self::Enterprise(name) => resource.get(ENTERPRISE)?.get(name),
            Self::Typed(name, kind, sub) => resource
                .get(name)?
                .as_array()?
                .iter()
                .find(|element| {
                    element.get("type").and_then(Value::as_str).is_some_and(|t| t.eq_ignore_ascii_case(kind))
                })?
                .get(sub),
        };
        found.filter(|value| !value.is_null() && value.as_str() != Some(""))
    }

    /// Puts a value at this place of a resource that is being composed for POST.
    pub(crate) fn write(self, resource: &mut Map<String, Value>, value: Value) {
        match self {
            Self::Plain(name) => {
                resource.insert(name.to_owned(), value);
            }
            Self::Sub(name, sub) => put(object_at(resource, name), sub, value),
            Self::Enterprise(name) => put(object_at(resource, ENTERPRISE), name, value),
            Self::Typed(name, kind, sub) => {
                let list = resource.entry(name).or_insert_with(|| Value::Array(Vec::new()));
                let Some(list) = list.as_array_mut() else { return };
                let at =
                    list.iter().position(|element| element.get("type").and_then(Value::as_str) == Some(kind));
                let at = at.unwrap_or_else(|| {
                    let mut element = Map::new();
                    if name == "emails" {
                        element.insert("primary".to_owned(), Value::Bool(true));
                    }
                    element.insert("type".to_owned(), Value::from(kind));
                    list.push(Value::Object(element));
                    list.len() - 1
                });
                if let Some(element) = list.get_mut(at) {
                    put(element, sub, value);
                }
            }
        }
    }
}

fn object_at<'a>(resource: &'a mut Map<String, Value>, name: &str) -> &'a mut Value {
    resource.entry(name).or_insert_with(|| Value::Object(Map::new()))
}

fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// One attribute whose mapped value is not what the target has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Change {
    pub(crate) target: Target,
    pub(crate) current: Option<Value>,
    pub(crate) desired: Value,
}

impl Mapping {
    /// The mapped attributes of a person that have a value, in the order of the mapping table. References (manager)
    /// are not among them: they flow after the objects they point to.
    pub(crate) fn flow(self, person: &Person) -> Vec<(Target, Value)> {
        let active = (Target::Plain("active"), Value::Bool(person.account == Account::Enabled));
        let user_name = text(Target::Plain("userName"), Some(&person.user_principal_name));
        let display_name = text(Target::Plain("displayName"), Some(&person.display_name));
        let mail = text(Target::Typed("emails", "work", "value"), person.mail.as_ref());
        let external_id = text(Target::Plain("externalId"), person.mail_nickname.as_ref());
        let employee = text(Target::Enterprise("employeeNumber"), person.employee_id.as_ref());
        let flows = match self {
            Self::Gallery => vec![user_name, Some(active), display_name, mail, external_id, employee],
            Self::Default => {
                let mut flows = vec![
                    user_name,
                    Some(active),
                    display_name,
                    text(Target::Plain("title"), person.job_title.as_ref()),
                    mail,
                    text(Target::Plain("preferredLanguage"), person.preferred_language.as_ref()),
                ];
                flows.extend(name_flows(person));
                flows.extend(contact_flows(person));
                flows.push(external_id);
                flows.push(employee);
                flows.push(text(Target::Enterprise("department"), person.department.as_ref()));
                flows
            }
        };
        flows.into_iter().flatten().collect()
    }

    /// The mapped attributes that differ between a person and a resource read from the target. Values are compared
    /// exactly, so a change of case only is a change.
    pub(crate) fn differences(self, person: &Person, resource: &Map<String, Value>) -> Vec<Change> {
        self.flow(person)
            .into_iter()
            .filter_map(|(target, desired)| {
                let current = target.read(resource);
                (current != Some(&desired)).then(|| Change { target, current: current.cloned(), desired })
            })
            .collect()
    }
}

fn name_flows(person: &Person) -> [Option<(Target, Value)>; 3] {
    let given = person.given_name.as_deref();
    let surname = person.surname.as_deref();
    // Join(" ", [givenName], [surname])
    let formatted = [given, surname].into_iter().flatten().collect::<Vec<_>>().join(" ");
    [
        text(Target::Sub("name", "givenName"), person.given_name.as_ref()),
        text(Target::Sub("name", "familyName"), person.surname.as_ref()),
        text(Target::Sub("name", "formatted"), Some(&formatted)),
    ]
}

fn contact_flows(person: &Person) -> [Option<(Target, Value)>; 9] {
    [
        text(Target::Typed("addresses", "work", "formatted"), person.office.as_ref()),
        text(Target::Typed("addresses", "work", "streetAddress"), person.street_address.as_ref()),
        text(Target::Typed("addresses", "work", "locality"), person.city.as_ref()),
        text(Target::Typed("addresses", "work", "region"), person.state.as_ref()),
        text(Target::Typed("addresses", "work", "postalCode"), person.postal_code.as_ref()),
        text(Target::Typed("addresses", "work", "country"), person.country.as_ref()),
        text(Target::Typed("phoneNumbers", "work", "value"), person.telephone_number.as_ref()),
        text(Target::Typed("phoneNumbers", "mobile", "value"), person.mobile.as_ref()),
        text(Target::Typed("phoneNumbers", "fax", "value"), person.fax.as_ref()),
    ]
}

fn text(target: Target, value: Option<&String>) -> Option<(Target, Value)> {
    value.filter(|value| !value.is_empty()).map(|value| (target, Value::from(value.as_str())))
}
