//! How metrics are made and told: collectors that are registered as they are made, the metrics about the process itself,
//! and the text form.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
    core::{Atomic, Collector, GenericGaugeVec},
};

use crate::build_info::BUILD;

/// Content type of [`text`].
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// Bounds, in seconds, for how long somebody waits for an answer: from what a look-up takes to where Entra gives up.
pub const ANSWER_SECONDS: [f64; 15] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Makes collectors and registers them.
#[derive(Debug, Clone, Copy)]
pub struct Collectors<'r>(&'r Registry);

impl<'r> Collectors<'r> {
    /// Registers in `registry`.
    #[must_use]
    pub const fn of(registry: &'r Registry) -> Self {
        Self(registry)
    }

    /// A counter.
    ///
    /// # Errors
    ///
    /// When the name is taken or is none; so with all others.
    pub fn counter(self, name: &str, help: &str) -> prometheus::Result<IntCounter> {
        self.register(IntCounter::new(name, help)?)
    }

    /// A counter for each combination of values of `labels`. Those of a closed list are to be made at once, because a
    /// rate misses the step from nothing to 1.
    ///
    /// # Errors
    ///
    /// See [`Self::counter`].
    pub fn counters(self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntCounterVec> {
        self.register(IntCounterVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge of whole numbers.
    ///
    /// # Errors
    ///
    /// See [`Self::counter`].
    pub fn gauge(self, name: &str, help: &str) -> prometheus::Result<IntGauge> {
        self.register(IntGauge::new(name, help)?)
    }

    /// A gauge of whole numbers for each combination of values of `labels`.
    ///
    /// # Errors
    ///
    /// See [`Self::counter`].
    pub fn gauges(self, name: &str, help: &str, labels: &[&str]) -> prometheus::Result<IntGaugeVec> {
        self.register(IntGaugeVec::new(Opts::new(name, help), labels)?)
    }

    /// A gauge that is not always there: it appears when it is first set, and disappears when it is reset.
    ///
    /// # Errors
    ///
    /// See [`Self::counter`].
    pub fn passing_gauge<N: Atomic + 'static>(
        self,
        name: &str,
        help: &str,
    ) -> prometheus::Result<PassingGauge<N>> {
        self.register(GenericGaugeVec::new(Opts::new(name, help), &[])?).map(PassingGauge)
    }

    /// A histogram with these bounds.
    ///
    /// # Errors
    ///
    /// See [`Self::counter`].
    pub fn histogram(self, name: &str, help: &str, bounds: &[f64]) -> prometheus::Result<Histogram> {
        self.register(Histogram::with_opts(HistogramOpts::new(name, help).buckets(bounds.to_vec()))?)
    }

    /// A histogram with these bounds for each combination of values of `labels`.
    ///
    /// # Errors
    ///
    /// See [`Self::counter`].
    pub fn histograms(
        self,
        name: &str,
        help: &str,
        bounds: &[f64],
        labels: &[&str],
    ) -> prometheus::Result<HistogramVec> {
        self.register(HistogramVec::new(HistogramOpts::new(name, help).buckets(bounds.to_vec()), labels)?)
    }

    fn register<C: Collector + Clone + 'static>(self, collector: C) -> prometheus::Result<C> {
        self.0.register(Box::new(collector.clone())).map(|()| collector)
    }
}

/// A gauge that is not always there.
#[derive(Debug)]
pub struct PassingGauge<N: Atomic>(GenericGaugeVec<N>);

impl<N: Atomic> Clone for PassingGauge<N> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<N: Atomic> PassingGauge<N> {
    /// From here on it is told.
    pub fn set(&self, value: N::T) {
        self.0.with_label_values(&[] as &[&str]).set(value);
    }

    /// From here on it is not.
    pub fn reset(&self) {
        self.0.reset();
    }
}

/// Registers `timeclock_build_info` and, where the system tells them, the `process_*` metrics.
///
/// # Errors
///
/// When one of them is registered already.
pub fn register_process(registry: &Registry, service: &str) -> prometheus::Result<()> {
    let build = Opts::new("timeclock_build_info", "Always 1; its labels say what runs")
        .const_label("service", service)
        .const_label("version", BUILD.version)
        .const_label("commit", BUILD.commit);
    let build = IntGauge::with_opts(build)?;
    build.set(1);
    registry.register(Box::new(build))?;
    #[cfg(target_os = "linux")]
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    Ok(())
}

/// Everything in the registry, in the Prometheus text format.
///
/// # Errors
///
/// When two collectors disagree about one metric.
pub fn text(registry: &Registry) -> prometheus::Result<String> {
    TextEncoder::new().encode_to_string(&registry.gather())
}
