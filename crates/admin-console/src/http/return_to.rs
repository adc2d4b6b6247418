//! Where somebody goes on after signing in: a page of ours, whatever the link says.

/// A longer one is forgotten.
const MOST_BYTES: usize = 2_000;

/// The path, when it is one of ours, else the first page. Browsers read `//host` and `/\host` as another host, and drop
/// line breaks and tabs before they look (WHATWG URL §4.4), so nothing of that is let through.
pub(crate) fn checked(path: &str) -> &str {
    let is_ours = path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= MOST_BYTES
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_ours { path } else { "/" }
}

/// As the value of a query's field.
pub(crate) fn encode(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                encoded.push(byte.into());
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_ours_are_returned_to() {
        for ours in ["/", "/people?search=anna&after=1", "/settings/company#azure"] {
            assert_eq!(checked(ours), ours);
        }
        let foreign = [
            "",
            "people",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "\t//evil.example",
            "/a\nSet-Cookie: b",
            "/ü",
            "/a\\..\\b",
        ];
        for foreign in foreign {
            assert_eq!(checked(foreign), "/", "{foreign}");
        }
        assert_eq!(checked(&format!("/{}", "a".repeat(MOST_BYTES))), "/");
    }

    #[test]
    fn what_is_encoded_is_one_value() {
        assert_eq!(encode("/people?search=a b&c=é#d"), "/people%3Fsearch%3Da%20b%26c%3D%C3%A9%23d");
    }
}
