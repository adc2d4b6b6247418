//! Pages of resources: which one is asked for, and how it is answered (RFC 7644 §3.4.2, §3.4.2.4).

use serde::Serialize;
use serde_json::Value;

use crate::error::ScimError;

/// The URN that marks a list.
pub const LIST_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// The most resources of one page, whatever is asked for. Published as `filter.maxResults`.
pub const MAX_RESULTS: u32 = 200;
/// The resources of one page when nothing is asked for.
pub const DEFAULT_RESULTS: u32 = 100;

/// The page that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The number of the first resource, counted from 1.
    pub start_index: u32,
    /// The most resources to answer, up to [`MAX_RESULTS`]; 0 asks for the total alone.
    pub count: u32,
}

impl Page {
    /// Reads the query parameters `startIndex` and `count`.
    ///
    /// RFC 7644 §3.4.2.4: a `startIndex` below 1 is 1, a negative `count` is 0. What is too large is the largest.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` when one is no whole number.
    pub fn parse(start_index: Option<&str>, count: Option<&str>) -> Result<Self, ScimError> {
        Ok(Self {
            start_index: number("startIndex", start_index, 1)?.max(1),
            count: number("count", count, DEFAULT_RESULTS)?.min(MAX_RESULTS),
        })
    }

    /// The resources to skip.
    #[must_use]
    pub fn offset(self) -> u32 {
        self.start_index.saturating_sub(1)
    }
}

/// A whole number, as near to it as `u32` comes.
pub(crate) fn number(name: &str, written: Option<&str>, default: u32) -> Result<u32, ScimError> {
    let Some(text) = written.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(default);
    };
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ScimError::invalid_value(format!("'{name}' is a whole number")));
    }
    if is_negative {
        return Ok(0);
    }
    // Digits alone can only fail to parse by being too many.
    Ok(digits.parse().unwrap_or(u32::MAX))
}

/// The answer to a list or a query: always 200, also when nothing is found.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListResponse<'r, R> {
    schemas: [&'static str; 1],
    total_results: u64,
    start_index: u32,
    items_per_page: usize,
    #[serde(rename = "Resources")]
    resources: &'r [R],
}

/// A page with these resources, of `total` that there are. `Resources` is there even when it is empty.
#[must_use]
pub fn list_response<R: Serialize>(start_index: u32, total: u64, resources: &[R]) -> ListResponse<'_, R> {
    ListResponse {
        schemas: [LIST_RESPONSE_URN],
        total_results: total,
        start_index,
        items_per_page: resources.len(),
        resources,
    }
}

/// The same as JSON, around resources that are JSON already and are not looked into.
#[must_use]
pub fn splice_list_response(start_index: u32, total: u64, resources: &[impl AsRef<[u8]>]) -> Vec<u8> {
    splice(&format!(r#""totalResults":{total},"startIndex":{start_index},"#), resources)
}

/// The answer to a page that was asked for by cursor (RFC 9865 §2), around resources that are JSON already.
///
/// Without a `next` cursor it is the last page. The total may be left out where it is not known.
#[must_use]
pub fn splice_cursor_response(
    total: Option<u64>,
    previous: Option<&str>,
    next: Option<&str>,
    resources: &[impl AsRef<[u8]>],
) -> Vec<u8> {
    let mut members = total.map(|total| format!(r#""totalResults":{total},"#)).unwrap_or_default();
    for (name, cursor) in [("previousCursor", previous), ("nextCursor", next)] {
        if let Some(cursor) = cursor {
            members += &format!("\"{name}\":{},", Value::from(cursor));
        }
    }
    splice(&members, resources)
}

fn splice(members: &str, resources: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let head = format!(
        r#"{{"schemas":["{LIST_RESPONSE_URN}"],{members}"itemsPerPage":{},"Resources":["#,
        resources.len()
    );
    let length: usize = resources.iter().map(|resource| resource.as_ref().len() + 1).sum();
    let mut body = Vec::with_capacity(head.len() + length + 2);
    body.extend_from_slice(head.as_bytes());
    for (index, resource) in resources.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        body.extend_from_slice(resource.as_ref());
    }
    body.extend_from_slice(b"]}");
    body
}
