//! What the process reads from its environment.

use std::net::{Ipv4Addr, SocketAddr};

use service_runtime::settings::Reader;

/// Where `/healthz`, `/readyz` and `/metrics` are by default.
pub const OBSERVE_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9081);
const HTTP_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// What `serve` reads.
pub struct Settings {
    pub(crate) nats: bus_jetstream::Settings,
    pub(crate) postgres: pg_pool::Settings,
    pub(crate) http: SocketAddr,
    /// What the world calls this console, without a slash at the end: for links in mails, and to know its own origin.
    pub(crate) console_url: String,
    /// The tenant URL that administrators paste into Entra.
    pub(crate) scim_url: String,
}

impl Settings {
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader) -> Self {
        Self {
            nats: bus_jetstream::Settings::read(reader, "admin-console"),
            postgres: pg_pool::Settings::read(reader, "admin-console"),
            http: reader.address("TIMECLOCK_HTTP_ADDR", HTTP_ADDR),
            console_url: reader.with_default("TIMECLOCK_CONSOLE_URL", "http://127.0.0.1:8081"),
            scim_url: reader.with_default("TIMECLOCK_SCIM_BASE_URL", "http://127.0.0.1:8080/scim"),
        }
    }
}

/// What `migrate` reads: the owner's url.
pub struct MigrateSettings {
    pub(crate) postgres: pg_pool::Settings,
}

impl MigrateSettings {
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader) -> Self {
        Self { postgres: pg_pool::Settings::read(reader, "admin-console migrate") }
    }
}
