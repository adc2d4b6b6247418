//! One operation of a bulk request.

use super::MAX_BULK_ID_BYTES;
use super::reference::{self, Unresolved};
use crate::error::ScimError;
use crate::json::kind_of;
use crate::resource::canonical::sent_twice;
use crate::schema::{SchemaSet, groups, users};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::fmt;

/// An operation as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkOperation {
    /// The method, when it is one.
    pub method: Option<Method>,
    /// The name that the client gave the operation, up to [`MAX_BULK_ID_BYTES`]; each POST has one.
    pub bulk_id: Option<String>,
    /// What to do, or what is wrong with it.
    pub action: Result<Action, ScimError>,
}

/// The methods that a bulk request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Creates.
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Deletes.
    Delete,
}

/// What an operation asks for.
#[derive(Clone, PartialEq)]
pub struct Action {
    /// How.
    pub method: Method,
    /// Of which resource, or where to create one.
    pub target: Target,
    /// The entity tag that the resource must have, as in `If-Match`; never of a POST.
    pub version: Option<String>,
    /// The body that the single request would have; `null` for a DELETE.
    pub data: Value,
}

/// A path that is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Of which kind the resource is.
    pub endpoint: Endpoint,
    /// Its id, or `bulkId:` with the `bulkId` of an operation that creates it; `None` for a POST.
    pub id: Option<String>,
}

/// Where resources are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// `/Users`
    Users,
    /// `/Groups`
    Groups,
}

impl BulkOperation {
    pub(super) fn of(sent: Value) -> Self {
        let mut members = match Sent::of(sent) {
            Ok(members) => members,
            Err(error) => return Self { method: None, bulk_id: None, action: Err(error) },
        };
        let method = Method::of(&members.method);
        let bulk_id = members.bulk_id();
        let action = match (&method, &bulk_id) {
            (Err(error), _) | (_, Err(error)) => Err(error.clone()),
            (Ok(Method::Post), Ok(None)) => Err(ScimError::invalid_value("a POST needs a 'bulkId'")),
            (Ok(method), Ok(_)) => members.action(*method),
        };
        Self { method: method.ok(), bulk_id: bulk_id.ok().flatten(), action }
    }

    /// The `bulkId` by which others may refer to what this operation creates.
    pub(super) fn creates_under(&self) -> Option<&str> {
        let creates = self.action.as_ref().is_ok_and(|action| action.method == Method::Post);
        self.bulk_id.as_deref().filter(|_| creates)
    }
}

/// The members of an operation, none of them checked.
#[derive(Default)]
struct Sent {
    method: Value,
    bulk_id: Value,
    path: Value,
    version: Value,
    data: Value,
}

impl Sent {
    fn of(sent: Value) -> Result<Self, ScimError> {
        let Value::Object(object) = sent else {
            return Err(ScimError::invalid_syntax(format!("it is {}, not an object", kind_of(&sent))));
        };
        Self::of_object(object)
    }

    fn of_object(object: Map<String, Value>) -> Result<Self, ScimError> {
        let mut sent = Self::default();
        for (key, value) in object {
            let (name, slot) = match key.to_ascii_lowercase().as_str() {
                "method" => ("method", &mut sent.method),
                "bulkid" => ("bulkId", &mut sent.bulk_id),
                "path" => ("path", &mut sent.path),
                "version" => ("version", &mut sent.version),
                "data" => ("data", &mut sent.data),
                _ => continue,
            };
            if !std::mem::replace(slot, value).is_null() {
                return Err(sent_twice(name));
            }
        }
        Ok(sent)
    }

    fn bulk_id(&self) -> Result<Option<String>, ScimError> {
        match &self.bulk_id {
            Value::Null => Ok(None),
            Value::String(text) if text.len() > MAX_BULK_ID_BYTES => {
                Err(ScimError::invalid_value(format!("a 'bulkId' has at most {MAX_BULK_ID_BYTES} bytes")))
            }
            Value::String(text) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
            other => Err(ScimError::invalid_value(format!("'bulkId' is {}, not a string", kind_of(other)))),
        }
    }

