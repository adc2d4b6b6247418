//! The working directory of one stack: its lock, its files, and who may read them.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

/// A working directory that this process alone may use until it drops it.
#[derive(Debug)]
pub(crate) struct Workdir {
    path: PathBuf,
    // The kernel releases it with us, however we end.
    _lock: File,
}

impl Workdir {
    /// Creates the directory where needed and takes its lock.
    pub(crate) fn claim(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        let path = path.canonicalize().with_context(|| format!("cannot resolve {}", path.display()))?;
        let mut lock = open_lock(&path)?;
        if lock.try_lock().is_err() {
            let pid = pid_in(&mut lock).map(|pid| format!(" (pid {pid})")).unwrap_or_default();
            let shown = path.display();
            bail!(
                "a stack already runs in {shown}{pid}; stop it with `local-stack down --workdir {shown}` \
                 or give the second one another --workdir"
            );
        }
        lock.set_len(0)
            .and_then(|()| writeln!(lock, "{}", std::process::id()))
            .context("cannot write the lock")?;
        fs::create_dir_all(path.join("logs")).context("cannot create the directory for logs")?;
        Ok(Self { path, _lock: lock })
    }

    /// The pid of the process that uses this directory, if one does.
    pub(crate) fn user(path: &Path) -> Result<Option<i32>> {
        if !path.join("lock").exists() {
            return Ok(None);
        }
        let mut lock = open_lock(path)?;
        if lock.try_lock().is_ok() {
            return Ok(None);
        }
        pid_in(&mut lock)
            .with_context(|| format!("{} names no process", path.join("lock").display()))
            .map(Some)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn log(&self, process: &str) -> PathBuf {
        self.path.join("logs").join(format!("{process}.log"))
    }
}

fn open_lock(path: &Path) -> Result<File> {
    let file = path.join("lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(&file).with_context(|| format!("cannot open {}", file.display()))
}

fn pid_in(lock: &mut File) -> Option<i32> {
    let mut text = String::new();
    lock.rewind().ok()?;
    lock.read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Replaces a file that only we may read, so that a reader sees the old text or the new one and nothing between.
pub(crate) fn write_private(file: &Path, text: &[u8]) -> Result<()> {
    let fresh = file.with_extension("new");
    let write = || -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600).open(&fresh)?.write_all(text)?;
        fs::rename(&fresh, file)
    };
    write().with_context(|| format!("cannot write {}", file.display()))
}
