//! The seats of every company, and how far the stream they were read from is applied: in one file, changed in one
//! transaction, so that the two never disagree whenever the process dies.
//!
//! What is stored does not depend on the order in which changes come, or on how often: the highest version wins, and
//! what is gone stays gone, but for a user whom a later version brings back. The stream promises order per resource, but
//! repeats itself, so a follower needs half of this; the other half costs nothing and lets a snapshot and the stream be
//! laid over each other.

mod digest;
mod rows;

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};
use service_runtime::trace::Span;

pub use self::digest::{Digest, Seat};
use crate::change::{Change, KINDS_KNOWN, Reading};

/// The shape of the file. A file of another shape is made anew and filled by a snapshot.
const SHAPE: i64 = 2;
/// How long to wait for somebody who reads the file.
const BUSY: std::time::Duration = std::time::Duration::from_secs(10);

/// Why the model could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file, or the disk below it.
    #[error("the model cannot be read or written")]
    Sqlite(#[from] rusqlite::Error),
    /// Another process moved it on.
    #[error("another process keeps this model too; give each subscriber a name and a file of its own")]
    Overtaken,
}

/// How far the stream is applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The directory's history that the model belongs to; empty before the first fact that names one.
    pub history_id: String,
    /// The sequence of the last fact that is applied; 0 before the first.
    pub sequence: u64,
    /// That fact's id, by which it is recognised; empty when a snapshot stands in its place.
    pub fact_id: String,
    /// Facts that were passed over because they were not understood, since the last snapshot.
    pub passed_over: u64,
    /// Whether there is anything to go on from.
    pub is_filled: bool,
}

/// The file.
pub struct Model {
    connection: Connection,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The model differs now.
    Applied,
    /// It was known already, or something newer is.
    Known,
    /// Nobody here understands it.
    PassedOver,
}

impl Effect {
    /// Every effect.
    pub const ALL: [Self; 3] = [Self::Applied, Self::Known, Self::PassedOver];

    /// A word for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Known => "known",
            Self::PassedOver => "passed_over",
        }
    }
}

fn shape(connection: &Connection) -> Result<i64, rusqlite::Error> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

