//! A child process that never outlives its parent, and whose log can be shown.
//!
//! Each process has a watchdog: a tiny shell that leads the process group the child is put into and reads a pipe whose
//! other end we hold. When we end, by return, panic, `kill -9` or without running destructors, the kernel closes that
//! end and the watchdog ends the group. Unlike `PR_SET_PDEATHSIG` this works on macOS too and does not depend on the
//! thread that started the child.

use std::{
    fs::OpenOptions,
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

const WATCHDOG: &str = include_str!("process/watchdog.sh");
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// How many of a log's last lines a failure shows.
pub const LOG_LINES_SHOWN: usize = 30;

/// How a process is watched and ended.
#[derive(Debug, Clone)]
pub struct Supervision {
    /// What the process is called in errors.
    pub name: String,
    /// Where its standard output and error are appended.
    pub log: PathBuf,
    /// What asks it to stop.
    pub stop_signal: Signal,
    /// How long it may take to stop before it is killed.
    pub grace: Duration,
    /// What asks it to stop when we are gone and nobody waits any more.
    pub orphan_signal: Signal,
    /// A directory that nobody needs once the process and its parent are gone.
    pub remove_when_orphaned: Option<PathBuf>,
}

/// A running child process; dropping it stops it.
#[derive(Debug)]
pub struct Process {
    supervision: Supervision,
    child: Child,
    watchdog: Child,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts the command with no input and its output appended to the log.
    ///
    /// # Errors
    /// When the log cannot be opened or the program cannot be executed.
    pub fn spawn(mut command: Command, supervision: Supervision) -> Result<Self> {
        let name = &supervision.name;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&supervision.log)
            .with_context(|| format!("cannot open {}", supervision.log.display()))?;
        let mut watchdog = Command::new("/bin/sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(supervision.orphan_signal.as_str().trim_start_matches("SIG"))
            .arg(supervision.remove_when_orphaned.as_deref().unwrap_or(Path::new("")))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start /bin/sh")?;
        let group = i32::try_from(watchdog.id()).context("a pid beyond i32")?;
        let started = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share the log file")?)
            .stderr(log)
            .process_group(group)
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) => {
                end_watchdog(&mut watchdog);
                return Err(error)
                    .with_context(|| format!("cannot start {name}: {}", command.get_program().display()));
            }
        };
        let mut process = Self { supervision, child, watchdog, ended: None };
        process.introduce_to_watchdog()?;
        Ok(process)
    }

    fn introduce_to_watchdog(&mut self) -> Result<()> {
        let pid = self.child.id();
        let pipe = self.watchdog.stdin.as_mut().context("the watchdog has no pipe")?;
        writeln!(pipe, "{pid}").context("the watchdog is gone")
    }

    /// The pid of the program itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its output goes.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.supervision.log
    }

    /// How it ended, if it has.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().context("cannot ask for a child's state")?;
        }
        Ok(self.ended)
    }

    /// Waits until `ready` says yes.
    ///
    /// # Errors
    /// When the process ends first or the time is up; the message ends with the last lines of its log.
    pub fn wait_until_ready(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !ready() {
            if let Some(status) = self.exit_status()? {
                bail!(
                    "{} ended during its start ({status}); {}",
                    self.supervision.name,
                    self.last_log_lines()
                );
            }
            if Instant::now() > deadline {
                let name = &self.supervision.name;
                bail!("{name} was not ready after {} s; {}", limit.as_secs(), self.last_log_lines());
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Asks it to stop, and kills it when it has not stopped within its grace. Harmless when it has already ended.
    ///
    /// # Errors
    /// When the system refuses the signal or does not say how the process ended.
    pub fn stop(&mut self) -> Result<ExitStatus> {
        if self.exit_status()?.is_none() {
            self.signal(self.supervision.stop_signal)?;
            // One that a test has halted would not hear of it otherwise.
            self.signal(Signal::SIGCONT)?;
            let deadline = Instant::now() + self.supervision.grace;
            while self.exit_status()?.is_none() && Instant::now() < deadline {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
        self.kill_9()
    }

    /// Ends it as a crash would. Harmless when it has already ended.
    ///
    /// # Errors
    /// When the system refuses the signal or does not say how the process ended.
    pub fn kill_9(&mut self) -> Result<ExitStatus> {
        if self.exit_status()?.is_none() {
            self.signal(Signal::SIGKILL)?;
        }
        let status = match self.ended {
            Some(status) => status,
            None => self.child.wait().context("cannot wait for a child")?,
        };
        self.ended = Some(status);
        end_watchdog(&mut self.watchdog);
        Ok(status)
    }

    /// Sends a signal to the program.
    ///
    /// # Errors
    /// When the system refuses it.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_raw(i32::try_from(self.pid()).context("a pid beyond i32")?);
        kill(pid, signal).with_context(|| format!("cannot send {signal} to {}", self.supervision.name))
    }

    /// The end of its log, as a sentence for an error message.
    #[must_use]
    pub fn last_log_lines(&self) -> String {
        last_lines(&self.supervision.log)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing can be reported from here; the watchdog finishes what this could not.
        drop(self.stop());
    }
}

fn end_watchdog(watchdog: &mut Child) {
    // It may be gone already, which is what we want.
    drop(watchdog.kill());
    drop(watchdog.wait());
}

/// The last [`LOG_LINES_SHOWN`] lines of a log, with where the rest is.
#[must_use]
pub fn last_lines(log: &Path) -> String {
    let text = std::fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.iter().skip(lines.len().saturating_sub(LOG_LINES_SHOWN)).copied().collect::<Vec<_>>();
    if shown.is_empty() {
        return format!("its log {} is empty", log.display());
    }
    format!("the end of {}:\n    {}", log.display(), shown.join("\n    "))
}
