//! What the gateway reads from its environment.

use std::{net::SocketAddr, num::NonZero, thread, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;
use service_runtime::{
    http::{Tls, TrustedProxies},
    settings::Reader,
};

use crate::CursorKey;

/// The largest body that still fits a message on the bus (1 MiB) once it is wrapped in a request.
const LARGEST_BODY: usize = 900 * 1024;

/// The gateway's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `TIMECLOCK_HTTP_ADDR`: where SCIM is served.
    pub http_addr: SocketAddr,
    /// `TIMECLOCK_HTTP_WORKERS`: threads that serve it; default one per CPU.
    pub http_workers: usize,
    /// `TIMECLOCK_SCIM_BASE_URL`: what the world calls our `/scim`, without a slash at its end. Unset: as the caller
    /// addressed us.
    pub scim_base_url: Option<String>,
    /// `TIMECLOCK_OUTCOME_TIMEOUT_MS`: how long a change may take before it is answered with 503.
    pub outcome_timeout: Duration,
    /// `TIMECLOCK_QUERY_TIMEOUT_MS`: how long a question to the directory may take.
    pub query_timeout: Duration,
    /// `TIMECLOCK_BODY_LIMIT_BYTES`: the largest request body.
    pub body_limit: usize,
    /// `TIMECLOCK_MAX_IN_FLIGHT`: requests being answered at once, beyond which callers are asked to come back later.
    /// One company may have a quarter of it.
    pub max_in_flight: usize,
    /// `TIMECLOCK_CURSOR_KEY`: what cursors are sealed with, the same in every gateway. Unset: each process has its own.
    pub cursor_key: Option<CursorKey>,
    /// `TIMECLOCK_TRUSTED_PROXIES`: reverse proxies in front, whose word about the caller's address is believed.
    pub trusted_proxies: TrustedProxies,
    /// `TIMECLOCK_TLS_CERTIFICATE_FILE`, `_KEY_FILE`, `_RELOAD_INTERVAL_MS`: whether and how the listener speaks TLS.
    pub tls: Option<Tls>,
    /// `TIMECLOCK_NATS_URL`, `_USER`, `_PASSWORD`.
    pub nats: bus_jetstream::Settings,
}

impl Settings {
    /// Reads them all.
    pub fn read(reader: &mut Reader) -> Self {
        let cpus = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            http_addr: reader.address("TIMECLOCK_HTTP_ADDR", SocketAddr::from(([127, 0, 0, 1], 8080))),
            http_workers: reader.number("TIMECLOCK_HTTP_WORKERS", cpus, 1..=1_024),
            scim_base_url: base_url(reader),
            outcome_timeout: reader.duration_ms("TIMECLOCK_OUTCOME_TIMEOUT_MS", 10_000, 1..=120_000),
            query_timeout: reader.duration_ms("TIMECLOCK_QUERY_TIMEOUT_MS", 5_000, 1..=120_000),
            body_limit: reader.number("TIMECLOCK_BODY_LIMIT_BYTES", 512 * 1024, 1_024..=LARGEST_BODY),
            max_in_flight: reader.number("TIMECLOCK_MAX_IN_FLIGHT", 2_048, 1..=100_000),
            cursor_key: cursor_key(reader),
            trusted_proxies: TrustedProxies::read(reader),
            tls: Tls::read(reader),
            nats: bus_jetstream::Settings::read(reader, "scim-gateway"),
        }
    }
}

fn cursor_key(reader: &mut Reader) -> Option<CursorKey> {
    const NAME: &str = "TIMECLOCK_CURSOR_KEY";
    let text = reader.optional_secret(NAME)?;
    let bytes = STANDARD.decode(text.expose_secret().trim()).ok();
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(CursorKey::new);
    if key.is_none() {
        reader.problem(NAME, "must be 32 bytes in base64, such as `openssl rand -base64 32` makes");
    }
    key
}

fn base_url(reader: &mut Reader) -> Option<String> {
    const NAME: &str = "TIMECLOCK_SCIM_BASE_URL";
    let url = reader.optional(NAME)?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['?', '#', '"', '\\', ' '])) {
        reader.problem(
            NAME,
            "must be the URL of /scim as the world sees it, such as https://live.timeclock365.com/scim",
        );
    }
    Some(url.trim_end_matches('/').to_owned())
}
