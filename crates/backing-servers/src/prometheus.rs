//! A Prometheus that scrapes and evaluates what its configuration says.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
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

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_GRACE: Duration = Duration::from_secs(10);
const CONFIG: &str = "prometheus.yml";

/// How to start a server. `Options::default()` is one in a temporary directory on a free port that scrapes nothing.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it keeps its samples, its configuration and its log; kept afterwards. A temporary directory otherwise.
    pub directory: Option<PathBuf>,
    /// The port to listen on; a free one otherwise.
    pub port: Option<u16>,
    /// The text of its configuration file. Files that it names need absolute paths.
    pub config: String,
}

/// A running Prometheus; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    process: Mutex<Process>,
    port: u16,
    directory: Directory,
}

impl Server {
    /// Starts a server and waits until it answers queries.
    ///
    /// # Errors
    /// When `prometheus` is not installed, refuses its configuration or does not start in time.
    pub fn start(options: Options) -> Result<Self> {
        let directory = Directory::prepare(options.directory, "prometheus")?;
        fs::write(directory.path().join(CONFIG), options.config)
            .with_context(|| format!("cannot write {CONFIG}"))?;
        let (port, process) = port::start_at(options.port, |port| launch(&directory, port))?;
        Ok(Self { process: Mutex::new(process), port, directory })
    }

    /// Where its API is: `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The pid of Prometheus itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        log_of(&self.directory)
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `promtool`, which comes with Prometheus and checks its files.
///
/// # Errors
/// When it is not installed.
pub fn promtool() -> Result<Command> {
    find("promtool").map(Command::new)
}

fn find(name: &str) -> Result<PathBuf> {
    program::find(name, &[]).with_context(|| {
        format!("{name} is not installed: Debian, Ubuntu and Homebrew have it in the package prometheus")
    })
}

fn log_of(directory: &Directory) -> PathBuf {
    directory.path().join("prometheus.log")
}

fn launch(directory: &Directory, port: u16) -> Result<Process> {
    let samples = directory.path().join("samples");
    let mut command = Command::new(find("prometheus")?);
    command.arg(format!("--config.file={}", directory.path().join(CONFIG).display()));
    command.arg(format!("--storage.tsdb.path={}", samples.display()));
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    command.current_dir(directory.path());
    let supervision = Supervision {
        name: "prometheus".to_owned(),
        log: log_of(directory),
        stop_signal: Signal::SIGTERM,
        grace: STOP_GRACE,
        orphan_signal: Signal::SIGTERM,
        remove_when_orphaned: directory.to_remove(),
    };
    if !port::is_free(port) {
        bail!("prometheus cannot listen on 127.0.0.1:{port}: the port is taken");
    }
    let mut process = Process::spawn(command, supervision)?;
    process.wait_until_ready(START_LIMIT, || tells_its_place(port, &samples))?;
    Ok(process)
}

/// Whether its API answers, which it does when it is ready, and with the place of these samples: another Prometheus may
/// have taken the port meanwhile.
fn tells_its_place(port: u16, samples: &Path) -> bool {
    const PATIENCE: Duration = Duration::from_secs(1);
    const QUESTION: &[u8] = b"GET /api/v1/status/flags HTTP/1.0\r\n\r\n";
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(mut stream) = TcpStream::connect_timeout(&address, PATIENCE) else {
        return false;
    };
    let mut answer = String::new();
    stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && stream.write_all(QUESTION).is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.contains(" 200 OK")
        && answer.contains(&samples.display().to_string())
}
