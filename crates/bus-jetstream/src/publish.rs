//! Sending messages: fire and forget, with the acknowledgement sent elsewhere, or with its acknowledgement awaited.

use std::{
    future::{Future, IntoFuture},
    time::{Duration, Instant},
};

use async_nats::{
    Subject,
    client::PublishErrorKind as CoreKind,
    jetstream::{
        context::{PublishAckFuture, PublishErrorKind},
        message::PublishMessage,
    },
};
use bus_contract::{
    headers::{MESSAGE_ID, OUTCOME_INBOX},
    stream::{self, Stream},
};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use service_runtime::trace::Trace;

use crate::{
    connect::{ACK_TIMEOUT, Bus},
    error::Source,
    headers::Headers,
};

/// Why a message was not sent, or not confirmed.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no connection, it broke before the answer, or the answer did not come in time.
    ///
    /// A message that awaited its confirmation may be stored all the same; its message id makes another try harmless.
    #[error("could not publish: NATS does not answer")]
    Unavailable(#[source] Option<Source>),
    /// The message is larger than the server takes. Trying again is pointless.
    #[error("could not publish: the message is too large")]
    TooLarge,
    /// The server answered no: no such stream, stream full, not permitted.
    #[error("could not publish: NATS refused")]
    Refused(#[source] Source),
}

/// A message is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the stream.
    pub sequence: u64,
    /// It had been stored before, under the same message id.
    pub duplicate: bool,
}

/// A message that was sent to a stream and not yet confirmed; await it to know.
pub struct Confirmation {
    ack: PublishAckFuture,
    bus: Bus,
    epoch: u64,
    /// Where it is to be kept; none that is known for a bucket's.
    stream: Option<&'static Stream>,
    begun: Instant,
}

impl Bus {
    /// Sends a request to its stream and returns once it is on its way.
    ///
    /// Both the server's acknowledgement (JSON) and the outcome will arrive at `inbox`. When there is no connection it
    /// fails at once rather than queue what nobody will wait for.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`], [`PublishError::TooLarge`].
    pub async fn publish_request(
        &self,
        subject: impl Into<Subject>,
        message_id: &str,
        inbox: &str,
        payload: impl Into<Bytes>,
    ) -> Result<(), PublishError> {
        let mut headers = identified(message_id, &Trace::current());
        headers.set(OUTCOME_INBOX, inbox);
        let (subject, inbox): (Subject, Subject) = (subject.into(), inbox.into());
        let stream = stream::keeping(&subject);
        let sending = async {
            self.require_connection()?;
            let payload = payload.into();
            in_time(self.client.publish_with_reply_and_headers(subject, inbox, headers.0, payload)).await
        };
        sending.await.inspect_err(|_failed| self.note_not_stored(stream))
    }

    /// Sends a message to its stream. Await the returned [`Confirmation`] to know that it is stored.
    ///
    /// `trace` is what the message belongs to, when that is not the present one.
    ///
    /// Messages of one caller are stored in the order of these calls, so many may be in flight; the
    /// [`crate::connect::MAX_ACKS_IN_FLIGHT`] + 1st waits. After a failed confirmation that order is no longer given:
    /// send again from the failed one on.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`], [`PublishError::TooLarge`].
    pub async fn publish_durable(
        &self,
        subject: impl Into<Subject>,
        message_id: &str,
        trace: Option<&Trace>,
        payload: impl Into<Bytes>,
    ) -> Result<Confirmation, PublishError> {
        let headers = identified(message_id, trace.unwrap_or(&Trace::current()));
        let message = PublishMessage::build().payload(payload.into()).headers(headers.0);
        self.send_durable(subject.into(), message).await
    }

    pub(crate) async fn send_durable(
        &self,
        subject: Subject,
        message: PublishMessage,
    ) -> Result<Confirmation, PublishError> {
        let (stream, begun) = (stream::keeping(&subject), Instant::now());
        let sent = self.send(subject, message).await;
        let (ack, epoch) = sent.inspect_err(|_failed| self.note_not_stored(stream))?;
        Ok(Confirmation { ack, bus: self.clone(), epoch, stream, begun })
    }

