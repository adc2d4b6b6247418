//! How does Entra spell a query string?
//!
//! Two steps, after Microsoft's own SCIM library: the skeleton of the expression (`path eq "`) is form-encoded with
//! lower-case hex, the comparison value is inserted afterwards with only a short list of characters escaped. What
//! that leaves unescaped and no URI may carry (quotation marks, non-ASCII) is then escaped by .NET's `Uri`, in upper
//! case. A quotation mark inside a value is therefore not escaped as SCIM would have it: Microsoft documents special
//! characters in matching attributes as unsupported.

use std::fmt::Write;

/// `filter=<attribute> eq "<value>"`, encoded.
pub(crate) fn filter_eq(attribute: &str, value: &str) -> String {
    let mut query = String::from("filter=");
    form_encode(&format!("{attribute} eq \""), &mut query);
    escape_value(value, &mut query);
    form_encode("\"", &mut query);
    canonical(&query)
}

/// A path segment that holds an id.
pub(crate) fn path_segment(id: &str) -> String {
    let mut segment = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            hex_upper(byte, &mut segment);
        }
    }
    segment
}

/// `HttpUtility.UrlEncode`: space becomes `+`, hex is lower case.
fn form_encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        match byte {
            b' ' => into.push('+'),
            b'-' | b'_' | b'.' | b'!' | b'*' | b'(' | b')' => into.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => into.push(char::from(byte)),
            _ => hex_lower(byte, into),
        }
    }
}

/// The library's own escaping of a comparison value. `%`, `"`, `\` and non-ASCII pass.
fn escape_value(value: &str, into: &mut String) {
    for character in value.chars() {
        match character {
            ' ' => into.push('+'),
            ';' | '/' | '?' | ':' | '@' | '&' | '=' | '+' | '$' | ',' | '#' | '[' | ']' | '\'' => {
                let mut byte = [0; 4];
                character.encode_utf8(&mut byte).bytes().for_each(|byte| hex_lower(byte, into));
            }
            _ => into.push(character),
        }
    }
}

/// What .NET's `Uri` makes of a query: characters that no URI may carry are escaped, existing escapes stay.
fn canonical(query: &str) -> String {
    let bytes = query.as_bytes();
    let mut out = String::with_capacity(query.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let is_escape = byte == b'%'
            && bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match byte {
            b'%' if is_escape => out.push('%'),
            b'%' | b'"' | b'\\' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' => hex_upper(byte, &mut out),
            0x21..=0x7e => out.push(char::from(byte)),
            _ => hex_upper(byte, &mut out),
        }
    }
    out
}

fn hex_lower(byte: u8, into: &mut String) {
    // Writing to a String cannot fail.
    let _infallible = write!(into, "%{byte:02x}");
}

fn hex_upper(byte: u8, into: &mut String) {
    let _infallible = write!(into, "%{byte:02X}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_reference_are_spelt_as_written_there() {
        for (attribute, value, expected) in [
            ("userName", "adele.vance@contoso.com", "filter=userName+eq+%22adele.vance%40contoso.com%22"),
            (
                "externalId",
                "8c3f0f6e-0c0e-4a0b-9f6e-0a3a1b2c3d4e",
                "filter=externalId+eq+%228c3f0f6e-0c0e-4a0b-9f6e-0a3a1b2c3d4e%22",
            ),
            (
                "emails[type eq \"work\"].value",
                "adele.vance@contoso.com",
                "filter=emails%5btype+eq+%22work%22%5d.value+eq+%22adele.vance%40contoso.com%22",
            ),
            ("displayName", "Payroll Berlin", "filter=displayName+eq+%22Payroll+Berlin%22"),
        ] {
            assert_eq!(filter_eq(attribute, value), expected);
        }
    }

    #[test]
    fn the_escape_list_is_escaped_in_lower_case_and_nothing_else_is() {
        assert_eq!(
            filter_eq("displayName", ";/?:@&=+$,#[]' !()*~-_."),
            "filter=displayName+eq+%22%3b%2f%3f%3a%40%26%3d%2b%24%2c%23%5b%5d%27+!()*~-_.%22"
        );
    }

    #[test]
    fn what_no_uri_may_carry_is_escaped_last_and_in_upper_case() {
        assert_eq!(filter_eq("displayName", "Żó"), "filter=displayName+eq+%22%C5%BB%C3%B3%22");
        assert_eq!(filter_eq("displayName", "a\"b\\c"), "filter=displayName+eq+%22a%22b%5Cc%22");
    }

    #[test]
    fn a_stray_percent_is_escaped_but_one_that_looks_like_an_escape_is_not() {
        assert_eq!(filter_eq("displayName", "100% sure"), "filter=displayName+eq+%22100%25+sure%22");
        assert_eq!(filter_eq("displayName", "100%25"), "filter=displayName+eq+%22100%25%22");
    }

    #[test]
    fn a_urn_in_the_attribute_is_form_encoded() {
        assert_eq!(filter_eq("urn:x:User:manager", "m"), "filter=urn%3ax%3aUser%3amanager+eq+%22m%22");
    }

    #[test]
    fn an_id_cannot_leave_its_path_segment() {
        assert_eq!(path_segment("usr_01J8"), "usr_01J8");
        assert_eq!(path_segment("a/b?c#d é"), "a%2Fb%3Fc%23d%20%C3%A9");
    }
}
