//! What the service counts.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

#[derive(Clone)]
pub(crate) struct Metrics {
    /// Requests by operation and result.
    pub(crate) requests: IntCounterVec,
    pub(crate) published: IntGauge,
    pub(crate) publish_failures: IntCounter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "timeclock_tokens_requests_total",
                    "Requests about tokens, by operation and result",
                ),
                &["operation", "result"],
            )?,
            published: IntGauge::new(
                "timeclock_tokens_published_entries",
                "Keys and revocations that the bucket held when it was last made to agree",
            )?,
            publish_failures: IntCounter::new(
                "timeclock_tokens_publish_failures_total",
                "Times that keys and revocations could not be published",
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.published.clone()))?;
        registry.register(Box::new(metrics.publish_failures.clone()))?;
        Ok(metrics)
    }
}
