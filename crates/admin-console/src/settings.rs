//! What the process reads from its environment.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use hyper::http::uri::Authority;
use saml_protocol::SigningKey;
use service_runtime::{
    http::{Tls, TrustedProxies, is_loopback},
    settings::{Reader, Setting},
};

use crate::{mail, session::Limits, single_sign_on::signing_key};

/// Where `/healthz`, `/readyz` and `/metrics` are by default.
pub const OBSERVE_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9081);
const DEFAULT_HTTP_ADDR: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);
const MINUTE_MS: u64 = 60_000;

const HTTP_ADDR: Setting = Setting::new("TIMECLOCK_HTTP_ADDR", "The listener of the pages.");
const CONSOLE_URL: Setting = Setting::new(
    "TIMECLOCK_CONSOLE_URL",
    "What browsers call the console: links in mails begin with it, and forms from any other origin are refused.",
)
.form("an origin, such as https://live.example.com; http:// is for loopback addresses alone");
const SCIM_BASE_URL: Setting = Setting::new(
    "TIMECLOCK_SCIM_BASE_URL",
    "The gateway's public URL, which the pages show as the tenant URL for Entra.",
)
.form("a URL, the same as the gateway has");
const NOTICES_INTERVAL: Setting = Setting::new(
    "TIMECLOCK_NOTICES_INTERVAL_MS",
    "The time between two looks at what administrators should be told.",
);
const SESSION_IDLE: Setting =
    Setting::new("TIMECLOCK_SESSION_IDLE_MS", "How long a session is good without being used.");
const SESSION_ABSOLUTE: Setting =
    Setting::new("TIMECLOCK_SESSION_ABSOLUTE_MS", "How long a session is good, however much it is used.");

const PRIVATE_METADATA: Setting = Setting::new(
    "TIMECLOCK_PRIVATE_METADATA",
    "Whether identity providers' metadata may be fetched from private addresses, and over http from this machine.",
)
.form("true or false; true is for stacks on one machine");

/// What `serve` reads.
pub struct Settings {
    pub(crate) nats: bus_jetstream::Settings,
    pub(crate) postgres: pg_pool::Settings,
    pub(crate) http: SocketAddr,
    /// What the world calls this console, without a slash at the end: for links in mails, and to know its own origin.
    pub(crate) console_url: String,
    /// The tenant URL that administrators paste into Entra.
    pub(crate) scim_url: String,
    pub(crate) limits: Limits,
    pub(crate) mail: Option<mail::Settings>,
    /// Between two looks at what administrators should be told.
    pub(crate) notices_interval: Duration,
    /// Whether metadata may be fetched from where only we can reach.
    pub(crate) allows_private_metadata: bool,
    /// What proves us to identity providers, where the installation has it.
    pub(crate) signing_key: Option<SigningKey>,
    /// Where a request came from, behind proxies of ours.
    pub(crate) proxies: TrustedProxies,
    /// `TIMECLOCK_TLS_CERTIFICATE_FILE`, `_KEY_FILE`, `_RELOAD_INTERVAL_MS`: whether and how the listener speaks TLS.
    pub(crate) tls: Option<Tls>,
}

impl Settings {
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader) -> Self {
        Self {
            nats: bus_jetstream::Settings::read(reader, "admin-console"),
            postgres: pg_pool::Settings::read(reader, "admin-console"),
            http: reader.address(HTTP_ADDR, DEFAULT_HTTP_ADDR),
            console_url: console_url(reader),
            scim_url: reader.with_default(SCIM_BASE_URL, "http://127.0.0.1:8080/scim"),
            mail: mail::Settings::read(reader),
            notices_interval: reader.duration_ms(NOTICES_INTERVAL, MINUTE_MS, 50..=60 * MINUTE_MS),
            allows_private_metadata: reader.parsed(PRIVATE_METADATA, false),
            signing_key: signing_key::read(reader),
            proxies: TrustedProxies::read(reader),
            tls: Tls::read(reader),
            limits: Limits {
                idle: reader.duration_ms(SESSION_IDLE, 30 * MINUTE_MS, 5 * MINUTE_MS..=24 * 60 * MINUTE_MS),
                absolute: reader.duration_ms(
                    SESSION_ABSOLUTE,
                    12 * 60 * MINUTE_MS,
                    5 * MINUTE_MS..=7 * 24 * 60 * MINUTE_MS,
                ),
            },
        }
    }
}

/// An origin: `https://host`, or `http://` on loopback, where no wire is that could be listened to.
fn console_url(reader: &mut Reader) -> String {
    let url = reader.with_default(CONSOLE_URL, "http://127.0.0.1:8081");
    let url = url.trim_end_matches('/').to_ascii_lowercase();
    let (scheme, authority) = url.split_once("://").unwrap_or_default();
    // What has a path, a query or a fragment besides is no authority.
    let authority = authority.parse::<Authority>().ok().filter(|whole| !whole.as_str().contains('@'));
    let is_origin = authority.is_some_and(|authority| match scheme {
        "https" => true,
        "http" => is_loopback(authority.host()),
        _ => false,
    });
    if !is_origin {
        reader.refuse(CONSOLE_URL);
    }
    url
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
