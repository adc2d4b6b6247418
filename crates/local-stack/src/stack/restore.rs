//! What operators do when a machine is gone: back up, lose, restore. The services are asked to finish first.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail};

use super::Stack;
use crate::{service::isolated, topology};

impl Stack {
    /// Dumps the database into a file, with everything running.
    ///
    /// # Errors
    /// What `scripts/backup` reports.
    pub fn back_up(&self, file: &Path) -> Result<()> {
        self.script("backup", file)
    }

    /// Asks every service to finish, and waits until they have.
    ///
    /// # Errors
    /// When one of them cannot be stopped.
    pub fn stop_services(&self) -> Result<()> {
        let names: Vec<String> = self.instances().iter().rev().map(|one| one.name.clone()).collect();
        names.iter().try_for_each(|name| self.stop_service(name).map(drop))
    }

    /// Starts every service again, without waiting until it is ready: one instance of each, because of those beside it some
    /// may have been killed for good.
    ///
    /// # Errors
    /// When one of them does not start.
    pub fn start_services(&self) -> Result<()> {
        topology::SERVICES.iter().try_for_each(|service| self.restart_unready(service.name))
    }

    /// Puts a dump in the place of the database, as the guide says: roles, dump, migrations, a new history. The services
    /// must have been stopped.
    ///
    /// # Errors
    /// What one of the steps reports.
    pub fn restore(&self, file: &Path, begin_history: bool) -> Result<()> {
        self.make_roles()?;
        self.script("restore", file)?;
        self.migrate_all()?;
        if begin_history { self.begin_history() } else { Ok(()) }
    }

    /// Drops the database: what is left of a Postgres that was lost.
    ///
    /// # Errors
    /// When Postgres refuses.
    pub fn lose_database(&self) -> Result<()> {
        let drop = format!("drop database {} with (force)", topology::DATABASE);
        self.postgres.sql("postgres", &drop).map(std::mem::drop)
    }

    /// Ends nats-server as a crash would and takes its disk away.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn lose_streams(&self) -> Result<()> {
        self.nats.kill_9()?;
        std::fs::remove_dir_all(self.nats.streams_directory()).context("cannot remove the streams")
    }

    fn begin_history(&self) -> Result<()> {
        let service = topology::SERVICES.iter().find(|service| service.name == "directory-service");
        let roles = service.and_then(|service| service.roles).context("the directory has no roles")?;
        let mut command = isolated(Command::new(self.binaries.find("directory-service")?));
        let url = self.backing.postgres_url(roles.service, &self.secrets);
        command.arg("begin-history").env("TIMECLOCK_POSTGRES_URL", url).stdin(Stdio::null());
        finish("directory-service begin-history", command)
    }

    fn script(&self, name: &str, file: &Path) -> Result<()> {
        let scripts = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts"));
        // The environment and the PATH of a client program of this installation.
        let client = self.postgres.superuser_client("pg_dump", topology::DATABASE);
        let mut command = Command::new(scripts.join(name));
        command.arg(file).stdin(Stdio::null());
        for (variable, value) in client.get_envs() {
            command.env(variable, value.unwrap_or_default());
        }
        if let Some(programs) = Path::new(client.get_program()).parent().filter(|path| path.is_absolute()) {
            #[expect(clippy::disallowed_methods, reason = "the search path of the script's programs")]
            let path = std::env::var_os("PATH").unwrap_or_default();
            let path = std::env::split_paths(&path);
            command.env("PATH", std::env::join_paths([programs.to_owned()].into_iter().chain(path))?);
        }
        finish(&format!("scripts/{name}"), command)
    }
}

fn finish(name: &str, mut command: Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        bail!("`{name}` failed ({}):\n{}{}", output.status, text(&output.stdout), text(&output.stderr));
    }
    Ok(())
}
