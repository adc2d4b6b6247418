//! What the gateway counts.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};

/// The gateway's metrics; see this crate's README for what to watch.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) requests: IntCounterVec,
    pub(crate) duration: HistogramVec,
    pub(crate) in_flight: IntGauge,
    pub(crate) auth_refusals: IntCounterVec,
    pub(crate) outcomes_waiting: IntGauge,
    pub(crate) outcome_timeouts: IntCounterVec,
    pub(crate) outcomes_unexpected: IntCounter,
    pub(crate) verification_keys: IntGauge,
    pub(crate) revocations: IntGauge,
    pub(crate) companies_with_schemas: IntGauge,
    pub(crate) calls_waiting: IntGauge,
    pub(crate) calls_reported: IntCounter,
    pub(crate) calls_dropped: IntCounterVec,
    pub(crate) call_batches: IntCounter,
    pub(crate) pace: PaceMetrics,
}

/// What is counted of companies that call a lot.
#[derive(Clone, Debug)]
pub(crate) struct PaceMetrics {
    pub(crate) limited: IntCounterVec,
    pub(crate) turn_wait: Histogram,
}

/// Seconds. Entra gives up after tens of seconds; what we promise is measured in milliseconds.
const BUCKETS: [f64; 13] =
    [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1.0, 4.0, 16.0];

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone())).map(|()| counters)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone())).map(|()| counter)
        };
        let duration = HistogramVec::new(
            HistogramOpts::new(
                "gateway_http_request_duration_seconds",
                "From the request's head to its answer",
            )
            .buckets(BUCKETS.to_vec()),
            &["route", "method"],
        )?;
        registry.register(Box::new(duration.clone()))?;
        Ok(Self {
            requests: counters(
                "gateway_http_requests_total",
                "Requests answered; status is `gone` for those abandoned with their connection",
                &["route", "method", "status"],
            )?,
            duration,
            in_flight: gauge("gateway_http_requests_in_flight", "Requests being answered")?,
            auth_refusals: counters(
                "gateway_auth_refusals_total",
                "Requests without a usable token",
                &["reason"],
            )?,
            outcomes_waiting: gauge("gateway_outcomes_waiting", "Changes whose outcome is awaited")?,
            outcome_timeouts: counters(
                "gateway_outcome_timeouts_total",
                "Changes answered with 503 for lack of an outcome, by whether the stream had stored them",
                &["stored"],
            )?,
            outcomes_unexpected: counter(
                "gateway_outcomes_unexpected_total",
                "Messages to this process's inboxes that nobody awaited (any more)",
            )?,
            verification_keys: gauge(
                "gateway_verification_keys",
                "Public keys that tokens are verified with",
            )?,
            revocations: gauge("gateway_revocations", "Revoked or retiring tokens known")?,
            companies_with_schemas: gauge(
                "gateway_companies_with_schemas",
                "Companies that have declared attributes of their own",
            )?,
            calls_waiting: gauge("gateway_calls_waiting", "Answered calls whose report is not stored yet")?,
            calls_reported: counter("gateway_calls_reported_total", "Answered calls whose report is stored")?,
            calls_dropped: counters(
                "gateway_calls_dropped_total",
                "Answered calls whose report is lost, by why",
                &["reason"],
            )?,
            call_batches: counter("gateway_call_batches_total", "Batches of reports that were sent")?,
            pace: PaceMetrics::register(registry)?,
        })
    }
}

impl PaceMetrics {
    fn register(registry: &Registry) -> prometheus::Result<Self> {
        let limited = IntCounterVec::new(
            Opts::new(
                "timeclock_gateway_rate_limited_total",
                "Requests of companies answered with 429, by the limit that they met",
            ),
            &["limit"],
        )?;
        for limit in ["rate", "concurrency"] {
            limited.with_label_values(&[limit]);
        }
        let turn_wait = Histogram::with_opts(
            HistogramOpts::new(
                "timeclock_gateway_turn_wait_seconds",
                "Wait of a change for one of its company's turns, before it is handed to the stream",
            )
            .buckets(BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(limited.clone()))?;
        registry.register(Box::new(turn_wait.clone()))?;
        Ok(Self { limited, turn_wait })
    }
}
