//! What the providers that people sign in to have in common: Python of their own, and questions over HTTP.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::Signal;

use crate::{
    directory::Directory,
    port,
    process::{Process, Supervision},
};

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_GRACE: Duration = Duration::from_secs(5);

/// How long an answer may take: machines that run tests are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Python with what is pinned for this provider, in the target directory of the program that runs.
pub(crate) fn install(name: &str) -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the running program")?;
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    let target = target.context("the running program is outside a target directory")?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/install-provider");
    let installed = Command::new(&script).arg(name).env("CARGO_TARGET_DIR", target).output();
    let installed = installed.with_context(|| format!("cannot run {}", script.display()))?;
    if !installed.status.success() {
        bail!("{} {name} failed: {}", script.display(), String::from_utf8_lossy(&installed.stderr));
    }
    Ok(target.join(name).join("bin/python"))
}

/// How to start a provider.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where it keeps its keys, if it keeps any, and its log; kept afterwards. A temporary directory otherwise.
    pub directory: Option<PathBuf>,
    /// The port to listen on; a free one otherwise.
    pub port: Option<u16>,
}

/// Where a provider of this name has its log.
pub(crate) fn log_of(name: &str, directory: &Directory) -> PathBuf {
    directory.path().join(format!("{name}.log"))
}

/// Starts a provider and waits until this page of it says who it is.
pub(crate) fn launch(
    name: &str,
    command: Command,
    (directory, port): (&Directory, u16),
    (path, identity): (&str, &str),
) -> Result<Process> {
    let supervision = Supervision {
        name: name.to_owned(),
        log: log_of(name, directory),
        stop_signal: Signal::SIGTERM,
        grace: STOP_GRACE,
        orphan_signal: Signal::SIGTERM,
        remove_when_orphaned: directory.to_remove(),
    };
    if !port::is_free(port) {
        bail!("{name} cannot listen on 127.0.0.1:{port}: the port is taken");
    }
    let mut process = Process::spawn(command, supervision)?;
    process.wait_until_ready(START_LIMIT, || {
        ask(port, "GET", path, "").is_ok_and(|answer| answer.body.contains(identity))
    })?;
    Ok(process)
}

/// What a provider said.
pub(crate) struct Answer {
    head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn page(self) -> Result<String> {
        ensure!(self.head.contains(" 200 OK"), "{}\n{}", self.head, self.body);
        Ok(self.body)
    }

    /// Nothing, which says that it did what it was told.
    pub(crate) fn done(self) -> Result<()> {
        // The words behind the number are the server's own (RFC 9112 §4).
        ensure!(self.head.contains(" 204 "), "{}\n{}", self.head, self.body);
        Ok(())
    }

    pub(crate) fn location(self) -> Result<String> {
        // Whatever the case of the header's name (RFC 9110 §5.1).
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        let location = headers.find(|(name, _)| name.eq_ignore_ascii_case("location"));
        location
            .map(|(_, address)| address.to_owned())
            .with_context(|| format!("{}\n{}", self.head, self.body))
    }
}

/// One question over HTTP/1.0, whose answer ends with the connection. What is sent is a form, as browsers send it, or
/// something else where nobody looks at its type.
pub(crate) fn ask(port: u16, method: &str, path: &str, text: &str) -> Result<Answer> {
    ask_with(port, method, path, ("application/x-www-form-urlencoded", text))
}

/// The same with a type.
pub(crate) fn ask_with(port: u16, method: &str, path: &str, (kind, text): (&str, &str)) -> Result<Answer> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = text.len();
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{text}"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no answer in HTTP")?;
    Ok(Answer { head: head.to_owned(), body: body.to_owned() })
}
