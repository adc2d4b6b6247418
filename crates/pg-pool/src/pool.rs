//! Running blocking database work from async code.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::PgConnection;
use prometheus::Registry;
use tokio::sync::Semaphore;

use crate::{
    connection::{Complaints, Manager, Pooled},
    error::{Error, Fails},
    metrics::{Metrics, Up},
    settings::Settings,
};

/// How long an operation waits for its turn.
pub const TURN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an operation whose turn it is waits for a connection to be opened.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(2);

/// Connections to Postgres. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    connections: r2d2::Pool<Manager>,
    /// As many permits as connections: whoever waits does so here, without holding a thread.
    turns: Arc<Semaphore>,
    complaints: Complaints,
    pub(crate) metrics: Metrics,
}

impl Pool {
    /// A pool that opens its connections in the background, now and whenever it must; Postgres may be away.
    ///
    /// # Errors
    /// When the registry holds metrics of these names already.
    pub fn connect(settings: &Settings, registry: &Registry) -> prometheus::Result<Self> {
        let complaints = Complaints::default();
        let connections = r2d2::Pool::builder()
            .max_size(settings.pool_size)
            .connection_timeout(OPEN_TIMEOUT)
            .test_on_check_out(true)
            .error_handler(Box::new(complaints.clone()))
            .build_unchecked(Manager { url: settings.connection_url() });
        let turns = usize::try_from(settings.pool_size).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Ok(Self {
            connections,
            turns: Arc::new(Semaphore::new(turns)),
            complaints,
            metrics: Metrics::register(registry, settings.pool_size)?,
        })
    }

    /// Runs `work` on a connection, outside any transaction: one statement, or several that need none.
    ///
    /// `name` is the span, the metric label and what the log says. Once begun, the work is finished even when the
    /// caller goes away.
    ///
    /// # Errors
    /// What `work` returns; [`Error::Unavailable`] or [`Error::TimedOut`] when there is no connection.
    pub async fn run<T, E, F>(&self, name: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Fails,
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
    {
        self.on_connection(name, move |pooled| note_breakage(pooled, work)).await
    }

    /// Asks Postgres for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::TimedOut`].
    pub async fn ping(&self) -> Result<(), Error> {
        self.run("ping", |connection| Ok(diesel::r2d2::R2D2Connection::ping(connection)?)).await
    }

    pub(crate) async fn on_connection<T, E, F>(&self, name: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Fails,
        F: FnOnce(&mut Pooled) -> Result<T, E> + Send + 'static,
    {
        let asked = Instant::now();
        let waiting = Up::new(&self.metrics.waiting);
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waiting);
        let turn = match turn {
            Ok(Ok(turn)) => turn,
            Ok(Err(closed)) => return Err(Error::Bug(closed.into()).into()),
            Err(_elapsed) => return Err(Error::TimedOut { limit: "the wait for a free connection" }.into()),
        };
        self.metrics.wait_seconds.observe(asked.elapsed().as_secs_f64());
        let pool = self.clone();
        let span = tracing::info_span!("db", otel.name = name, db.operation.name = name);
        #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
        let done = tokio::task::spawn_blocking(move || {
            let _in_span = span.enter();
            let _turn = turn;
            let _in_use = Up::new(&pool.metrics.in_use);
            let started = Instant::now();
            let result = pool.take().map_err(E::from).and_then(|mut pooled| work(&mut pooled));
            let label =
                result.as_ref().err().map_or("ok", |error: &E| error.database().map_or("refused", kind));
            pool.metrics.seconds.with_label_values(&[name, label]).observe(started.elapsed().as_secs_f64());
            result
        });
        // A closure that panicked, or a runtime that is being torn down.
        done.await.unwrap_or_else(|error| Err(Error::Bug(error.into()).into()))
    }

    fn take(&self) -> Result<r2d2::PooledConnection<Manager>, Error> {
        let pooled = self.connections.get().map_err(|error| Error::Unavailable(Some(error.into())))?;
        self.complaints.settled();
        Ok(pooled)
    }
}

/// Runs `work` and marks the connection when it turns out to be dead.
pub(crate) fn note_breakage<T, E: Fails>(
    pooled: &mut Pooled,
    work: impl FnOnce(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    let result = work(&mut pooled.connection);
    pooled.last_used = Instant::now();
    if let Err(error) = &result {
        pooled.is_broken |= error.database().is_some_and(Error::breaks_connection);
    }
    result
}

fn kind(error: &Error) -> &'static str {
    match error {
        Error::Unique { .. } => "unique",
        Error::Rejected { .. } => "rejected",
        Error::Contended(_) => "contended",
        Error::Unavailable(_) => "unavailable",
        Error::TimedOut { .. } => "timed_out",
        Error::Bug(_) => "bug",
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("state", &self.connections.state()).finish_non_exhaustive()
    }
}
