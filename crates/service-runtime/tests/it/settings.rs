//! Settings: read by type, refused together.

use std::{io::Write as _, net::SocketAddr, time::Duration};

use secrecy::ExposeSecret as _;
use service_runtime::settings::{Environment, Reader};

fn reader<const N: usize>(variables: [(&str, &str); N]) -> Reader {
    Reader::new(variables.into_iter().collect())
}

fn default_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

#[test]
fn every_problem_is_reported_at_once() {
    let mut reader = reader([
        ("TIMECLOCK_HTTP_ADDR", "localhost"),
        ("TIMECLOCK_QUERY_TIMEOUT_MS", "soon"),
        ("TIMECLOCK_MAX_IN_FLIGHT", "0"),
        ("TIMECLOCK_HTP_ADDR", "127.0.0.1:1"),
        ("PATH", "/bin"),
    ]);
    reader.required("TIMECLOCK_NATS_URL");
    reader.secret("TIMECLOCK_NATS_PASSWORD");
    reader.address("TIMECLOCK_HTTP_ADDR", default_address());
    reader.duration_ms("TIMECLOCK_QUERY_TIMEOUT_MS", 5_000, 1..=60_000);
    reader.number("TIMECLOCK_MAX_IN_FLIGHT", 2_048_u32, 1..=1_000_000);
    reader.problem("TIMECLOCK_SCIM_BASE_URL", "must begin with https://");

    let problems = reader.finish().unwrap_err();

    assert_eq!(
        problems.0,
        [
            "TIMECLOCK_NATS_URL is required",
            "TIMECLOCK_NATS_PASSWORD is required (or TIMECLOCK_NATS_PASSWORD_FILE)",
            "TIMECLOCK_HTTP_ADDR must be an IP address and a port, such as 127.0.0.1:8080",
            "TIMECLOCK_QUERY_TIMEOUT_MS must be a number from 1 to 60000",
            "TIMECLOCK_MAX_IN_FLIGHT must be a number from 1 to 1000000",
            "TIMECLOCK_SCIM_BASE_URL must begin with https://",
            "TIMECLOCK_HTP_ADDR is not a setting of this service",
        ]
    );
}

#[test]
fn what_is_not_set_has_its_default_and_an_empty_variable_is_not_set() {
    let mut reader = reader([("TIMECLOCK_QUERY_TIMEOUT_MS", "250"), ("TIMECLOCK_LOG", "")]);
    assert_eq!(
        reader.duration_ms("TIMECLOCK_QUERY_TIMEOUT_MS", 5_000, 1..=60_000),
        Duration::from_millis(250)
    );
    assert_eq!(reader.with_default("TIMECLOCK_LOG", "info"), "info");
    assert_eq!(reader.optional("TIMECLOCK_SCIM_BASE_URL"), None);
    assert_eq!(reader.address("TIMECLOCK_HTTP_ADDR", default_address()), default_address());

    let effective = reader.finish().unwrap();
    assert_eq!(effective.get("TIMECLOCK_QUERY_TIMEOUT_MS").map(String::as_str), Some("250"));
    assert_eq!(effective.get("TIMECLOCK_HTTP_ADDR").map(String::as_str), Some("127.0.0.1:8080"));
}

#[test]
fn a_secret_may_stand_in_a_file_and_is_never_shown() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "from-a-file").unwrap();
    let path = file.path().to_str().unwrap();
    let mut reader =
        reader([("TIMECLOCK_NATS_PASSWORD_FILE", path), ("TIMECLOCK_SEALING_KEY", "from-a-variable")]);

    assert_eq!(reader.secret("TIMECLOCK_NATS_PASSWORD").expose_secret(), "from-a-file");
    assert_eq!(reader.secret("TIMECLOCK_SEALING_KEY").expose_secret(), "from-a-variable");

    let reader_shown = format!("{reader:?}");
    let shown = format!("{reader_shown} {:?}", reader.finish().unwrap());
    assert!(!shown.contains("from-a"), "{shown}");
}

#[test]
fn a_secret_that_is_given_twice_or_not_readable_is_one_problem() {
    let mut reader = reader([
        ("TIMECLOCK_NATS_PASSWORD", "a"),
        ("TIMECLOCK_NATS_PASSWORD_FILE", "/nowhere"),
        ("TIMECLOCK_SEALING_KEY_FILE", "/nowhere"),
    ]);
    reader.secret("TIMECLOCK_NATS_PASSWORD");
    reader.secret("TIMECLOCK_SEALING_KEY");

    let problems = reader.finish().unwrap_err().0;
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(
        problems[0],
        "TIMECLOCK_NATS_PASSWORD and TIMECLOCK_NATS_PASSWORD_FILE are both set; keep one"
    );
    assert!(problems[1].starts_with("TIMECLOCK_SEALING_KEY_FILE cannot be read: "), "{}", problems[1]);
}

#[test]
fn an_environment_does_not_print_its_values() {
    let environment: Environment = [("TIMECLOCK_NATS_PASSWORD", "hunter2")].into_iter().collect();
    assert!(!format!("{environment:?}").contains("hunter2"));
}

#[test]
fn credentials_inside_a_url_are_not_shown() {
    let mut reader =
        reader([("TIMECLOCK_NATS_URL", "nats://a:hunter2@one:4222,nats://b:hunter3@two:4222/x@y")]);
    let url = reader.with_default("TIMECLOCK_NATS_URL", "nats://127.0.0.1:4222");
    assert!(url.contains("hunter2"), "the service itself gets them");
    let effective = reader.finish().unwrap();
    assert_eq!(effective["TIMECLOCK_NATS_URL"], "nats://(secret)@one:4222,nats://(secret)@two:4222/x@y");
}
