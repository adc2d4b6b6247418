//! What went wrong with the database, as far as a caller can do something about it.
//!
//! diesel tells a handful of SQLSTATEs apart and hides the rest, so the others are recognised by the server's English
//! message; the databases are set to `lc_messages = 'C'`, and every connection checks that.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// The failure of a database operation.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A unique constraint or unique index by this name holds the value already.
    #[error("the unique constraint {constraint} is violated")]
    Unique {
        /// Its name.
        constraint: String,
    },
    /// Data that the server will never accept: a violated check, a value too long, a character it cannot store.
    ///
    /// Trying the same again is pointless; a batch is worth halving until the bad row is alone.
    #[error("the database rejects the data: {what}")]
    Rejected {
        /// The server's complaint without the data it complains about.
        what: String,
    },
    /// Other transactions were in the way, several times. Nothing was changed; trying again is right.
    #[error("transactions were in each other's way")]
    Contended(#[source] DieselError),
    /// Postgres is away, restarting, or broke the connection. A commit under way may have happened or not.
    #[error("the database does not answer")]
    Unavailable(#[source] Option<Source>),
    /// A statement, a lock or the wait for a free connection took longer than allowed.
    #[error("the database took too long: {limit}")]
    TimedOut {
        /// The limit that was reached.
        limit: &'static str,
    },
    /// The caller's own code panicked; the transaction was rolled back.
    #[error("the work on the database panicked")]
    Panicked,
    /// The statement is wrong, or what it returned is: a mistake of ours or a migration that did not run.
    #[error("a database statement failed")]
    Bug(#[source] Source),
}

/// What went wrong underneath; for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

impl Error {
    /// Whether the data itself is at fault, rather than the moment: trying the same again is pointless.
    #[must_use]
    pub const fn is_about_the_data(&self) -> bool {
        matches!(self, Self::Unique { .. } | Self::Rejected { .. } | Self::Panicked)
    }

    /// The metric label.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Unique { .. } => "unique",
            Self::Rejected { .. } => "rejected",
            Self::Contended(_) => "contended",
            Self::Unavailable(_) => "unavailable",
            Self::TimedOut { .. } => "timed_out",
            Self::Panicked => "panicked",
            Self::Bug(_) => "bug",
        }
    }
}

impl From<DieselError> for Error {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(kind, information) => classify(kind, information),
            DieselError::BrokenTransactionManager => Self::Unavailable(Some(error.into())),
            // The commit's failure is what matters; a rollback that fails too says only that the connection is gone.
            DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            DieselError::SerializationError(source) => {
                Self::Rejected { what: without_data(&source.to_string()) }
            }
            other => Self::Bug(other.into()),
        }
    }
}

fn classify(kind: DatabaseErrorKind, information: Box<dyn DatabaseErrorInformation + Send + Sync>) -> Error {
    use DatabaseErrorKind as Kind;
    let message = information.message().to_owned();
    match kind {
        Kind::UniqueViolation => {
            Error::Unique { constraint: information.constraint_name().unwrap_or_default().to_owned() }
        }
        Kind::SerializationFailure => Error::Contended(DieselError::DatabaseError(kind, information)),
        Kind::ForeignKeyViolation
        | Kind::NotNullViolation
        | Kind::CheckViolation
        | Kind::ExclusionViolation
        | Kind::RestrictViolation => {
            let rule =
                information.constraint_name().or_else(|| information.column_name()).unwrap_or_default();
            Error::Rejected { what: format!("{} ({rule})", without_data(&message)) }
        }
        Kind::ClosedConnection => Error::Unavailable(Some(message.into())),
        // More parameters than the protocol allows is a mistake; anything else is a dead socket.
        Kind::UnableToSendCommand if !message.contains("number of parameters") => {
            Error::Unavailable(Some(message.into()))
        }
        _ => by_message(&message)
            .unwrap_or_else(|| Error::Bug(DieselError::DatabaseError(kind, information).into())),
    }
}

/// Whether the server's words say that others held the locks that were asked for.
pub(crate) fn is_about_locks(message: &str) -> bool {
    let known = by_message(message);
    matches!(known, Some(Error::Contended(_) | Error::TimedOut { limit: "lock_timeout" }))
}

/// The failures that diesel calls unknown.
fn by_message(message: &str) -> Option<Error> {
    let any = |texts: &[&str]| texts.iter().any(|text| message.contains(text));
    if any(DEADLOCK) {
        return Some(Error::Contended(DieselError::DatabaseError(
            DatabaseErrorKind::SerializationFailure,
            Box::new(message.to_owned()),
        )));
    }
    if let Some((_, limit)) = TIMEOUTS.iter().find(|(text, _)| message.contains(text)) {
        return Some(Error::TimedOut { limit });
    }
    if any(GONE) {
        return Some(Error::Unavailable(Some(message.to_owned().into())));
    }
    any(REJECTIONS).then(|| Error::Rejected { what: without_data(message) })
}

/// SQLSTATE 40P01.
const DEADLOCK: &[&str] = &["deadlock detected"];

/// SQLSTATE 57014, 55P03, 25P03.
const TIMEOUTS: &[(&str, &str)] = &[
    ("canceling statement due to statement timeout", "statement_timeout"),
    ("canceling statement due to lock timeout", "lock_timeout"),
    ("could not obtain lock", "lock_timeout"),
    ("terminating connection due to idle-in-transaction timeout", "idle_in_transaction_session_timeout"),
];

/// SQLSTATE class 57P and 53: the server stops, starts, recovers, or has no room for us.
const GONE: &[&str] = &[
    "terminating connection due to",
    "the database system is",
    "server closed the connection",
    "no connection to the server",
    "could not receive data from server",
    "could not send data to server",
    "connection to server",
    "too many clients",
    "remaining connection slots are reserved",
    "too many connections",
    "No space left on device",
    "out of memory",
    "out of shared memory",
    "cannot execute", // … in a read-only transaction: a standby, or a primary being demoted
];

/// SQLSTATE class 22 and 54 as they arise from values that we pass.
const REJECTIONS: &[&str] = &[
    "value too long for type",
    "invalid byte sequence for encoding",
    "unsupported Unicode escape sequence",
    "invalid input syntax for type",
    "invalid input value for enum",
    "invalid escape",
    "out of range",
    "numeric field overflow",
    "division by zero",
    "null character not permitted",
    "has no equivalent in encoding",
    "index row size",
    "index row requires",
    "row is too big",
    "string too long",
    "array size exceeds",
    "invalid memory alloc request size",
    "cannot be converted",
    "violates check constraint",
    "stack depth limit exceeded",
    "more than one row returned",
    "cannot affect row a second time",
];

/// The message up to where it may begin to quote data.
fn without_data(message: &str) -> String {
    message.split([':', '"']).next().unwrap_or_default().trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_does_not_survive_into_the_message() {
        assert_eq!(
            without_data("invalid input syntax for type uuid: \"anna@contoso.com\""),
            "invalid input syntax for type uuid"
        );
        assert_eq!(
            without_data("value too long for type character varying(5)"),
            "value too long for type character varying(5)"
        );
    }
}
