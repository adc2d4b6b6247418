//! Several nats-servers that keep streams together.

use anyhow::Result;

use super::{OPEN_CONFIG, Options, Server};
use crate::port;

/// Another process may take a port between the probe and the start; then all is begun anew.
const ATTEMPTS: usize = 3;

/// A running cluster; dropping it stops its members.
#[derive(Debug)]
pub struct Cluster(Vec<Server>);

impl Cluster {
    /// Starts so many open servers that know each other. They accept clients when this returns, and streams once they
    /// have elected a leader, which takes seconds.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start(members: usize) -> Result<Self> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            match Self::attempt(members) {
                Ok(cluster) => return Ok(cluster),
                Err(_) if attempts > 0 => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn attempt(members: usize) -> Result<Self> {
        let ports = std::iter::repeat_with(port::free).take(members).collect::<Result<Vec<_>>>()?;
        let routes: Vec<_> = ports.iter().map(|port| format!("\"nats://127.0.0.1:{port}\"")).collect();
        let routes = routes.join(", ");
        let start = |port| {
            let cluster =
                format!("cluster {{ name: backing, listen: \"127.0.0.1:{port}\", routes: [{routes}] }}");
            Server::start(Options { config: Some(format!("{OPEN_CONFIG}{cluster}\n")), ..Options::default() })
        };
        Ok(Self(ports.into_iter().map(start).collect::<Result<_>>()?))
    }

    /// Where clients connect: every member, separated by commas.
    #[must_use]
    pub fn url(&self) -> String {
        self.0.iter().map(Server::url).collect::<Vec<_>>().join(",")
    }

    /// Its members.
    #[must_use]
    pub fn members(&self) -> &[Server] {
        &self.0
    }
}
