//! Who runs Postgres. It refuses to run as root, so root lends it an unprivileged account.

use std::{
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};
use nix::unistd::{Gid, Uid, User, chown, getegid, geteuid};

/// The accounts tried, in order: the one its package creates, then one that every system has.
const ACCOUNTS: [&str; 2] = ["postgres", "nobody"];
/// Where data lives when the account cannot reach the directory asked for. Survives a reboot, unlike `/tmp`.
const FALLBACK: &str = "/var/tmp";

/// The account that runs Postgres.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Account {
    /// Ours, which is not root.
    Own,
    /// Another one, because ours is root.
    Lent(Uid, Gid),
}

impl Account {
    pub(crate) fn choose() -> Result<Self> {
        if !geteuid().is_root() {
            return Ok(Self::Own);
        }
        for name in ACCOUNTS {
            if let Some(user) = User::from_name(name).context("cannot read the system's accounts")? {
                return Ok(Self::Lent(user.uid, user.gid));
            }
        }
        bail!("Postgres does not run as root, and there is no account {}", ACCOUNTS.join(" or "))
    }

    /// Gives a file to this account.
    pub(crate) fn give(self, file: &Path) -> Result<()> {
        let Self::Lent(uid, gid) = self else { return Ok(()) };
        chown(file, Some(uid), Some(gid))
            .with_context(|| format!("cannot give {} to Postgres", file.display()))
    }

    /// Makes a command run as this account.
    pub(crate) fn apply(self, command: &mut Command) {
        if let Self::Lent(uid, gid) = self {
            command.uid(uid.as_raw()).gid(gid.as_raw());
        }
    }

    /// A directory of this account for the database's files: `cluster` below `wanted` when the account can reach it,
    /// else below `/var/tmp/backing-servers/`, named after `wanted` so that a restart finds it again.
    pub(crate) fn home(self, wanted: &Path) -> Result<PathBuf> {
        let direct = wanted.join("cluster");
        let (uid, gid) = match self {
            Self::Own => (geteuid(), getegid()),
            Self::Lent(uid, gid) => (uid, gid),
        };
        if self.can_reach(wanted)? {
            own(&direct, uid, gid, 0o700)?;
            return Ok(direct);
        }
        let parent = Path::new(FALLBACK).join("backing-servers");
        own(&parent, geteuid(), gid, 0o711)?;
        let named = parent.join(wanted.as_os_str().as_bytes().escape_ascii().to_string().replace('/', "%"));
        own(&named, uid, gid, 0o700)?;
        Ok(named)
    }

    /// Lets this account pass through a temporary directory, which is ours alone when it is created.
    pub(crate) fn admit(self, directory: &Path) -> Result<()> {
        let Self::Lent(_, gid) = self else { return Ok(()) };
        let reason = || format!("cannot open {} to Postgres", directory.display());
        chown(directory, None, Some(gid)).with_context(reason)?;
        fs::set_permissions(directory, fs::Permissions::from_mode(0o710)).with_context(reason)
    }

    fn can_reach(self, directory: &Path) -> Result<bool> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", r#"cd "$1" 2>/dev/null"#, "can-reach"]).arg(directory).current_dir("/");
        self.apply(&mut command);
        Ok(command.status().context("cannot run /bin/sh")?.success())
    }
}

/// Creates the directory for an account, or checks that it is theirs: `/var/tmp` is open to everybody.
fn own(directory: &Path, uid: Uid, gid: Gid, mode: u32) -> Result<()> {
    let shown = directory.display();
    if !directory.exists() {
        fs::DirBuilder::new()
            .mode(mode)
            .create(directory)
            .with_context(|| format!("cannot create {shown}"))?;
        return chown(directory, Some(uid), Some(gid)).with_context(|| format!("cannot give {shown} away"));
    }
    let found = fs::symlink_metadata(directory).with_context(|| format!("cannot read {shown}"))?;
    if !found.is_dir() || found.uid() != uid.as_raw() {
        bail!("{shown} exists and does not belong to account {uid}; remove it");
    }
    Ok(())
}
