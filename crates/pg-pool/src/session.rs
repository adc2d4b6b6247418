//! One connection that is kept: for locks that last as long as it does.

use std::fmt;

use diesel::PgConnection;

use crate::{
    connection,
    error::{Error, Fails},
    settings::Settings,
};

/// A connection of its own, outside the pool.
///
/// Session-level advisory locks live exactly as long as it: once [`Self::is_lost`], they are gone, or will be as soon as
/// the server notices (at most the keepalive time, about 25 s, when its machine lost the network).
pub struct Session {
    connection: Option<PgConnection>,
}

impl Session {
    /// Opens the connection; one attempt.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        let url = settings.connection_url();
        let connection = blocking(move || connection::open(&url)).await??;
        Ok(Self { connection: Some(connection) })
    }

    /// Runs `work` on this connection.
    ///
    /// A caller that goes away meanwhile loses the session, since what it held is no longer certain.
    ///
    /// # Errors
    /// What `work` returns; [`Error::Unavailable`] once the connection is lost.
    pub async fn run<T, E, F>(&mut self, name: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Fails,
        F: FnOnce(&mut PgConnection) -> Result<T, E> + Send + 'static,
    {
        let Some(mut connection) = self.connection.take() else {
            return Err(Error::Unavailable(None).into());
        };
        let span = tracing::info_span!("db", otel.name = name, db.operation.name = name);
        let (result, connection) = blocking(move || {
            let _in_span = span.enter();
            let result = work(&mut connection);
            (result, connection)
        })
        .await
        .map_err(E::from)?;
        let is_lost = result.as_ref().is_err_and(|e: &E| e.database().is_some_and(Error::breaks_connection));
        if !is_lost {
            self.connection = Some(connection);
        }
        result
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unavailable`] once the connection is lost.
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.run("session.ping", |connection| Ok(diesel::r2d2::R2D2Connection::ping(connection)?)).await
    }

    /// Whether the connection, and every lock on it, is gone.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        self.connection.is_none()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("is_lost", &self.is_lost()).finish()
    }
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
    let done = tokio::task::spawn_blocking(work);
    done.await.map_err(|error| Error::Bug(error.into()))
}
