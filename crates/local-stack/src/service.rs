//! One running process of a service: its addresses stay the same when it is restarted.

use std::{
    net::SocketAddr,
    path::PathBuf,
    process::{Command, ExitStatus},
    time::Duration,
};

use anyhow::{Result, bail};
use backing_servers::process::{Process, Supervision};
use nix::sys::signal::Signal;

use crate::{
    claim::Claim,
    probe,
    topology::{Environment, READY_PATH, Service},
};

/// Longer than the services' own deadline for finishing what is in flight (20 s).
const STOP_GRACE: Duration = Duration::from_secs(25);

/// Where an instance listens.
#[derive(Debug)]
pub(crate) struct Ports {
    http: Option<Claim>,
    observe: Claim,
}

impl Ports {
    /// The service's own ports where they are free.
    pub(crate) fn preferred(service: &Service) -> Result<Self> {
        let http = service.http_port.map(Claim::preferred).transpose()?;
        Ok(Self { http, observe: Claim::preferred(service.observe_port)? })
    }

    pub(crate) fn http(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(Claim::address)
    }

    pub(crate) fn observe(&self) -> SocketAddr {
        self.observe.address()
    }
}

/// What it takes to start an instance, again and again.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) environment: Environment,
    pub(crate) directory: PathBuf,
    pub(crate) log: PathBuf,
}

/// An instance of a service.
#[derive(Debug)]
pub(crate) struct Instance {
    /// The service's name, with a number from the second instance on.
    pub(crate) name: String,
    pub(crate) service: &'static Service,
    pub(crate) ports: Ports,
    launch: Launch,
    process: Process,
    /// Whether somebody ended it on purpose, so that its end is no news.
    ended_on_purpose: bool,
}

impl Instance {
    pub(crate) fn start(
        name: String,
        service: &'static Service,
        ports: Ports,
        launch: Launch,
    ) -> Result<Self> {
        let process = launch.spawn(&name)?;
        Ok(Self { name, service, ports, launch, process, ended_on_purpose: false })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.launch.log.clone()
    }

    pub(crate) fn environment(&mut self) -> &mut Environment {
        &mut self.launch.environment
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.process.exit_status(), Ok(None))
    }

    pub(crate) const fn ended_on_purpose(&self) -> bool {
        self.ended_on_purpose
    }

    pub(crate) fn stop(&mut self) -> Result<ExitStatus> {
        self.ended_on_purpose = true;
        self.process.stop()
    }

    pub(crate) fn ask_to_finish(&mut self) -> Result<()> {
        self.ended_on_purpose = true;
        self.process.signal(Signal::SIGTERM)
    }

    pub(crate) fn kill_9(&mut self) -> Result<()> {
        self.ended_on_purpose = true;
        self.process.kill_9().map(drop)
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        self.process.signal(signal)
    }

    pub(crate) fn restart(&mut self) -> Result<()> {
        self.process.stop()?;
        self.process = self.launch.spawn(&self.name)?;
        self.ended_on_purpose = false;
        Ok(())
    }

    /// How it ended, when nobody asked it to.
    pub(crate) fn unexpected_end(&mut self) -> Option<String> {
        let status = self.process.exit_status().ok()??;
        let name = &self.name;
        (!self.ended_on_purpose)
            .then(|| format!("{name} ended ({status}); {}", self.process.last_log_lines()))
    }

    pub(crate) fn is_ready(&self) -> bool {
        matches!(probe::get(self.ports.observe(), READY_PATH), Some((200, _)))
    }

    /// Waits until it and its dependencies are ready.
    pub(crate) fn wait_until_ready(&mut self, limit: Duration) -> Result<()> {
        let observe = self.ports.observe();
        let mut last = None;
        let outcome = self.process.wait_until_ready(limit, || {
            last = probe::get(observe, READY_PATH);
            matches!(last, Some((200, _)))
        });
        match (outcome, last) {
            (Err(error), Some((status, body))) => {
                bail!("{error}\n  its last answer to {READY_PATH}: {status} {body}")
            }
            (outcome, _) => outcome,
        }
    }
}

impl Launch {
    pub(crate) fn spawn(&self, name: &str) -> Result<Process> {
        let mut command = isolated(Command::new(&self.program));
        command.arg("serve").current_dir(&self.directory).envs(self.environment.iter().cloned());
        Process::spawn(
            command,
            Supervision {
                name: name.to_owned(),
                log: self.log.clone(),
                stop_signal: Signal::SIGTERM,
                grace: STOP_GRACE,
                orphan_signal: Signal::SIGTERM,
                remove_when_orphaned: None,
            },
        )
    }
}

/// Without the settings of whoever started us: a service refuses variables that it does not know.
pub(crate) fn isolated(mut command: Command) -> Command {
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIMECLOCK_") {
            command.env_remove(name);
        }
    }
    command
}