    async fn send(
        &self,
        subject: Subject,
        message: PublishMessage,
    ) -> Result<(PublishAckFuture, u64), PublishError> {
        let epoch = self.require_connection()?;
        // It waits for one of the places of messages in flight, which whoever holds them may never give back.
        let sent = tokio::time::timeout(ACK_TIMEOUT, self.jetstream.send_publish(subject, message)).await;
        let ack =
            sent.map_err(|elapsed| PublishError::Unavailable(Some(elapsed.into())))?.map_err(|error| {
                match error.kind() {
                    PublishErrorKind::MaxPayloadExceeded => PublishError::TooLarge,
                    _ => PublishError::Unavailable(Some(error.into())),
                }
            })?;
        Ok((ack, epoch))
    }

    /// Counts a message whose confirmation arrived elsewhere: see [`Bus::publish_request`].
    pub fn note_stored(&self, stream: &Stream, after: Duration) {
        if let Some(metrics) = &self.metrics {
            metrics.stored(stream, after);
        }
    }

    /// Counts a message of which no confirmation came.
    pub fn note_not_stored(&self, stream: Option<&Stream>) {
        if let (Some(metrics), Some(stream)) = (&self.metrics, stream) {
            metrics.not_stored(stream);
        }
    }

    /// Sends a message to whoever listens now.
    ///
    /// # Errors
    /// [`PublishError::Unavailable`], [`PublishError::TooLarge`].
    pub async fn publish(
        &self,
        subject: impl Into<Subject>,
        payload: impl Into<Bytes>,
    ) -> Result<(), PublishError> {
        self.require_connection()?;
        let headers = Headers::of_trace(&Trace::current());
        let (subject, payload) = (subject.into(), payload.into());
        if headers.0.is_empty() {
            in_time(self.client.publish(subject, payload)).await
        } else {
            in_time(self.client.publish_with_headers(subject, headers.0, payload)).await
        }
    }

    /// Tells JetStream that a delivery is done with.
    pub(crate) async fn acknowledge(&self, at: Subject) -> Result<(), PublishError> {
        self.require_connection()?;
        in_time(self.client.publish(at, Bytes::from_static(b"+ACK"))).await
    }

    fn require_connection(&self) -> Result<u64, PublishError> {
        self.epoch().ok_or(PublishError::Unavailable(None))
    }
}

impl IntoFuture for Confirmation {
    type Output = Result<Stored, PublishError>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { ack, bus, epoch, stream, begun } = self;
        Box::pin(async move {
            let stored = tokio::select! {
                biased;
                ack = ack.into_future() => match ack {
                    Ok(ack) => Ok(Stored { sequence: ack.sequence, duplicate: ack.duplicate }),
                    Err(error) => Err(match error.kind() {
                        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                            PublishError::Unavailable(Some(error.into()))
                        }
                        PublishErrorKind::MaxPayloadExceeded => PublishError::TooLarge,
                        _ => PublishError::Refused(error.into()),
                    }),
                },
                () = bus.lost(epoch) => Err(PublishError::Unavailable(None)),
            };
            match (&stored, stream) {
                (Ok(_), Some(stream)) => bus.note_stored(stream, begun.elapsed()),
                (Ok(_), None) => {}
                (Err(_), stream) => bus.note_not_stored(stream),
            }
            stored
        })
    }
}

/// Handing a message to a connection takes no time unless its socket is stuck.
async fn in_time(
    sending: impl Future<Output = Result<(), async_nats::PublishError>>,
) -> Result<(), PublishError> {
    match tokio::time::timeout(ACK_TIMEOUT, sending).await {
        Ok(sent) => sent.map_err(|error| match error.kind() {
            CoreKind::MaxPayloadExceeded => PublishError::TooLarge,
            CoreKind::InvalidSubject => PublishError::Refused(error.into()),
            CoreKind::Send => PublishError::Unavailable(Some(error.into())),
        }),
        Err(elapsed) => Err(PublishError::Unavailable(Some(elapsed.into()))),
    }
}

fn identified(message_id: &str, trace: &Trace) -> Headers {
    let mut headers = Headers::of_trace(trace);
    headers.set(MESSAGE_ID, message_id);
    headers
}
