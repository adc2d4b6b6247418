//! A PostgreSQL server.

mod account;
mod programs;
mod template;

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;
use rand::distr::{Alphanumeric, SampleString as _};

pub use self::template::Database;
use self::{account::Account, programs::Programs, template::Templates};
use crate::{
    directory::Directory,
    port,
    process::{Process, Supervision},
};

/// The superuser's name.
pub const SUPERUSER: &str = "postgres";
/// Crash recovery of a large database takes its time.
const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_GRACE: Duration = Duration::from_secs(20);
/// How long the backends of a killed server may hold on to its shared memory.
const BACKENDS_LINGER: Duration = Duration::from_secs(10);
const PASSWORD_LENGTH: usize = 32;

/// How to start a server. `Options::default()` is a durable one in a temporary directory on a free port.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it keeps its data, its superuser's password and its log; kept afterwards. A temporary directory otherwise.
    ///
    /// As root, the data and the password are below `/var/tmp/backing-servers/` when the account that runs Postgres cannot
    /// reach this directory; [`Server::data_directory`] tells.
    pub directory: Option<PathBuf>,
    /// The port to listen on; a free one otherwise.
    pub port: Option<u16>,
    /// Faster and not durable: no fsync. For tests that do not lose the machine's power.
    pub fast: bool,
    /// Further server settings, such as `("max_connections", "200")`.
    pub settings: Vec<(String, String)>,
}

/// A running PostgreSQL server; dropping it stops it.
#[derive(Debug)]
pub struct Server {
    // Before the directory, so that the process has ended when the directory is removed.
    process: Mutex<Process>,
    installation: Installation,
    port: u16,
    password: String,
    templates: Templates,
}

/// Everything that outlives one run of the server.
#[derive(Debug)]
struct Installation {
    programs: Programs,
    account: Account,
    data: PathBuf,
    settings: Vec<(String, String)>,
    directory: Directory,
}

impl Server {
    /// Starts a server, creating its cluster first where there is none, and waits until it accepts connections.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, its cluster cannot be created or it does not start in time.
    pub fn start(options: Options) -> Result<Self> {
        let programs = Programs::find()?;
        let account = Account::choose()?;
        let directory = Directory::prepare(options.directory, "postgres")?;
        if directory.to_remove().is_some() {
            account.admit(directory.path())?;
        }
        let home = account.home(directory.path())?;
        let password = password_of(&home, account)?;
        let mut settings = options.settings;
        if options.fast {
            // Commits still wait until the kernel has them, so a killed server loses nothing; a crashed machine does.
            let off = ["fsync", "full_page_writes"];
            settings.extend(off.map(|name| (name.to_owned(), "off".to_owned())));
        }
        let installation = Installation { programs, account, data: home.join("data"), settings, directory };
        installation.create_cluster(&home)?;
        let (port, process) = port::start_at(options.port, |port| installation.launch(port))?;
        let process = Mutex::new(process);
        Ok(Self { process, installation, port, password, templates: Templates::default() })
    }

    /// The fast server that all tests of this process share.
    ///
    /// # Errors
    /// As [`Server::start`], the first time.
    pub fn shared() -> Result<&'static Self> {
        static SHARED: OnceLock<std::result::Result<Server, String>> = OnceLock::new();
        let started = SHARED.get_or_init(|| {
            let settings = vec![("max_connections".to_owned(), "300".to_owned())];
            Self::start(Options { fast: true, settings, ..Options::default() })
                .map_err(|error| format!("{error:#}"))
        });
        started.as_ref().map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// A connection URL.
    #[must_use]
    pub fn url(&self, database: &str, user: &str, password: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    /// The superuser's connection URL.
    #[must_use]
    pub fn superuser_url(&self, database: &str) -> String {
        self.url(database, SUPERUSER, &self.password)
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The pid of the postmaster.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process().pid()
    }

    /// Its log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.installation.log()
    }

