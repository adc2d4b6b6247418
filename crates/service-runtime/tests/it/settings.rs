//! Settings: read by type, refused together.

use std::{io::Write as _, net::SocketAddr, time::Duration};

use secrecy::ExposeSecret as _;
use service_runtime::settings::{Absence, Environment, Reader, Setting};

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
            "TIMECLOCK_QUERY_TIMEOUT_MS must be a number of milliseconds from 1 to 60000",
            "TIMECLOCK_MAX_IN_FLIGHT must be a number from 1 to 1000000",
            "TIMECLOCK_SCIM_BASE_URL must begin with https://",
            "TIMECLOCK_HTP_ADDR is not a setting of this service; did you mean TIMECLOCK_HTTP_ADDR?",
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

#[test]
fn a_misspelt_name_is_answered_with_the_one_that_was_meant() {
    let misspelt = [
        ("TIMECLOCK_QUERY_TIMEOUT", Some("TIMECLOCK_QUERY_TIMEOUT_MS")),
        ("TIMECLOCK_NATS_PASWORD_FILE", Some("TIMECLOCK_NATS_PASSWORD_FILE")),
        ("TIMECLOCK_nats_password", Some("TIMECLOCK_NATS_PASSWORD")),
        ("TIMECLOCK_COLOUR", None),
    ];
    for (written, meant) in misspelt {
        let mut reader = reader([("TIMECLOCK_NATS_PASSWORD", "a"), (written, "b")]);
        reader.secret("TIMECLOCK_NATS_PASSWORD");
        reader.duration_ms("TIMECLOCK_QUERY_TIMEOUT_MS", 5_000, 1..=60_000);

        let expected = match meant {
            Some(meant) => format!("{written} is not a setting of this service; did you mean {meant}?"),
            None => format!("{written} is not a setting of this service"),
        };
        assert_eq!(reader.finish().unwrap_err().0, [expected]);
    }
}

#[test]
fn what_a_declaration_says_is_what_the_message_says() {
    const COLOUR: Setting = Setting::new("TIMECLOCK_COLOUR", "How it looks.").form("red or green");
    let mut reader = reader([("TIMECLOCK_COLOUR", "blue"), ("TIMECLOCK_TRIES", "7")]);
    reader.with_default(COLOUR, "red");
    reader.refuse(COLOUR);
    reader.number(Setting::new("TIMECLOCK_TRIES", "How often.").unless_set("one per CPU"), 1_u8, 1..=6);

    let declared: Vec<_> = reader.declared().cloned().collect();
    let [colour, tries] = declared.as_slice() else { panic!("{declared:?}") };
    assert_eq!((colour.meaning, colour.form.as_str()), ("How it looks.", "red or green"));
    assert_eq!(colour.absence, Absence::Default("red".to_owned()));
    assert_eq!(tries.absence, Absence::Means("one per CPU"));
    let expected = declared.iter().map(|setting| format!("{} must be {}", setting.name, setting.form));
    assert_eq!(reader.finish().unwrap_err().0, expected.collect::<Vec<_>>());
}

#[test]
fn what_a_secret_header_holds_is_not_shown() {
    let mut reader = reader([("OTEL_EXPORTER_OTLP_HEADERS", "key=hunter2")]);
    service_runtime::telemetry::Settings::read(&mut reader);
    assert_eq!(reader.finish().unwrap()["OTEL_EXPORTER_OTLP_HEADERS"], "(secret)");
}
