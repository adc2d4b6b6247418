//! Is the process that runs beside this one, with the same settings, ready?
//!
//! Container images have no shell and no curl, so each program asks itself: `healthcheck` is what their `HEALTHCHECK` runs.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::Context as _;

use crate::health::CHECK_TIMEOUT;

/// How long to wait for a connection, and for the answer: the slowest readiness check and a little.
const PATIENCE: Duration = CHECK_TIMEOUT.saturating_add(Duration::from_millis(500));
/// How much of an answer is read; `/readyz` names a handful of dependencies.
const ANSWER_MOST_BYTES: u64 = 64 * 1024;

/// What the other process answered.
pub(crate) struct Answer {
    /// Whether the status was 200.
    pub(crate) ready: bool,
    /// What `/readyz` says of each dependency, or the status when there was no body.
    pub(crate) said: String,
}

/// Asks `/readyz` of the observe listener that was told to listen on `observe`.
pub(crate) fn ask(observe: SocketAddr) -> anyhow::Result<Answer> {
    let address = reachable(observe);
    let action = || format!("nobody answers at http://{address}/readyz");
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE).with_context(action)?;
    connection.set_read_timeout(Some(PATIENCE)).with_context(action)?;
    connection.set_write_timeout(Some(PATIENCE)).with_context(action)?;
    // HTTP/1.0, because then the answer ends with the connection and is in one piece (RFC 9112 section 9.3).
    write!(connection, "GET /readyz HTTP/1.0\r\nHost: {address}\r\n\r\n").with_context(action)?;
    let mut answer = String::new();
    connection.take(ANSWER_MOST_BYTES).read_to_string(&mut answer).with_context(action)?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status_line = head.lines().next().unwrap_or_default();
    let ready = status_line.split(' ').nth(1) == Some("200");
    Ok(Answer { ready, said: if body.is_empty() { status_line } else { body }.to_owned() })
}

/// Whoever listens on every address is asked on the loopback one.
fn reachable(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listening.port())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::{SocketAddr, TcpListener},
        thread,
    };

    use super::{Answer, ask};

    /// Asks a server that answers its first caller with `answer`, as if it listened on every address.
    fn answered(answer: &'static str) -> (Answer, String) {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let everywhere = SocketAddr::from(([0, 0, 0, 0], server.local_addr().unwrap().port()));
        let asked = thread::spawn(move || {
            let (mut connection, _) = server.accept().unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
            let asked = lines.next().unwrap();
            lines.take_while(|line| !line.is_empty()).for_each(drop);
            connection.write_all(answer.as_bytes()).unwrap();
            asked
        });
        (ask(everywhere).unwrap(), asked.join().unwrap())
    }

    #[test]
    fn a_process_that_says_200_is_ready() {
        let (answer, asked) = answered("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"ready\":true}");
        assert!(answer.ready);
        assert_eq!(answer.said, "{\"ready\":true}");
        assert_eq!(asked, "GET /readyz HTTP/1.0");
    }

    #[test]
    fn a_process_that_says_anything_else_is_not_and_tells_why() {
        let (answer, _) =
            answered("HTTP/1.1 503 Service Unavailable\r\n\r\n{\"dependencies\":{\"nats\":\"200\"}}");
        assert!(!answer.ready);
        assert_eq!(answer.said, "{\"dependencies\":{\"nats\":\"200\"}}");
        let (answer, _) = answered("");
        assert!(!answer.ready);
    }

    #[test]
    fn where_nobody_listens_the_address_is_named() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let error = ask(address).err().unwrap();
        assert!(
            format!("{error:#}").starts_with(&format!("nobody answers at http://{address}/readyz: ")),
            "{error:#}"
        );
    }
}
