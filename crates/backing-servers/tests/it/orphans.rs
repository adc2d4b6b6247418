//! When we are gone, however that came about, so are the servers and their temporary files.
//!
//! The test binary runs itself: the child half starts each server and says where, the parent half ends it the hard
//! way and looks at what is left.

use std::{
    io::{BufRead as _, BufReader, Lines},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use backing_servers::{nats, postgres, prometheus};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const LIMIT: Duration = Duration::from_secs(20);
const MARK: &str = "started ";

/// What the child half left behind, by its own account.
struct Left {
    /// Held open, because a test runner that cannot print fails.
    _output: Lines<BufReader<ChildStdout>>,
    pids: Vec<i32>,
    directories: Vec<PathBuf>,
}

/// The child half. Run by name from the tests below; by itself it checks that the shared servers start.
#[test]
fn shared_servers_start() {
    let (postgres, nats) = (postgres::Server::shared().unwrap(), nats::Server::shared().unwrap());
    let directory = |log: PathBuf| log.parent().unwrap().display().to_string();
    // Nobody needs one to share; leaked, it is in the place of a static.
    let prometheus: &prometheus::Server =
        Box::leak(Box::new(prometheus::Server::start(prometheus::Options::default()).unwrap()));
    println!(
        "{MARK}{} {} {} {} {} {}",
        postgres.pid(),
        nats.pid(),
        prometheus.pid(),
        directory(postgres.log()),
        directory(nats.log()),
        directory(prometheus.log())
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "how the parent half tells the child half to wait for its end"
    )]
    if std::env::var_os("WAIT_TO_BE_KILLED").is_some() {
        loop {
            std::thread::park();
        }
    }
}

fn child_half(wait: bool) -> (Child, Left) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "orphans::shared_servers_start", "--nocapture"]).stdout(Stdio::piped());
    if wait {
        command.env("WAIT_TO_BE_KILLED", "1");
    }
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = output.by_ref().map(Result::unwrap).find(|line| line.contains(MARK)).unwrap();
    let words: Vec<&str> = line.split_once(MARK).unwrap().1.split(' ').collect();
    let pids = words[..3].iter().map(|pid| pid.parse().unwrap()).collect();
    let directories = words[3..].iter().map(PathBuf::from).collect();
    let left = Left { _output: output, pids, directories };
    (child, left)
}

/// A process that has ended but that nobody has waited for counts as gone: in a container, nobody may ever wait.
fn is_gone(pid: i32) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    kill(Pid::from_raw(pid), None).is_err() || state.contains(") Z ")
}

fn assert_nothing_is_left(left: &Left) {
    let deadline = Instant::now() + LIMIT;
    loop {
        let running: Vec<_> = left.pids.iter().filter(|pid| !is_gone(**pid)).collect();
        let present: Vec<_> = left.directories.iter().filter(|path| Path::new(path).exists()).collect();
        if running.is_empty() && present.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "still running: {running:?}; still there: {present:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_parent_killed_outright_leaves_nothing_behind() {
    let (mut child, left) = child_half(true);
    assert!(left.pids.iter().all(|pid| !is_gone(*pid)));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGKILL).unwrap();
    child.wait().unwrap();
    assert_nothing_is_left(&left);
}

#[test]
fn servers_in_statics_are_ended_with_the_test_process() {
    let (mut child, left) = child_half(false);
    assert!(child.wait().unwrap().success());
    assert_nothing_is_left(&left);
}
