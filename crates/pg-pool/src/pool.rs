//! Running blocking database work from async code.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use diesel::{PgConnection, QueryResult, r2d2::R2D2Connection as _};
use prometheus::Registry;
use service_runtime::trace::{Kind, Span, Trace};
use tokio::sync::Semaphore;

use crate::{
    connection::{Complaints, Manager, Pooled},
    error::Error,
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
            .build_unchecked(Manager { url: settings.connection_url(&settings.application_name) });
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
    /// `name` is the span and the metric label. Once begun, the work is finished even when the caller goes away.
    ///
    /// # Errors
    /// What the database says; [`Error::Unavailable`] or [`Error::TimedOut`] when there is no connection.
    pub async fn run<T, F>(&self, name: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        self.on_connection(name, move |pooled| pooled.run(work)).await
    }

    /// Asks Postgres for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::TimedOut`].
    pub async fn ping(&self) -> Result<(), Error> {
        self.run("ping", PgConnection::ping).await
    }

    pub(crate) async fn on_connection<T, F>(&self, name: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Pooled) -> Result<T, Error> + Send + 'static,
    {
        let asked = Instant::now();
        let waiting = Up::new(&self.metrics.waiting);
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned()).await;
        drop(waiting);
        let turn = match turn {
            Ok(Ok(turn)) => turn,
            Ok(Err(closed)) => return Err(Error::Bug(closed.into())),
            Err(_elapsed) => return Err(Error::TimedOut { limit: "the wait for a free connection" }),
        };
        self.metrics.wait_seconds.observe(asked.elapsed().as_secs_f64());
        let pool = self.clone();
        let span = statement(name);
        blocking(move || {
            let _in_span = span.trace().enter();
            let _turn = turn;
            let _in_use = Up::new(&pool.metrics.in_use);
            let started = Instant::now();
            let result = pool.take().and_then(|mut pooled| work(&mut pooled));
            let label = result.as_ref().err().map_or("ok", Error::kind);
            if result.is_err() {
                span.fail(label);
            }
            pool.metrics.seconds.with_label_values(&[name, label]).observe(started.elapsed().as_secs_f64());
            result
        })
        .await?
    }

    fn take(&self) -> Result<r2d2::PooledConnection<Manager>, Error> {
        let pooled = self.connections.get().map_err(|error| Error::Unavailable(Some(error.into())))?;
        self.complaints.settled();
        Ok(pooled)
    }
}

/// The span of what is done in the database under this name, inside the present one. For the parts of a piece of work;
/// the whole has one without being asked.
pub fn statement(name: &'static str) -> Span {
    Trace::current().span(Kind::Client, format_args!("{name}")).with("db.system.name", "postgresql").begin()
}

/// Runs something that blocks on a thread where that is allowed.
///
/// # Errors
/// [`Error::Panicked`] when it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
    let done = tokio::task::spawn_blocking(work);
    done.await.map_err(|error| match error.is_panic() {
        true => Error::Panicked,
        // The runtime is being torn down.
        false => Error::Unavailable(Some(error.into())),
    })
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("state", &self.connections.state()).finish_non_exhaustive()
    }
}
