//! The ordered reading of one filter of a stream: every message once per reading, in the stream's order.
//!
//! What the server promises of a consumer is less than order: a message that was lost on the way, or not acknowledged
//! in time, comes again *after* later ones.
//! If a later one had been applied first, the earlier would look like one already done (sequences only grow) and be
//! skipped, or be applied out of order. So this reader never lets that happen:
//!
//! * Every reading begins with a consumer of its own, made anew, which starts at the oldest message in the stream. Any
//!   other consumer on the filter is deleted first, so an earlier owner's reading ends the moment ours begins.
//! * The server numbers a consumer's deliveries 1, 2, 3, … without regard to what they are. The reader counts along; a
//!   number that does not fit means that a delivery never arrived, and the reading ends ([`PullError::Gap`]) before
//!   anything behind the hole is handed out.
//! * A delivery that the server marks as repeated was therefore handed out before, in its place. It is dropped here.
//! * A broken connection, a deleted consumer or silence beyond two heartbeats ends the reading ([`PullError::Lost`]).
//!
//! After either error the owner opens a new reading, which begins again at the oldest unacknowledged message; what had
//! been applied and not acknowledged is recognised by its stream sequence, which only grows.
//!
//! Whoever follows a log rather than empties a queue says where to begin ([`Bus::open_follow`]), because it keeps its own
//! place, beside what it made of the messages.

use std::{
    collections::VecDeque,
    time::{Duration, SystemTime},
};

use async_nats::{
    Subject,
    jetstream::{
        self,
        consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, pull},
    },
};
use bus_contract::stream::Stream;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, TryStreamExt as _};

use crate::{
    connect::Bus,
    error::{Error, Source, consumer_failed},
    headers::Headers,
    publish::PublishError,
};

/// Messages handed out and not acknowledged at which the server stops sending.
pub const MAX_UNACKNOWLEDGED: i64 = 4096;
/// Messages the server may send ahead of [`Pull::next_batch`]; memory of at most [`MAX_AHEAD_BYTES`].
pub const MAX_AHEAD: usize = 1024;
/// Bytes the server may send ahead.
pub const MAX_AHEAD_BYTES: usize = 16 << 20;
/// After this long without acknowledgement the server sends again, which this reader drops.
const ACK_WAIT: Duration = Duration::from_secs(60);
/// The life of a standing pull request; it is renewed long before by traffic, or by expiry.
const REQUEST_LIFE: Duration = Duration::from_secs(30);
/// How often the server says that it still knows us; two missed ones and the reading is lost.
pub const HEARTBEAT: Duration = Duration::from_secs(3);
/// The server forgets a consumer that nobody has pulled from for this long.
const ABANDONED: Duration = Duration::from_secs(300);

/// A message of the stream.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its subject.
    pub subject: Subject,
    /// Its headers.
    pub headers: Headers,
    /// Its body.
    pub payload: Bytes,
    /// Its place in the stream, which only grows.
    pub stream_sequence: u64,
    /// When the stream took it, by the server's clock.
    pub stored_at: SystemTime,
    pub(crate) acknowledge_at: Subject,
}

/// Why a reading ended. Open a new one.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The connection broke, the consumer is gone, or the server fell silent.
    #[error("lost the consumer of the stream")]
    Lost(#[source] Option<Source>),
    /// A delivery never arrived.
    #[error("a delivery is missing: expected number {expected}, got {got}")]
    Gap {
        /// The delivery that should have come.
        expected: u64,
        /// The delivery that came.
        got: u64,
    },
}

/// How far behind a reading is; asks the server, so it also tells of a reading that stands still. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backlog {
    pub(crate) bus: Bus,
    pub(crate) stream: &'static str,
    pub(crate) consumer: String,
}

/// One reading.
pub struct Pull {
    bus: Bus,
    epoch: u64,
    messages: pull::Stream,
    order: Order,
    /// Handed out, oldest first.
    unacknowledged: VecDeque<(u64, Subject)>,
    pending: u64,
    /// What is to be asked about this reading's consumer.
    backlog: Backlog,
    /// Deliveries that repeated one, since somebody asked.
    repeated: u64,
    /// Set when the reading has ended: first to why, if nobody has been told yet.
    ended: Option<Option<PullError>>,
}

impl Bus {
    /// Begins a reading of `filter` at the oldest message in the stream, and ends every other reading of it.
    ///
    /// Others are recognised by names that start with `family`, so no two filters' families may be prefixes of one
    /// another. The new consumer is called `family` plus something unique.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`], also when the stream does not exist.
    pub async fn open_pull(&self, stream: &Stream, family: &str, filter: &str) -> Result<Pull, Error> {
        let action = || format!("read {filter} of the stream {}", stream.name);
        let epoch = self.epoch().ok_or_else(|| Error::unavailable(action(), "there is no connection"))?;
        let jetstream_stream = self
            .jetstream
            .get_stream_no_info(stream.name)
            .await
            .map_err(|error| Error::unavailable(action(), error))?;
        let names: Vec<String> = jetstream_stream
            .consumer_names()
            .try_collect()
            .await
            .map_err(|error| Error::unavailable(action(), error))?;
        for name in names.iter().filter(|name| name.starts_with(family)) {
            end(&jetstream_stream, name).await;
        }
        let name = format!("{family}{}", unique(self));
        self.read(stream, &jetstream_stream, name, filter, DeliverPolicy::All, epoch).await
    }

