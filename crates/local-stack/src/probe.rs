//! Asks a service on loopback: one GET or one form, no client library, because the answer is a status line.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(3);
/// A form may have a password in it, whose hash is slow on purpose, the more so in an unoptimised build.
const FORM_PATIENCE: Duration = Duration::from_secs(60);

/// The status and the body of `GET path`; `None` when nobody answers in time.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    exchange(address, &format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n"), PATIENCE)
}

/// The status of a form that is sent to a path below `origin`, as from one of its own pages.
pub(crate) fn post_form(origin: &str, path: &str, form: &str) -> Option<u16> {
    let host = origin.strip_prefix("http://")?;
    let length = form.len();
    let request = format!(
        "POST {path} HTTP/1.0\r\nHost: {host}\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-origin\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    exchange(host.parse().ok()?, &request, FORM_PATIENCE).map(|(status, _)| status)
}

/// HTTP/1.0: the body ends with the connection.
fn exchange(address: SocketAddr, request: &str, patience: Duration) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_read_timeout(Some(patience)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, body.trim().to_owned()))
}
