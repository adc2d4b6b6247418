//! Following a key-value bucket: all of it first, then every change, across every failure of the server.
//!
//! A watcher holds a push consumer, which the server forgets when it restarts, and whose position means
//! nothing when the server comes back with an empty disk.
//! So after every reconnect, and whenever the consumer is lost, the watcher takes a new snapshot of the whole bucket
//! and yields it as one event: whoever follows replaces what it knows, and so drops what is gone.

use std::{collections::BTreeMap, time::Duration};

use async_nats::jetstream::consumer::{AckPolicy, DeliverPolicy, ReplayPolicy, push};
use bus_contract::stream::Bucket;
use bytes::Bytes;
use futures_util::StreamExt as _;
use service_runtime::Causes;

use crate::{
    bucket,
    connect::Bus,
    error::{Error, consumer_failed},
    headers::Headers,
};

/// After a failed attempt to read the bucket.
const RETRY: Duration = Duration::from_millis(500);
/// A snapshot that makes no progress for this long is begun again.
const STALLED: Duration = Duration::from_secs(5);
/// How often the server says that it still knows a quiet consumer; two missed ones and it is lost.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// The server forgets a consumer that nobody listens to after this long.
const ABANDONED: Duration = Duration::from_secs(30);

/// What happened to a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The bucket holds exactly this. Comes first, and again whenever changes may have been missed.
    Snapshot(BTreeMap<String, Bytes>),
    /// A key has this value now.
    Put {
        /// The key.
        key: String,
        /// Its value.
        value: Bytes,
    },
    /// A key is gone.
    Deleted {
        /// The key.
        key: String,
    },
}

/// Follows one bucket; see [`Bus::watch`].
pub struct Watcher {
    bus: Bus,
    bucket: Bucket,
    following: Option<Following>,
    complained: bool,
}

impl Bus {
    /// Follows a bucket. Nothing is asked of the server before the first [`Watcher::next`].
    #[must_use]
    pub fn watch(&self, bucket: &Bucket) -> Watcher {
        Watcher { bus: self.clone(), bucket: *bucket, following: None, complained: false }
    }
}

impl Watcher {
    /// The next change. Never ends and never fails: while the bucket cannot be read, it waits.
    ///
    /// Cancel-safe: dropped, it has taken nothing, or the next call begins with a new snapshot.
    pub async fn next(&mut self) -> Change {
        loop {
            if let Some(following) = &mut self.following {
                match following.receive().await {
                    Some(entry) => return entry.change,
                    None => self.following = None,
                }
            }
            match Box::pin(Following::start(&self.bus, &self.bucket)).await {
                Ok((following, entries)) => {
                    if std::mem::take(&mut self.complained) {
                        tracing::info!(bucket = self.bucket.name, "the bucket can be followed again");
                    }
                    self.following = Some(following);
                    return Change::Snapshot(entries);
                }
                Err(error) => {
                    if !std::mem::replace(&mut self.complained, true) {
                        tracing::warn!(bucket = self.bucket.name, error = %Causes(&error), "cannot follow the bucket yet");
                    }
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }
}

/// One consumer, trusted as long as it skips nothing and the connection it was made on lasts.
struct Following {
    bus: Bus,
    bucket: &'static str,
    epoch: u64,
    messages: push::Messages,
    /// Deliveries seen; the server numbers them from 1.
    delivered: u64,
}

/// A message of the bucket.
struct Entry {
    change: Change,
    /// How many messages the server holds behind this one.
    behind: u64,
}

impl Following {
    /// Creates a consumer and reads what the bucket holds now.
    async fn start(bus: &Bus, bucket: &Bucket) -> Result<(Self, BTreeMap<String, Bytes>), Error> {
        let action = || format!("read the bucket {}", bucket.name);
        let epoch = bus.connected_after(0).await;
        let config = push::Config {
            deliver_subject: bus.client.new_inbox(),
            description: Some(format!("{} follows {}", bus.name, bucket.name)),
            deliver_policy: DeliverPolicy::LastPerSubject,
            ack_policy: AckPolicy::None,
            replay_policy: ReplayPolicy::Instant,
            max_deliver: 1,
            filter_subject: bucket::all_keys(bucket.name),
            flow_control: true,
            idle_heartbeat: HEARTBEAT,
            inactive_threshold: ABANDONED,
            memory_storage: true,
            num_replicas: 1,
            ..push::Config::default()
        };
        let consumer = bus
            .jetstream
            .create_consumer_on_stream(config, bucket::stream_name(bucket.name))
            .await
            .map_err(|error| consumer_failed(action(), error))?;
        let expected = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|error| Error::unavailable(action(), error))?;
        let mut following = Self { bus: bus.clone(), bucket: bucket.name, epoch, messages, delivered: 0 };
        let mut entries = BTreeMap::new();
        let mut behind = expected;
        while behind > 0 {
            let next = tokio::time::timeout(STALLED, following.receive()).await;
            let Ok(Some(entry)) = next else {
                return Err(Error::unavailable(action(), "the snapshot broke off"));
            };
            behind = entry.behind;
            match entry.change {
                Change::Put { key, value } => drop(entries.insert(key, value)),
                Change::Deleted { key } => drop(entries.remove(&key)),
                Change::Snapshot(_) => {}
            }
        }
        Ok((following, entries))
    }

    /// The next change; `None` when this consumer can no longer be trusted.
    async fn receive(&mut self) -> Option<Entry> {
        loop {
            let message = tokio::select! {
                biased;
                () = self.bus.lost(self.epoch) => return None,
                message = self.messages.next() => message?.ok()?,
            };
            let info = message.info().ok()?;
            self.delivered += 1;
            if info.consumer_sequence != self.delivered {
                return None;
            }
            let behind = info.pending;
            let Some(key) = bucket::key_of(self.bucket, &message.subject).map(str::to_owned) else {
                continue;
            };
            let message = message.message;
            let change = if bucket::is_removal(&Headers(message.headers.unwrap_or_default())) {
                Change::Deleted { key }
            } else {
                Change::Put { key, value: message.payload }
            };
            return Some(Entry { change, behind });
        }
    }
}

/// All of a bucket, once.
pub(crate) async fn snapshot(bus: &Bus, bucket: &Bucket) -> Result<BTreeMap<String, Bytes>, Error> {
    if !bus.is_connected() {
        return Err(Error::unavailable(format!("read the bucket {}", bucket.name), "there is no connection"));
    }
    Following::start(bus, bucket).await.map(|(_, entries)| entries)
}
