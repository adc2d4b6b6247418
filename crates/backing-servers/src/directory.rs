//! Where a server keeps its data and its log: a directory the caller names, or a temporary one.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

/// A server's directory. A temporary one is removed when it is dropped; when it never is, the watchdog removes it.
#[derive(Debug)]
pub(crate) enum Directory {
    Named(PathBuf),
    Temporary(TempDir),
}

impl Directory {
    pub(crate) fn prepare(named: Option<PathBuf>, purpose: &str) -> Result<Self> {
        let Some(path) = named else {
            let prefix = format!("backing-{purpose}-");
            let ours_alone = fs::Permissions::from_mode(0o700);
            let created = tempfile::Builder::new().prefix(&prefix).permissions(ours_alone).tempdir();
            return created.map(Self::Temporary).context("cannot create a temporary directory");
        };
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        let absolute = path.canonicalize().with_context(|| format!("cannot resolve {}", path.display()))?;
        Ok(Self::Named(absolute))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Temporary(directory) => directory.path(),
        }
    }

    pub(crate) fn to_remove(&self) -> Option<PathBuf> {
        match self {
            Self::Named(_) => None,
            Self::Temporary(directory) => Some(directory.path().to_owned()),
        }
    }
}
