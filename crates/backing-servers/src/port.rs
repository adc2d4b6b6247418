//! Loopback ports.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

use anyhow::{Context as _, Result};

/// A port of 127.0.0.1 that nobody listens on now. Somebody else may take it before you do; be ready to ask again.
///
/// # Errors
/// When the system has no port left.
pub fn free() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr().context("a listener without an address")?.port())
}

/// This port when nobody listens on it now, else a free one.
///
/// # Errors
/// When the system has no port left.
pub fn preferred(port: u16) -> Result<u16> {
    if is_free(port) { Ok(port) } else { free() }
}

/// Whether nobody listens on this port of 127.0.0.1 now.
#[must_use]
pub fn is_free(port: u16) -> bool {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    !matches!(taken, Err(error) if error.kind() == io::ErrorKind::AddrInUse)
}
