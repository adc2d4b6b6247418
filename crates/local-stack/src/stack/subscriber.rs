//! Example followers of the facts beside a stack: they are no part of it, and are killed as one likes.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};
use backing_servers::process::Process;

use super::Stack;
use crate::{
    claim::Claim,
    service::{Launch, isolated},
    topology::{Environment, SUBSCRIBER_BUS_USER, bus_password_variable},
};

const PROGRAM: &str = "fact-subscriber";
/// Any port: the first choice where it is free.
const OBSERVE_PORT: u16 = 9084;

/// A running follower; dropping it stops it.
#[derive(Debug)]
pub struct Subscriber {
    launch: Launch,
    process: Process,
    observe: Claim,
    model: PathBuf,
}

impl Stack {
    /// Starts a follower that uses the consumer of this name, which the bus must allow, with a new model of its own in the
    /// working directory.
    ///
    /// # Errors
    /// When the program is missing or does not start.
    pub fn start_subscriber(&self, name: &str) -> Result<Subscriber> {
        let observe = Claim::preferred(OBSERVE_PORT)?;
        let model = self.workdir.file(&format!("{name}.sqlite"));
        remove(&model)?;
        let mut environment = self.subscriber_environment(name, &model);
        environment.push(("TIMECLOCK_OBSERVE_ADDR".to_owned(), observe.address().to_string()));
        let launch = Launch {
            program: self.binaries.find(PROGRAM)?,
            environment,
            directory: self.workdir().to_owned(),
            log: self.workdir.log(&format!("{PROGRAM}-{name}")),
        };
        let process = launch.spawn(PROGRAM)?;
        Ok(Subscriber { launch, process, observe, model })
    }

    /// Replays the whole stream of facts into a new model and returns what that says of every user, one JSON document a
    /// line.
    ///
    /// # Errors
    /// What the program reports.
    pub fn replay_facts(&self, name: &str) -> Result<String> {
        let model = self.workdir.file(&format!("{name}-replay.sqlite"));
        let program = self.binaries.find(PROGRAM)?;
        remove(&model)?;
        run(&program, "replay", self.subscriber_environment(name, &model))?;
        run(&program, "seats", model_variable(&model))
    }

    /// Where the bus is and the password of its user for followers, for those that are written in other languages.
    #[must_use]
    pub fn subscriber_bus(&self) -> (String, String) {
        let password = self.secrets.get(&bus_password_variable(SUBSCRIBER_BUS_USER));
        (self.backing.nats_url.clone(), password.to_owned())
    }

    fn subscriber_environment(&self, name: &str, model: &Path) -> Environment {
        let mut environment = self.backing.bus_environment(SUBSCRIBER_BUS_USER, &self.secrets);
        environment.push(("TIMECLOCK_SUBSCRIBER_NAME".to_owned(), name.to_owned()));
        environment.extend(model_variable(model));
        environment
    }
}

impl Subscriber {
    /// Ends it as a crash would and starts it again, without waiting until it is ready.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn crash(&mut self) -> Result<()> {
        self.process.kill_9()?;
        self.process = self.launch.spawn(PROGRAM)?;
        Ok(())
    }

    /// What its model says of every user, one JSON document a line.
    ///
    /// # Errors
    /// What the program reports.
    pub fn seats(&self) -> Result<String> {
        run(&self.launch.program, "seats", model_variable(&self.model))
    }

    /// Where its metrics are.
    #[must_use]
    pub fn metrics_url(&self) -> String {
        format!("http://{}/metrics", self.observe.address())
    }
}

/// Removes a model with what SQLite keeps beside it.
fn remove(model: &Path) -> Result<()> {
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", model.display()));
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn model_variable(model: &Path) -> Environment {
    vec![("TIMECLOCK_SUBSCRIBER_MODEL".to_owned(), model.display().to_string())]
}

/// Runs a command to its end; the log of a command, which goes where its answer goes, holds lines that are no answer.
fn run(program: &Path, command: &str, environment: Environment) -> Result<String> {
    let mut process = isolated(Command::new(program));
    process.arg(command).envs(environment).env("TIMECLOCK_LOG", "warn").stdin(Stdio::null());
    let output = process.output().with_context(|| format!("cannot start {}", program.display()))?;
    if !output.status.success() {
        bail!(
            "`{PROGRAM} {command}` failed ({}): {}",
            output.status,
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
