//! What an operator sees of the subscriber.

use prometheus::{Histogram, IntCounterVec, IntGauge, Registry, exponential_buckets};
use service_runtime::metrics::Collectors;

use crate::{change::Change, model::Effect, snapshot::Reason};

pub(crate) struct Metrics {
    pub(crate) facts: IntCounterVec,
    pub(crate) snapshots: IntCounterVec,
    pub(crate) lag: IntGauge,
    pub(crate) batch_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Collectors::of(registry);
        let metrics = Self {
            facts: make.counters(
                "timeclock_subscriber_facts_total",
                "Facts read, by kind and by what became of them",
                &["kind", "effect"],
            )?,
            snapshots: make.counters(
                "timeclock_subscriber_snapshots_total",
                "Snapshots taken, by why",
                &["reason"],
            )?,
            lag: make.gauge("timeclock_subscriber_lag_facts", "Facts that wait in the stream")?,
            batch_seconds: make.histogram(
                "timeclock_subscriber_batch_seconds",
                "Time from facts in hand to their commit",
                &exponential_buckets(0.000_5, 2.0, 15)?,
            )?,
        };
        for kind in Change::KINDS {
            for effect in Effect::ALL {
                metrics.facts.with_label_values(&[kind, effect.as_str()]);
            }
        }
        for reason in Reason::ALL {
            metrics.snapshots.with_label_values(&[reason.as_str()]);
        }
        Ok(metrics)
    }
}
