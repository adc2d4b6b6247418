//! Which certificate is shown, and how it follows its files without a restart.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use prometheus::{IntCounterVec, IntGauge};
use rustls::{
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::{
    files::{Contents, Files},
    identity::Identity,
};
use crate::clock::Clock;

/// What can become of changed files.
pub(super) const RESULTS: [&str; 2] = [IN_USE, REFUSED];
const IN_USE: &str = "in_use";
const REFUSED: &str = "refused";

/// The certificate that callers are shown.
#[derive(Debug)]
pub(super) struct Current {
    identity: RwLock<Arc<Identity>>,
    expiry: IntGauge,
}

impl Current {
    pub(super) fn new(identity: Arc<Identity>, expiry: IntGauge) -> Self {
        expiry.set(seconds(identity.expires));
        Self { identity: RwLock::new(identity), expiry }
    }

    fn replace(&self, identity: Identity) {
        self.expiry.set(seconds(identity.expires));
        *self.identity.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(identity);
    }
}

fn seconds(since_epoch: Duration) -> i64 {
    i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX)
}

impl ResolvesServerCert for Current {
    /// The same whatever name the caller asks for: a caller who wants another one finds out by itself.
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        Some(Arc::clone(&identity.certified))
    }
}

/// What becomes of files that change.
pub(super) struct Renewal {
    pub(super) current: Arc<Current>,
    pub(super) files: Files,
    pub(super) interval: Duration,
    pub(super) clock: Clock,
    pub(super) reloads: IntCounterVec,
}

/// What a look at the files found; `Err` says why it found nothing.
type Look = Result<Contents, String>;

impl Renewal {
    /// Looks at the files every `interval`, and at once at a SIGHUP, and uses what it finds if it is good. What they held at
    /// the start is in use.
    ///
    /// Contents that have just changed are left alone until the next look: whoever replaces two files does it one after the
    /// other.
    pub(super) async fn run(self, at_start: Contents, stop: CancellationToken) -> anyhow::Result<()> {
        let mut hangup = signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?;
        let mut decided: Look = Ok(at_start);
        let mut seen: Option<Look> = None;
        loop {
            let is_asked = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                _ = hangup.recv() => true,
                () = tokio::time::sleep(self.interval) => false,
            };
            let now = self.look().await?;
            if now == decided && !is_asked {
                seen = None;
            } else if is_asked || seen.as_ref() == Some(&now) {
                self.decide(&now);
                (decided, seen) = (now, None);
            } else {
                seen = Some(now);
            }
        }
    }

    async fn look(&self) -> anyhow::Result<Look> {
        let files = self.files.clone();
        #[expect(clippy::disallowed_methods, reason = "what blocks is a disk or a network's, not Postgres")]
        let contents = tokio::task::spawn_blocking(move || files.contents());
        let contents = contents.await.context("read a certificate")?;
        Ok(contents.map_err(|unreadable| unreadable.of_setting()))
    }

    fn decide(&self, look: &Look) {
        let identity = look.as_ref().map_err(Clone::clone).and_then(|contents| {
            Identity::read(contents, &self.clock).map_err(|unusable| unusable.of_setting())
        });
        let result = match identity {
            Ok(identity) => {
                let expires = identity.expires.as_secs();
                tracing::info!(expires, "a new certificate is in use");
                self.current.replace(identity);
                IN_USE
            }
            Err(reason) => {
                tracing::error!("the new certificate is refused, and the old one stays in use: {reason}");
                REFUSED
            }
        };
        self.reloads.with_label_values(&[result]).inc();
    }
}
