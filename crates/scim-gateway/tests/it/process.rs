//! The program itself: its settings, its signals, its exit codes.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;

const LOCAL: [(&str, &str); 6] = [
    ("TIMECLOCK_HTTP_ADDR", "127.0.0.1:0"),
    ("TIMECLOCK_OBSERVE_ADDR", "127.0.0.1:0"),
    ("TIMECLOCK_DRAIN_DELAY_MS", "0"),
    // Nothing listens there: a dependency that is away must not end the process.
    ("TIMECLOCK_NATS_URL", "nats://127.0.0.1:1"),
    ("TIMECLOCK_NATS_USER", "gateway"),
    ("TIMECLOCK_NATS_PASSWORD", "hunter2"),
];

fn gateway(arguments: &[&str], environment: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scim-gateway"));
    command.args(arguments).env_clear().envs(environment.iter().copied());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Exit code, standard output, standard error.
fn finish(mut child: Child) -> (i32, String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    (child.wait().unwrap().code().unwrap(), out, err)
}

#[test]
fn wrong_settings_are_all_reported_and_end_with_64() {
    let (code, _, err) = finish(gateway(
        &["serve"],
        &[("TIMECLOCK_HTTP_ADDR", "x"), ("TIMECLOCK_TYPO", "1"), ("TIMECLOCK_CURSOR_KEY", "c2hvcnQ=")],
    ));
    assert_eq!(code, 64, "{err}");
    for name in [
        "TIMECLOCK_HTTP_ADDR",
        "TIMECLOCK_TYPO",
        "TIMECLOCK_CURSOR_KEY",
        "TIMECLOCK_NATS_USER",
        "TIMECLOCK_NATS_PASSWORD",
    ] {
        assert!(err.contains(name), "{err}");
    }
}

#[test]
fn check_says_what_is_wrong_with_a_certificate() {
    let files =
        [("TIMECLOCK_TLS_CERTIFICATE_FILE", "/dev/null"), ("TIMECLOCK_TLS_KEY_FILE", "/nowhere/to/be/found")];
    let (code, _, err) = finish(gateway(&["serve", "--check"], &[&LOCAL[..], &files].concat()));
    assert_eq!(code, 64, "{err}");
    assert!(err.contains("TIMECLOCK_TLS_KEY_FILE cannot be read"), "{err}");
}

#[test]
fn check_shows_the_settings_without_the_secret() {
    let (code, out, err) = finish(gateway(&["serve", "--check"], &LOCAL));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("TIMECLOCK_OUTCOME_TIMEOUT_MS=10000"), "{out}");
    assert!(out.contains("TIMECLOCK_NATS_PASSWORD=(secret)") && !out.contains("hunter2"), "{out}");
}

/// The address of the listener of this name, as the log tells it.
fn address_of(listener: &str, lines: &mut impl Iterator<Item = String>) -> String {
    let logged = lines.map(|line| serde_json::from_str::<Value>(&line).unwrap());
    let mut listening = logged.filter(|line| line["message"] == "listening" && line["listener"] == listener);
    listening.next().unwrap()["address"].as_str().unwrap().to_owned()
}

fn terminate(child: &Child) {
    kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM).unwrap();
}

/// One HTTP message: its head and its body.
fn read_message(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "{head}");
    }
    let length =
        head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    (head, body)
}

#[test]
fn a_callers_trace_goes_on_in_the_log_and_in_what_is_exported() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let mut environment = LOCAL.to_vec();
    environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint));
    let mut child = gateway(&["serve"], &environment);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);

    let mut caller = TcpStream::connect(address_of("scim", &mut lines)).unwrap();
    write!(
        caller,
        "POST /scim/Users HTTP/1.1\r\nHost: x\r\ntraceparent: 00-{TRACE}-b7ad6b7169203331-01\r\n\r\n"
    )
    .unwrap();
    assert!(read_message(&mut caller).0.starts_with("HTTP/1.1 503"));
    terminate(&child);

    let (mut exporter, _) = collector.accept().unwrap();
    let (head, body) = read_message(&mut exporter);
    assert!(head.starts_with("POST /v1/traces"), "{head}");
    let id = u128::from_str_radix(TRACE, 16).unwrap().to_be_bytes();
    assert!(body.windows(id.len()).any(|window| window == id));
    exporter.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(lines.any(|line| line.contains("\"answered\"") && line.contains(TRACE)));
}

#[test]
fn a_collector_that_is_away_is_told_of_once_and_costs_no_request_anything() {
    let mut environment = LOCAL.to_vec();
    // Nothing listens there.
    environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"));
    environment.push(("OTEL_BSP_SCHEDULE_DELAY", "10"));
    environment.push(("OTEL_BSP_MAX_QUEUE_SIZE", "1"));
    environment.push(("OTEL_METRICS_EXPORTER", "prometheus"));
    let mut child = gateway(&["serve"], &environment);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let complaint = lines.next().unwrap();
    assert!(complaint.contains("OTEL_METRICS_EXPORTER has no effect here"), "{complaint}");
    let address = address_of("scim", &mut lines);
    let ask = || {
        let mut caller = TcpStream::connect(&address).unwrap();
        write!(caller, "GET /scim/Users HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert!(read_message(&mut caller).0.starts_with("HTTP/1.1 503"));
    };
    ask();
    let is_told = |line: &String| line.contains("traces cannot be exported");
    assert!(lines.any(|line| is_told(&line)));
    (0..50).for_each(|_| ask());
    terminate(&child);
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{rest:?}");
    assert_eq!(rest.iter().filter(|line| is_told(line)).count(), 0, "{rest:?}");
}

#[test]
fn a_signal_ends_it_with_0_also_when_nats_was_never_there() {
    let mut child = gateway(&["serve"], &LOCAL);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    address_of("scim", &mut lines);
    terminate(&child);

    let log: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{log:?}");
    assert!(log.last().is_some_and(|line| line.contains("\"stopped\"")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("hunter2")), "{log:?}");
}
