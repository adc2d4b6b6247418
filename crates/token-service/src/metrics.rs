//! What the service counts besides the requests of its listener; every series is in docs/reference/metrics.md.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, core::AtomicF64};
use service_runtime::metrics::{Collectors, PassingGauge};

use crate::oauth::RESULTS;

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
    /// Days until the next of all credentials expires, where there is one.
    pub(crate) next_expiry: PassingGauge<AtomicF64>,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Collectors::of(registry);
        let metrics = Self {
            requests: make.counters(
                "timeclock_tokens_requests_total",
                "Requests about tokens, by operation and result",
                &["operation", "result"],
            )?,
            published: make.gauge(
                "timeclock_tokens_published_entries",
                "Keys and revocations that the bucket held when it was last made to agree",
            )?,
            publish_failures: make.counter(
                "timeclock_tokens_publish_failures_total",
                "Times that keys and revocations could not be published",
            )?,
            grants: make.counters(
                "timeclock_tokens_grants_total",
                "Requests at the OAuth token endpoint, by result",
                &["result"],
            )?,
            revocations: make.counters(
                "timeclock_tokens_revocations_total",
                "Requests at the OAuth revocation endpoint, by result",
                &["result"],
            )?,
            key_fetches: make.counters(
                "timeclock_tokens_key_fetches_total",
                "Fetches of the keys that sign clients' assertions, by result",
                &["result"],
            )?,
            clients: make.gauge("timeclock_tokens_clients", "OAuth clients that are not revoked")?,
            expiring: make.gauges(
                "timeclock_tokens_expiring_credentials",
                "Credentials that expire within so many days and are not being replaced, by kind",
                &["kind", "days"],
            )?,
            next_expiry: make.passing_gauge(
                "timeclock_tokens_next_expiry_days",
                "Days until the next credential expires that is not being replaced",
            )?,
        };
        for result in RESULTS {
            metrics.grants.with_label_values(&[result]);
            metrics.revocations.with_label_values(&[result]);
        }
        for result in ["ok", "failed"] {
            metrics.key_fetches.with_label_values(&[result]);
        }
        Ok(metrics)
    }
}
