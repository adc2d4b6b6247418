//! What the service counts.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};

#[derive(Clone)]
pub(crate) struct Metrics {
    /// Requests by operation and result.
    pub(crate) requests: IntCounterVec,
    pub(crate) published: IntGauge,
    pub(crate) publish_failures: IntCounter,
    /// Requests at the token endpoint by result.
    pub(crate) grants: IntCounterVec,
    /// Requests at the revocation endpoint by result.
    pub(crate) revocations: IntCounterVec,
    /// Fetches of a tenant's keys by result.
    pub(crate) key_fetches: IntCounterVec,
    /// OAuth clients that are not revoked.
    pub(crate) clients: IntGauge,
    /// Credentials that expire soon, by kind and time.
    pub(crate) expiring: IntGaugeVec,
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
            grants: IntCounterVec::new(
                Opts::new("timeclock_tokens_grants_total", "Requests at the OAuth token endpoint, by result"),
                &["result"],
            )?,
            revocations: IntCounterVec::new(
                Opts::new(
                    "timeclock_tokens_revocations_total",
                    "Requests at the OAuth revocation endpoint, by result",
                ),
                &["result"],
            )?,
            key_fetches: IntCounterVec::new(
                Opts::new(
                    "timeclock_tokens_key_fetches_total",
                    "Fetches of the keys that sign clients' assertions, by result",
                ),
                &["result"],
            )?,
            clients: IntGauge::new("timeclock_tokens_clients", "OAuth clients that are not revoked")?,
            expiring: IntGaugeVec::new(
                Opts::new(
                    "timeclock_tokens_expiring_credentials",
                    "Credentials that expire within so many days and are not being replaced, by kind",
                ),
                &["kind", "days"],
            )?,
        };
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.published.clone()))?;
        registry.register(Box::new(metrics.publish_failures.clone()))?;
        registry.register(Box::new(metrics.grants.clone()))?;
        registry.register(Box::new(metrics.revocations.clone()))?;
        registry.register(Box::new(metrics.key_fetches.clone()))?;
        registry.register(Box::new(metrics.clients.clone()))?;
        registry.register(Box::new(metrics.expiring.clone()))?;
        Ok(metrics)
    }
}
