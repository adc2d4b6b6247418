//! One connection that is kept: for locks that last as long as it does.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use diesel::{PgConnection, QueryResult, r2d2::R2D2Connection as _};
use tokio::sync::Mutex;

use crate::{
    connection::{Pooled, open},
    error::Error,
    pool::{blocking, statement},
    settings::Settings,
};

/// A connection of its own, outside the pool.
///
/// Session-level advisory locks live exactly as long as it: once [`Self::is_lost`], they are gone, or will be as soon as
/// the server notices (at most the keepalive time, about 25 s, when its machine lost the network). Dropped, it closes.
pub struct Session {
    connection: Arc<Mutex<Pooled>>,
    is_lost: Arc<AtomicBool>,
}

impl Session {
    /// Opens the connection; one attempt. `purpose` is appended to the application name in `pg_stat_activity`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn connect(settings: &Settings, purpose: &str) -> Result<Self, Error> {
        let url = settings.connection_url(&format!("{} {purpose}", settings.application_name));
        let connection = blocking(move || open(&url)).await??;
        Ok(Self { connection: Arc::new(Mutex::new(Pooled::new(connection))), is_lost: Arc::default() })
    }

    /// Runs `work` on this connection; one at a time.
    ///
    /// # Errors
    /// What the database says; [`Error::Unavailable`] once the connection is lost, and for ever after.
    pub async fn run<T, F>(&self, name: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        let mut connection = Arc::clone(&self.connection).lock_owned().await;
        if self.is_lost() {
            return Err(Error::Unavailable(None));
        }
        let span = statement(name);
        let is_lost = Arc::clone(&self.is_lost);
        blocking(move || {
            let _in_span = span.trace().enter();
            let result = connection.run(work);
            if let Err(error) = &result {
                span.fail(error.kind());
            }
            is_lost.fetch_or(connection.is_broken(), Ordering::Release);
            result
        })
        .await?
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unavailable`] once the connection is lost.
    pub async fn ping(&self) -> Result<(), Error> {
        self.run("session.ping", PgConnection::ping).await
    }

    /// Whether the connection, and every lock on it, is gone. Found out by use: [`Self::ping`] from time to time.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("is_lost", &self.is_lost()).finish_non_exhaustive()
    }
}
