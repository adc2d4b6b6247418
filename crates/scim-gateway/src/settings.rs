//! What the gateway reads from its environment.

use std::{net::SocketAddr, num::NonZero, thread, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::ExposeSecret as _;
use service_runtime::{
    http::{Tls, TrustedProxies},
    settings::{Reader, Setting},
};

use crate::CursorKey;

/// The largest body that still fits a message on the bus (1 MiB) once it is wrapped in a request.
const LARGEST_BODY: usize = 900 * 1024;

const HTTP_ADDR: Setting = Setting::new("TIMECLOCK_HTTP_ADDR", "The listener of SCIM.");
const HTTP_WORKERS: Setting =
    Setting::new("TIMECLOCK_HTTP_WORKERS", "Threads that serve SCIM.").unless_set("one per CPU");
const SCIM_BASE_URL: Setting = Setting::new(
    "TIMECLOCK_SCIM_BASE_URL",
    "What the world calls `/scim` of this gateway: the `location` of each resource begins with it.",
)
.form("the URL of /scim as the world sees it, such as https://live.timeclock365.com/scim")
.unless_set("as the caller addressed us, by `X-Forwarded-Proto`, `X-Forwarded-Host` and `Host`");
const OUTCOME_TIMEOUT: Setting = Setting::new(
    "TIMECLOCK_OUTCOME_TIMEOUT_MS",
    "How long a change may take before it is answered with 503.",
);
const QUERY_TIMEOUT: Setting =
    Setting::new("TIMECLOCK_QUERY_TIMEOUT_MS", "How long a question to the directory may take.");
const BODY_LIMIT: Setting = Setting::new(
    "TIMECLOCK_BODY_LIMIT_BYTES",
    "The largest body of a request; a larger one is answered with 413.",
);
const MAX_IN_FLIGHT: Setting = Setting::new(
    "TIMECLOCK_MAX_IN_FLIGHT",
    "Requests being answered at once, beyond which callers get 503; one company may have a quarter of it, beyond \
     which it gets 429.",
);
const CURSOR_KEY: Setting = Setting::new(
    "TIMECLOCK_CURSOR_KEY",
    "What cursors of lists are sealed with; several gateways need the same one, or each refuses the others' cursors.",
)
.form("32 bytes in base64, such as `openssl rand -base64 32` makes")
.unless_set("a key of this process's own");
const COMPANY_RATE: Setting = Setting::new(
    "TIMECLOCK_COMPANY_REQUESTS_PER_SECOND",
    "How often one company may call this process for ever, and ten times as often at once; beyond, it is slowed down \
     and then answered with 429.",
);

/// Four times what Entra calls, and far from what a gateway can bear.
const DEFAULT_COMPANY_RATE: NonZero<u32> = NonZero::new(100).unwrap();
const LEAST_COMPANY_RATE: NonZero<u32> = NonZero::new(25).unwrap();
const MOST_COMPANY_RATE: NonZero<u32> = NonZero::new(1_000_000).unwrap();

/// The gateway's settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where SCIM is served.
    pub http_addr: SocketAddr,
    /// Threads that serve it.
    pub http_workers: usize,
    /// What the world calls our `/scim`, without a slash at its end. Unset: as the caller
    /// addressed us.
    pub scim_base_url: Option<String>,
    /// How long a change may take before it is answered with 503.
    pub outcome_timeout: Duration,
    /// How long a question to the directory may take.
    pub query_timeout: Duration,
    /// The largest request body.
    pub body_limit: usize,
    /// Requests being answered at once, beyond which callers are asked to come back later.
    /// One company may have a quarter of it.
    pub max_in_flight: usize,
    /// How often one company may call this process for ever, and ten times as
    /// often at once. Never less than the 25 that Microsoft requires (entra-wire §3.12).
    pub company_rate: NonZero<u32>,
    /// What cursors are sealed with, the same in every gateway. Unset: each process has its own.
    pub cursor_key: Option<CursorKey>,
    /// Reverse proxies in front, whose word about the caller's address is believed.
    pub trusted_proxies: TrustedProxies,
    /// Whether and how the listener speaks TLS.
    pub tls: Option<Tls>,
    /// Where NATS is and who we are there.
    pub nats: bus_jetstream::Settings,
}

impl Settings {
    /// Reads them all.
    pub fn read(reader: &mut Reader) -> Self {
        let cpus = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            http_addr: reader.address(HTTP_ADDR, SocketAddr::from(([127, 0, 0, 1], 8080))),
            http_workers: reader.number(HTTP_WORKERS, cpus, 1..=1_024),
            scim_base_url: base_url(reader),
            outcome_timeout: reader.duration_ms(OUTCOME_TIMEOUT, 10_000, 1..=120_000),
            query_timeout: reader.duration_ms(QUERY_TIMEOUT, 5_000, 1..=120_000),
            body_limit: reader.number(BODY_LIMIT, 512 * 1024, 1_024..=LARGEST_BODY),
            max_in_flight: reader.number(MAX_IN_FLIGHT, 2_048, 1..=100_000),
            company_rate: reader.number(
                COMPANY_RATE,
                DEFAULT_COMPANY_RATE,
                LEAST_COMPANY_RATE..=MOST_COMPANY_RATE,
            ),
            cursor_key: cursor_key(reader),
            trusted_proxies: TrustedProxies::read(reader),
            tls: Tls::read(reader),
            nats: bus_jetstream::Settings::read(reader, "scim-gateway"),
        }
    }
}

fn cursor_key(reader: &mut Reader) -> Option<CursorKey> {
    let text = reader.optional_secret(CURSOR_KEY)?;
    let bytes = STANDARD.decode(text.expose_secret().trim()).ok();
    let key = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).map(CursorKey::new);
    if key.is_none() {
        reader.refuse(CURSOR_KEY);
    }
    key
}

fn base_url(reader: &mut Reader) -> Option<String> {
    let url = reader.optional(SCIM_BASE_URL)?;
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(|host| host.is_empty() || host.contains(['?', '#', '"', '\\', ' '])) {
        reader.refuse(SCIM_BASE_URL);
    }
    Some(url.trim_end_matches('/').to_owned())
}
