//! The one origin in front of the services: HAProxy with the configuration that is deployed, and the addresses of this
//! stack in it.

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf};

use anyhow::{Context as _, Result, bail};
use backing_servers::haproxy;

use crate::{claim::Claim, service::Instance, topology::Service};

/// What HAProxy is told.
const EDGE_CONFIG: &str = include_str!("../../../deploy/haproxy/haproxy.cfg");
/// What its ports are called, and are, unless they are taken.
const ADDRESSES: [(&str, u16); 2] = [("TIMECLOCK_EDGE_ADDR", 8000), ("TIMECLOCK_EDGE_OBSERVE_ADDR", 9084)];

/// What a service behind it has to know: one proxy writes down whom it was called by.
pub(crate) const BEHIND_IT: (&str, &str) = ("TIMECLOCK_TRUSTED_PROXIES", "1");

/// An instance that it may pass requests to.
#[derive(Debug)]
pub(crate) struct Target {
    service: &'static Service,
    http: SocketAddr,
    observe: SocketAddr,
}

impl Target {
    /// Nothing, where nobody outside calls it.
    pub(crate) fn of(instance: &Instance) -> Option<Self> {
        let http = instance.ports.http()?;
        Some(Self { service: instance.service, http, observe: instance.ports.observe() })
    }
}

/// Where it will listen, or does.
#[derive(Debug)]
pub(crate) struct Edge {
    ports: Vec<Claim>,
    server: Option<haproxy::Server>,
}

impl Edge {
    /// Chooses its addresses, which the services are told before it starts.
    pub(crate) fn claim() -> Result<Self> {
        let ports = ADDRESSES.iter().map(|(_, port)| Claim::preferred(*port)).collect::<Result<_>>()?;
        Ok(Self { ports, server: None })
    }

    /// What everybody outside calls the services.
    pub(crate) fn url(&self) -> String {
        self.address(0)
    }

    /// Its own metrics.
    pub(crate) fn metrics(&self) -> String {
        format!("{}/metrics", self.address(1))
    }

    fn address(&self, which: usize) -> String {
        self.ports.get(which).map(|claim| format!("http://{}", claim.address())).unwrap_or_default()
    }

    pub(crate) fn start(&mut self, targets: &[Target], directory: PathBuf) -> Result<()> {
        let addresses = || self.ports.iter().map(Claim::address);
        let names = ADDRESSES.iter().map(|(name, _)| (*name).to_owned());
        let options = haproxy::Options {
            directory: Some(directory),
            config: with_addresses(EDGE_CONFIG, targets)?,
            environment: names.zip(addresses().map(|address| address.to_string())).collect(),
            ports: addresses().map(|address| address.port()).collect(),
        };
        self.server = Some(haproxy::Server::start(options).context("the edge")?);
        Ok(())
    }
}

/// The configuration with an instance in each line where deployed it has DNS find them.
fn with_addresses(config: &str, targets: &[Target]) -> Result<String> {
    let mut text = String::new();
    for line in config.lines() {
        if !line.trim_start().starts_with("server-template ") {
            writeln!(text, "{line}")?;
            continue;
        }
        let name = line.split_whitespace().nth(1).context("a server-template has a name")?;
        let of_line: Vec<_> = targets.iter().filter(|target| is_about(line, target.service)).collect();
        if of_line.is_empty() {
            bail!("no service runs for this line: {line}");
        }
        for (number, Target { http, observe, .. }) in (1..).zip(of_line) {
            writeln!(text, "  server {name}{number} {http} check port {}", observe.port())?;
        }
    }
    Ok(text)
}

/// Whether a line names a service and its ports as the topology has them.
fn is_about(line: &str, service: &Service) -> bool {
    let http = service.http_port.unwrap_or_default();
    let named = format!("-{}:{http}}}\" check port {}", service.name, service.observe_port);
    line.ends_with(&named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::SERVICES;

    #[test]
    fn the_configuration_has_every_service_that_is_called_from_outside_under_its_name_and_ports() {
        let lines: Vec<_> =
            EDGE_CONFIG.lines().filter(|line| line.trim_start().starts_with("server-template ")).collect();
        for service in SERVICES.iter().filter(|service| service.http_port.is_some()) {
            assert_eq!(lines.iter().filter(|line| is_about(line, service)).count(), 1, "{}", service.name);
        }
        assert_eq!(lines.len(), 3);
    }
}
