//! What a request makes its answer depend on: `If-Match` and `If-None-Match` (RFC 7644 §3.14).

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderName, HeaderValue, ToStrError},
};
use bus_contract::provisioning::VersionCondition;
use scim_protocol::{
    error::ScimError,
    etag::{self, Versions},
};

/// What `If-Match` demands of a change.
pub(super) fn demanded(request: &HttpRequest) -> Result<Option<VersionCondition>, ScimError> {
    // RFC 7644 §3.14 has it for reading alone; ignored, it would let a change through that was not to be made.
    if request.headers().contains_key(header::IF_NONE_MATCH) {
        return Err(ScimError::invalid_value(
            "If-None-Match is for GET. Bind a change to the version that you have seen with If-Match.",
        ));
    }
    // A condition that cannot be read must not be taken for none.
    let header = list(request, header::IF_MATCH).map_err(|_not_ascii| {
        ScimError::invalid_value("If-Match holds characters that no tag of this service has.")
    })?;
    header.map(|header| of_tags(&header)).transpose()
}

/// The condition that tags stand for, as in `If-Match`. Tags that name no version of ours are met by none.
pub(super) fn of_tags(tags: &str) -> Result<VersionCondition, ScimError> {
    match etag::parse_if_match(tags)? {
        Versions::Any => Ok(VersionCondition { versions: Vec::new() }),
        Versions::OneOf(versions) if versions.is_empty() => {
            Err(ScimError::precondition_failed("The resource has no version with this tag."))
        }
        Versions::OneOf(versions) => Ok(VersionCondition { versions }),
    }
}

/// Whether the caller has this version already. What cannot be read names no version, and spares nothing.
pub(super) fn has_already(request: &HttpRequest, version: i64) -> bool {
    let known = list(request, header::IF_NONE_MATCH).ok().flatten();
    known.is_some_and(|tags| etag::parse_if_none_match(&tags).contain(version))
}

/// A header that is a list; several lines of it are one (RFC 9110 §5.3).
fn list(request: &HttpRequest, name: HeaderName) -> Result<Option<String>, ToStrError> {
    let lines = request.headers().get_all(name).map(HeaderValue::to_str);
    let lines = lines.collect::<Result<Vec<_>, _>>()?;
    Ok((!lines.is_empty()).then(|| lines.join(", ")))
}
