//! `up`, `status`, `down`, and what they do when something is in the way or dies.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Child, Command, Output, Stdio},
};

use local_stack::endpoints::{self, Endpoints};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{eventually, is_gone, programs, workdir};

fn local_stack(action: &str, workdir: &Path) -> Command {
    programs();
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-stack"));
    command.args([action, "--workdir"]).arg(workdir).stdin(Stdio::null());
    command
}

/// `up` in the foreground, ready.
fn up(workdir: &Path) -> (Child, Endpoints) {
    let mut command = local_stack("up", workdir);
    let mut child = command.arg("--no-build").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let endpoints = eventually("endpoints.json", || {
        assert!(child.try_wait().unwrap().is_none(), "`up` ended early: {}", finish(&mut child));
        Endpoints::read(workdir).ok()
    });
    (child, endpoints)
}

/// What a process that has ended left on its standard error.
fn finish(child: &mut Child) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(child.stderr.as_mut().unwrap(), &mut text).unwrap();
    text
}

fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.try_into().unwrap()), signal).unwrap();
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn assert_all_gone(endpoints: &Endpoints) {
    for (name, pid) in &endpoints.processes {
        eventually(&format!("the end of {name}"), || is_gone(*pid).then_some(()));
    }
}

#[test]
fn a_stack_in_the_background_says_where_everything_is_until_it_is_taken_down() {
    let workdir = workdir();
    let up = local_stack("up", workdir.path()).args(["--no-build", "--detach"]).output().unwrap();
    assert!(up.status.success(), "{}", text(&up));

    let endpoints = Endpoints::read(workdir.path()).unwrap();
    assert!(endpoints.scim_url.ends_with("/scim"), "{}", endpoints.scim_url);
    let names: Vec<_> = endpoints.companies.iter().map(|company| company.name.as_str()).collect();
    assert_eq!(names, ["Contoso", "Fabrikam"]);
    assert!(
        endpoints.companies.iter().all(|company| !company.id.is_empty() && !company.scim_token.is_empty())
    );
    let processes: Vec<_> = endpoints.processes.keys().map(String::as_str).collect();
    assert_eq!(
        processes,
        ["admin-console", "directory-service", "nats-server", "postgres", "scim-gateway", "token-service"]
    );
    let mode = workdir.path().join(endpoints::FILE).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds tokens");

    let status = local_stack("status", workdir.path()).output().unwrap();
    assert_eq!(text(&status).matches(" ready").count(), 4, "{}", text(&status));

    let second = local_stack("up", workdir.path()).args(["--no-build", "--detach"]).output().unwrap();
    assert!(!second.status.success());
    assert!(text(&second).contains("already runs"), "{}", text(&second));

    let down = local_stack("down", workdir.path()).output().unwrap();
    assert!(down.status.success(), "{}", text(&down));
    assert_all_gone(&endpoints);
    assert!(!workdir.path().join(endpoints::FILE).exists());

    let again = local_stack("down", workdir.path()).output().unwrap();
    assert!(again.status.success() && text(&again).contains("no stack runs"), "{}", text(&again));
}

#[test]
fn when_a_service_dies_the_stack_says_which_shows_its_last_words_and_stops() {
    let workdir = workdir();
    let (mut child, endpoints) = up(workdir.path());
    send(endpoints.processes["directory-service"], Signal::SIGKILL);
    let status = child.wait().unwrap();
    let said = finish(&mut child);
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(
        said.contains("directory-service ended") && said.contains("logs/directory-service.log"),
        "{said}"
    );
    assert_all_gone(&endpoints);
}

#[test]
fn a_second_stack_runs_beside_the_first_and_data_outlives_both() {
    let (one, other) = (workdir(), workdir());
    let (mut first, here) = up(one.path());
    let (mut second, there) = up(other.path());
    assert_ne!(here.scim_url, there.scim_url);
    for child in [&mut first, &mut second] {
        send(child.id(), Signal::SIGINT);
        assert!(child.wait().unwrap().success(), "{}", finish(child));
    }
    let (mut first, again) = up(one.path());
    let ids = |endpoints: &Endpoints| {
        endpoints.companies.iter().map(|company| company.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&again), ids(&here));
    // Killed outright, it still takes everything with it.
    send(first.id(), Signal::SIGKILL);
    first.wait().unwrap();
    assert_all_gone(&again);
}
