//! Versions as weak entity tags, and the conditions that clients put on them (RFC 7644 §3.14, RFC 9110 §13.1).
//!
//! Entra sends no conditions; a request without one is always answered.

use crate::error::ScimError;

/// The most tags of one header.
pub const MAX_TAGS: usize = 64;

/// The entity tag of a version, `W/"7"`: the value of the `ETag` header and of `meta.version`.
///
/// It is weak because the same version may be answered in other bytes, under another base URL for example.
#[must_use]
pub fn etag(version: i64) -> String {
    format!("W/\"{version}\"")
}

/// The versions that a condition names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Versions {
    /// `*`: whichever there is.
    Any,
    /// One of these. Tags that are not of our making name no version.
    OneOf(Vec<i64>),
}

impl Versions {
    /// Whether `version` is named. Weak and strong tags compare alike: RFC 7644 §3.14 sends weak ones in `If-Match`.
    #[must_use]
    pub fn contain(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::OneOf(versions) => versions.contains(&version),
        }
    }
}

/// Reads `If-Match`: the request is carried out when the versions contain the present one, otherwise it is a 412.
///
/// # Errors
///
/// 400 `invalidValue` for what is no list of entity tags or a list of more than [`MAX_TAGS`]. A condition that is not
/// understood must not be taken for met.
pub fn parse_if_match(header: &str) -> Result<Versions, ScimError> {
    parse(header).ok_or_else(|| {
        ScimError::invalid_value(format!(
            "If-Match is '*' or a list of up to {MAX_TAGS} tags such as W/\"7\""
        ))
    })
}

/// Reads `If-None-Match`: a read is a 304 when the versions contain the present one.
///
/// What is no list of entity tags names no version, and the resource is answered in full.
#[must_use]
pub fn parse_if_none_match(header: &str) -> Versions {
    parse(header).unwrap_or(Versions::OneOf(Vec::new()))
}

/// RFC 9110 §8.8.3: tags are separated by commas, and may contain some.
fn parse(header: &str) -> Option<Versions> {
    let mut rest = header.trim();
    if rest == "*" {
        return Some(Versions::Any);
    }
    let mut versions = Vec::new();
    for _ in 0..MAX_TAGS {
        let tag = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (opaque, after) = tag.split_once('"')?;
        versions.extend(version(opaque));
        rest = after.trim_start();
        if rest.is_empty() {
            return Some(Versions::OneOf(versions));
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
    None
}

/// Only the spelling that [`etag`] prints is a version: `"07"` and `"+7"` are somebody else's tags.
fn version(opaque: &str) -> Option<i64> {
    let version = opaque.parse().ok()?;
    (opaque == format!("{version}")).then_some(version)
}
