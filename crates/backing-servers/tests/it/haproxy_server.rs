//! HAProxy: a configuration with variables, and one that is refused.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
};

use backing_servers::{
    haproxy::{Options, Server},
    port,
};

const CONFIG: &str = r#"
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend all
  bind "${ADDRESS}"
  http-request return status 200 content-type text/plain string hello
"#;

#[test]
fn it_listens_where_the_environment_says() {
    let port = port::free().unwrap();
    let environment = vec![("ADDRESS".to_owned(), format!("127.0.0.1:{port}"))];
    let options = Options { config: CONFIG.to_owned(), environment, ports: vec![port], ..Options::default() };
    let server = Server::start(options.clone()).unwrap();

    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with("hello"), "{answer}");

    let taken = Server::start(options).unwrap_err().to_string();
    assert!(taken.contains(&format!("127.0.0.1:{port}")), "{taken}");
    drop(server);
    assert!(port::is_free(port));
}

#[test]
fn a_configuration_that_is_refused_shows_why() {
    let options = Options { config: "frontend all\n  bind nowhere\n".to_owned(), ..Options::default() };
    let options = Options { ports: vec![port::free().unwrap()], ..options };
    let error = Server::start(options).unwrap_err().to_string();
    assert!(error.contains("nowhere"), "{error}");
}
