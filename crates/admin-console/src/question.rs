//! Asking another service something, within the time that a person waits for a page.

use std::time::Duration;

use actix_web::http::StatusCode;
use bus_contract::Message;
use bus_jetstream::{Bus, request::AskError};
use service_runtime::Causes;

/// How long a service may take to answer. A page that waits longer is broken in the eyes of whoever waits.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Nobody was there, or not in time.
    #[error("the service could not be asked")]
    Away(#[from] AskError),
    /// It says that it cannot answer now.
    #[error("the service is unavailable: {0}")]
    Unavailable(String),
    /// What it was asked about does not exist.
    #[error("the service does not know it: {0}")]
    NotFound(String),
    /// It does not accept the question.
    #[error("the service refused the question: {0}")]
    Refused(String),
    /// The two sides are of different versions.
    #[error("the service answered something unintelligible")]
    Unintelligible,
}

/// Sends a question and reads the answer.
pub(crate) async fn ask<Q: Message, A: Message + Default>(
    bus: &Bus,
    subject: &'static str,
    question: &Q,
) -> Result<A, Unanswered> {
    let answer = bus.ask(subject, question.encode_to_vec(), ANSWER_TIMEOUT).await?;
    A::decode(answer).map_err(|_malformed| Unanswered::Unintelligible)
}

/// Takes the answer that belongs to a question out of what a service may answer.
macro_rules! answer_of {
    ($reply:expr, $answer:ident) => {
        match $reply {
            Answer::$answer(answer) => Ok(answer),
            _ => Err(Unanswered::Unintelligible),
        }
    };
}
pub(crate) use answer_of;

/// Which of the parts of a page were answered. One that was not is a notice in its place, and the page says 503, so
/// that whoever watches sees it too.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    missing: bool,
}

impl Answers {
    /// The answer, where there is one; else it is logged, once, and the page is incomplete.
    pub(crate) fn keep<T>(&mut self, question: &'static str, answer: Result<T, Unanswered>) -> Option<T> {
        answer
            .inspect_err(|error| {
                self.missing = true;
                tracing::warn!(question, error = %Causes(error), "a part of a page has no answer");
            })
            .ok()
    }

    pub(crate) fn is_complete(&self) -> bool {
        !self.missing
    }

    pub(crate) fn status(&self) -> StatusCode {
        if self.missing { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
}
