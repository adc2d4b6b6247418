//! A nats-server with JetStream, and several that are one cluster.

mod cluster;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
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

pub use cluster::Cluster;

const START_LIMIT: Duration = Duration::from_secs(30);
const STOP_GRACE: Duration = Duration::from_secs(10);
/// JetStream and nothing else: no users, any client may do anything.
///
/// How much it may keep is said, because a server that is not told takes three quarters of what the disk has free when
/// it starts, and refuses streams whose limits exceed that, however empty they are.
const OPEN_CONFIG: &str = "jetstream { max_file_store: 64GB }\n";

/// How to start a server. `Options::default()` is an open one in a temporary directory on a free port.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it keeps its streams, its configuration and its log; kept afterwards. A temporary directory otherwise.
    pub directory: Option<PathBuf>,
    /// The port to listen on; a free one otherwise.
    pub port: Option<u16>,
    /// The text of its configuration file; address and port on the command line win over its
    /// own, and where the streams are kept is said there only.
    pub config: Option<String>,
    /// Environment variables that the configuration refers to. nats-server reads their values as configuration syntax:
    /// letters and digits that begin with a letter are safe, `1e5` or `10k` would be numbers.
    pub environment: Vec<(String, String)>,
}

/// A running nats-server; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    process: Mutex<Process>,
    /// The same after a restart: in a cluster it is who a server is.
    name: String,
    environment: Vec<(String, String)>,
    port: u16,
    directory: Directory,
}

impl Server {
    /// Starts a server and waits until it accepts clients, JetStream included.
    ///
    /// # Errors
    /// When `nats-server` is not installed, refuses its configuration or does not start in time.
    pub fn start(options: Options) -> Result<Self> {
        let directory = Directory::prepare(options.directory, "nats")?;
        let config = options.config.as_deref().unwrap_or(OPEN_CONFIG);
        fs::write(directory.path().join("nats-server.conf"), config)
            .context("cannot write nats-server.conf")?;
        // So that whoever answers at the port is known to be this server and not one that took the port meanwhile.
        let name = format!("backing-{:016x}", rand::random::<u64>());
        let (port, process) =
            port::start_at(options.port, |port| launch(&directory, &name, port, &options.environment))?;
        Ok(Self { process: Mutex::new(process), name, environment: options.environment, port, directory })
    }

    /// The open server that all tests of this process share.
    ///
    /// # Errors
    /// As [`Server::start`], the first time.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<std::result::Result<Server, String>> = OnceLock::new();
        let started =
            SHARED.get_or_init(|| Self::start(Options::default()).map_err(|error| format!("{error:#}")));
        started.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// Where clients connect: `nats://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// What it calls itself among the members of a cluster.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The pid of nats-server itself.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        log_of(&self.directory)
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.process().exit_status(), Ok(None))
    }

    /// Stops it in good order; [`Server::restart`] brings it back.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&self) -> Result<()> {
        self.process().stop().map(drop)
    }

    /// Ends it as a crash would; [`Server::restart`] brings it back.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill_9(&self) -> Result<()> {
        self.process().kill_9().map(drop)
    }

    /// Where it keeps its streams. While it does not run, this may be removed, copied or replaced by a copy.
    #[must_use]
    pub fn streams_directory(&self) -> PathBuf {
        streams_of(&self.directory)
    }

    /// Stops it if it runs, and starts it again on the same port with the same data.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn restart(&self) -> Result<()> {
        let mut process = self.process();
        process.stop()?;
        *process = launch(&self.directory, &self.name, self.port, &self.environment)?;
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn log_of(directory: &Directory) -> PathBuf {
    directory.path().join("nats-server.log")
}

fn streams_of(directory: &Directory) -> PathBuf {
    directory.path().join("streams")
}

fn launch(directory: &Directory, name: &str, port: u16, environment: &[(String, String)]) -> Result<Process> {
    let program = program::find("nats-server", &[Path::new("/usr/sbin")]).context(
        "nats-server is not installed: Debian and Ubuntu have it in the package nats-server, Homebrew in nats-server",
    )?;
    let mut command = Command::new(program);
    command.arg("--name").arg(name);
    command.arg("--config").arg(directory.path().join("nats-server.conf"));
    command.arg("--addr").arg("127.0.0.1").arg("--port").arg(port.to_string());
    command.arg("--store_dir").arg(streams_of(directory));
    command.current_dir(directory.path()).envs(environment.iter().cloned());
    let supervision = Supervision {
        name: "nats-server".to_owned(),
        log: log_of(directory),
        stop_signal: Signal::SIGTERM,
        grace: STOP_GRACE,
        orphan_signal: Signal::SIGTERM,
        remove_when_orphaned: directory.to_remove(),
    };
    if !port::is_free(port) {
        bail!("nats-server cannot listen on 127.0.0.1:{port}: the port is taken");
    }
    let mut process = Process::spawn(command, supervision)?;
    process.wait_until_ready(START_LIMIT, || greets(port, name))?;
    Ok(process)
}

/// Whether the server says hello. It opens its port after JetStream has recovered its streams.
fn greets(port: u16, name: &str) -> bool {
    const PATIENCE: Duration = Duration::from_secs(1);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(stream) = TcpStream::connect_timeout(&address, PATIENCE) else {
        return false;
    };
    let mut greeting = String::new();
    stream.set_read_timeout(Some(PATIENCE)).is_ok()
        && BufReader::new(stream).read_line(&mut greeting).is_ok()
        && greeting.starts_with("INFO ")
        && greeting.contains(name)
}
