//! What a process tells of its connection, of what it puts into streams, and of what it answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_contract::{stream::Stream, subject};
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};
use service_runtime::metrics::{ANSWER_SECONDS, Collectors};

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

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It was done.
    Ok,
    /// It asked for something that cannot be.
    Refused,
    /// It could be done, and was not.
    Failed,
}

/// Requests of one subject. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Kind(Arc<Counted>);

#[derive(Debug)]
struct Counted {
    ok: IntCounter,
    refused: IntCounter,
    failed: IntCounter,
    seconds: Histogram,
}

/// A request on its way to its answer; dropped before, it counts as failed.
#[derive(Debug)]
pub struct Answering {
    kind: Kind,
    begun: Instant,
    answered: Answered,
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
        let kind = subject::operation(subject);
        let counter = |result| self.total.with_label_values(&[kind, result]);
        Kind(Arc::new(Counted {
            ok: counter("ok"),
            refused: counter("refused"),
            failed: counter("failed"),
            seconds: self.seconds.with_label_values(&[kind]),
        }))
    }
}

impl Kind {
    /// A request is in hand.
    #[must_use]
    pub fn begin(&self) -> Answering {
        Answering { kind: self.clone(), begun: Instant::now(), answered: Answered::Failed }
    }
}

impl Answering {
    /// It is answered.
    pub fn end(mut self, answered: Answered) {
        self.answered = answered;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let Counted { ok, refused, failed, seconds } = &*self.kind.0;
        match self.answered {
            Answered::Ok => ok.inc(),
            Answered::Refused => refused.inc(),
            Answered::Failed => failed.inc(),
        }
        seconds.observe(self.begun.elapsed().as_secs_f64());
    }
}
