//! Under which URL the caller knows us: the beginning of every `meta.location` and `$ref`.
//!
//! The location stays under the prefix that the caller used, `/scim` or `/scim/v2`.

use actix_web::{HttpRequest, http::header::HOST};
use service_runtime::http::is_over_tls;

/// A URL without a slash at its end, such as `https://live.timeclock365.com/scim/v2`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BaseUrl(pub(super) String);

const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
/// The longest host and port that is repeated to a caller.
const MAX_HOST: usize = 261;

impl BaseUrl {
    /// The configured public URL, or what the request's own headers say. What is no plain host is not repeated.
    pub(super) fn of(public: Option<&str>, request: &HttpRequest, version_segment: &str) -> Self {
        if let Some(public) = public {
            return Self(format!("{public}{version_segment}"));
        }
        let first = |name: &str| {
            let value = request.headers().get(name)?.to_str().ok()?;
            Some(value.split(',').next().unwrap_or(value).trim())
        };
        let is_secure = first(FORWARDED_PROTO)
            .map_or(is_over_tls(request), |scheme| scheme.eq_ignore_ascii_case("https"));
        let scheme = if is_secure { "https" } else { "http" };
        let host = first(FORWARDED_HOST)
            .or_else(|| first(HOST.as_str()))
            .filter(|host| is_host(host))
            .unwrap_or("localhost");
        Self(format!("{scheme}://{host}/scim{version_segment}"))
    }
}

fn is_host(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    (1..=MAX_HOST).contains(&text.len()) && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn base(public: Option<&str>, headers: &[(&str, &str)]) -> String {
        let request =
            headers.iter().fold(TestRequest::default(), |request, header| request.insert_header(*header));
        BaseUrl::of(public, &request.to_http_request(), "/v2").0
    }

    #[test]
    fn the_configured_url_wins_over_headers() {
        assert_eq!(
            base(Some("https://live.example/scim"), &[("host", "inner")]),
            "https://live.example/scim/v2"
        );
    }

    #[test]
    fn a_proxy_says_how_it_was_called() {
        assert_eq!(base(None, &[("host", "127.0.0.1:8080")]), "http://127.0.0.1:8080/scim/v2");
        let forwarded =
            [("host", "inner"), ("x-forwarded-host", "outer.example"), ("x-forwarded-proto", "https")];
        assert_eq!(base(None, &forwarded), "https://outer.example/scim/v2");
    }

    #[test]
    fn a_host_that_is_none_is_not_repeated() {
        for host in ["a/b", "a b", "\"", "a?b", "evil.example/@"] {
            assert_eq!(base(None, &[("host", host)]), "http://localhost/scim/v2", "{host}");
        }
    }
}