    /// Begins a reading of `filter` at the message with this sequence, or at the first one behind it that there is, and
    /// ends an earlier reading of the same name. `name` belongs to one follower, whose right to read is bound to it.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Refused`], also when the stream does not exist.
    pub async fn open_follow(
        &self,
        stream: &Stream,
        name: &str,
        filter: &str,
        first_sequence: u64,
    ) -> Result<Pull, Error> {
        let action = || format!("follow {filter} of the stream {}", stream.name);
        let epoch = self.epoch().ok_or_else(|| Error::unavailable(action(), "there is no connection"))?;
        let jetstream_stream = self
            .jetstream
            .get_stream_no_info(stream.name)
            .await
            .map_err(|error| Error::unavailable(action(), error))?;
        end(&jetstream_stream, name).await;
        // Sequences begin at 1, and the server takes 0 for "not said".
        let begin = DeliverPolicy::ByStartSequence { start_sequence: first_sequence.max(1) };
        self.read(stream, &jetstream_stream, name.to_owned(), filter, begin, epoch).await
    }

    async fn read(
        &self,
        stream: &Stream,
        jetstream_stream: &jetstream::stream::Stream<()>,
        name: String,
        filter: &str,
        begin: DeliverPolicy,
        epoch: u64,
    ) -> Result<Pull, Error> {
        let action = || format!("read {filter} of the stream {}", stream.name);
        let config = pull::Config {
            durable_name: Some(name.clone()),
            description: Some(format!("{} reads {filter}", self.name)),
            deliver_policy: begin,
            ack_policy: AckPolicy::Explicit,
            ack_wait: ACK_WAIT,
            max_deliver: -1,
            replay_policy: ReplayPolicy::Instant,
            filter_subject: filter.to_owned(),
            max_ack_pending: MAX_UNACKNOWLEDGED,
            inactive_threshold: ABANDONED,
            // What it remembers is worth nothing to the next reading, which makes a consumer of its own.
            memory_storage: true,
            ..pull::Config::default()
        };
        let consumer = jetstream_stream
            .create_consumer(config)
            .await
            .map_err(|error| consumer_failed(action(), error))?;
        let pending = consumer.cached_info().num_pending;
        let messages = consumer
            .stream()
            .max_messages_per_batch(MAX_AHEAD)
            .max_bytes_per_batch(MAX_AHEAD_BYTES)
            .expires(REQUEST_LIFE)
            .heartbeat(HEARTBEAT)
            .messages()
            .await
            .map_err(|error| Error::unavailable(action(), error))?;
        Ok(Pull {
            bus: self.clone(),
            epoch,
            messages,
            order: Order { delivered: 0 },
            unacknowledged: VecDeque::new(),
            pending,
            backlog: Backlog { bus: self.clone(), stream: stream.name, consumer: name },
            repeated: 0,
            ended: None,
        })
    }
}

/// Ends an earlier reading. Another instance may have ended it in the meantime; if it was not ended, beginning ours
/// fails and says so.
async fn end(stream: &jetstream::stream::Stream<()>, name: &str) {
    match stream.delete_consumer(name).await {
        Ok(_) => tracing::debug!(consumer = %name, "ended an earlier reading"),
        Err(error) => tracing::debug!(consumer = %name, %error, "could not end an earlier reading"),
    }
}

impl Pull {
    /// Waits for a message, then takes what has arrived with it, at most `max`, without waiting again.
    ///
    /// Under load the batches grow by themselves, because messages arrive while the owner works on the last batch.
    /// Cancel-safe. After an error, every further call says that the reading is lost.
    ///
    /// # Errors
    /// See [`PullError`]; either ends the reading.
    pub async fn next_batch(&mut self, max: usize) -> Result<Vec<Delivery>, PullError> {
        if let Some(reason) = &mut self.ended {
            return Err(reason.take().unwrap_or(PullError::Lost(None)));
        }
        let mut batch = Vec::new();
        while batch.is_empty() {
            let message = tokio::select! {
                biased;
                () = self.bus.lost(self.epoch) => None,
                message = self.messages.next() => message,
            };
            match self.admit(message) {
                Ok(delivery) => batch.extend(delivery),
                Err(error) => {
                    self.ended = Some(None);
                    return Err(error);
                }
            }
        }
        while batch.len() < max {
            // Unconstrained: tokio's cooperative budget would otherwise say "nothing there" after some 128 messages.
            let Some(message) = tokio::task::unconstrained(self.messages.next()).now_or_never() else {
                break;
            };
            match self.admit(message) {
                Ok(delivery) => batch.extend(delivery),
                // What is in the batch is in order and may be applied. The next call fails.
                Err(error) => {
                    self.ended = Some(Some(error));
                    break;
                }
            }
        }
        for delivery in &batch {
            self.unacknowledged.push_back((delivery.stream_sequence, delivery.acknowledge_at.clone()));
        }
        Ok(batch)
    }

