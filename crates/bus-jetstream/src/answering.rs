//! What is told of each request that is answered over the bus: a span, a line in the log, and what is counted.

use std::time::Instant;

use futures_util::{Stream, StreamExt as _, future::try_join_all, stream::select_all};
use service_runtime::trace::{self, InTrace as _, Span, Trace};
use tokio_util::sync::CancellationToken;

use crate::{
    connect::Bus,
    error::Error,
    headers::Headers,
    metrics::{Answers, Kind},
    request::Incoming,
};

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// It was done.
    Ok,
    /// It asked for something that cannot be.
    Refused,
    /// It could be done, and was not.
    Failed,
}

impl Answered {
    /// For metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// A request on its way to its answer; dropped before, it has failed.
#[derive(Debug)]
#[must_use = "it ends with `end`"]
pub struct Answering {
    kind: Kind,
    begun: Instant,
    span: Span,
    answered: Answered,
}

impl Bus {
    /// This process's share of the requests to any of `subjects`, of which each goes to one member of `queue`; returns once
    /// they arrive.
    ///
    /// # Errors
    /// As [`Bus::serve`].
    pub async fn serve_all(
        &self,
        subjects: &[&'static str],
        queue: &str,
        answers: &Answers,
    ) -> Result<impl Stream<Item = (Answering, Incoming)> + Send + use<>, Error> {
        let subscribing = subjects.iter().map(async |subject| {
            let kind = answers.of(subject);
            let incoming = self.serve(*subject, queue).await?;
            Ok(incoming.map(move |request| (kind.begin(&request.headers), request)))
        });
        let requests = try_join_all(subscribing).await.map(select_all)?;
        self.is_heard().await;
        Ok(requests)
    }
}

/// Answers each request in its own trace, `at_once` of them at a time, until asked to stop, and finishes what has begun.
///
/// The few that had arrived and not begun are not answered; those who asked hear that by their timeout.
pub async fn answer_each<F: Future<Output = ()>>(
    requests: impl Stream<Item = (Answering, Incoming)>,
    at_once: usize,
    stop: CancellationToken,
    answer: impl Fn(Answering, Incoming) -> F,
) {
    let requests = requests.take_until(stop.cancelled_owned());
    let answered = requests.for_each_concurrent(at_once, |(answering, request)| {
        let trace = answering.trace().clone();
        answer(answering, request).in_trace(&trace)
    });
    answered.await;
}

impl Kind {
    /// A request of this kind and with these headers is in hand; the trace of whoever asks goes on in it.
    pub fn begin(&self, headers: &Headers) -> Answering {
        let span = headers
            .trace()
            .span(trace::Kind::Server, format_args!("answer {}", self.operation()))
            .with("messaging.system", "nats")
            .begin();
        self.answering(span)
    }

    /// The same of one that is answered together with others: their span is the batch's, which is linked to whoever asks.
    pub fn begin_with_others(&self, headers: &Headers) -> Answering {
        self.answering(headers.trace().without_span())
    }

    fn answering(&self, span: Span) -> Answering {
        Answering { kind: self.clone(), begun: Instant::now(), span, answered: Answered::Failed }
    }
}

impl Answering {
    /// What is done for this request belongs to this.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        self.span.trace()
    }

    /// It is answered.
    pub fn end(mut self, answered: Answered) {
        self.answered = answered;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let (operation, result, taken) = (self.kind.operation(), self.answered, self.begun.elapsed());
        self.kind.count(result, taken);
        self.span.note("result", result.as_str());
        if result == Answered::Failed {
            self.span.fail(result.as_str());
        }
        let _of_the_span = self.span.trace().enter();
        let duration_us = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        // Why it failed is told where it did.
        tracing::debug!(operation, result = result.as_str(), duration_us, "answered over the bus");
    }
}
