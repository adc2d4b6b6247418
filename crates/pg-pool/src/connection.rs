//! One connection, and how the pool makes, tests and discards it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use diesel::{Connection as _, PgConnection, QueryResult, RunQueryDsl as _, r2d2::R2D2Connection as _};
use r2d2::{HandleError, ManageConnection};
use secrecy::{ExposeSecret as _, SecretString};

use service_runtime::Causes;

use crate::error::{Error, Source};

/// A connection that rested longer than this is tried before it is used; a busier one has just proved itself.
const RESTED: Duration = Duration::from_secs(1);

/// A connection of the pool.
pub(crate) struct Pooled {
    connection: PgConnection,
    /// Something happened after which nobody should get it again.
    is_broken: bool,
    last_used: Instant,
}

impl Pooled {
    pub(crate) fn new(connection: PgConnection) -> Self {
        Self { connection, is_broken: false, last_used: Instant::now() }
    }

    /// Runs `work` and takes note when the connection turns out to be dead.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut PgConnection) -> QueryResult<T>,
    ) -> Result<T, Error> {
        let result = work(&mut self.connection).map_err(Error::from);
        self.last_used = Instant::now();
        self.is_broken |= matches!(result, Err(Error::Unavailable(_)));
        result
    }

    /// diesel calls a connection broken that libpq calls bad, and one that is still in a transaction.
    pub(crate) fn is_broken(&mut self) -> bool {
        self.is_broken || self.connection.is_broken()
    }
}

/// Opens a connection and makes sure that its error messages can be understood.
pub(crate) fn open(url: &SecretString) -> Result<PgConnection, Error> {
    let unavailable = |error: Source| Error::Unavailable(Some(error));
    let mut connection =
        PgConnection::establish(url.expose_secret()).map_err(|error| unavailable(error.into()))?;
    let language: String =
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_setting('lc_messages')"))
            .get_result(&mut connection)
            .map_err(|error| unavailable(error.into()))?;
    if !["C", "POSIX", ""].contains(&language.as_str())
        && !language.starts_with("en")
        && !language.starts_with("C.")
    {
        tracing::error!(lc_messages = %language, "Postgres speaks a language in which its failures are not recognised; set lc_messages to C for this database");
    }
    Ok(connection)
}

/// Makes the pool's connections.
pub(crate) struct Manager {
    pub(crate) url: SecretString,
}

impl ManageConnection for Manager {
    type Connection = Pooled;
    type Error = Error;

    fn connect(&self) -> Result<Pooled, Error> {
        open(&self.url).map(Pooled::new)
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), Error> {
        if pooled.last_used.elapsed() > RESTED {
            pooled.connection.ping()?;
        }
        Ok(())
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        std::thread::panicking() || pooled.is_broken()
    }
}

/// Says once that no connection can be opened, and leaves it to [`Complaints::settled`] to say that it is over.
#[derive(Debug, Default, Clone)]
pub(crate) struct Complaints(std::sync::Arc<AtomicBool>);

impl Complaints {
    /// A connection works.
    pub(crate) fn settled(&self) {
        if self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed) {
            tracing::info!("Postgres answers again");
        }
    }
}

impl HandleError<Error> for Complaints {
    fn handle_error(&self, error: Error) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::warn!(error = %Causes(&error), "Postgres cannot be reached; trying again until it can");
        }
    }
}
