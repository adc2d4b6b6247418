//! What a process tells of its connection, of what it puts into streams, and of what it answers.

use std::{sync::Arc, time::Duration};

use bus_contract::{stream::Stream, subject};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};
use service_runtime::metrics::{ANSWER_SECONDS, Collectors};

use crate::answering::Answered;

/// What a process tells of its connection and of what it puts into streams; for [`crate::Bus::connect_measured`].
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) connected: IntGauge,
    pub(crate) reconnects: IntCounter,
    publish_seconds: HistogramVec,
    publish_failures: IntCounterVec,
}

impl Metrics {
    /// Registers the series, those of `streams` with 0.
    ///
    /// # Errors
    /// When they are registered already.
    pub fn register(registry: &Registry, streams: &[&Stream]) -> prometheus::Result<Self> {
        let collectors = Collectors::of(registry);
        let metrics = Self {
            connected: collectors
                .gauge("timeclock_bus_connected", "1 while there is a connection to NATS")?,
            reconnects: collectors
                .counter("timeclock_bus_reconnects_total", "Connections to NATS made after the first")?,
            publish_seconds: collectors.histograms(
                "timeclock_bus_publish_duration_seconds",
                "From a message's way to the server to the word that it is stored",
                &ANSWER_SECONDS,
                &["stream"],
            )?,
            publish_failures: collectors.counters(
                "timeclock_bus_publish_failures_total",
                "Messages of which no word came that they are stored",
                &["stream"],
            )?,
        };
        for stream in streams {
            metrics.publish_seconds.with_label_values(&[stream.name]);
            metrics.publish_failures.with_label_values(&[stream.name]);
        }
        Ok(metrics)
    }

    pub(crate) fn stored(&self, stream: &Stream, after: Duration) {
        self.publish_seconds.with_label_values(&[stream.name]).observe(after.as_secs_f64());
    }

    pub(crate) fn not_stored(&self, stream: &Stream) {
        self.publish_failures.with_label_values(&[stream.name]).inc();
    }
}

/// What a process tells of the requests that it answers over the bus.
#[derive(Debug, Clone)]
pub struct Answers {
    total: IntCounterVec,
    seconds: HistogramVec,
}

/// Requests of one subject. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kind(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    operation: &'static str,
    ok: IntCounter,
    refused: IntCounter,
    failed: IntCounter,
    seconds: Histogram,
}

impl Kind {
    /// What is asked for.
    pub(crate) fn operation(&self) -> &'static str {
        self.0.operation
    }

    pub(crate) fn count(&self, answered: Answered, after: Duration) {
        let Counted { ok, refused, failed, seconds, operation: _ } = &*self.0;
        match answered {
            Answered::Ok => ok.inc(),
            Answered::Refused => refused.inc(),
            Answered::Failed => failed.inc(),
        }
        seconds.observe(after.as_secs_f64());
    }
}

impl Answers {
    /// Registers the series.
    ///
    /// # Errors
    /// When they are registered already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let collectors = Collectors::of(registry);
        Ok(Self {
            total: collectors.counters(
                "timeclock_bus_requests_total",
                "Requests answered over the bus",
                &["kind", "result"],
            )?,
            seconds: collectors.histograms(
                "timeclock_bus_request_duration_seconds",
                "From a request in hand to its answer",
                &ANSWER_SECONDS,
                &["kind"],
            )?,
        })
    }

    /// Those of a subject, which is one of the contract's: the list of kinds is as closed as the contract.
    #[must_use]
    pub fn of(&self, subject: &'static str) -> Kind {
        let operation = subject::operation(subject);
        let counter = |answered: Answered| self.total.with_label_values(&[operation, answered.as_str()]);
        Kind(Arc::new(Counted {
            operation,
            ok: counter(Answered::Ok),
            refused: counter(Answered::Refused),
            failed: counter(Answered::Failed),
            seconds: self.seconds.with_label_values(&[operation]),
        }))
    }
}
