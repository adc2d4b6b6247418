//! What a SCIM client is told when a request is refused (RFC 7644 §3.12).

use serde_json::{Value, json};
use std::fmt;

/// The URN that marks an error body.
pub const ERROR_URN: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// The error keywords of RFC 7644 §3.12, Table 9, and of RFC 9865 §2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ScimType {
    /// The filter is malformed, or its comparison is not defined for the attribute.
    InvalidFilter,
    /// The filter yields more results than the server is willing to compute.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// The attribute may not be changed in this way.
    Mutability,
    /// The body is not the message that the endpoint reads.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed.
    InvalidPath,
    /// The path of a PATCH operation names nothing that could be changed.
    NoTarget,
    /// A value is missing, of the wrong type or beyond a limit.
    InvalidValue,
    /// The SCIM version is not served here.
    InvalidVers,
    /// The request carries sensitive data where it must not.
    Sensitive,
    /// The cursor is none, or belongs to another list.
    InvalidCursor,
    /// The cursor is too old.
    ExpiredCursor,
    /// The size of a page is no number from 1.
    InvalidCount,
}

impl ScimType {
    const ALL: [Self; 13] = [
        Self::InvalidFilter,
        Self::TooMany,
        Self::Uniqueness,
        Self::Mutability,
        Self::InvalidSyntax,
        Self::InvalidPath,
        Self::NoTarget,
        Self::InvalidValue,
        Self::InvalidVers,
        Self::Sensitive,
        Self::InvalidCursor,
        Self::ExpiredCursor,
        Self::InvalidCount,
    ];

    /// The keyword as the RFC spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::TooMany => "tooMany",
            Self::Uniqueness => "uniqueness",
            Self::Mutability => "mutability",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::InvalidVers => "invalidVers",
            Self::Sensitive => "sensitive",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }

    /// Reads a keyword as the RFC spells it; `None` for anything else, the empty text included.
    #[must_use]
    pub fn parse(keyword: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|candidate| candidate.as_str() == keyword)
    }
}

impl fmt::Display for ScimType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refusal: HTTP status, keyword where the standard has one, and one sentence for the administrator who reads
/// it in Entra's provisioning log.
///
/// The detail may quote attribute names and positions, never attribute values: it ends up in other people's logs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct ScimError {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The keyword, absent where RFC 7644 §3.12 has none (404, 412, 5xx …).
    pub scim_type: Option<ScimType>,
    /// What is wrong and what to do about it.
    pub detail: String,
}

impl ScimError {
    /// A refusal with a status of its own choice.
    #[must_use]
    pub fn new(status: u16, scim_type: Option<ScimType>, detail: impl Into<String>) -> Self {
        Self { status, scim_type, detail: detail.into() }
    }

    /// The error body. Its status is a string, as RFC 7644 §3.12 demands.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = json!({ "schemas": [ERROR_URN], "status": self.status.to_string() });
        if let Some(scim_type) = self.scim_type {
            body["scimType"] = scim_type.as_str().into();
        }
        body["detail"] = self.detail.as_str().into();
        body
    }
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident => $status:literal $(, $scim_type:ident)?;)*) => {
        impl ScimError {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(detail: impl Into<String>) -> Self {
                Self::new($status, None $(.or(Some(ScimType::$scim_type)))?, detail)
            })*
        }
    };
}

refusals! {
    /// 400 `invalidFilter`.
    invalid_filter => 400, InvalidFilter;
    /// 400 `mutability`.
    mutability => 400, Mutability;
    /// 400 `invalidSyntax`.
    invalid_syntax => 400, InvalidSyntax;
    /// 400 `invalidPath`.
    invalid_path => 400, InvalidPath;
    /// 400 `noTarget`.
    no_target => 400, NoTarget;
    /// 400 `invalidValue`.
    invalid_value => 400, InvalidValue;
    /// 400 `invalidCursor`.
    invalid_cursor => 400, InvalidCursor;
    /// 400 `expiredCursor`.
    expired_cursor => 400, ExpiredCursor;
    /// 400 `invalidCount`.
    invalid_count => 400, InvalidCount;
    /// 401, without a keyword.
    unauthorized => 401;
    /// 403, without a keyword.
    forbidden => 403;
    /// 404, without a keyword.
    not_found => 404;
    /// 405, without a keyword.
    method_not_allowed => 405;
    /// 412, without a keyword.
    precondition_failed => 412;
    /// 413, without a keyword.
    payload_too_large => 413;
    /// 415, without a keyword.
    unsupported_media_type => 415;
    /// 429, without a keyword.
    too_many_requests => 429;
    /// 500, without a keyword.
    internal => 500;
    /// 501, without a keyword.
    not_implemented => 501;
    /// 503, without a keyword.
    unavailable => 503;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_an_error_body_is_a_string() {
        let body = ScimError::new(409, Some(ScimType::Uniqueness), "userName is taken").to_json();
        assert_eq!(
            body,
            json!({"schemas": [ERROR_URN], "status": "409", "scimType": "uniqueness", "detail": "userName is taken"})
        );
    }

    #[test]
    fn a_404_has_no_keyword() {
        let body = ScimError::not_found("no such user").to_json();
        assert_eq!(body.get("scimType"), None);
    }

    #[test]
    fn every_keyword_reads_back() {
        for scim_type in ScimType::ALL {
            assert_eq!(ScimType::parse(scim_type.as_str()), Some(scim_type));
        }
        assert_eq!(ScimType::parse(""), None);
    }
}
