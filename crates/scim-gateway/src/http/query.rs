//! The query string, decoded as leniently as Entra encodes it.
//!
//! Entra form-encodes the skeleton of a filter (`+` is a space) and escapes just some characters of the value inside it:
//! a `%` that begins no escape stands for itself, and what is not UTF-8 becomes U+FFFD.

use std::borrow::Cow;

use scim_protocol::{error::ScimError, search_request::SearchRequest};

/// Reads a query string; what is not known (`aadOptscim062020` among it) is ignored (RFC 7644 §3.4.2). Of a parameter
/// that is given twice the first counts.
///
/// # Errors
/// When there are two filters: a filter is evaluated or refused, never ignored.
pub(super) fn parse(text: &str) -> Result<SearchRequest, ScimError> {
    let mut query = SearchRequest::default();
    for pair in text.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let slot = match form_decode(name).to_ascii_lowercase().as_str() {
            "filter" if query.filter.is_some() => {
                return Err(ScimError::invalid_filter(
                    "The query has two filters; join them with 'and' or 'or'.",
                ));
            }
            "filter" => &mut query.filter,
            "startindex" => &mut query.start_index,
            "count" => &mut query.count,
            "attributes" => &mut query.attributes,
            "excludedattributes" => &mut query.excluded_attributes,
            "sortby" => &mut query.sort_by,
            "sortorder" => &mut query.sort_order,
            "cursor" => &mut query.cursor,
            _ => continue,
        };
        slot.get_or_insert_with(|| form_decode(value));
    }
    Ok(query)
}

fn form_decode(text: &str) -> String {
    let spaced = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    String::from_utf8(percent_decode(&spaced))
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Decodes `%XX`; a `%` that no two hexadecimal digits follow stands for itself.
pub(super) fn percent_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = match (byte, after) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        decoded.push(escaped.unwrap_or(byte));
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    decoded
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(text: &str) -> Option<String> {
        parse(text).unwrap().filter
    }

    #[test]
    fn entras_own_encoding_is_read() {
        let sent = "excludedAttributes=members&filter=emails%5btype+eq+%22work%22%5d.value+eq+%22a%2bb%40contoso.com%22";
        let query = parse(sent).unwrap();
        assert_eq!(query.filter.as_deref(), Some("emails[type eq \"work\"].value eq \"a+b@contoso.com\""));
        assert_eq!(query.excluded_attributes.as_deref(), Some("members"));
    }

    #[test]
    fn a_stray_percent_and_raw_characters_stand_for_themselves() {
        assert_eq!(filter("filter=100%+of+%zz+%4").as_deref(), Some("100% of %zz %4"));
        assert_eq!(filter("filter=m\u{fc}ller").as_deref(), Some("m\u{fc}ller"));
        assert_eq!(filter("filter=%ff").as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn the_dialect_flag_and_other_parameters_are_ignored_wherever_they_stand() {
        for sent in [
            "aadOptscim062020&filter=a",
            "?aadOptscim062020=true&filter=a",
            "filter=a&aadOptscim062020",
            "&&filter=a&=&x=1",
        ] {
            assert_eq!(filter(sent).as_deref(), Some("a"), "{sent}");
        }
        assert_eq!(parse("").unwrap(), SearchRequest::default());
    }

    #[test]
    fn names_are_compared_without_case_and_the_first_counts() {
        let query = parse("STARTINDEX=2&startIndex=3&count=").unwrap();
        assert_eq!((query.start_index.as_deref(), query.count.as_deref()), (Some("2"), Some("")));
    }

    #[test]
    fn a_second_filter_is_refused() {
        let refused = parse("filter=userName+pr&Filter=userName+eq+%22x%22").unwrap_err();
        assert_eq!(refused.scim_type, Some(scim_protocol::error::ScimType::InvalidFilter));
    }
}
