//! The deployment files say what we think they say, and the stack behaves as a system should.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod bus_permissions;
mod chart;
mod chart_is_safe;
mod cluster;
mod command_line;
mod compose_agrees;
mod compose_is_safe;
mod compose_observes;
mod database_privileges;
mod deployment;
mod edge_config;
mod faults;
mod images;
mod settings_page;

use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::OnceLock,
    time::{Duration, Instant},
};

use local_stack::binaries::Binaries;
use nix::{sys::signal::kill, unistd::Pid};
use tempfile::TempDir;

/// Far beyond what anything here takes.
const LIMIT: Duration = Duration::from_secs(120);

/// Our programs, built as these tests are.
fn programs() -> Binaries {
    static BUILT: OnceLock<Binaries> = OnceLock::new();
    let build = || {
        let programs = Binaries::beside_this_program().unwrap();
        programs.build().unwrap();
        programs
    };
    BUILT.get_or_init(build).clone()
}

/// A working directory that goes with the test, and that the account which runs Postgres for root can reach.
fn workdir() -> TempDir {
    let open_to_pass = Permissions::from_mode(0o711);
    tempfile::Builder::new().prefix("local-stack-").permissions(open_to_pass).tempdir().unwrap()
}

/// Polls until there is something to see.
#[track_caller]
fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A process that has ended but that nobody has waited for counts as gone: in a container, nobody may ever wait.
fn is_gone(pid: u32) -> bool {
    let state =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).unwrap_or_default();
    kill(Pid::from_raw(pid.try_into().unwrap()), None).is_err() || state.contains(") Z ")
}
