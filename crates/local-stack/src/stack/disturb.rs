//! What tests do to a running stack: crash, stall, restart and double its services.

use std::{path::PathBuf, process::ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::sys::signal::Signal;

use super::{READY_LIMIT, Stack, instance_name};
use crate::{
    service::{Instance, Ports},
    topology::SERVICES,
};

impl Stack {
    /// Starts another instance of a service beside the first, on free ports, and returns its name.
    ///
    /// # Errors
    /// When there is no such service, or the instance does not become ready.
    pub fn start_another(&self, service: &str) -> Result<String> {
        let service = SERVICES.iter().find(|known| known.name == service).context("no such service")?;
        let number =
            self.instances().iter().filter(|instance| std::ptr::eq(instance.service, service)).count() + 1;
        let name = instance_name(service, number);
        let mut instance = self.launch(service, name.clone(), Ports::preferred(service)?)?;
        instance.wait_until_ready(READY_LIMIT)?;
        self.instances().push(instance);
        self.publish_endpoints()?;
        Ok(name)
    }

    /// Ends an instance as a crash would.
    ///
    /// # Errors
    /// When there is no such instance, or the system refuses.
    pub fn kill_9(&self, instance: &str) -> Result<()> {
        self.with(instance, Instance::kill_9)
    }

    /// Asks an instance to finish, without waiting; [`Stack::stop_service`] tells how it ended.
    ///
    /// # Errors
    /// When there is no such instance, or the system refuses.
    pub fn ask_to_finish(&self, instance: &str) -> Result<()> {
        self.with(instance, Instance::ask_to_finish)
    }

    /// Asks an instance to finish, waits for its end and says how it ended.
    ///
    /// # Errors
    /// When there is no such instance, or the system refuses.
    pub fn stop_service(&self, instance: &str) -> Result<ExitStatus> {
        self.with(instance, Instance::stop)
    }

    /// Halts an instance as if its machine had stalled, until [`Stack::resume`].
    ///
    /// # Errors
    /// When there is no such instance, or the system refuses.
    pub fn pause(&self, instance: &str) -> Result<()> {
        self.with(instance, |one| one.signal(Signal::SIGSTOP))
    }

    /// Lets a paused instance go on.
    ///
    /// # Errors
    /// When there is no such instance, or the system refuses.
    pub fn resume(&self, instance: &str) -> Result<()> {
        self.with(instance, |one| one.signal(Signal::SIGCONT))
    }

    /// Starts an instance again at the same addresses, stopping it first if it runs; returns when it is ready.
    ///
    /// # Errors
    /// When there is no such instance, or it does not become ready.
    pub fn restart(&self, instance: &str) -> Result<()> {
        self.restart_unready(instance)?;
        self.with(instance, |one| one.wait_until_ready(READY_LIMIT))
    }

    /// As [`Stack::restart`], without waiting: for services whose dependencies are away.
    ///
    /// # Errors
    /// When there is no such instance, or it cannot be started.
    pub fn restart_unready(&self, instance: &str) -> Result<()> {
        self.with(instance, Instance::restart)?;
        self.publish_endpoints()
    }

    /// Changes settings of an instance; they hold from its next restart on.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn set_environment(&self, instance: &str, name: &str, value: &str) -> Result<()> {
        self.with(instance, |one| {
            let environment = one.environment();
            environment.retain(|(known, _)| known != name);
            environment.push((name.to_owned(), value.to_owned()));
            Ok(())
        })
    }

    /// An instance's log.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn log(&self, instance: &str) -> Result<PathBuf> {
        self.with(instance, |one| Ok(one.log()))
    }

    /// Whether an instance says that it and its dependencies are ready.
    ///
    /// # Errors
    /// When there is no such instance.
    pub fn is_ready(&self, instance: &str) -> Result<bool> {
        self.with(instance, |one| Ok(one.is_running() && one.is_ready()))
    }

    fn with<T>(&self, instance: &str, f: impl FnOnce(&mut Instance) -> Result<T>) -> Result<T> {
        let mut instances = self.instances();
        let found = instances.iter_mut().find(|one| one.name == instance);
        f(found.ok_or_else(|| anyhow!("no instance is called {instance}"))?)
    }
}
