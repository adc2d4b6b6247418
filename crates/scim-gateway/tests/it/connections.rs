//! Several requests on one connection: no part of a body is ever taken for a request.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
};

use crate::harness::World;

/// One connection to the gateway.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn to(world: &World) -> Self {
        Self(BufReader::new(TcpStream::connect(world.address).unwrap()))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// Reads one answer: its status, and whether the connection goes on. `None` at the end of the connection.
    fn answer(&mut self) -> Option<(u16, bool)> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).unwrap() == 0 {
                return None;
            }
        }
        let head = head.to_ascii_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        self.0.read_exact(&mut vec![0; length.unwrap_or(0)]).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some((status, !head.contains("\r\nconnection: close\r\n")))
    }
}

/// A body that looks like a read with quotation marks in its query. If these were encoded, exactly `pushed_out` would be
/// pushed behind the length that was announced.
fn growing(pushed_out: &str) -> String {
    assert_eq!(pushed_out.len() % 2, 0, "a quotation mark grows by two bytes");
    format!("GET /{}\n{pushed_out}", "\"".repeat(pushed_out.len() / 2))
}

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: xx\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_was_asked_for_is_not_taken_for_a_request() {
    let world = World::start().await;
    let mut connection = Connection::to(&world);
    let body = growing(SMUGGLED);
    let authorization = format!("Host: x\r\nAuthorization: Bearer {}\r\n", world.token);
    connection.send(&format!(
        "POST /scim/Users HTTP/1.1\r\n{authorization}Expect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        body.len()
    ));
    assert_eq!(connection.answer(), Some((100, true)));

    connection.send(&body);

    assert_eq!(connection.answer(), Some((400, true)));
    connection
        .send(&format!("GET /scim/Users?filter=userName+eq+\"\u{fc}\" HTTP/1.1\r\n{authorization}\r\n"));
    assert_eq!(connection.answer(), Some((200, true)), "the next request is read as it was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_nobody_waited_for_is_not_taken_for_a_request() {
    let world = World::start().await;
    for (head, status) in [
        ("POST /scim/Users HTTP/1.1\r\nHost: x\r\n".to_owned(), 401),
        (format!("GET /scim/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n", world.token), 200),
    ] {
        let mut connection = Connection::to(&world);
        connection.send(&format!("{head}Transfer-Encoding: chunked\r\n\r\n"));
        assert_eq!(connection.answer(), Some((status, false)));

        let chunk = growing(&format!("\r\n0\r\n\r\n{SMUGGLED} "));
        connection.send(&format!("{:x}\r\n", chunk.len()));
        connection.send(&format!("{chunk}\r\n0\r\n\r\n"));

        assert_eq!(connection.answer(), None, "one answer, then the end");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_that_was_read_leaves_the_connection_open() {
    let world = World::start().await;
    let mut connection = Connection::to(&world);
    for name in ["adele", "lee"] {
        let body = format!("{{\"userName\":\"{name}\"}}");
        connection.send(&format!(
            "POST /scim/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nTransfer-Encoding: chunked\r\n\r\n",
            world.token
        ));
        connection.send(&format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()));
        assert_eq!(connection.answer(), Some((201, true)), "{name}");
    }
}
