//! One instance's share of a log: of all that read under one name, each message goes to one.
//!
//! The server keeps the place of all of them together, across restarts of theirs and its own.
//! A message comes at least once, and again when it was not acknowledged in time, which is how another instance takes over
//! from one that died; what comes again comes behind later ones.
//! So this is for work that does no harm the second time and in any order. What needs order is [`crate::pull`]'s.

use std::time::{Duration, SystemTime};

use async_nats::jetstream::{
    self,
    consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull},
};
use bus_contract::stream::Stream;
use futures_util::{FutureExt as _, StreamExt as _};

use crate::{
    connect::Bus,
    error::{Error, consumer_failed},
    headers::Headers,
    publish::PublishError,
    pull::{Backlog, Delivery, HEARTBEAT, MAX_UNACKNOWLEDGED, PullError},
};

/// Messages the server may send ahead of [`Share::next_batch`]: what an instance that dies has in hand waits for another,
/// so it is little.
pub const MAX_AHEAD: usize = 128;
/// Bytes the server may send ahead.
pub const MAX_AHEAD_BYTES: usize = 4 << 20;
/// The life of a standing pull request; it is renewed long before by traffic, or by expiry.
const REQUEST_LIFE: Duration = Duration::from_secs(30);

/// One instance's reading.
pub struct Share {
    bus: Bus,
    epoch: u64,
    messages: pull::Stream,
    is_ended: bool,
}

impl Bus {
    /// Takes a share of `filter` under `name`, beside every other instance that does. The first one ever begins at the oldest
    /// message that the stream keeps. What is not acknowledged within `again_after` comes again, to any of them.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`], also when the stream does not exist.
    pub async fn open_share(
        &self,
        stream: &Stream,
        name: &str,
        filter: &str,
        again_after: Duration,
    ) -> Result<Share, Error> {
        let action = || format!("share {filter} of the stream {}", stream.name);
        let epoch = self.epoch().ok_or_else(|| Error::unavailable(action(), "there is no connection"))?;
        let jetstream_stream = self
            .jetstream
            .get_stream_no_info(stream.name)
            .await
            .map_err(|error| Error::unavailable(action(), error))?;
        let config = pull::Config {
            durable_name: Some(name.to_owned()),
            description: Some(format!("{} reads {filter}", self.name)),
            deliver_policy: DeliverPolicy::All,
            ack_policy: AckPolicy::Explicit,
            ack_wait: again_after,
            max_deliver: -1,
            replay_policy: ReplayPolicy::Instant,
            filter_subject: filter.to_owned(),
            max_ack_pending: MAX_UNACKNOWLEDGED,
            ..pull::Config::default()
        };
        // Where there is one with these settings already, this finds it.
        let consumer = jetstream_stream
            .create_consumer(config)
            .await
            .map_err(|error| consumer_failed(action(), error))?;
        let messages = consumer
            .stream()
            .max_messages_per_batch(MAX_AHEAD)
            .max_bytes_per_batch(MAX_AHEAD_BYTES)
            .expires(REQUEST_LIFE)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| Error::unavailable(action(), error))?;
        Ok(Share { bus: self.clone(), epoch, messages, is_ended: false })
    }

    /// To be asked how many messages wait for all who share `stream` under `name`.
    #[must_use]
    pub fn backlog(&self, stream: &Stream, name: &str) -> Backlog {
        Backlog { bus: self.clone(), stream: stream.name, consumer: name.to_owned() }
    }
}

impl Share {
    /// Waits for a message, then takes what has arrived with it, at most `max`, without waiting again.
    ///
    /// Cancel-safe. After an error, every further call says that the reading is lost.
    ///
    /// # Errors
    /// [`PullError::Lost`], which ends the reading: open a new one, which goes on where this one was.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, PullError> {
        if self.is_ended {
            return Err(PullError::Lost(None));
        }
        let first = tokio::select! {
            biased;
            () = self.bus.lost(self.epoch) => None,
            message = self.messages.next() => message,
        };
        let mut batch = vec![self.received(first)?];
        while batch.len() < max {
            // Unconstrained: tokio's cooperative budget would otherwise say "nothing there" after some 128 messages.
            let Some(message) = tokio::task::unconstrained(self.messages.next()).now_or_never() else {
                break;
            };
            match self.received(message) {
                Ok(delivery) => batch.push(delivery),
                // The next call fails.
                Err(_ended) => break,
            }
        }
        Ok(batch)
    }

    fn received(
        &mut self,
        message: Option<Result<jetstream::Message, pull::MessagesError>>,
    ) -> Result<Delivery, PullError> {
        let read = match message {
            None => Err(PullError::Lost(None)),
            Some(Err(error)) => Err(PullError::Lost(Some(error.into()))),
            Some(Ok(message)) => delivery(message),
        };
        read.inspect_err(|_ended| self.is_ended = true)
    }

    /// Tells the server that this one is done with. Not confirmed: one that is lost means that the message comes again.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn acknowledge(&self, done: &Delivery) -> Result<(), PublishError> {
        self.bus.acknowledge(done.acknowledge_at.clone()).await
    }
}

fn delivery(message: jetstream::Message) -> Result<Delivery, PullError> {
    let info = message.info().map_err(|error| PullError::Lost(Some(error)))?;
    let (stream_sequence, stored_at) = (info.stream_sequence, SystemTime::from(info.published));
    let message = message.message;
    let acknowledge_at = message.reply.ok_or(PullError::Lost(None))?;
    Ok(Delivery {
        subject: message.subject,
        headers: Headers(message.headers.unwrap_or_default()),
        payload: message.payload,
        stream_sequence,
        stored_at,
        acknowledge_at,
    })
}
