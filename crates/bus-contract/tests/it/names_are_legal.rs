//! Stream and bucket names, and the key prefixes, obey the server's grammar (NATS ADR-6).

use bus_contract::stream::{self, KEY_PREFIX, REVOKED_PREFIX, SCHEMAS, TOKENS};

#[test]
fn names_hold_no_separator_wildcard_or_space() {
    for name in stream::ALL.map(|stream| stream.name).into_iter().chain([TOKENS.name, SCHEMAS.name]) {
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'), "{name}");
    }
    for prefix in [KEY_PREFIX, REVOKED_PREFIX] {
        assert!(
            prefix.strip_suffix('.').is_some_and(|word| word.bytes().all(|b| b.is_ascii_lowercase())),
            "{prefix}"
        );
    }
}

#[test]
fn a_request_at_its_size_limit_fits_the_servers_default_payload() {
    // nats-server refuses more than 1 MiB unless told otherwise.
    for stream in stream::ALL {
        assert!(stream.max_message_bytes <= 1 << 20, "{}", stream.name);
    }
}
