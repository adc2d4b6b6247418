//! What the console counts.

use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets,
};

#[derive(Clone)]
pub(crate) struct Metrics {
    /// By route template, method and status.
    pub(crate) requests: HistogramVec,
    /// By outcome.
    pub(crate) sign_ins: IntCounterVec,
    pub(crate) throttled: IntCounter,
    pub(crate) password_hashes: IntCounter,
    pub(crate) sessions_begun: IntCounter,
    pub(crate) sessions_ended: IntCounter,
    /// By result.
    pub(crate) mails: IntCounterVec,
    /// By kind.
    pub(crate) notices: IntCounterVec,
    /// Streams of events to open pages.
    pub(crate) open_streams: IntGauge,
    /// What operators asked, by operation and result.
    pub(crate) operator_requests: IntCounterVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let counter = |name: &str, help: &str| -> prometheus::Result<IntCounter> {
            let counter = IntCounter::new(format!("timeclock_console_{name}"), help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let counters = |name: &str, help: &str, labels: &[&str]| -> prometheus::Result<IntCounterVec> {
            let counters = IntCounterVec::new(Opts::new(format!("timeclock_console_{name}"), help), labels)?;
            registry.register(Box::new(counters.clone()))?;
            Ok(counters)
        };
        let requests = HistogramVec::new(
            HistogramOpts::new(
                "timeclock_console_request_seconds",
                "Time to an answer's head, by route, method and status",
            )
            // 1 ms to 8 s.
            .buckets(exponential_buckets(0.001, 2.0, 14)?),
            &["route", "method", "status"],
        )?;
        registry.register(Box::new(requests.clone()))?;
        let open_streams = IntGauge::new(
            "timeclock_console_open_streams",
            "Streams of events to open pages, at most 2,000",
        )?;
        registry.register(Box::new(open_streams.clone()))?;
        Ok(Self {
            requests,
            open_streams,
            sign_ins: counters("sign_ins_total", "Attempts to sign in, by outcome", &["outcome"])?,
            throttled: counter(
                "throttled_total",
                "Passwords that were not tried, because of too many before",
            )?,
            password_hashes: counter("password_hashes_total", "Passwords hashed, to set or to try one")?,
            sessions_begun: counter("sessions_begun_total", "Sessions that began")?,
            sessions_ended: counter("sessions_ended_total", "Sessions that somebody ended; others expire")?,
            mails: counters("mails_total", "Mails, by result", &["result"])?,
            notices: counters("notices_total", "Notices sent to administrators, by kind", &["kind"])?,
            operator_requests: counters(
                "operator_requests_total",
                "Requests of operators about administrators, by operation and result",
                &["operation", "result"],
            )?,
        })
    }
}
