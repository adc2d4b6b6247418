//! The program itself: its settings, its signals, its exit codes.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const LOCAL: [(&str, &str); 5] = [
    ("TIMECLOCK_HTTP_ADDR", "127.0.0.1:0"),
    ("TIMECLOCK_OBSERVE_ADDR", "127.0.0.1:0"),
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
    let (code, _, err) =
        finish(gateway(&["serve"], &[("TIMECLOCK_HTTP_ADDR", "x"), ("TIMECLOCK_TYPO", "1")]));
    assert_eq!(code, 64, "{err}");
    for name in ["TIMECLOCK_HTTP_ADDR", "TIMECLOCK_TYPO", "TIMECLOCK_NATS_USER", "TIMECLOCK_NATS_PASSWORD"] {
        assert!(err.contains(name), "{err}");
    }
}

#[test]
fn check_shows_the_settings_without_the_secret() {
    let (code, out, err) = finish(gateway(&["serve", "--check"], &LOCAL));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("TIMECLOCK_OUTCOME_TIMEOUT_MS=10000"), "{out}");
    assert!(out.contains("TIMECLOCK_NATS_PASSWORD=(secret)") && !out.contains("hunter2"), "{out}");
}

#[test]
fn a_signal_ends_it_with_0_also_when_nats_was_never_there() {
    let mut child = gateway(&["serve"], &LOCAL);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let listening = lines.by_ref().find(|line| line.contains("\"listening\"") && line.contains("\"scim\""));
    assert!(listening.is_some());

    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap());
    kill(pid, Signal::SIGTERM).unwrap();

    let log: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{log:?}");
    assert!(log.last().is_some_and(|line| line.contains("\"stopped\"")), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("hunter2")), "{log:?}");
}
