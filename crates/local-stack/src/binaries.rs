//! Where our programs are, and how they get there.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// The directory that holds our programs, all built with one profile.
#[derive(Debug, Clone)]
pub struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    /// The programs beside the running one; test binaries live one directory below.
    ///
    /// # Errors
    /// When the system does not say where the running program is.
    pub fn beside_this_program() -> Result<Self> {
        let program = std::env::current_exe().context("cannot find the running program")?;
        let directory = program.parent().context("the running program is in no directory")?;
        let directory =
            if directory.ends_with("deps") { directory.parent().unwrap_or(directory) } else { directory };
        Ok(Self { directory: directory.to_owned() })
    }

    /// Has cargo build every program of the workspace with the running program's profile, when it was cargo that
    /// started it. Cargo's own output shows the progress, and how little there is to do when all is up to date.
    ///
    /// # Errors
    /// When the build fails.
    pub fn build(&self) -> Result<()> {
        let (Some(cargo), Some(manifest)) = (of_cargo("CARGO"), of_cargo("CARGO_MANIFEST_DIR")) else {
            return Ok(());
        };
        let profile = self.directory.file_name().context("programs in no directory")?;
        // Cargo calls the profile "dev" and its directory "debug".
        let profile = if profile == "debug" { "dev".into() } else { profile.to_owned() };
        let target = self.directory.parent().context("programs outside a target directory")?;
        let mut command = Command::new(cargo);
        // The whole workspace, so that everybody builds the same features and nothing is built twice.
        command.args(["build", "--workspace", "--bins", "--profile"]).arg(profile);
        command.arg("--target-dir").arg(target).current_dir(Path::new(&manifest));
        let status = command.status().context("cannot start cargo")?;
        if !status.success() {
            bail!("cargo build failed");
        }
        Ok(())
    }

    /// A program of ours by name.
    ///
    /// # Errors
    /// When it has not been built.
    pub fn find(&self, name: &str) -> Result<PathBuf> {
        let program = self.directory.join(name);
        if !program.is_file() {
            bail!("{} does not exist; build it with `cargo build --workspace --bins`", program.display());
        }
        Ok(program)
    }
}

fn of_cargo(name: &str) -> Option<OsString> {
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a program that it started it by its own variables"
    )]
    std::env::var_os(name)
}
