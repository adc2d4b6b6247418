//! Prometheus' exporters: what they tell of a machine's disks, and of a certificate that somebody shows.

use std::{fs, path::PathBuf, process::Command, time::Duration};

use anyhow::{Context as _, Result};
use nix::sys::signal::Signal;

use crate::{
    directory::Directory,
    port,
    process::{Process, Supervision},
    program,
};

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(10);

/// A running exporter; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    _process: Process,
    _directory: Directory,
    port: u16,
}

impl Server {
    /// Where Prometheus asks it: `127.0.0.1:<port>`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// Starts `node_exporter`, which tells of this machine's disks.
///
/// # Errors
/// When it is not installed or does not start in time.
pub fn node() -> Result<Server> {
    let directory = Directory::prepare(None, "node-exporter")?;
    start("node", directory, &["--collector.disable-defaults", "--collector.filesystem"])
}

/// Starts `blackbox_exporter` with this text as its configuration.
///
/// # Errors
/// When it is not installed, refuses its configuration or does not start in time.
pub fn blackbox(config: &str) -> Result<Server> {
    let directory = Directory::prepare(None, "blackbox-exporter")?;
    let file = directory.path().join("blackbox.yml");
    fs::write(&file, config).context("cannot write blackbox.yml")?;
    let option = format!("--config.file={}", file.display());
    start("blackbox", directory, &[&option])
}

fn start(kind: &str, directory: Directory, options: &[&str]) -> Result<Server> {
    let program = find(kind)?;
    let launch = |port: u16| {
        let mut command = Command::new(&program);
        command.args(options).arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let supervision = Supervision {
            name: format!("{kind}-exporter"),
            log: directory.path().join("exporter.log"),
            stop_signal: Signal::SIGTERM,
            grace: STOP_GRACE,
            orphan_signal: Signal::SIGTERM,
            remove_when_orphaned: directory.to_remove(),
        };
        let mut process = Process::spawn(command, supervision)?;
        process.wait_until_ready(START_LIMIT, || port::accepts(port))?;
        Ok(process)
    };
    let (port, process) = port::start_at(None, launch)?;
    Ok(Server { _process: process, _directory: directory, port })
}

/// By the name that Debian gives it, or by Homebrew's.
fn find(kind: &str) -> Result<PathBuf> {
    let names = [format!("prometheus-{kind}-exporter"), format!("{kind}_exporter")];
    names.iter().find_map(|name| program::find(name, &[])).with_context(|| {
        let [debian, homebrew] = &names;
        format!("{homebrew} is not installed: Debian and Ubuntu have it in {debian}, Homebrew in {homebrew}")
    })
}
