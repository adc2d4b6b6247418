//! What became of each object? The entries of a cycle, in the words of Entra's provisioning log.

use std::{fmt, sync::Arc};

use serde::Serialize;

use crate::{
    deserialise::Unreadable,
    exchange::{Answer, Exchange},
    tenant::ObjectId,
};

/// A user or a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Kind {
    User,
    Group,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::User => "user",
            Self::Group => "group",
        })
    }
}

/// What was done, or should have been.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// POST.
    Create,
    /// Found by the matching query and identical: nothing to send.
    Link,
    /// PATCH of attributes.
    Update,
    /// PATCH that sets `active` to false.
    Disable,
    /// PATCH that sets `active` to true.
    Enable,
    /// DELETE.
    Delete,
    /// PATCH of the manager reference.
    Manager,
    /// PATCH of members.
    Members,
    /// Read back and compared; ours, not Entra's.
    Verify,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Link => "link",
            Self::Update => "update",
            Self::Disable => "disable",
            Self::Enable => "enable",
            Self::Delete => "delete",
            Self::Manager => "manager",
            Self::Members => "members",
            Self::Verify => "verify",
        })
    }
}

/// How it ended.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// As intended.
    Success,
    /// Nothing was sent, for this reason.
    Skipped(Skip),
    /// It went into escrow and is tried again in the next cycle.
    Failure(Failure),
}

/// Why nothing was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Skip {
    /// The target has every mapped value already.
    RedundantExport,
    /// A person who is not enabled is not created.
    NotEffectivelyEntitled,
    /// The manager is not provisioned, so the reference is dropped.
    UnableToResolveReferenceAttributeValue,
    /// Never provisioned, so there is nothing to delete.
    NotProvisioned,
    /// The job was quarantined before this object's turn.
    Quarantined,
}

/// Why an object failed.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Entra's error code.
    pub code: &'static str,
    /// What an administrator would read.
    pub reason: String,
    /// The exchange that shows it.
    pub exchange: Option<Arc<Exchange>>,
}

/// One line of the provisioning log.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The object in Entra.
    pub object: ObjectId,
    /// A user or a group.
    pub kind: Kind,
    /// Its sign-in name or display name.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
}

/// Why the whole job was stopped. Entra shows it as a banner and backs off to one cycle a day.
#[derive(Debug, Clone)]
pub struct Quarantine {
    /// What is wrong, in words for the administrator.
    pub message: String,
    /// The exchange that shows it.
    pub exchange: Arc<Exchange>,
}

impl Failure {
    /// The status of the exchange that shows it; `None` when the server did not answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.exchange.as_ref()?.status()
    }

    /// A status that is not a success, or no answer at all, worded as Entra words it: with the raw body.
    pub(crate) fn refused(exchange: &Arc<Exchange>) -> Self {
        let (code, reason) = match &exchange.answer {
            Answer::Nothing { fault, timed_out } => {
                (if *timed_out { "Timeout" } else { "WebExceptionProtocolError" }, fault.clone())
            }
            Answer::Response { status, body, .. } => {
                let (name, code) = status_names(*status);
                let text =
                    format!("StatusCode: {name}. The server refused the request. Web Response: {body}");
                (code, text)
            }
        };
        Self { code, reason, exchange: Some(Arc::clone(exchange)) }
    }

    /// An answer that Entra's deserialiser cannot read.
    pub(crate) fn unreadable(exchange: &Arc<Exchange>, why: &Unreadable) -> Self {
        Self {
            code: "SystemForCrossDomainIdentityManagementServiceIncompatible",
            reason: format!("Entra could not read the answer: {why}"),
            exchange: Some(Arc::clone(exchange)),
        }
    }

    /// The matching query found several.
    pub(crate) fn several(exchange: &Arc<Exchange>, count: usize) -> Self {
        Self {
            code: "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse",
            reason: format!("the matching filter returned {count} objects instead of at most one"),
            exchange: Some(Arc::clone(exchange)),
        }
    }

    /// What was read back is not what was sent.
    pub(crate) fn differs(exchange: &Arc<Exchange>, reason: String) -> Self {
        Self { code: "VerificationFailed", reason, exchange: Some(Arc::clone(exchange)) }
    }
}

/// The .NET name of a status and Entra's error code for it.
fn status_names(status: u16) -> (String, &'static str) {
    let (name, code) = match status {
        400 => ("BadRequest", "SystemForCrossDomainIdentityManagementBadRequest"),
        401 => ("Unauthorized", "Unauthorized"),
        403 => ("Forbidden", "InsufficientRights"),
        404 => ("NotFound", "InvalidAnchor"),
        405 => ("MethodNotAllowed", "MethodNotAllowed"),
        409 => ("Conflict", "Conflict"),
        413 => ("RequestEntityTooLarge", "WebExceptionProtocolError"),
        415 => ("UnsupportedMediaType", "WebExceptionProtocolError"),
        422 => ("UnprocessableEntity", "UnprocessableEntity"),
        429 => ("TooManyRequests", "TooManyRequests"),
        500 => ("InternalServerError", "InternalServerError"),
        501 => ("NotImplemented", "NotImplemented"),
        502 => ("BadGateway", "WebExceptionProtocolError"),
        503 => ("ServiceUnavailable", "WebExceptionProtocolError"),
        504 => ("GatewayTimeout", "Timeout"),
        _ => return (status.to_string(), "WebExceptionProtocolError"),
    };
    (name.to_owned(), code)
}
