//! Is the process alive, and is it ready: named checks, one per dependency.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, join_all},
};
use serde::Serialize;

/// How long one check may take before its dependency counts as away.
pub const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The registry of readiness checks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Default)]
struct Inner {
    checks: RwLock<BTreeMap<&'static str, Check>>,
    started: AtomicBool,
    stopping: AtomicBool,
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
        Readiness {
            ready: phase == "serving" && results.iter().all(|(_, result)| result.is_ok()),
            phase,
            dependencies: results
                .into_iter()
                .map(|(name, result)| (name, result.err().unwrap_or_else(|| "ok".to_owned())))
                .collect(),
        }
    }
}