impl Model {
    /// Opens the file, creating or emptying it where it is not what this version writes.
    ///
    /// # Errors
    /// When the file cannot be opened or written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::prepare(Connection::open(path)?)
    }

    /// Opens the file to read what another process keeps there; `None` when there is none, or one of another version.
    /// Nothing is created or emptied.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn open_to_read(path: &Path) -> Result<Option<Self>, Error> {
        if !path.exists() {
            return Ok(None);
        }
        // Also a reader takes part in the bookkeeping of a write-ahead log.
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.busy_timeout(BUSY)?;
        Ok((shape(&connection)? == SHAPE).then_some(Self { connection }))
    }

    /// A model that vanishes with the value.
    ///
    /// # Errors
    /// When SQLite refuses.
    pub fn in_memory() -> Result<Self, Error> {
        Self::prepare(Connection::open_in_memory()?)
    }

    fn prepare(mut connection: Connection) -> Result<Self, Error> {
        connection.busy_timeout(BUSY)?;
        // Readers see the model as it was while it is changed, also for as long as a snapshot takes.
        connection.pragma_update(None, "journal_mode", "wal")?;
        if shape(&connection)? != SHAPE {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another process may have made the tables meanwhile, and filled them.
            if shape(&transaction)? != SHAPE {
                transaction.execute_batch(include_str!("model/tables.sql"))?;
                transaction.pragma_update(None, "user_version", SHAPE)?;
            }
            transaction.commit()?;
        }
        Ok(Self { connection })
    }

    /// How far the stream is applied.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn place(&self) -> Result<Place, Error> {
        let place = self.connection.query_row(
            "select history_id, sequence, fact_id, passed_over from place",
            [],
            |row| {
                Ok(Place {
                    history_id: row.get(0)?,
                    sequence: row.get::<_, i64>(1)?.unsigned_abs(),
                    fact_id: row.get(2)?,
                    passed_over: row.get::<_, i64>(3)?.unsigned_abs(),
                    is_filled: true,
                })
            },
        );
        Ok(place.optional()?.unwrap_or_default())
    }

    /// Whether facts were passed over that this version understands.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn has_missed_what_it_now_knows(&self) -> Result<bool, Error> {
        let missed = "select passed_over > 0 and kinds_known < ?1 from place";
        let missed = self.connection.query_row(missed, [KINDS_KNOWN], |row| row.get(0)).optional()?;
        Ok(missed.unwrap_or(false))
    }

    /// Applies facts that follow `before` and moves on to behind the last of them, in one transaction. Each fact is given
    /// with its sequence and the span that its work belongs to.
    ///
    /// # Errors
    /// [`Error::Overtaken`] when the model is not at `before` any more; nothing is changed then.
    pub fn apply(
        &mut self,
        before: &Place,
        facts: &[(u64, Reading, Span)],
    ) -> Result<(Place, Vec<Effect>), Error> {
        let Some((sequence, last, _)) = facts.last() else { return Ok((before.clone(), vec![])) };
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let effects: Vec<Effect> = facts
            .iter()
            .map(|(_, reading, span)| {
                let _entered = span.trace().enter();
                rows::apply(&transaction, reading)
            })
            .collect::<Result<_, _>>()?;
        let passed_over = effects.iter().filter(|effect| **effect == Effect::PassedOver).count();
        let history_id =
            if last.history_id.is_empty() { before.history_id.clone() } else { last.history_id.clone() };
        let after = Place {
            history_id,
            sequence: *sequence,
            fact_id: last.fact_id.clone(),
            passed_over: before.passed_over + passed_over as u64,
            is_filled: true,
        };
        if !move_on(&transaction, before, &after)? {
            return Err(Error::Overtaken);
        }
        transaction.commit()?;
        Ok((after, effects))
    }

    /// Begins to fill the model anew. Until [`Self::finish_snapshot`] everybody else sees it as it was.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn begin_snapshot(&mut self) -> Result<(), Error> {
        self.abandon_snapshot()?;
        self.connection.execute_batch(
            "begin immediate; delete from users; delete from groups; delete from memberships; delete from place;",
        )?;
        Ok(())
    }

    /// Adds what the directory says that there is.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn add(&mut self, company: &str, changes: &[Change]) -> Result<(), Error> {
        for change in changes {
            rows::change(&self.connection, company, 0, change)?;
        }
        Ok(())
    }

    /// Notes that a group's members were read when it was at this version or later: facts of before say nothing new.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn members_known_since(&mut self, company: &str, group: &str, version: i64) -> Result<(), Error> {
        self.connection.execute(
            "update groups set members_since = ?3 where company_id = ?1 and group_id = ?2",
            params![company, group, version],
        )?;
        Ok(())
    }

    /// Ends the filling: the model goes on from here.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn finish_snapshot(&mut self, history_id: &str, sequence: u64) -> Result<(), Error> {
        let place =
            Place { history_id: history_id.to_owned(), sequence, is_filled: true, ..Place::default() };
        move_on(&self.connection, &Place::default(), &place)?;
        self.connection.execute_batch("commit")?;
        Ok(())
    }

    /// Leaves the model as it was before [`Self::begin_snapshot`].
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn abandon_snapshot(&mut self) -> Result<(), Error> {
        if !self.connection.is_autocommit() {
            self.connection.execute_batch("rollback")?;
        }
        Ok(())
    }

    /// Forgets of what is gone that it was there, where that is longer ago than anything can be repeated.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn forget_gone_before(&mut self, unix_seconds: i64) -> Result<usize, Error> {
        let mut forgotten = 0;
        for statement in [
            "delete from users where gone_at < ?1",
            "delete from groups where gone_at < ?1",
            "delete from memberships where not present and changed_at < ?1",
        ] {
            forgotten += self.connection.execute(statement, [unix_seconds])?;
        }
        Ok(forgotten)
    }
}

/// Writes the place, if it is still the one before.
fn move_on(connection: &Connection, before: &Place, after: &Place) -> Result<bool, rusqlite::Error> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let values = params![
        after.history_id,
        number(after.sequence),
        after.fact_id,
        number(after.passed_over),
        KINDS_KNOWN,
        number(before.sequence),
        before.fact_id,
    ];
    let written = if before.is_filled {
        connection.execute(
            "update place set history_id = ?1, sequence = ?2, fact_id = ?3, passed_over = ?4, kinds_known = ?5 \
             where sequence = ?6 and fact_id = ?7",
            values,
        )?
    } else {
        connection.execute(
            "insert into place (only, history_id, sequence, fact_id, passed_over, kinds_known) \
             select 1, ?1, ?2, ?3, ?4, ?5 where ?6 >= 0 and ?7 is not null on conflict do nothing",
            values,
        )?
    };
    Ok(written == 1)
}

#[cfg(test)]
mod tests;
