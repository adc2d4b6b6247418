//! Whether somebody means what their browser sends: a token in every form of a session, and where the form was.

use actix_web::http::header::{HeaderMap, ORIGIN};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::opaque;

/// For scripts; forms have a field `csrf_token`.
pub(crate) const HEADER: &str = "x-csrf-token";

/// What every form of a session sends back. Nobody who does not have the cookie can know it, nor learn the cookie by it.
pub(crate) fn token(cookie: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(opaque::hash(format!("csrf {cookie}").as_bytes()))
}

/// Whether a change comes from our own page, by the browser's word. Every browser sends at least one of the two headers
/// with every POST (Fetch §3.2 and Fetch Metadata §2.3); a page cannot forge either.
pub(crate) fn is_same_origin(headers: &HeaderMap, console_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let (origin, site) = (text(ORIGIN.as_str()), text("sec-fetch-site"));
    let is_ours = origin.is_none_or(|origin| origin.eq_ignore_ascii_case(console_url));
    let is_here = site.is_none_or(|site| site == "same-origin");
    (origin.is_some() || site.is_some()) && is_ours && is_here
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    fn sent(headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        is_same_origin(&map, "https://live.example")
    }

    #[test]
    fn only_our_own_pages_change_anything() {
        assert!(sent(&[("origin", "https://live.example")]));
        assert!(sent(&[("sec-fetch-site", "same-origin")]));
        assert!(sent(&[("origin", "https://live.example"), ("sec-fetch-site", "same-origin")]));
        assert!(!sent(&[]));
        assert!(!sent(&[("origin", "null")]));
        assert!(!sent(&[("origin", "https://live.example.evil")]));
        assert!(!sent(&[("origin", "http://live.example")]));
        assert!(!sent(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!sent(&[("origin", "https://live.example"), ("sec-fetch-site", site)]), "{site}");
        }
    }
}
