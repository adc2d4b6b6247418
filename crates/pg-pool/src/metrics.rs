//! What the pool tells of itself.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, Opts, Registry, exponential_buckets,
};

#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) in_use: IntGauge,
    pub(crate) waiting: IntGauge,
    pub(crate) wait_seconds: Histogram,
    pub(crate) seconds: HistogramVec,
    pub(crate) retries: IntCounterVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry, pool_size: u32) -> prometheus::Result<Self> {
        // 0.25 ms to 8 s.
        let buckets = exponential_buckets(0.000_25, 2.0, 16)?;
        let size = IntGauge::new("timeclock_postgres_pool_connections", "Connections the pool may use")?;
        let metrics = Self {
            in_use: IntGauge::new("timeclock_postgres_pool_in_use", "Connections at work")?,
            waiting: IntGauge::new(
                "timeclock_postgres_pool_waiting",
                "Operations that wait for a connection",
            )?,
            wait_seconds: Histogram::with_opts(
                HistogramOpts::new("timeclock_postgres_pool_wait_seconds", "Wait for a connection")
                    .buckets(buckets.clone()),
            )?,
            seconds: HistogramVec::new(
                HistogramOpts::new(
                    "timeclock_postgres_seconds",
                    "Time at work on a connection, by name and result",
                )
                .buckets(buckets),
                &["name", "result"],
            )?,
            retries: IntCounterVec::new(
                Opts::new(
                    "timeclock_postgres_retries_total",
                    "Transactions run again because others were in the way",
                ),
                &["name"],
            )?,
        };
        size.set(pool_size.into());
        registry.register(Box::new(size))?;
        registry.register(Box::new(metrics.in_use.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        registry.register(Box::new(metrics.wait_seconds.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.retries.clone()))?;
        Ok(metrics)
    }
}

/// One up while it lives.
pub(crate) struct Up(IntGauge);

impl Up {
    pub(crate) fn new(gauge: &IntGauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.dec();
    }
}
