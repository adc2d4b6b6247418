//! Streams and buckets as plain data; `bus-jetstream` makes the server match it.

use std::time::Duration;

/// When the server forgets a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Once its consumer has acknowledged it.
    WorkQueue,
    /// Once it is older than this.
    MaxAge(Duration),
}

/// A JetStream stream. Every limit is stated, because an unlimited one ends when the disk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    /// Its name on the server.
    pub name: &'static str,
    /// What it holds and who answers for it; stored as its description.
    pub description: &'static str,
    /// The subjects it keeps.
    pub subject: &'static str,
    /// When it forgets.
    pub retention: Retention,
    /// Total size; a publish beyond it is refused rather than an old message dropped.
    pub max_bytes: i64,
    /// Largest message.
    pub max_message_bytes: i32,
    /// How long the server remembers message ids.
    pub duplicate_window: Duration,
}

/// Requests that wait to be applied, per partition in order. Personal data leaves it as soon as it is applied.
pub const PROVISIONING: Stream = Stream {
    name: "PROVISIONING",
    description: "Requests to change a company's users and groups; published by scim-gateway, applied by directory-service",
    subject: "provisioning.v1.>",
    retention: Retention::WorkQueue,
    max_bytes: 1 << 30,
    max_message_bytes: 1 << 20,
    duplicate_window: Duration::from_secs(120),
};

/// Facts about users and groups, for everything else in TimeClock 365 to follow and replay.
pub const DIRECTORY: Stream = Stream {
    name: "DIRECTORY",
    description: "Facts about a company's users and groups; published by directory-service",
    subject: "facts.v1.>",
    retention: Retention::MaxAge(Duration::from_secs(30 * 24 * 3600)),
    max_bytes: 4 << 30,
    max_message_bytes: 1 << 20,
    duplicate_window: Duration::from_secs(120),
};

/// What was called and how it was answered, until the directory has counted and logged it.
///
/// When it is full the gateways drop what they would add: a change is in the log without it.
pub const CALLS: Stream = Stream {
    name: "CALLS",
    description: "Calls that gateways answered; published by scim-gateway, counted and logged by directory-service",
    subject: "calls.v1.>",
    retention: Retention::WorkQueue,
    max_bytes: 256 << 20,
    max_message_bytes: 1 << 20,
    duplicate_window: Duration::from_secs(120),
};

/// Every stream.
pub const ALL: [&Stream; 3] = [&PROVISIONING, &DIRECTORY, &CALLS];

/// The stream that keeps what is sent to this subject.
#[must_use]
pub fn keeping(subject: &str) -> Option<&'static Stream> {
    ALL.into_iter().find(|stream| subject.starts_with(stream.subject.trim_end_matches('>')))
}

/// A JetStream key-value bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Its name on the server.
    pub name: &'static str,
    /// What it holds and who answers for it.
    pub description: &'static str,
    /// Largest total size.
    pub max_bytes: i64,
}

/// What a gateway needs to verify a token without asking: `key.<kid>` holds a public JWK, `revoked.<id>` the second
/// since the epoch from which that credential is refused.
pub const TOKENS: Bucket = Bucket {
    name: "TOKENS",
    description: "Public keys and revocations; written by token-service, watched by scim-gateway",
    max_bytes: 64 << 20,
};

/// Keys of [`TOKENS`] that hold a public key.
pub const KEY_PREFIX: &str = "key.";
/// Keys of [`TOKENS`] that hold a revocation.
pub const REVOKED_PREFIX: &str = "revoked.";

/// Which attributes of their own companies' users have: `<company>` holds a JSON list of schema documents.
pub const SCHEMAS: Bucket = Bucket {
    name: "SCHEMAS",
    description: "Schemas that companies declare; written by directory-service, watched by scim-gateway",
    max_bytes: 64 << 20,
};
