//! Named transactions, run again when others were in the way.

use diesel::{Connection as _, PgConnection, QueryResult};

use crate::{error::Error, pool::Pool};

/// How often a transaction is run before contention becomes the caller's problem.
pub const ATTEMPTS: u32 = 4;

impl Pool {
    /// Runs `work` in one transaction (read committed) and commits it, unless it returns an error.
    ///
    /// After a serialisation failure or a deadlock it is run again, [`ATTEMPTS`] times in all, so `work` must be safe to
    /// run twice: it changes nothing but the database.
    ///
    /// # Errors
    /// What the database says, after a rollback; [`Error::Contended`] when every attempt met contention. After
    /// [`Error::Unavailable`] the commit may have happened or not.
    pub async fn transaction<T, F>(&self, name: &'static str, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection) -> QueryResult<T> + Send + 'static,
    {
        let retries = self.metrics.retries.with_label_values(&[name]);
        self.on_connection(name, move |pooled| {
            let mut attempt = 1;
            loop {
                match pooled.run(|connection| connection.transaction(&work)) {
                    Err(Error::Contended(_)) if attempt < ATTEMPTS => {
                        retries.inc();
                        attempt += 1;
                    }
                    result => return result,
                }
            }
        })
        .await
    }
}
