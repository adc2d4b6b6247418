//! What an operator sees of the calls that are counted; of the one instance that counts them.

use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, core::AtomicI64,
    exponential_buckets,
};
use service_runtime::metrics::{Collectors, PassingGauge};

pub(crate) struct CallMetrics {
    /// By the state of their health.
    pub(super) companies: IntGaugeVec,
    pub(super) silent: PassingGauge<AtomicI64>,
    pub(super) counted: IntCounter,
    pub(super) lag: IntGauge,
    pub(super) batch_seconds: Histogram,
    pub(super) dead: IntCounter,
    pub(super) lines: IntCounter,
    pub(super) of_companies: CompanyMetrics,
}

/// Series that have a company for a label; who has a place among them is decided in [`super::places`].
pub(super) struct CompanyMetrics {
    pub(super) calls: IntCounterVec,
    pub(super) changes: IntCounterVec,
    pub(super) last_call: IntGaugeVec,
    pub(super) health: IntGaugeVec,
}

impl CallMetrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Collectors::of(registry);
        Ok(Self {
            companies: make.gauges(
                "timeclock_directory_companies",
                "Companies that were ever called for, by their health",
                &["health"],
            )?,
            silent: make.passing_gauge(
                "timeclock_directory_companies_silent",
                "Connected companies that have not called for three cycles",
            )?,
            counted: make.counter(
                "timeclock_directory_calls_counted_total",
                "Calls of the stream CALLS that are counted",
            )?,
            lag: make.gauge("timeclock_directory_calls_lag", "Messages that wait in the stream CALLS")?,
            batch_seconds: make.histogram(
                "timeclock_directory_calls_batch_seconds",
                "Time from calls in hand to their commit",
                &exponential_buckets(0.000_5, 2.0, 15)?,
            )?,
            dead: make.counter(
                "timeclock_directory_calls_dead_total",
                "Messages of the stream CALLS that can never be counted",
            )?,
            lines: make.counter(
                "timeclock_directory_call_lines_total",
                "Log lines of calls that the directory did not decide",
            )?,
            of_companies: CompanyMetrics {
                calls: make.counters(
                    "timeclock_directory_company_calls_total",
                    "Calls of a company",
                    &["company", "result"],
                )?,
                changes: make.counters(
                    "timeclock_directory_company_changes_total",
                    "Changes that were made for a company",
                    &["company", "change"],
                )?,
                last_call: make.gauges(
                    "timeclock_directory_company_last_call_timestamp_seconds",
                    "When a company last called with a good credential",
                    &["company"],
                )?,
                health: make.gauges(
                    "timeclock_directory_company_health",
                    "0 never connected, 1 healthy, 2 warning, 3 critical, 4 disconnected",
                    &["company"],
                )?,
            },
        })
    }

    /// Tells nothing more of what another instance tells from here on.
    pub(super) fn leave(&self) {
        self.lag.set(0);
        self.companies.reset();
        self.silent.reset();
        let CompanyMetrics { calls, changes, last_call, health } = &self.of_companies;
        calls.reset();
        changes.reset();
        last_call.reset();
        health.reset();
    }
}
