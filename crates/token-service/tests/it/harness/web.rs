//! HTTP spelt out by hand, so that requests can be as wrong as a test needs them.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
};

use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Response {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The access token that was granted.
    pub(crate) fn access_token(&self) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// Status and code of an OAuth error, worded as RFC 6749 §5.2 wants it.
    pub(crate) fn error(&self) -> (u16, String) {
        let json = self.json();
        let description = json["error_description"].as_str().unwrap();
        assert!(!description.is_empty() && !description.contains(['"', '\\']), "{self:?}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self:?}");
        (self.status, json["error"].as_str().unwrap().to_owned())
    }

    /// What the error says.
    pub(crate) fn description(&self) -> String {
        self.json()["error_description"].as_str().unwrap().to_owned()
    }
}

/// Sends a request as it stands and reads the answer to its end.
pub(crate) fn send(address: SocketAddr, head: &str, body: &str) -> Response {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}\r\nHost: tokens\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Response { status, head: head.to_owned(), body: body.to_owned() }
}

pub(crate) fn get(address: SocketAddr, path: &str) -> Response {
    send(address, &format!("GET {path} HTTP/1.1"), "")
}

/// Posts a form to the token endpoint, with more headers if wanted, each ending in a line break.
pub(crate) fn post(address: SocketAddr, headers: &str, form: &[(&str, &str)]) -> Response {
    post_to(address, "/oauth2/token", headers, form)
}

/// The same, to any path.
pub(crate) fn post_to(address: SocketAddr, path: &str, headers: &str, form: &[(&str, &str)]) -> Response {
    let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let length = form.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\n{headers}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}"
    );
    send(address, &head, &form)
}