    /// Where its files are.
    #[must_use]
    pub fn data_directory(&self) -> &Path {
        &self.installation.data
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_running(&self) -> bool {
        matches!(self.process().exit_status(), Ok(None))
    }

    /// Runs SQL as the superuser, with psql, and returns what it prints: rows on lines, columns separated by `|`.
    ///
    /// The script may use psql's own commands; several statements are not one transaction.
    ///
    /// # Errors
    /// The first statement that Postgres refuses ends the script; the message is Postgres's.
    pub fn sql(&self, database: &str, script: &str) -> Result<String> {
        self.sql_with(database, script, &[])
    }

    /// As [`Server::sql`], with environment variables that the script reads by psql's `\getenv`.
    ///
    /// # Errors
    /// As [`Server::sql`].
    pub fn sql_with(&self, database: &str, script: &str, environment: &[(String, String)]) -> Result<String> {
        self.psql(database, SUPERUSER, &self.password, script, environment)
    }

    /// As [`Server::sql`], as somebody else.
    ///
    /// # Errors
    /// As [`Server::sql`], and when the password is wrong.
    pub fn sql_as(&self, database: &str, user: &str, password: &str, script: &str) -> Result<String> {
        self.psql(database, user, password, script, &[])
    }

    fn psql(
        &self,
        database: &str,
        user: &str,
        password: &str,
        script: &str,
        environment: &[(String, String)],
    ) -> Result<String> {
        let mut command = self.client("psql", database, user, password);
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
                "--file=-",
            ])
            .envs(environment.iter().cloned());
        output_of("psql", command, script)
    }

    /// One of the installation's client programs, such as `pgbench`, told by its environment to connect as the superuser.
    #[must_use]
    pub fn superuser_client(&self, program: &str, database: &str) -> Command {
        self.client(program, database, SUPERUSER, &self.password)
    }

    fn client(&self, program: &str, database: &str, user: &str, password: &str) -> Command {
        let mut command = self.installation.programs.command(program);
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string());
        command.env("PGUSER", user).env("PGDATABASE", database).env("PGPASSWORD", password);
        command
    }

    /// Stops it in good order, ending its clients' connections; [`Server::restart`] brings it back.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn stop(&self) -> Result<()> {
        self.process().stop().map(drop)
    }

    /// Ends the postmaster as a crash would; its backends notice and end too. [`Server::restart`] brings it back.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill_9(&self) -> Result<()> {
        self.process().kill_9().map(drop)
    }

    /// Stops it if it runs, and starts it again on the same port with the same data.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn restart(&self) -> Result<()> {
        let mut process = self.process();
        process.stop()?;
        let deadline = Instant::now() + BACKENDS_LINGER;
        *process = loop {
            match self.installation.launch(self.port) {
                Ok(process) => break process,
                // After kill -9, until the last backend has noticed, a new postmaster refuses to start.
                Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(50)),
                Err(error) => return Err(error),
            }
        };
        Ok(())
    }

    fn process(&self) -> MutexGuard<'_, Process> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Installation {
    fn log(&self) -> PathBuf {
        self.directory.path().join("postgres.log")
    }

    fn create_cluster(&self, home: &Path) -> Result<()> {
        if self.data.join("PG_VERSION").exists() {
            return Ok(());
        }
        let mut command = self.command("initdb");
        // The C locale is the same on every system and the fastest; what is compared without case is folded by us.
        command
            .args(["--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync"])
            .arg(format!("--pwfile={}", password_file(home).display()))
            .arg(format!("--username={SUPERUSER}"))
            .arg(format!("--pgdata={}", self.data.display()));
        output_of("initdb", command, "").map(drop)
    }

    fn launch(&self, port: u16) -> Result<Process> {
        if !port::is_free(port) {
            bail!("Postgres cannot listen on 127.0.0.1:{port}: the port is taken");
        }
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.data).arg("-p").arg(port.to_string()).arg("-h").arg("127.0.0.1");
        // No socket file: a path can be too long for one, and /var/run/postgresql belongs to somebody else.
        command.args(["-c", "unix_socket_directories="]);
        for (name, value) in &self.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        let supervision = Supervision {
            name: "postgres".to_owned(),
            log: self.log(),
            stop_signal: Signal::SIGINT, // "fast": ends sessions, writes a checkpoint
            grace: STOP_GRACE,
            orphan_signal: Signal::SIGQUIT, // "immediate": ends the backends too, recovers at the next start
            remove_when_orphaned: self.directory.to_remove(),
        };
        let mut process = Process::spawn(command, supervision)?;
        let pid = process.pid().to_string();
        let state = self.data.join("postmaster.pid");
        process.wait_until_ready(START_LIMIT, || is_ready(&state, &pid))?;
        Ok(process)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = self.programs.command(program);
        let place = if self.data.exists() { &self.data } else { Path::new("/") };
        command.current_dir(place).env("LC_ALL", "C").env_remove("PGDATA");
        self.account.apply(&mut command);
        command
    }
}

/// The first line of this file is the postmaster's pid, the eighth its state. The file of a killed server stays behind.
fn is_ready(state: &Path, pid: &str) -> bool {
    let text = fs::read_to_string(state).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    lines.next() == Some(pid) && lines.nth(6) == Some("ready")
}

fn password_file(home: &Path) -> PathBuf {
    home.join("superuser-password")
}

/// The superuser's password, made up once and kept beside the data.
fn password_of(home: &Path, account: Account) -> Result<String> {
    let file = password_file(home);
    if let Ok(known) = fs::read_to_string(&file) {
        return Ok(known);
    }
    let password = Alphanumeric.sample_string(&mut rand::rng(), PASSWORD_LENGTH);
    fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&file)
        .and_then(|mut file| file.write_all(password.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))?;
    account.give(&file)?;
    Ok(password)
}

/// Runs a program to its end with this input.
fn output_of(name: &str, mut command: Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {name}"))?;
    let mut stdin = child.stdin.take().with_context(|| format!("{name} has no input"))?;
    let writer = std::thread::spawn({
        let input = input.to_owned();
        move || stdin.write_all(input.as_bytes())
    });
    let output = child.wait_with_output().with_context(|| format!("cannot wait for {name}"))?;
    // A program that stops reading early says why on its standard error.
    drop(writer.join());
    if !output.status.success() {
        bail!("{name} failed ({}): {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("{name} printed something that is not UTF-8"))
}
