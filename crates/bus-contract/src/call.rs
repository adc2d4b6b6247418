//! What a gateway's caller asked for, in the words of `Call.verb` and of the provisioning log.

use crate::subject::Verb as Change;

/// What can become of a call, in the words of `LogEntry.outcome` and of the constraint of the table that keeps them.
pub const OUTCOMES: [&str; 9] = [
    "created",
    "updated",
    "unchanged",
    "deleted",
    "refused",
    "found",
    "nothing_found",
    "failed",
    "unauthenticated",
];

/// What a call asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// A change, as the stream of requests names it.
    Change(Change),
    /// A resource, by its id or by a key that finds one.
    Read,
    /// Whatever a filter finds.
    Search,
    /// A search for what nobody is called, by which Entra tests a connection.
    Test,
    /// What the service can do.
    Discover,
    /// A bulk request as a whole.
    Bulk,
    /// Anything else.
    Other,
}

impl Verb {
    /// Every verb.
    pub const ALL: [Self; 13] = [
        Self::Change(Change::Create),
        Self::Change(Change::Replace),
        Self::Change(Change::Update),
        Self::Change(Change::Deactivate),
        Self::Change(Change::Reactivate),
        Self::Change(Change::Delete),
        Self::Change(Change::Restore),
        Self::Read,
        Self::Search,
        Self::Test,
        Self::Discover,
        Self::Bulk,
        Self::Other,
    ];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change(change) => change.as_str(),
            Self::Read => "read",
            Self::Search => "search",
            Self::Test => "test",
            Self::Discover => "discover",
            Self::Bulk => "bulk",
            Self::Other => "other",
        }
    }

    /// The verb of this word; [`Verb::Other`] where there is none.
    #[must_use]
    pub fn parse(word: &str) -> Self {
        Self::ALL.into_iter().find(|verb| verb.as_str() == word).unwrap_or(Self::Other)
    }
}
