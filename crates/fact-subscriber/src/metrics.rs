//! What an operator sees of the subscriber.

use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets};

use crate::{change::Change, model::Effect, snapshot::Reason};

pub(crate) struct Metrics {
    pub(crate) facts: IntCounterVec,
    pub(crate) snapshots: IntCounterVec,
    pub(crate) lag: IntGauge,
    pub(crate) batch_seconds: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            facts: IntCounterVec::new(
                Opts::new(
                    "timeclock_subscriber_facts_total",
                    "Facts read, by kind and by what became of them",
                ),
                &["kind", "effect"],
            )?,
            snapshots: IntCounterVec::new(
                Opts::new("timeclock_subscriber_snapshots_total", "Snapshots taken, by why"),
                &["reason"],
            )?,
            lag: IntGauge::new("timeclock_subscriber_lag_facts", "Facts that wait in the stream")?,
            batch_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "timeclock_subscriber_batch_seconds",
                    "Time from facts in hand to their commit",
                )
                .buckets(exponential_buckets(0.000_5, 2.0, 15)?),
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
        registry.register(Box::new(metrics.facts.clone()))?;
        registry.register(Box::new(metrics.snapshots.clone()))?;
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.batch_seconds.clone()))?;
        Ok(metrics)
    }
}
