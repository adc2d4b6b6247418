//! Which PostgreSQL to run: the newest installed one whose server programs are complete.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::program;

/// Where Debian and Ubuntu keep one directory per major version.
const DEBIAN: &str = "/usr/lib/postgresql";
const HOMEBREW: [&str; 2] = ["/opt/homebrew/opt", "/usr/local/opt"];
const NEEDED: [&str; 3] = ["initdb", "postgres", "psql"];
const OLDEST: u32 = 15;

/// The programs of one PostgreSQL installation.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    directory: PathBuf,
}

impl Programs {
    pub(crate) fn find() -> Result<Self> {
        candidates()
            .into_iter()
            .find(|directory| is_complete(directory))
            .map(|directory| Self { directory })
            .with_context(|| {
                format!(
                    "no PostgreSQL server {OLDEST} or newer found: Debian and Ubuntu have it in the package postgresql, \
                     Homebrew in postgresql@16"
                )
            })
    }

    pub(crate) fn command(&self, program: &str) -> Command {
        Command::new(self.directory.join(program))
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut found = versions_below(Path::new(DEBIAN), "").map(|path| path.join("bin")).collect::<Vec<_>>();
    found.extend(directory_of_pg_config());
    found.extend(program::find("postgres", &[]).and_then(|program| Some(program.parent()?.to_owned())));
    for prefix in HOMEBREW {
        found.extend(versions_below(Path::new(prefix), "postgresql@").map(|path| path.join("bin")));
    }
    found
}

/// The children named by a version, newest first.
fn versions_below(parent: &Path, prefix: &str) -> impl Iterator<Item = PathBuf> + use<> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?, entry.path()))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path)
}

fn directory_of_pg_config() -> Option<PathBuf> {
    let output = Command::new(program::find("pg_config", &[])?).arg("--bindir").output().ok()?;
    Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim()))
}

fn is_complete(directory: &Path) -> bool {
    NEEDED.iter().all(|name| directory.join(name).is_file()) && major_version(directory) >= Some(OLDEST)
}

/// `postgres --version` prints "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)".
fn major_version(directory: &Path) -> Option<u32> {
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let version = text.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}
