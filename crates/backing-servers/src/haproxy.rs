//! A HAProxy in the foreground, for whoever wants to know what a configuration does.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use crate::{
    directory::Directory,
    port,
    process::{Process, Supervision},
    program,
};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(10);

/// How to start a HAProxy.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it keeps its configuration and its log; kept afterwards. A temporary directory otherwise.
    pub directory: Option<PathBuf>,
    /// The text of its configuration file.
    pub config: String,
    /// Environment variables that the configuration refers to.
    pub environment: Vec<(String, String)>,
    /// The ports of 127.0.0.1 that the configuration has it listen on.
    pub ports: Vec<u16>,
}

/// A running HAProxy; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    _process: Process,
    _directory: Directory,
}

impl Server {
    /// Starts it and waits until it listens on its ports.
    ///
    /// # Errors
    /// When `haproxy` is not installed, refuses its configuration or does not start in time.
    pub fn start(options: Options) -> Result<Self> {
        let directory = Directory::prepare(options.directory, "haproxy")?;
        let config = directory.path().join("haproxy.cfg");
        fs::write(&config, &options.config).context("cannot write haproxy.cfg")?;
        let mut command = command()?;
        if let Some(taken) = options.ports.iter().find(|port| !port::is_free(**port)) {
            bail!("haproxy cannot listen on 127.0.0.1:{taken}: the port is taken");
        }
        // In the foreground, as one process.
        command.arg("-db").arg("-f").arg(&config).current_dir(directory.path()).envs(options.environment);
        let supervision = Supervision {
            name: "haproxy".to_owned(),
            log: directory.path().join("haproxy.log"),
            stop_signal: Signal::SIGTERM,
            grace: STOP_GRACE,
            orphan_signal: Signal::SIGTERM,
            remove_when_orphaned: directory.to_remove(),
        };
        let mut process = Process::spawn(command, supervision)?;
        process.wait_until_ready(START_LIMIT, || options.ports.iter().all(|port| port::accepts(*port)))?;
        Ok(Self { _process: process, _directory: directory })
    }
}

/// `haproxy`, for whoever has it check a configuration.
///
/// # Errors
/// When it is not installed.
pub fn command() -> Result<Command> {
    program::find("haproxy", &[Path::new("/usr/sbin")]).map(Command::new).context(
        "haproxy is not installed: Debian and Ubuntu have it in the package haproxy, Homebrew in haproxy",
    )
}
