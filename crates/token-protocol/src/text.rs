//! How a token looks: a prefix that scanners of leaked secrets can search for, then a JWT (RFC 7519).

/// What every token begins with.
pub const PREFIX: &str = "tc365_";
/// No token is this long: Entra's form takes no longer secret.
pub const MAX_LENGTH: usize = 1000;

/// The token's text around a signed JWT.
#[must_use]
pub fn from_jwt(jwt: &str) -> String {
    format!("{PREFIX}{jwt}")
}

/// The JWT inside; `None` when this is no token of ours.
///
/// People paste tokens: white space around it, and a `Bearer ` that was copied along (so that Entra sends it twice), are
/// forgiven. Nothing inside the token is.
#[must_use]
pub fn jwt_of(text: &str) -> Option<&str> {
    const SCHEME: &str = "bearer ";
    let mut text = text.trim_ascii();
    if let Some((scheme, rest)) = text.split_at_checked(SCHEME.len())
        && scheme.eq_ignore_ascii_case(SCHEME)
    {
        text = rest.trim_ascii_start();
    }
    if text.len() >= MAX_LENGTH {
        return None;
    }
    text.strip_prefix(PREFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste_is_forgiven() {
        for text in ["tc365_a.b.c", " tc365_a.b.c\n", "Bearer tc365_a.b.c", "bearer  tc365_a.b.c "] {
            assert_eq!(jwt_of(text), Some("a.b.c"), "{text:?}");
        }
    }

    #[test]
    fn anything_else_is_not_ours() {
        for text in
            ["", "a.b.c", "TC365_a.b.c", "Bearer Bearer tc365_a.b.c", "Basic tc365_a.b.c", "é", "bearer é"]
        {
            assert_eq!(jwt_of(text), None, "{text:?}");
        }
        assert_eq!(jwt_of(&from_jwt(&"a".repeat(MAX_LENGTH))), None);
    }
}
