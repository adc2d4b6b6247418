//! TLS on a listener: which versions and ciphers, with whose certificate, and how it is replaced while connections run.

mod files;
mod handshake;
mod identity;
mod renewal;

use std::{path::PathBuf, sync::Arc, time::Duration};

use actix_web::rt::net::TcpStream;
use anyhow::Context as _;
use prometheus::{IntCounterVec, IntGauge};
use rustls::{
    ServerConfig, SupportedCipherSuite,
    crypto::{CryptoProvider, ring},
    version::{TLS12, TLS13},
};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

pub(super) use self::handshake::Handshakes;
use self::{
    files::{Contents, Files},
    identity::Identity,
    renewal::{Current, Renewal},
};
use crate::{
    Process,
    clock::Clock,
    metrics::Collectors,
    settings::{Reader, Setting},
};

const CERTIFICATE: &str = "TIMECLOCK_TLS_CERTIFICATE_FILE";
const KEY: &str = "TIMECLOCK_TLS_KEY_FILE";
const CERTIFICATE_FILE: Setting = Setting::new(
    CERTIFICATE,
    "A file in PEM with the listener's certificate, followed by those that lead to its root: with it the listener \
     speaks TLS and nothing else.",
)
.unless_set("plain HTTP");
const KEY_FILE: Setting =
    Setting::new(KEY, "A file in PEM with the certificate's private key, without a passphrase.")
        .unless_set("plain HTTP");
const INTERVAL: Setting = Setting::new(
    "TIMECLOCK_TLS_RELOAD_INTERVAL_MS",
    "How often those files are looked at; changed ones are used once two looks have found the same.",
);

/// The only protocol that is spoken inside: Entra's documents show nothing newer.
const ALPN: &[u8] = b"http/1.1";

/// In our order of preference. Those of TLS 1.2 are the first four of the list that Microsoft documents for SCIM; its other
/// four are CBC suites, which rustls does not have and nobody needs who has these.
const CIPHER_SUITES: [SupportedCipherSuite; 7] = [
    ring::cipher_suite::TLS13_AES_128_GCM_SHA256,
    ring::cipher_suite::TLS13_AES_256_GCM_SHA384,
    ring::cipher_suite::TLS13_CHACHA20_POLY1305_SHA256,
    ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ring::cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// A connection, whose bytes are what the caller meant, encrypted on the way or not.
pub type Connection = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The settings of a listener that speaks TLS, with a certificate that has been found good.
#[derive(Debug, Clone)]
pub struct Tls {
    files: Files,
    contents: Contents,
    identity: Arc<Identity>,
    interval: Duration,
}

impl Tls {
    /// Reads where the certificate and its key are, and them; `None` when there is neither. What is wrong with the files
    /// is a problem with the settings, so that `--check` finds it.
    pub fn read(reader: &mut Reader) -> Option<Self> {
        let paths = (reader.optional(CERTIFICATE_FILE), reader.optional(KEY_FILE));
        let interval = reader.duration_ms(INTERVAL, 5_000, 100..=3_600_000);
        let files = match paths {
            (None, None) => return None,
            (Some(certificate), Some(key)) => {
                Files { certificate: PathBuf::from(certificate), key: PathBuf::from(key) }
            }
            (Some(_), None) => {
                reader.problem(KEY, &format!("is required with {CERTIFICATE}"));
                return None;
            }
            (None, Some(_)) => {
                reader.problem(CERTIFICATE, &format!("is required with {KEY}"));
                return None;
            }
        };
        let found = files.contents().and_then(|contents| {
            let identity = Identity::read(&contents, &Clock::system())?;
            Ok((contents, identity))
        });
        match found {
            Ok((contents, identity)) => {
                Some(Self { files, contents, identity: Arc::new(identity), interval })
            }
            Err(unusable) => {
                reader.problem(unusable.setting(), &unusable.to_string());
                None
            }
        }
    }

    /// What shakes hands on a listener; the certificate is renewed by a task of the process.
    pub(super) fn serve(self, process: &Process) -> anyhow::Result<Handshakes> {
        let metrics = Metrics::register(process)?;
        let current = Arc::new(Current::new(Arc::clone(&self.identity), metrics.expiry));
        let config = Arc::new(config(Arc::clone(&current)).context("cannot set up TLS")?);
        let (files, interval, clock) = (self.files, self.interval, process.clock.clone());
        let renewal = Renewal { current, files, interval, clock, reloads: metrics.reloads };
        process.tasks.spawn_supporting("certificate", |stop| renewal.run(self.contents, stop));
        Ok(Handshakes::new(config, metrics.handshakes))
    }
}

struct Metrics {
    expiry: IntGauge,
    reloads: IntCounterVec,
    handshakes: IntCounterVec,
}

impl Metrics {
    fn register(process: &Process) -> prometheus::Result<Self> {
        let collectors = Collectors::of(&process.metrics);
        let results = |name, help, results: &[&str]| {
            let counters = collectors.counters(name, help, &["result"])?;
            for result in results {
                counters.with_label_values(&[result]);
            }
            Ok::<_, prometheus::Error>(counters)
        };
        Ok(Self {
            expiry: collectors.gauge(
                "timeclock_certificate_expiry_timestamp_seconds",
                "When the certificate in use expires, in seconds since 1970",
            )?,
            reloads: results(
                "timeclock_certificate_reloads_total",
                "Changed certificates: in use, or refused",
                &renewal::RESULTS,
            )?,
            handshakes: results(
                "timeclock_tls_handshakes_total",
                "TLS handshakes by how they ended",
                &handshake::RESULTS,
            )?,
        })
    }
}

fn config(current: Arc<Current>) -> Result<ServerConfig, rustls::Error> {
    let provider = CryptoProvider { cipher_suites: CIPHER_SUITES.to_vec(), ..ring::default_provider() };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS13, &TLS12])?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![ALPN.to_vec()];
    config.ignore_client_order = true;
    Ok(config)
}
