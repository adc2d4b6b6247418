//! What the pool tells of itself, and of the size of its database.

use std::time::Duration;

use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
use prometheus::{
    Histogram, HistogramVec, IntCounterVec, IntGauge, Registry, core::AtomicI64, exponential_buckets,
};
use service_runtime::{
    Causes,
    metrics::{Collectors, PassingGauge},
    tasks::Tasks,
};

use crate::pool::Pool;

/// How often Postgres is asked for the size of the database: it looks at every file.
const SIZE_EVERY: Duration = Duration::from_secs(60);

#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) in_use: IntGauge,
    pub(crate) waiting: IntGauge,
    pub(crate) wait_seconds: Histogram,
    pub(crate) seconds: HistogramVec,
    pub(crate) retries: IntCounterVec,
    database_bytes: PassingGauge<AtomicI64>,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry, pool_size: u32) -> prometheus::Result<Self> {
        // 0.25 ms to 8 s.
        let bounds = exponential_buckets(0.000_25, 2.0, 16)?;
        let make = Collectors::of(registry);
        let size = make.gauge("timeclock_postgres_pool_connections", "Connections the pool may use")?;
        size.set(pool_size.into());
        Ok(Self {
            in_use: make.gauge("timeclock_postgres_pool_in_use", "Connections at work")?,
            waiting: make
                .gauge("timeclock_postgres_pool_waiting", "Operations that wait for a connection")?,
            wait_seconds: make.histogram(
                "timeclock_postgres_pool_wait_seconds",
                "Wait for a connection",
                &bounds,
            )?,
            seconds: make.histograms(
                "timeclock_postgres_seconds",
                "Time at work on a connection, by name and result",
                &bounds,
                &["name", "result"],
            )?,
            retries: make.counters(
                "timeclock_postgres_retries_total",
                "Transactions run again because others were in the way",
                &["name"],
            )?,
            database_bytes: make
                .passing_gauge("timeclock_postgres_database_bytes", "Size of the database")?,
        })
    }
}

#[derive(QueryableByName)]
struct SizeRow {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

impl Pool {
    /// Starts the task that tells the size of the database; while Postgres is away, nothing.
    pub fn watch_size(&self, tasks: &Tasks) {
        let pool = self.clone();
        tasks.spawn_supporting("database size", |stop| async move {
            loop {
                pool.tell_size().await;
                if stop.run_until_cancelled(tokio::time::sleep(SIZE_EVERY)).await.is_none() {
                    return Ok(());
                }
            }
        });
    }

    async fn tell_size(&self) {
        let size = self.run("database.size", |conn| {
            sql_query("select pg_database_size(current_database()) as bytes").get_result::<SizeRow>(conn)
        });
        match size.await {
            Ok(size) => self.metrics.database_bytes.set(size.bytes),
            Err(error) => {
                self.metrics.database_bytes.reset();
                tracing::debug!(error = %Causes(&error), "the size of the database is not known");
            }
        }
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
