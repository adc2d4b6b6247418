//! A port that is ours from the moment we choose it, although it is a service that listens on it, and only later.
//!
//! Two stacks that start at the same time would otherwise both find 8080 free.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr},
};

use anyhow::{Context as _, Result};
use backing_servers::port;
use nix::unistd::geteuid;

/// A port that no other stack of this user chooses while this value lives.
#[derive(Debug)]
pub(crate) struct Claim {
    port: u16,
    // The kernel releases it with us, however we end.
    _lock: File,
}

impl Claim {
    /// This port where nobody has it, else a free one.
    pub(crate) fn preferred(port: u16) -> Result<Self> {
        let mut candidate = port;
        loop {
            if let Some(claim) = Self::attempt(candidate)? {
                return Ok(claim);
            }
            candidate = port::free()?;
        }
    }

    fn attempt(port: u16) -> Result<Option<Self>> {
        let folder = std::env::temp_dir().join(format!("local-stack-ports-{}", geteuid()));
        fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let file = folder.join(port.to_string());
        let lock = File::create(&file).with_context(|| format!("cannot create {}", file.display()))?;
        let ours = lock.try_lock().is_ok() && port::is_free(port);
        Ok(ours.then_some(Self { port, _lock: lock }))
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }
}
