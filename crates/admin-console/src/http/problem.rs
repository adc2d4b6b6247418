//! What can go wrong with a request, and the status that says so. The page around it is `answer`'s.

use actix_web::{HttpResponse, ResponseError, error::UrlencodedError, http::StatusCode};
use service_runtime::Causes;

/// Why there is no page. What happened inside is for the log, not for the reader.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("the request cannot be understood")]
    Invalid,
    /// A POST that did not come from a page of ours.
    #[error("the request comes from elsewhere")]
    CrossSite,
    #[error("this is for administrators")]
    Forbidden,
    /// Also what belongs to another company.
    #[error("there is no such thing")]
    NotFound,
    #[error("this cannot be done with that")]
    MethodNotAllowed,
    #[error("too much was sent")]
    TooLarge,
    /// Something that we need is away. Trying again is right.
    #[error("something is away")]
    Unavailable(#[source] anyhow::Error),
    /// A mistake of ours.
    #[error("something failed")]
    Failed(#[source] anyhow::Error),
}

impl Problem {
    pub(crate) fn of_form(error: &UrlencodedError) -> Self {
        match error {
            UrlencodedError::Overflow { .. } => Self::TooLarge,
            _ => Self::Invalid,
        }
    }

    /// The answer without a page yet. Writes down what only we can mend.
    pub(crate) fn answer(&self) -> HttpResponse {
        match self {
            Self::Unavailable(cause) => {
                tracing::warn!(error = %Causes(cause.as_ref()), "a page cannot be shown at the moment");
            }
            Self::Failed(cause) => tracing::error!(error = %Causes(cause.as_ref()), "a page failed"),
            _ => {}
        }
        HttpResponse::new(self.status())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::Invalid => StatusCode::BAD_REQUEST,
            Self::CrossSite | Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.answer()
    }
}

impl From<pg_pool::Error> for Problem {
    fn from(error: pg_pool::Error) -> Self {
        use pg_pool::Error;
        match error {
            Error::Unavailable(_) | Error::TimedOut { .. } | Error::Contended(_) => {
                Self::Unavailable(error.into())
            }
            Error::Unique { .. } | Error::Rejected { .. } | Error::Panicked | Error::Bug(_) => {
                Self::Failed(error.into())
            }
        }
    }
}
