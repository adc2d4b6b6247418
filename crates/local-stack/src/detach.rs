//! `up --detach`, `down` and `status`: a stack that lives in a process of its own.

use std::{
    fs::File,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use backing_servers::process;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{endpoints, workdir::Workdir};

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Every service may take its grace, one after the other, and then the backing servers theirs.
const STOP_LIMIT: Duration = Duration::from_secs(120);

/// Starts `up` in the background and returns when its stack is ready.
pub(crate) fn up(workdir: &Path) -> Result<()> {
    if let Some(pid) = Workdir::user(workdir)? {
        bail!("a stack already runs in {} (pid {pid})", workdir.display());
    }
    std::fs::create_dir_all(workdir).with_context(|| format!("cannot create {}", workdir.display()))?;
    let log = workdir.join("local-stack.log");
    let output = File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
    let program = std::env::current_exe().context("cannot find the running program")?;
    let ready = workdir.join(endpoints::FILE);
    // What an earlier stack that was killed has left would look like readiness.
    drop(std::fs::remove_file(&ready));
    let mut child = Command::new(program)
        .args(["up", "--no-build", "--workdir"])
        .arg(workdir)
        .stdin(Stdio::null())
        .stdout(output.try_clone().context("cannot share the log")?)
        .stderr(output)
        // A group of its own, so that Ctrl-C at this terminal does not reach it.
        .process_group(0)
        .spawn()
        .context("cannot start the background process")?;
    while !ready.exists() {
        if let Some(status) = child.try_wait().context("cannot watch the background process")? {
            bail!("the stack did not start ({status}); {}", process::last_lines(&log));
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}

/// Stops the stack of a directory; `false` when none runs there.
pub(crate) fn down(workdir: &Path) -> Result<bool> {
    let Some(pid) = Workdir::user(workdir)? else { return Ok(false) };
    kill(Pid::from_raw(pid), Signal::SIGTERM).with_context(|| format!("cannot stop process {pid}"))?;
    let deadline = Instant::now() + STOP_LIMIT;
    while Workdir::user(workdir)?.is_some() {
        if Instant::now() > deadline {
            bail!("process {pid} has not stopped after {} s", STOP_LIMIT.as_secs());
        }
        thread::sleep(POLL_INTERVAL);
    }
    Ok(true)
}
