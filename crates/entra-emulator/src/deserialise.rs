//! Can Entra read this answer? The checks that its deserialiser makes, after the types of Microsoft's library.
//!
//! A violation is a failure even when a human could guess what was meant: Entra does not guess.

use chrono::{DateTime, NaiveDateTime};
use serde_json::{Map, Value};

use crate::exchange::{Answer, Exchange};

/// What is wrong with an answer, in words for the server's author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(String);

/// A resource that Entra can read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) attributes: Map<String, Value>,
}

/// What kind of resource is expected; each has an attribute that it cannot be without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    User,
    Group,
}

const ENTERPRISE: &str = crate::mapping::ENTERPRISE;

/// The body of an answer as one resource.
pub(crate) fn resource(exchange: &Exchange, expected: Expected) -> Result<Resource, Unreadable> {
    check_resource(body(exchange)?, expected)
}

/// The body of an answer as a list response: the resources, all of them readable.
pub(crate) fn list(exchange: &Exchange, expected: Expected) -> Result<Vec<Resource>, Unreadable> {
    let mut root = body(exchange)?;
    let schemas = strings(&root, "schemas")?;
    require(
        schemas
            .iter()
            .any(|urn| urn.eq_ignore_ascii_case("urn:ietf:params:scim:api:messages:2.0:ListResponse")),
        || "schemas does not name ListResponse".to_owned(),
    )?;
    require(root.contains_key("totalResults"), || "totalResults is missing".to_owned())?;
    for count in ["totalResults", "startIndex", "itemsPerPage"] {
        require(root.get(count).is_none_or(Value::is_u64), || format!("{count} is not an integer"))?;
    }
    let total = root.get("totalResults").and_then(Value::as_u64).unwrap_or_default();
    let resources = match root.remove("Resources") {
        Some(Value::Array(resources)) => resources,
        None if total == 0 => Vec::new(),
        Some(_) => return unreadable("Resources is not an array"),
        None => return unreadable("Resources is missing although totalResults is not 0"),
    };
    require(u64::try_from(resources.len()).is_ok_and(|count| count <= total), || {
        format!("totalResults is {total} but there are {} Resources", resources.len())
    })?;
    resources
        .into_iter()
        .map(|resource| match resource {
            Value::Object(resource) => check_resource(resource, expected),
            _ => unreadable("an element of Resources is not an object"),
        })
        .collect()
}

fn body(exchange: &Exchange) -> Result<Map<String, Value>, Unreadable> {
    let Answer::Response { content_type, body, .. } = &exchange.answer else {
        return unreadable("no answer");
    };
    let media_type = content_type.as_deref().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    require(
        ["application/scim+json", "application/json"].iter().any(|m| media_type.eq_ignore_ascii_case(m)),
        || {
            format!(
                "Content-Type is {:?}, not application/scim+json",
                content_type.as_deref().unwrap_or("missing")
            )
        },
    )?;
    match serde_json::from_str(body) {
        Ok(Value::Object(root)) => Ok(root),
        Ok(_) => unreadable("the body is JSON but not an object"),
        Err(_) if body.trim().is_empty() => unreadable("the body is empty"),
        Err(error) => unreadable(format!("the body is not JSON: {error}")),
    }
}

fn check_resource(attributes: Map<String, Value>, expected: Expected) -> Result<Resource, Unreadable> {
    let id = match attributes.get("id") {
        Some(Value::String(id)) if !id.is_empty() => id.clone(),
        Some(_) => return unreadable("id is not a string with content"),
        None => return unreadable("id is missing"),
    };
    strings(&attributes, "schemas")?;
    let required = match expected {
        Expected::User => "userName",
        Expected::Group => "displayName",
    };
    require(
        attributes.get(required).is_some_and(|name| name.as_str().is_some_and(|name| !name.is_empty())),
        || format!("{required} is not a string with content"),
    )?;
    for name in ["externalId", "displayName", "userName", "title", "preferredLanguage"] {
        require(attributes.get(name).is_none_or(|v| v.is_string() || v.is_null()), || {
            format!("{name} is not a string")
        })?;
    }
    require(attributes.get("active").is_none_or(Value::is_boolean), || "active is not a boolean".to_owned())?;
    require(attributes.get("name").is_none_or(Value::is_object), || "name is not an object".to_owned())?;
    for name in ["emails", "phoneNumbers", "addresses", "roles", "members"] {
        check_elements(&attributes, name)?;
    }
    check_enterprise(&attributes)?;
    check_meta(&attributes)?;
    Ok(Resource { id, attributes })
}

fn check_elements(attributes: &Map<String, Value>, name: &str) -> Result<(), Unreadable> {
    let Some(value) = attributes.get(name) else { return Ok(()) };
    let Some(elements) = value.as_array() else { return unreadable(format!("{name} is not an array")) };
    for element in elements {
        require(element.is_object(), || format!("an element of {name} is not an object"))?;
        require(element.get("primary").is_none_or(Value::is_boolean), || {
            format!("primary in {name} is not a boolean")
        })?;
    }
    Ok(())
}

fn check_enterprise(attributes: &Map<String, Value>) -> Result<(), Unreadable> {
    let Some(extension) = attributes.get(ENTERPRISE) else { return Ok(()) };
    let Some(extension) = extension.as_object() else {
        return unreadable("the enterprise extension is not an object");
    };
    let Some(manager) = extension.get("manager") else { return Ok(()) };
    // The most frequent reason for "unable to parse the response": a manager that is a bare string.
    require(manager.is_object(), || "manager is not an object".to_owned())?;
    require(manager.get("value").is_some_and(Value::is_string), || {
        "manager has no value that is a string".to_owned()
    })
}

fn check_meta(attributes: &Map<String, Value>) -> Result<(), Unreadable> {
    let Some(meta) = attributes.get("meta") else { return Ok(()) };
    require(meta.is_object(), || "meta is not an object".to_owned())?;
    for name in ["created", "lastModified"] {
        require(meta.get(name).is_none_or(|date| date.as_str().is_some_and(is_date_time)), || {
            format!("meta.{name} is not a date and time")
        })?;
    }
    Ok(())
}

/// RFC 7643 §2.3.5: an `xsd:dateTime`, where the time zone is optional.
fn is_date_time(text: &str) -> bool {
    DateTime::parse_from_rfc3339(text).is_ok()
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").is_ok()
}

fn strings(object: &Map<String, Value>, name: &str) -> Result<Vec<String>, Unreadable> {
    let all = object
        .get(name)
        .and_then(Value::as_array)
        .map(|array| array.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>());
    match all {
        Some(Some(strings)) => Ok(strings),
        _ => unreadable(format!("{name} is not an array of strings")),
    }
}

fn require(holds: bool, otherwise: impl FnOnce() -> String) -> Result<(), Unreadable> {
    if holds { Ok(()) } else { Err(Unreadable(otherwise())) }
}

fn unreadable<T>(why: impl Into<String>) -> Result<T, Unreadable> {
    Err(Unreadable(why.into()))
}

#[cfg(test)]
mod tests;
