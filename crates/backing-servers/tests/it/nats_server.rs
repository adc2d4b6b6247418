//! NATS: ports, configuration, faults. Spoken to in its own line protocol, because no client belongs here.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv4Addr, TcpStream},
};

use backing_servers::nats::{Options, Server};

/// Says CONNECT with these options, then these lines, and returns the server's answers up to the PONG or the error.
fn converse(server: &Server, connect: &str, lines: &str) -> Vec<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    write!(stream, "CONNECT {connect}\r\n{lines}PING\r\n").unwrap();
    let mut answers = Vec::new();
    for line in BufReader::new(stream).lines() {
        let line = line.unwrap();
        let last = line == "PONG" || line.starts_with("-ERR");
        answers.push(line);
        if last {
            break;
        }
    }
    answers
}

/// A request to JetStream's API, and its answer.
fn ask(server: &Server, subject: &str, body: &str) -> String {
    let size = body.len();
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).unwrap();
    write!(
        stream,
        "CONNECT {{\"verbose\":false}}\r\nSUB answer 1\r\nPUB {subject} answer {size}\r\n{body}\r\n"
    )
    .unwrap();
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
    lines.find(|line| line.starts_with("MSG answer")).unwrap();
    lines.next().unwrap()
}

#[test]
fn a_restart_after_a_crash_keeps_the_streams() {
    let server = Server::start(Options::default()).unwrap();
    let made = ask(&server, "$JS.API.STREAM.CREATE.KEPT", r#"{"name":"KEPT","subjects":["kept"]}"#);
    assert!(made.contains("\"created\""), "{made}");
    let first = server.pid();
    server.kill_9().unwrap();
    assert!(!server.is_running());
    server.restart().unwrap();
    assert_ne!(server.pid(), first);
    assert!(ask(&server, "$JS.API.STREAM.NAMES", "").contains("KEPT"));
}

#[test]
fn two_servers_stand_beside_each_other() {
    let (one, other) =
        (Server::start(Options::default()).unwrap(), Server::start(Options::default()).unwrap());
    assert_ne!(one.url(), other.url());
}

#[test]
fn the_configuration_reads_passwords_from_the_environment() {
    let config = "authorization { users = [ { user: anna, password: $ANNAS_PASSWORD } ] }\n".to_owned();
    let environment = vec![("ANNAS_PASSWORD".to_owned(), "battery9staple".to_owned())];
    let server = Server::start(Options { config: Some(config), environment, ..Options::default() }).unwrap();
    let right = converse(&server, r#"{"verbose":false,"user":"anna","pass":"battery9staple"}"#, "");
    let wrong = converse(&server, r#"{"verbose":false,"user":"anna","pass":"guess"}"#, "");
    assert_eq!(right.last().unwrap(), "PONG");
    assert!(wrong.last().unwrap().contains("Authorization Violation"), "{wrong:?}");
}

#[test]
fn a_server_that_refuses_its_configuration_shows_why() {
    let config = Some("jetstream { max_file: many }\n".to_owned());
    let error = Server::start(Options { config, ..Options::default() }).unwrap_err().to_string();
    assert!(error.contains("max_file"), "{error}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let first = Server::start(Options::default()).unwrap();
    let error =
        Server::start(Options { port: Some(first.port()), ..Options::default() }).unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{}", first.port())), "{error}");
}