    /// Checks that nothing was skipped; `None` for a repetition.
    fn admit(
        &mut self,
        message: Option<Result<jetstream::Message, pull::MessagesError>>,
    ) -> Result<Option<Delivery>, PullError> {
        let message = match message {
            None => return Err(PullError::Lost(None)),
            Some(Err(error)) => return Err(PullError::Lost(Some(error.into()))),
            Some(Ok(message)) => message,
        };
        let info = message.info().map_err(|error| PullError::Lost(Some(error)))?;
        let (stream_sequence, pending) = (info.stream_sequence, info.pending);
        let stored_at = SystemTime::from(info.published);
        let is_new = self.order.admit(info.consumer_sequence, info.delivered)?;
        self.pending = pending;
        self.repeated += u64::from(!is_new);
        let message = message.message;
        if !is_new && !self.unacknowledged.iter().any(|(sequence, _)| *sequence == stream_sequence) {
            // It was applied and acknowledged, and the acknowledgement was lost: say it again with the next one.
            self.unacknowledged.extend(message.reply.clone().map(|reply| (stream_sequence, reply)));
            self.unacknowledged.make_contiguous().sort_unstable_by_key(|(sequence, _)| *sequence);
        }
        Ok(is_new.then_some(()).zip(message.reply).map(|((), acknowledge_at)| Delivery {
            subject: message.subject,
            headers: Headers(message.headers.unwrap_or_default()),
            payload: message.payload,
            stream_sequence,
            stored_at,
            acknowledge_at,
        }))
    }

    /// Tells the server that everything up to and including `last` is applied, so that it may be forgotten.
    ///
    /// Not confirmed by the server: an acknowledgement that is lost means that the message comes again in the next
    /// reading, where its sequence is recognised.
    ///
    /// # Errors
    /// See [`PublishError`].
    pub async fn ack_through(&mut self, last: &Delivery) -> Result<(), PublishError> {
        while let Some((_, acknowledge_at)) =
            self.unacknowledged.front().filter(|(sequence, _)| *sequence <= last.stream_sequence)
        {
            self.bus.acknowledge(acknowledge_at.clone()).await?;
            self.unacknowledged.pop_front();
        }
        Ok(())
    }

    /// How many messages of the filter the server held behind the last one it sent. For the lag metric.
    #[must_use]
    pub fn pending(&self) -> u64 {
        self.pending
    }

    /// To be asked how many messages wait, also while this reading is busy.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        self.backlog.clone()
    }

    /// How many deliveries repeated one that was handed out, since this was last asked.
    pub fn take_repeated(&mut self) -> u64 {
        std::mem::take(&mut self.repeated)
    }
}

impl Backlog {
    /// How many messages the server holds that are not handed out or not acknowledged.
    ///
    /// # Errors
    /// [`Error::Unavailable`], also when the reading has ended.
    pub async fn count(&self) -> Result<u64, Error> {
        let action = || format!("ask how much of the stream {} waits", self.stream);
        let stream = self.bus.jetstream.get_stream_no_info(self.stream).await;
        let stream = stream.map_err(|error| Error::unavailable(action(), error))?;
        let info = stream.consumer_info(&self.consumer).await;
        let info = info.map_err(|error| Error::unavailable(action(), error))?;
        Ok(info.num_pending + u64::try_from(info.num_ack_pending).unwrap_or(0))
    }
}

/// The rule that keeps a reading in order; see the module's documentation.
struct Order {
    delivered: u64,
}

impl Order {
    /// Takes note of a delivery: `Ok(true)` when it is new, `Ok(false)` when it repeats one that was handed out.
    fn admit(&mut self, number: u64, times_delivered: i64) -> Result<bool, PullError> {
        let expected = self.delivered + 1;
        if number != expected {
            return Err(PullError::Gap { expected, got: number });
        }
        self.delivered = number;
        Ok(times_delivered <= 1)
    }
}

/// Something no other consumer's name ends with: inboxes are unique.
fn unique(bus: &Bus) -> String {
    let inbox = bus.client.new_inbox();
    inbox.rsplit('.').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries_are_counted_from_one() {
        let mut order = Order { delivered: 0 };
        assert!(matches!(order.admit(2, 1), Err(PullError::Gap { expected: 1, got: 2 })));
        assert!(order.admit(1, 1).unwrap());
        assert!(order.admit(2, 1).unwrap());
        assert!(matches!(order.admit(4, 1), Err(PullError::Gap { expected: 3, got: 4 })));
    }

    #[test]
    fn a_repetition_counts_and_is_not_handed_out_again() {
        let mut order = Order { delivered: 0 };
        assert!(order.admit(1, 1).unwrap());
        assert!(!order.admit(2, 2).unwrap());
        assert!(order.admit(3, 1).unwrap());
    }
}
