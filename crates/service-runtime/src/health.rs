//! Is the process alive, and is it ready: named checks, one per dependency; asked for, and looked at from time to time for
//! the metrics.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use prometheus::{IntGauge, IntGaugeVec, Registry};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::metrics::Collectors;

/// How long one check may take before its dependency counts as away.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the checks run when nobody asks.
pub const LOOK_EVERY: Duration = Duration::from_secs(5);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The registry of readiness checks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Default)]
struct Inner {
    checks: RwLock<BTreeMap<&'static str, Check>>,
    started: AtomicBool,
    stopping: AtomicBool,
    gauges: OnceLock<Gauges>,
}

struct Gauges {
    ready: IntGauge,
    dependency_up: IntGaugeVec,
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Health").finish_non_exhaustive()
    }
}

/// The answer of `/readyz`.
#[derive(Debug, Serialize)]
pub struct Readiness {
    /// Whether work should be sent here.
    pub ready: bool,
    /// `starting`, `serving` or `stopping`.
    pub phase: &'static str,
    /// `"ok"`, or why not, for each dependency.
    pub dependencies: BTreeMap<&'static str, String>,
}

impl Health {
    /// Adds a check under the name of its dependency; a second one of that name replaces the first.
    ///
    /// A check returns why its dependency is not usable, in words that hold no secret and no personal data, because
    /// `/readyz` shows them.
    pub fn register<F, Fut>(&self, dependency: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        if let Ok(mut checks) = self.0.checks.write() {
            checks.insert(dependency, Arc::new(move || check().boxed()));
        }
    }

    /// From here on the process is ready as soon as its dependencies are.
    pub fn started(&self) {
        self.0.started.store(true, Ordering::Release);
    }

    /// From here on the process is not ready, whatever its dependencies say.
    pub fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Release);
        if let Some(gauges) = self.0.gauges.get() {
            gauges.ready.set(0);
        }
    }

    /// From here on every answer is told in the metrics too.
    ///
    /// # Errors
    ///
    /// When the series are registered already.
    pub fn tell(&self, registry: &Registry) -> prometheus::Result<()> {
        let collectors = Collectors::of(registry);
        let gauges = Gauges {
            ready: collectors.gauge("timeclock_ready", "1 when work should be sent here")?,
            dependency_up: collectors.gauges(
                "timeclock_dependency_up",
                "1 when the dependency was usable, when it was last looked at",
                &["dependency"],
            )?,
        };
        self.0.gauges.set(gauges).map_err(|_told| prometheus::Error::AlreadyReg)
    }

    /// Looks at every dependency from time to time, so that the metrics are as fresh as [`LOOK_EVERY`].
    ///
    /// # Errors
    ///
    /// None.
    pub async fn watch(self, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let looking = async {
                self.readiness().await;
                tokio::time::sleep(LOOK_EVERY).await;
            };
            if stop.run_until_cancelled(looking).await.is_none() {
                return Ok(());
            }
        }
    }

    /// Whether [`Health::stopping`] was said.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Acquire)
    }

    /// Runs every check, all at once, each for at most [`CHECK_TIMEOUT`].
    pub async fn readiness(&self) -> Readiness {
        let checks: Vec<(&'static str, Check)> = match self.0.checks.read() {
            Ok(checks) => checks.iter().map(|(name, check)| (*name, Arc::clone(check))).collect(),
            Err(_poisoned) => Vec::new(),
        };
        let results = join_all(checks.into_iter().map(|(name, check)| async move {
            let result = tokio::time::timeout(CHECK_TIMEOUT, check()).await;
            (
                name,
                result.unwrap_or_else(|_elapsed| {
                    Err(format!("no answer within {} s", CHECK_TIMEOUT.as_secs()))
                }),
            )
        }))
        .await;

        let phase = match (self.0.started.load(Ordering::Acquire), self.is_stopping()) {
            (_, true) => "stopping",
            (true, false) => "serving",
            (false, false) => "starting",
        };
        let ready = phase == "serving" && results.iter().all(|(_, result)| result.is_ok());
        self.note(ready, &results);
        Readiness {
            ready,
            phase,
            dependencies: results
                .into_iter()
                .map(|(name, result)| (name, result.err().unwrap_or_else(|| "ok".to_owned())))
                .collect(),
        }
    }

    fn note(&self, ready: bool, results: &[(&'static str, Result<(), String>)]) {
        let Some(gauges) = self.0.gauges.get() else { return };
        for (dependency, result) in results {
            gauges.dependency_up.with_label_values(&[dependency]).set(result.is_ok().into());
        }
        gauges.ready.set(ready.into());
        // Whoever began to look before the end began may be the last to write.
        if self.0.stopping.load(Ordering::Acquire) {
            gauges.ready.set(0);
        }
    }
}
