//! What an operator sees of the write path.

use bus_contract::provisioning::{self, outcome::Result as OutcomeResult, refused::Reason};
use prometheus::{
    Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    exponential_buckets,
};

/// The service's own series; pool and process series come from their owners.
pub(crate) struct Metrics {
    pub(crate) partitions_held: IntGauge,
    pub(crate) lag: IntGaugeVec,
    pub(crate) batch_size: Histogram,
    pub(crate) batch_seconds: Histogram,
    pub(crate) look_up_batch: Histogram,
    pub(crate) outcomes: IntCounterVec,
    pub(crate) dead_letters: IntCounter,
    pub(crate) facts: IntCounter,
    pub(crate) calls: CallMetrics,
}

/// What an operator sees of the calls that are counted; of the instance that counts them.
pub(crate) struct CallMetrics {
    pub(crate) companies: IntGaugeVec,
    pub(crate) counted: IntCounter,
    pub(crate) lag: IntGauge,
    pub(crate) batch_seconds: Histogram,
    pub(crate) dead: IntCounter,
    pub(crate) lines: IntCounter,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let sizes = exponential_buckets(1.0, 2.0, 10)?;
        let seconds = exponential_buckets(0.000_5, 2.0, 15)?;
        let metrics = Self {
            partitions_held: IntGauge::new(
                "timeclock_directory_partitions_held",
                "Partitions that this instance applies",
            )?,
            lag: IntGaugeVec::new(
                Opts::new(
                    "timeclock_directory_pending_requests",
                    "Requests of a partition that wait in the stream",
                ),
                &["partition"],
            )?,
            batch_size: Histogram::with_opts(
                HistogramOpts::new(
                    "timeclock_directory_batch_requests",
                    "Requests applied by one transaction",
                )
                .buckets(sizes.clone()),
            )?,
            batch_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "timeclock_directory_batch_seconds",
                    "Time from a batch in hand to its commit",
                )
                .buckets(seconds),
            )?,
            look_up_batch: Histogram::with_opts(
                HistogramOpts::new(
                    "timeclock_directory_look_up_batch_questions",
                    "Look-ups answered by one transaction",
                )
                .buckets(sizes),
            )?,
            outcomes: IntCounterVec::new(
                Opts::new("timeclock_directory_outcomes_total", "Requests by what became of them"),
                &["outcome"],
            )?,
            dead_letters: IntCounter::new(
                "timeclock_directory_dead_letters_total",
                "Requests that can never be applied",
            )?,
            facts: IntCounter::new(
                "timeclock_directory_facts_total",
                "Facts that the stream DIRECTORY has acknowledged",
            )?,
            calls: CallMetrics::register(registry)?,
        };
        registry.register(Box::new(metrics.partitions_held.clone()))?;
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.batch_size.clone()))?;
        registry.register(Box::new(metrics.batch_seconds.clone()))?;
        registry.register(Box::new(metrics.look_up_batch.clone()))?;
        registry.register(Box::new(metrics.outcomes.clone()))?;
        registry.register(Box::new(metrics.dead_letters.clone()))?;
        registry.register(Box::new(metrics.facts.clone()))?;
        Ok(metrics)
    }

    /// Counts an applied batch.
    pub(crate) fn count(&self, size: usize, outcomes: &[Option<provisioning::Outcome>]) {
        self.batch_size.observe(f64::from(u32::try_from(size).unwrap_or(u32::MAX)));
        for outcome in outcomes {
            self.outcomes.with_label_values(&[word(outcome.as_ref())]).inc();
        }
    }
}

impl CallMetrics {
    fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            companies: IntGaugeVec::new(
                Opts::new(
                    "timeclock_directory_companies",
                    "Companies that were ever called for, by their health",
                ),
                &["health"],
            )?,
            counted: IntCounter::new(
                "timeclock_directory_calls_counted_total",
                "Calls of the stream CALLS that are counted",
            )?,
            lag: IntGauge::new("timeclock_directory_calls_lag", "Messages that wait in the stream CALLS")?,
            batch_seconds: Histogram::with_opts(
                HistogramOpts::new(
                    "timeclock_directory_calls_batch_seconds",
                    "Time from calls in hand to their commit",
                )
                .buckets(exponential_buckets(0.000_5, 2.0, 15)?),
            )?,
            dead: IntCounter::new(
                "timeclock_directory_calls_dead_total",
                "Messages of the stream CALLS that can never be counted",
            )?,
            lines: IntCounter::new(
                "timeclock_directory_call_lines_total",
                "Log lines of calls that the directory did not decide",
            )?,
        };
        registry.register(Box::new(metrics.companies.clone()))?;
        registry.register(Box::new(metrics.counted.clone()))?;
        registry.register(Box::new(metrics.lag.clone()))?;
        registry.register(Box::new(metrics.batch_seconds.clone()))?;
        registry.register(Box::new(metrics.dead.clone()))?;
        registry.register(Box::new(metrics.lines.clone()))?;
        Ok(metrics)
    }
}

/// A closed list, whatever the requests say.
pub(crate) fn word(outcome: Option<&provisioning::Outcome>) -> &'static str {
    let Some(outcome) = outcome else { return "unreadable" };
    match &outcome.result {
        _ if outcome.repeated => "repeated",
        Some(OutcomeResult::Applied(applied)) if applied.changed => "changed",
        Some(OutcomeResult::Applied(_)) => "unchanged",
        Some(OutcomeResult::Refused(refused)) => match refused.reason() {
            Reason::Invalid => "refused_invalid",
            Reason::NotFound => "refused_not_found",
            Reason::Conflict => "refused_conflict",
            Reason::PreconditionFailed => "refused_precondition",
            Reason::Unspecified => "refused",
        },
        None => "unreadable",
    }
}
