//! What `make run` shows: Entra's Test connection and initial cycle, for every company, against the gateway.

use std::{
    path::PathBuf,
    process::{Child, Command, ExitStatus},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

use crate::{company::Company, endpoints::Endpoints, service::isolated};

const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// How much to provision per company.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Size {
    /// People per company
    #[arg(long, default_value_t = 500)]
    users: u32,
    /// Groups per company
    #[arg(long, default_value_t = 25)]
    groups: u32,
}

/// Provisions one company; its progress and its summary go to our own output.
///
/// `interrupted` is asked all the time and ends the cycle early by an error.
pub(crate) fn provision(
    emulator: PathBuf,
    endpoints: &Endpoints,
    (number, company): (usize, &Company),
    size: Size,
    mut interrupted: impl FnMut() -> Result<()>,
) -> Result<()> {
    let mut command = isolated(Command::new(emulator));
    command.args(["run", "--tenant-url", &endpoints.scim_url]);
    command.args(["--users", &size.users.to_string(), "--groups", &size.groups.to_string()]);
    // Each company has other people, in a domain of its own.
    command.args(["--seed", &number.to_string(), "--domain", &domain(company)]);
    // Not on the command line, where every user of the machine could read it.
    command.env("ENTRA_SECRET_TOKEN", &company.scim_token).env_remove("ENTRA_SECRET_TOKEN_FILE");
    let mut child = command.spawn().context("cannot start entra-emulator")?;
    let status = wait(&mut child, &mut interrupted).inspect_err(|_| {
        // It may have ended by itself meanwhile.
        drop(child.kill());
        drop(child.wait());
    })?;
    if !status.success() {
        // Ctrl-C reaches the emulator too.
        interrupted()?;
        bail!("not every object of {} was provisioned ({status})", company.name);
    }
    Ok(())
}

fn domain(company: &Company) -> String {
    format!("{}.com", company.name.to_lowercase())
}

fn wait(child: &mut Child, interrupted: &mut impl FnMut() -> Result<()>) -> Result<ExitStatus> {
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for entra-emulator")? {
            return Ok(status);
        }
        interrupted()?;
        thread::sleep(POLL_INTERVAL);
    }
}
