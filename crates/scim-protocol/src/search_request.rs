//! The body of `POST /.search` and `POST /{Endpoint}/.search`: a query that is not in the query string (RFC 7644
//! §3.4.3).

use crate::error::ScimError;
use crate::json::{self, kind_of};
use crate::resource::canonical::sent_twice;
use serde_json::Value;
use std::fmt;

/// The URN that marks a search.
pub const SEARCH_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

/// The parameters of a query, as text, just as a query string has them: none of them is checked yet, and both ways to
/// ask go on alike.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SearchRequest {
    /// The attributes to show, separated by commas.
    pub attributes: Option<String>,
    /// The attributes not to show, separated by commas.
    pub excluded_attributes: Option<String>,
    /// The filter.
    pub filter: Option<String>,
    /// The attribute to sort by.
    pub sort_by: Option<String>,
    /// `ascending` or `descending`.
    pub sort_order: Option<String>,
    /// The number of the first result, in digits.
    pub start_index: Option<String>,
    /// The most results of the page, in digits.
    pub count: Option<String>,
    /// The cursor; empty for the first page (RFC 9865 §2).
    pub cursor: Option<String>,
}

/// Which parameters there are, without what they ask for: a filter is personal data.
impl fmt::Debug for SearchRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parameters = [
            ("attributes", &self.attributes),
            ("excludedAttributes", &self.excluded_attributes),
            ("filter", &self.filter),
            ("sortBy", &self.sort_by),
            ("sortOrder", &self.sort_order),
            ("startIndex", &self.start_index),
            ("count", &self.count),
            ("cursor", &self.cursor),
        ];
        f.write_str("SearchRequest ")?;
        f.debug_set()
            .entries(parameters.iter().filter(|(_, value)| value.is_some()).map(|(name, _)| name))
            .finish()
    }
}

/// Reads the body of a search.
///
/// Names are read in any case, `null` is a parameter that is not there, unknown ones are ignored as in a query string
/// (RFC 7644 §3.4.2). `attributes` and `excludedAttributes` are lists, or text with commas. Numbers may be text.
/// `schemas` may be missing, but a message that says to be another one is refused.
///
/// # Errors
///
/// 400 `invalidSyntax` for a body that is no JSON object, says one thing twice or is another message; 400 `invalidValue`
/// for a parameter of the wrong type.
pub fn parse(body: &[u8]) -> Result<SearchRequest, ScimError> {
    let mut search = SearchRequest::default();
    for (key, value) in json::read_object(body)? {
        let (name, slot) = match key.to_ascii_lowercase().as_str() {
            "schemas" => {
                json::expect_message(&value, SEARCH_REQUEST_URN, "a search")?;
                continue;
            }
            "attributes" => ("attributes", &mut search.attributes),
            "excludedattributes" => ("excludedAttributes", &mut search.excluded_attributes),
            "filter" => ("filter", &mut search.filter),
            "sortby" => ("sortBy", &mut search.sort_by),
            "sortorder" => ("sortOrder", &mut search.sort_order),
            "startindex" => ("startIndex", &mut search.start_index),
            "count" => ("count", &mut search.count),
            "cursor" => ("cursor", &mut search.cursor),
            _ => continue,
        };
        let Some(text) = parameter(name, value)? else { continue };
        if slot.replace(text).is_some() {
            return Err(sent_twice(name));
        }
    }
    Ok(search)
}

fn parameter(name: &str, value: Value) -> Result<Option<String>, ScimError> {
    let is_list = matches!(name, "attributes" | "excludedAttributes");
    let is_number = matches!(name, "startIndex" | "count");
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        // What is no whole number is refused where the number is read, as in a query string.
        Value::Number(number) if is_number => Ok(Some(number.to_string())),
        Value::Array(items) if is_list => {
            let names = items.into_iter().map(|item| match item {
                Value::String(name) => Ok(name),
                other => Err(refusal(name, "a list of strings", &other)),
            });
            Ok(Some(names.collect::<Result<Vec<_>, _>>()?.join(",")))
        }
        other if is_list => Err(refusal(name, "a list of strings", &other)),
        other if is_number => Err(refusal(name, "a whole number", &other)),
        other => Err(refusal(name, "a string", &other)),
    }
}

fn refusal(name: &str, expected: &str, value: &Value) -> ScimError {
    ScimError::invalid_value(format!("'{name}' takes {expected}, not {}", kind_of(value)))
}
