//! Asking and answering: NATS request/reply, and plain subscriptions.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use async_nats::{Subject, Subscriber, client::RequestErrorKind};
use bus_contract::subject;
use bytes::Bytes;
use futures_util::Stream;
use service_runtime::trace::{Kind, Trace};

use crate::{
    connect::Bus,
    error::{Error, Source},
    headers::Headers,
    publish::PublishError,
};

/// Why a question was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody serves that subject now.
    #[error("nobody answers there at the moment")]
    NoResponders,
    /// Somebody may have received the question, but no answer came in time.
    #[error("no answer came in time")]
    TimedOut,
    /// There is no connection to NATS, or it broke before the answer came.
    #[error("could not ask: NATS does not answer")]
    Unavailable(#[source] Option<Source>),
}

impl AskError {
    /// One of a closed list, for spans and metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NoResponders => "no_responders",
            Self::TimedOut => "timed_out",
            Self::Unavailable(_) => "unavailable",
        }
    }
}

/// A message that somebody sent to a subject of ours.
#[derive(Debug)]
pub struct Incoming {
    /// Where it was sent.
    pub subject: Subject,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub payload: Bytes,
    /// Where the answer is awaited, if one is.
    pub reply: Option<Subject>,
    /// Not a message but the server's word that nobody listens where one with this reply subject was sent; for a
    /// stream's subject: no stream keeps it.
    pub is_no_responders: bool,
}

/// The messages of one subscription, across every reconnect; dropped, it unsubscribes.
pub struct Subscription(Subscriber);

impl Bus {
    /// Asks whoever serves `subject` and waits for the one answer.
    ///
    /// # Errors
    /// See [`AskError`].
    pub async fn ask(
        &self,
        subject: impl Into<Subject>,
        payload: impl Into<Bytes>,
        timeout: Duration,
    ) -> Result<Bytes, AskError> {
        let (subject, trace, begun) = (subject.into(), Trace::current(), Instant::now());
        let answer = self.answer_to(subject.clone(), &trace, payload.into(), timeout).await;
        // Whoever answers tells of it. A span of ours for each question would say the same once more, at a twentieth of what
        // a look-up costs altogether.
        if let Err(error) = &answer {
            let name = format_args!("ask {}", subject::operation(&subject));
            let span = trace.span(Kind::Client, name).with("messaging.system", "nats");
            span.begun_before(begun.elapsed()).begin().fail(error.kind());
        }
        answer
    }

    async fn answer_to(
        &self,
        subject: Subject,
        trace: &Trace,
        payload: Bytes,
        timeout: Duration,
    ) -> Result<Bytes, AskError> {
        let Some(epoch) = self.epoch() else { return Err(AskError::Unavailable(None)) };
        let mut request = async_nats::Request::new().payload(payload).timeout(None);
        let headers = Headers::of_trace(trace);
        if !headers.0.is_empty() {
            request = request.headers(headers.0);
        }
        let answer = tokio::time::timeout(timeout, self.client.send_request(subject, request));
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(Ok(message)) => Ok(message.payload),
                Ok(Err(error)) => Err(match error.kind() {
                    RequestErrorKind::NoResponders => AskError::NoResponders,
                    RequestErrorKind::TimedOut => AskError::TimedOut,
                    _ => AskError::Unavailable(Some(error.into())),
                }),
                Err(_elapsed) => Err(AskError::TimedOut),
            },
            () = self.lost(epoch) => Err(AskError::Unavailable(None)),
        }
    }

    /// Every message to `subject`, which may hold wildcards.
    ///
    /// # Errors
    /// [`Error::Refused`] when the subject is malformed, [`Error::Unavailable`] when the client has been closed.
    pub async fn subscribe(&self, subject: impl Into<Subject>) -> Result<Subscription, Error> {
        self.client.subscribe(subject.into()).await.map(Subscription).map_err(not_subscribed)
    }

    /// This process's share of the messages to `subject`, of which each goes to one member of `queue`, from the moment
    /// at which the server has heard of it: see [`Bus::is_heard`].
    ///
    /// # Errors
    /// [`Error::Refused`] when the subject is malformed, [`Error::Unavailable`] when the client has been closed.
    pub async fn serve(&self, subject: impl Into<Subject>, queue: &str) -> Result<Subscription, Error> {
        let subscribed = self.client.queue_subscribe(subject.into(), queue.to_owned()).await;
        subscribed.map(Subscription).map_err(not_subscribed)
    }
}

impl Incoming {
    /// Answers, if an answer is awaited.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`] when there is no connection any more, [`PublishError::TooLarge`].
    pub async fn respond(&self, bus: &Bus, payload: impl Into<Bytes>) -> Result<(), PublishError> {
        match &self.reply {
            Some(reply) => bus.publish(reply.clone(), payload).await,
            None => Ok(()),
        }
    }
}

impl Subscription {
    /// Stops taking new messages; those that have arrived are still yielded, then the stream ends.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when the client has been closed.
    pub async fn drain(&mut self) -> Result<(), Error> {
        self.0.drain().await.map_err(|error| Error::unavailable("end a subscription", error))
    }
}

impl Stream for Subscription {
    type Item = Incoming;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Incoming>> {
        let message = ready!(Pin::new(&mut self.0).poll_next(context));
        Poll::Ready(message.map(|message| Incoming {
            subject: message.subject,
            headers: Headers(message.headers.unwrap_or_default()),
            payload: message.payload,
            reply: message.reply,
            is_no_responders: message.status == Some(async_nats::StatusCode::NO_RESPONDERS),
        }))
    }
}

fn not_subscribed(error: async_nats::SubscribeError) -> Error {
    use async_nats::client::SubscribeErrorKind as Kind;
    match error.kind() {
        Kind::InvalidSubject | Kind::InvalidQueueName => Error::refused("subscribe", error),
        Kind::Other => Error::unavailable("subscribe", error),
    }
}
