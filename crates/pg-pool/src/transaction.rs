//! Named transactions, run again when others were in the way.

use diesel::{Connection as _, PgConnection};

use crate::{
    error::{Error, Fails},
    pool::{Pool, note_breakage},
};

/// How often a transaction is run before contention becomes the caller's problem.
pub const ATTEMPTS: u32 = 4;

impl Pool {
    /// Runs `work` in one transaction (read committed) and commits it, unless it returns an error.
    ///
    /// After a serialisation failure or a deadlock it is run again, [`ATTEMPTS`] times in all, so `work` must be safe to
    /// run twice: it changes nothing but the database.
    ///
    /// # Errors
    /// What `work` returns, after a rollback; [`Error::Contended`] when every attempt met contention. After
    /// [`Error::Unavailable`] the commit may have happened or not.
    pub async fn transaction<T, E, F>(&self, name: &'static str, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: Fails,
        F: Fn(&mut PgConnection) -> Result<T, E> + Send + 'static,
    {
        let retries = self.metrics.retries.with_label_values(&[name]);
        self.on_connection(name, move |pooled| {
            let mut attempt = 1;
            loop {
                let result = note_breakage(pooled, |connection| in_transaction(connection, &work));
                let contended =
                    result.as_ref().is_err_and(|e| e.database().is_some_and(Error::is_contention));
                if !contended || attempt == ATTEMPTS {
                    return result;
                }
                retries.inc();
                attempt += 1;
            }
        })
        .await
    }
}

/// diesel's own `transaction` wants an error that its errors convert into; ours are classified first.
fn in_transaction<T, E: Fails>(
    connection: &mut PgConnection,
    work: &impl Fn(&mut PgConnection) -> Result<T, E>,
) -> Result<T, E> {
    enum Outcome<E> {
        Refused(E),
        Database(diesel::result::Error),
    }
    impl<E> From<diesel::result::Error> for Outcome<E> {
        fn from(error: diesel::result::Error) -> Self {
            Self::Database(error)
        }
    }
    connection.transaction(|connection| work(connection).map_err(Outcome::Refused)).map_err(|outcome| {
        match outcome {
            Outcome::Refused(error) => error,
            Outcome::Database(error) => Error::from(error).into(),
        }
    })
}
