//! Whether a host is this machine, so that no wire is in between that could be listened to.

use std::net::IpAddr;

/// Whether the host of a URL is a loopback address or `localhost`; of IP version 6 with brackets or without. A host that
/// merely begins like one, such as `127.0.0.1.example.com`, is somebody else's.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_and_addresses_are_this_machine() {
        for ours in ["localhost", "LocalHost", "127.0.0.1", "127.8.9.10", "::1", "[::1]"] {
            assert!(is_loopback(ours), "{ours}");
        }
        for foreign in [
            "",
            "127.0.0.1.example.com",
            "localhost.example.com",
            "example.com",
            "0.0.0.0",
            "128.0.0.1",
            "[::2]",
            "[::1",
            "127.0.0.1:25",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}
