//! What the process reads from its environment.

use std::net::{Ipv4Addr, SocketAddr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use secrecy::{ExposeSecret as _, SecretString};
use service_runtime::{
    http::{Tls, TrustedProxies},
    settings::{Reader, Setting},
};

use crate::{authority::AuthorityUrl, seal::SealingKeys};

/// Where `/healthz`, `/readyz` and `/metrics` are by default.
pub const OBSERVE_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9082);
const DEFAULT_HTTP_ADDR: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8082);
/// The longest issuer that leaves a token well under its limit of 1,000 characters.
const ISSUER_MAX: usize = 200;

const HTTP_ADDR: Setting = Setting::new("TIMECLOCK_HTTP_ADDR", "The listener for OAuth clients.");
const SEALING_KEY: Setting = Setting::new(
    "TIMECLOCK_SEALING_KEY",
    "What private signing keys are sealed with in the database; losing it loses every signing key.",
)
.form(KEY_FORM);
const PREVIOUS_SEALING_KEY: Setting = Setting::new(
    "TIMECLOCK_PREVIOUS_SEALING_KEY",
    "The sealing key of before, which still opens; needed until `timeclock-operator signing-key seal` has run.",
)
.form(KEY_FORM);
const KEY_FORM: &str = "32 bytes in base64, such as `openssl rand -base64 32` makes";
const ISSUER: Setting =
    Setting::new("TIMECLOCK_TOKEN_ISSUER", "The `iss` of new tokens.").form("a text of at most 200 bytes");
const PUBLIC_URL: Setting = Setting::new(
    "TIMECLOCK_TOKEN_URL",
    "Where clients reach the listener: what they are shown begins with it, and assertions may be addressed to it.",
)
.form("like https://tokens.example.com: where clients reach this service");

/// What `serve` reads.
pub struct Settings {
    pub(crate) nats: bus_jetstream::Settings,
    pub(crate) replicas: bus_jetstream::Replicas,
    pub(crate) postgres: pg_pool::Settings,
    pub(crate) http: SocketAddr,
    pub(crate) sealing_keys: SealingKeys,
    pub(crate) issuer: String,
    /// Where clients reach the listener, without a slash at its end.
    pub(crate) public_url: String,
    pub(crate) authority: AuthorityUrl,
    pub(crate) proxies: TrustedProxies,
    /// `TIMECLOCK_TLS_CERTIFICATE_FILE`, `_KEY_FILE`, `_RELOAD_INTERVAL_MS`: whether and how the listener speaks TLS.
    pub(crate) tls: Option<Tls>,
}

impl Settings {
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader) -> Self {
        let issuer = reader.with_default(ISSUER, "https://live.timeclock365.com");
        if issuer.len() > ISSUER_MAX {
            reader.refuse(ISSUER);
        }
        Self {
            nats: bus_jetstream::Settings::read(reader, "token-service"),
            replicas: bus_jetstream::Replicas::read(reader),
            postgres: pg_pool::Settings::read(reader, "token-service"),
            http: reader.address(HTTP_ADDR, DEFAULT_HTTP_ADDR),
            sealing_keys: sealing_keys(reader),
            issuer,
            public_url: public_url(reader),
            authority: AuthorityUrl::read(reader),
            proxies: TrustedProxies::read(reader),
            tls: Tls::read(reader),
        }
    }
}

fn public_url(reader: &mut Reader) -> String {
    let text = reader.with_default(PUBLIC_URL, "http://127.0.0.1:8082");
    let is_fit = text.parse::<hyper::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    });
    if !is_fit {
        reader.refuse(PUBLIC_URL);
    }
    text.trim_end_matches('/').to_owned()
}

fn sealing_keys(reader: &mut Reader) -> SealingKeys {
    let present = reader.secret(SEALING_KEY);
    let present = bytes(reader, SEALING_KEY, &present);
    let previous = reader.optional_secret(PREVIOUS_SEALING_KEY);
    SealingKeys::new(present, previous.map(|previous| bytes(reader, PREVIOUS_SEALING_KEY, &previous)))
}

/// The key; what is none is refused, unless it is not there, which the reader has refused already.
fn bytes(reader: &mut Reader, setting: Setting, text: &SecretString) -> [u8; 32] {
    let text = text.expose_secret();
    let bytes = STANDARD.decode(text.trim()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    if bytes.is_none() && !text.is_empty() {
        reader.refuse(setting);
    }
    bytes.unwrap_or_default()
}

/// What `migrate` reads: the owner's url.
pub struct MigrateSettings {
    pub(crate) postgres: pg_pool::Settings,
}

impl MigrateSettings {
    /// Reads them; problems are the reader's to report.
    pub fn read(reader: &mut Reader) -> Self {
        Self { postgres: pg_pool::Settings::read(reader, "token-service migrate") }
    }
}
