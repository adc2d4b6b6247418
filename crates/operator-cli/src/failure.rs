//! Why a command did not do what it was asked, and what to do about it.

/// A command's failure; its words are for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The environment is wrong.
    #[error("{0}")]
    Usage(String),
    /// What was asked for cannot be, or does not exist.
    #[error("{0}")]
    Refused(String),
    /// NATS or a service does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// It was done, and its result could not be printed.
    #[error("it is done, but the result could not be written ({0})")]
    Output(std::io::Error),
}

impl Failure {
    /// The exit status, as `--help` explains it.
    pub(crate) const fn exit_status(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            // EX_UNAVAILABLE of sysexits.h.
            Self::Unavailable(_) => 69,
            // EX_IOERR of sysexits.h.
            Self::Output(_) => 74,
        }
    }
}
