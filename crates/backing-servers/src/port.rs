//! Loopback ports.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    ops::RangeInclusive,
    time::Duration,
};

use anyhow::{Result, bail};
use rand::Rng as _;

/// Below the range from which Linux (32768 and up) and macOS (49152 and up) take the ports of outgoing connections: while
/// a server is down to be restarted, no connection can take its port.
const RANGE: RangeInclusive<u16> = 20_000..=32_000;
const ATTEMPTS: usize = 200;
const START_ATTEMPTS: usize = 5;

/// A port of 127.0.0.1 that nobody listens on now. Somebody else may take it before you do; be ready to ask again.
///
/// # Errors
/// When one port after the other is taken.
pub fn free() -> Result<u16> {
    let candidates = || rand::rng().random_range(RANGE);
    let found = std::iter::repeat_with(candidates).take(ATTEMPTS).find(|port| is_free(*port));
    let Some(port) = found else { bail!("{ATTEMPTS} ports of 127.0.0.1 were tried, and all are taken") };
    Ok(port)
}

/// Whether nobody listens on this port of 127.0.0.1 now.
#[must_use]
pub fn is_free(port: u16) -> bool {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    !matches!(taken, Err(error) if error.kind() == io::ErrorKind::AddrInUse)
}

/// Whether somebody takes connections at this port of 127.0.0.1.
pub(crate) fn accepts(port: u16) -> bool {
    const PATIENCE: Duration = Duration::from_secs(1);
    TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE).is_ok()
}

/// Starts a server at this port, or else at a free one; at another one again where somebody takes that between the probe
/// and the start.
pub(crate) fn start_at<T>(wanted: Option<u16>, launch: impl Fn(u16) -> Result<T>) -> Result<(u16, T)> {
    let mut attempts = START_ATTEMPTS;
    loop {
        attempts -= 1;
        let port = wanted.map_or_else(free, Ok)?;
        match launch(port) {
            Ok(started) => return Ok((port, started)),
            Err(_) if wanted.is_none() && attempts > 0 && !is_free(port) => {}
            Err(error) => return Err(error),
        }
    }
}
