//! Why a request to JetStream itself (about a stream, a bucket or a consumer) failed.

/// What went wrong underneath; for the log.
pub type Source = Box<dyn std::error::Error + Send + Sync>;

/// The failure of an administrative request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// NATS is away, or JetStream did not answer in time. Trying again later is right.
    #[error("could not {action}: NATS does not answer")]
    Unavailable {
        /// What we tried to do.
        action: String,
        /// What the client said.
        #[source]
        source: Source,
    },
    /// JetStream answered, and the answer is no.
    #[error("could not {action}: NATS refused")]
    Refused {
        /// What we tried to do.
        action: String,
        /// What the server said.
        #[source]
        source: Source,
    },
    /// What exists differs from the contract in a way that the server cannot change in place.
    #[error("{name} exists on the server with settings that cannot be changed in place:\n{difference}")]
    Mismatch {
        /// The stream.
        name: String,
        /// One line per setting: what the server has and what the contract wants.
        difference: String,
    },
}

impl Error {
    pub(crate) fn unavailable(action: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Unavailable { action: action.into(), source: source.into() }
    }

    pub(crate) fn refused(action: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Refused { action: action.into(), source: source.into() }
    }
}

/// Unavailable or refused, by what the server said of a consumer.
pub(crate) fn consumer_failed(action: String, error: async_nats::jetstream::stream::ConsumerError) -> Error {
    use async_nats::jetstream::stream::ConsumerErrorKind as Kind;
    match error.kind() {
        Kind::JetStream(refusal) if refusal.code() != 503 => Error::refused(action, error),
        Kind::InvalidConsumerType | Kind::InvalidName => Error::refused(action, error),
        _ => Error::unavailable(action, error),
    }
}
