//! From which address a request came, also when proxies of ours stand in between.

use std::net::{IpAddr, SocketAddr};

use actix_web::{HttpRequest, http::header::X_FORWARDED_FOR};

use crate::settings::{Reader, Setting};

/// More reverse proxies than this stand in a row nowhere.
const MOST_PROXIES: usize = 10;
const TRUSTED_PROXIES: Setting = Setting::new(
    "TIMECLOCK_TRUSTED_PROXIES",
    "How many reverse proxies of ours stand in front, each of which adds to `X-Forwarded-For`: the caller's address is \
     that many entries from the right, and without any that of the connection.",
);

/// `TIMECLOCK_TRUSTED_PROXIES`: how many reverse proxies of ours a request passes, each of which writes down at the end
/// of `X-Forwarded-For` whom it was called by.
///
/// What stands further left was written by whoever called the first of them, and is believed by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxies(usize);

impl TrustedProxies {
    /// Reads the setting. Unless it is set there are none, and a caller's address is that of its connection.
    pub fn read(reader: &mut Reader) -> Self {
        Self(reader.number(TRUSTED_PROXIES, 0, 0..=MOST_PROXIES))
    }

    /// Who made this request; `None` when not even the connection has an address.
    #[must_use]
    pub fn client_of(self, request: &HttpRequest) -> Option<IpAddr> {
        let peer = request.peer_addr().map(|peer| peer.ip());
        let forwarded_for = request.headers().get_all(X_FORWARDED_FOR);
        // A line that is no text stays a line, so that it is not another one's turn.
        client_address(peer, forwarded_for.map(|line| line.to_str().unwrap_or_default()), self.0)
    }
}

/// The address that the first of so many `proxies` was called from: that many entries from the right in the lines of
/// `X-Forwarded-For`.
///
/// Without proxies the lines say nothing. Where they are too short or cannot be read, the peer is the closest address that
/// is known.
pub fn client_address<'a>(
    peer: Option<IpAddr>,
    forwarded_for: impl DoubleEndedIterator<Item = &'a str>,
    proxies: usize,
) -> Option<IpAddr> {
    let forwarded = proxies.checked_sub(1).and_then(|behind| {
        // Several lines are one list (RFC 9110 §5.3).
        forwarded_for.rev().flat_map(|line| line.rsplit(',')).nth(behind).and_then(address)
    });
    // A listener on both IP versions tells of IPv4 addresses as mapped ones.
    forwarded.or(peer).map(|address| address.to_canonical())
}

/// An entry: an address, with or without brackets and port.
fn address(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let bare = entry.strip_prefix('[').and_then(|entry| entry.strip_suffix(']')).unwrap_or(entry);
    bare.parse().or_else(|_not_bare| entry.parse().map(|with_port: SocketAddr| with_port.ip())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "10.0.0.1";

    fn client(lines: &[&str], proxies: usize) -> String {
        let peer = PEER.parse().ok();
        client_address(peer, lines.iter().copied(), proxies).unwrap().to_string()
    }

    #[test]
    fn without_proxies_the_peer_is_the_client_whatever_it_claims() {
        assert_eq!(client(&["198.51.100.7"], 0), PEER);
        assert_eq!(client(&[], 0), PEER);
    }

    #[test]
    fn each_proxy_is_one_entry_from_the_right() {
        let line = ["203.0.113.66, 198.51.100.7, 10.0.0.2"];
        assert_eq!(client(&line, 1), "10.0.0.2");
        assert_eq!(client(&line, 2), "198.51.100.7");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = ["203.0.113.66,198.51.100.7", "10.0.0.2"];
        assert_eq!(client(&lines, 1), "10.0.0.2");
        assert_eq!(client(&lines, 2), "198.51.100.7");
    }

    #[test]
    fn an_entry_may_have_brackets_and_a_port() {
        for (entry, expected) in [
            ("198.51.100.7", "198.51.100.7"),
            ("198.51.100.7:4711", "198.51.100.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            (" [2001:db8::1]:4711 ", "2001:db8::1"),
            ("::ffff:198.51.100.7", "198.51.100.7"),
        ] {
            assert_eq!(client(&[entry], 1), expected, "{entry}");
        }
    }

    #[test]
    fn what_cannot_be_read_leaves_the_peer() {
        for entry in [
            "",
            "unknown",
            "_hidden",
            "198.51.100",
            "198.51.100.7:",
            "[2001:db8::1",
            "fe80::1%eth0",
            "\"198.51.100.7\"",
        ] {
            assert_eq!(client(&[entry], 1), PEER, "{entry}");
        }
        assert_eq!(client(&[], 1), PEER, "nothing was forwarded");
        assert_eq!(client(&["198.51.100.7"], 2), PEER, "a list that is too short");
        assert_eq!(client(&["198.51.100.7, unknown"], 1), PEER, "no other entry takes the place of one");
    }

    #[test]
    fn an_address_of_both_ip_versions_is_shown_as_the_older_one() {
        let peer = "::ffff:10.0.0.1".parse().ok();
        assert_eq!(client_address(peer, [].into_iter(), 0).unwrap().to_string(), PEER);
        assert_eq!(client_address(None, [].into_iter(), 1), None);
    }
}