    fn action(&mut self, method: Method) -> Result<Action, ScimError> {
        let target = Target::of(method, &self.path)?;
        let version = match std::mem::take(&mut self.version) {
            // There is nothing yet that could have a version.
            _ if method == Method::Post => None,
            Value::Null => None,
            Value::String(version) => Some(version).filter(|version| !version.trim().is_empty()),
            other => {
                return Err(ScimError::invalid_value(format!(
                    "'version' is {}, not a string",
                    kind_of(&other)
                )));
            }
        };
        let data = match std::mem::take(&mut self.data) {
            _ if method == Method::Delete => Value::Null,
            data @ Value::Object(_) => data,
            Value::Null => return Err(ScimError::invalid_value(format!("a {method} needs 'data'"))),
            other => {
                return Err(ScimError::invalid_syntax(format!(
                    "'data' is {}, not an object",
                    kind_of(&other)
                )));
            }
        };
        Ok(Action { method, target, version, data })
    }
}

impl Method {
    fn of(sent: &Value) -> Result<Self, ScimError> {
        let named =
            |method: &Self| sent.as_str().is_some_and(|text| text.eq_ignore_ascii_case(method.as_str()));
        [Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(named)
            .ok_or_else(|| ScimError::invalid_syntax("'method' is one of POST, PUT, PATCH and DELETE"))
    }

    /// The method as HTTP spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Action {
    /// Puts ids in the place of the references to them, in the path and in the data. `known` are the ids of what was
    /// created, by `bulkId`.
    ///
    /// # Errors
    ///
    /// [`Unresolved`] when one is not among them; then nothing has changed.
    pub fn resolve(&mut self, known: &HashMap<String, String>) -> Result<(), Unresolved> {
        let id = match self.target.reference() {
            None => None,
            Some(bulk_id) => Some(known.get(bulk_id).ok_or_else(|| Unresolved::of(bulk_id))?.clone()),
        };
        reference::resolve(&mut self.data, known)?;
        if id.is_some() {
            self.target.id = id;
        }
        Ok(())
    }
}

/// Without the data, which is personal.
impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

impl Endpoint {
    /// The resources that are served there.
    #[must_use]
    pub fn schemas(self) -> &'static SchemaSet {
        match self {
            Self::Users => users(),
            Self::Groups => groups(),
        }
    }
}

impl Target {
    /// Reads `/Users`, `/Users/{id}` and the same of groups. The answers are those that the single request would have.
    fn of(method: Method, path: &Value) -> Result<Self, ScimError> {
        let Some(path) = path.as_str() else {
            return Err(ScimError::invalid_value("an operation needs a 'path', such as /Users"));
        };
        let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
        let endpoint = match segments.next() {
            Some(name) if name.eq_ignore_ascii_case("Users") => Endpoint::Users,
            Some(name) if name.eq_ignore_ascii_case("Groups") => Endpoint::Groups,
            _ => return Err(not_served()),
        };
        let id = match (segments.next(), segments.next()) {
            (None, _) => None,
            (Some(id), None) if is_id(id) => Some(id.to_owned()),
            _ => return Err(not_served()),
        };
        match (method, &id) {
            (Method::Post, Some(_)) => Err(ScimError::method_not_allowed(
                "a POST creates; its path is /Users or /Groups, without an id",
            )),
            (Method::Put | Method::Patch | Method::Delete, None) => Err(ScimError::method_not_allowed(
                format!("a {method} is about one resource; its path ends in the id"),
            )),
            _ => Ok(Self { endpoint, id }),
        }
    }

    /// The `bulkId` that the path refers to.
    pub(super) fn reference(&self) -> Option<&str> {
        self.id.as_deref().and_then(reference::bulk_id)
    }

    /// The URL of the resource below `base`, the SCIM root without a slash at its end; `None` while it has no id.
    #[must_use]
    pub fn location(&self, base: &str) -> Option<String> {
        let id = self.id.as_deref().filter(|_| self.reference().is_none())?;
        Some(format!("{base}{}/{id}", self.endpoint.schemas().endpoint()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.endpoint.schemas().endpoint())?;
        match &self.id {
            Some(id) => write!(f, "/{id}"),
            None => Ok(()),
        }
    }
}

/// A path names nothing else than a resource: no query, no escapes, no `/.search`.
fn is_id(segment: &str) -> bool {
    !segment.is_empty()
        && !segment.starts_with('.')
        && segment.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'%'))
}

fn not_served() -> ScimError {
    ScimError::not_found("a bulk operation's path is /Users or /Groups, followed by the id of a resource")
}
