//! The only connection to NATS that a process has: how it is made, kept and watched.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_nats::{
    Client, ConnectOptions, Event,
    jetstream::{self, context::ContextBuilder, response::Response},
};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use service_runtime::{Causes, tasks::Tasks};
use tokio::sync::watch;

use crate::{
    error::{Error, Source},
    metrics::Metrics,
    settings::{Replicas, Settings},
};

/// How long JetStream may take to answer an administrative request.
pub const API_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the server may take to confirm that a message is stored.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(5);
/// How many stored messages may await their confirmation at once; a publisher beyond it waits.
pub const MAX_ACKS_IN_FLIGHT: usize = 4096;
/// Messages that one subscription may hold before the client drops some; the writers of those notice by timeout.
pub const SUBSCRIPTION_CAPACITY: usize = 64 * 1024;
/// Two missed pings and the connection counts as lost.
const PING_INTERVAL: Duration = Duration::from_secs(10);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_MOST: Duration = Duration::from_secs(2);

/// A handle to the process's NATS connection. Cheap to clone; the connection closes with the last clone.
#[derive(Clone)]
pub struct Bus {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) link: watch::Receiver<Link>,
    /// The connection's name, for what others see of us.
    pub(crate) name: Arc<str>,
    /// Of a process that tells any.
    pub(crate) metrics: Option<Metrics>,
    journal: Arc<Journal>,
    /// Of what this process provisions.
    pub(crate) replicas: Replicas,
}

/// What is known of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) connected: bool,
    /// Counts connections: whoever depends on the server's memory of us compares it.
    pub(crate) epoch: u64,
}

/// The settings cannot lead to a connection, ever.
#[derive(Debug, thiserror::Error)]
#[error("the NATS url is not one")]
pub struct ConnectError(#[source] Source);

impl Bus {
    /// Starts to connect and returns at once; from then on the connection is kept for ever, with capped backoff.
    ///
    /// Subscriptions made before or between connections come to life by themselves.
    ///
    /// # Errors
    /// Only when the url is malformed.
    pub async fn connect(settings: &Settings) -> Result<Self, ConnectError> {
        Self::connect_telling(settings, None).await
    }

    /// [`Bus::connect`] for a process that tells metrics.
    ///
    /// # Errors
    /// See [`Bus::connect`].
    pub async fn connect_measured(settings: &Settings, metrics: Metrics) -> Result<Self, ConnectError> {
        Self::connect_telling(settings, Some(metrics)).await
    }

    async fn connect_telling(settings: &Settings, metrics: Option<Metrics>) -> Result<Self, ConnectError> {
        let (sender, link) = watch::channel(Link { connected: false, epoch: 0 });
        let journal =
            Arc::new(Journal { link: sender, last_failure: Mutex::default(), metrics: metrics.clone() });
        let options = ConnectOptions::new()
            .name(&settings.connection_name)
            .user_and_password(settings.user.clone(), settings.password.expose_secret().to_owned())
            .custom_inbox_prefix(settings.inbox_prefix())
            .retry_on_initial_connect()
            .max_reconnects(None)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING_INTERVAL)
            .request_timeout(Some(API_TIMEOUT))
            .subscription_capacity(SUBSCRIPTION_CAPACITY)
            .reconnect_delay_callback(backoff)
            .event_callback({
                let journal = Arc::clone(&journal);
                move |event| {
                    let journal = Arc::clone(&journal);
                    async move { journal.record(&event) }
                }
            });
        let addresses: Vec<&str> = settings.url.split(',').map(str::trim).collect();
        #[expect(clippy::disallowed_methods, reason = "this crate is the door")]
        let client = async_nats::connect_with_options(addresses.as_slice(), options)
            .await
            .map_err(|error| ConnectError(error.into()))?;
        let jetstream = ContextBuilder::new()
            .timeout(API_TIMEOUT)
            .ack_timeout(ACK_TIMEOUT)
            .max_ack_inflight(MAX_ACKS_IN_FLIGHT)
            .backpressure_on_inflight(true)
            .build(client.clone());
        let name = settings.connection_name.as_str().into();
        Ok(Self { client, jetstream, link, name, metrics, journal, replicas: Replicas::default() })
    }

    /// The same connection, which provisions streams and buckets with so many replicas.
    #[must_use]
    pub fn with_replicas(self, replicas: Replicas) -> Self {
        Self { replicas, ..self }
    }

    /// Has the process's last words heard, once the tasks that accept work have ended: answers are handed to the client,
    /// which writes them when it gets round to it, and not at all when the process ends before.
    ///
    /// Without a connection there is nobody to hear them, and it is given up after [`ACK_TIMEOUT`].
    pub fn flush_at_the_end(&self, tasks: &Tasks) {
        let client = self.client.clone();
        tasks.spawn_supporting("bus", |stop| async move {
            stop.cancelled().await;
            if let Ok(Err(error)) = tokio::time::timeout(ACK_TIMEOUT, client.flush()).await {
                tracing::debug!(error = %Causes(&error), "what was said last may not have been heard");
            }
            Ok(())
        });
    }

    /// Whether there is a connection right now.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// Why there is no connection, as far as the client knows; for people who wait for one.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.journal.last_failure()
    }

    /// Asks JetStream how it is: one real round trip, at most [`API_TIMEOUT`].
    ///
    /// # Errors
    /// [`Error::Unavailable`] when NATS is away or its JetStream does not answer.
    pub async fn ping(&self) -> Result<(), Error> {
        const ACTION: &str = "reach JetStream";
        if !self.is_connected() {
            return Err(Error::unavailable(ACTION, "there is no connection"));
        }
        // Not the client's `query_account`, which does not understand the answer of servers before 2.10.
        let answer: Result<Response<Value>, _> = self.jetstream.request("INFO", "").await;
        match answer {
            Ok(Response::Ok(_)) => Ok(()),
            Ok(Response::Err { error }) => Err(Error::unavailable(ACTION, error)),
            Err(error) => Err(Error::unavailable(ACTION, error)),
        }
    }

    /// Resolves when the server has acted on all that this process told it before, its subscriptions among it: a server
    /// reads a connection in order, so a round trip is behind them.
    ///
    /// Without a connection it resolves at once: the client subscribes again before anything else once there is one.
    pub async fn is_heard(&self) {
        if let Err(error) = self.ping().await {
            tracing::debug!(error = %Causes(&error), "NATS has not heard yet what is served here");
        }
    }

    /// Resolves when there is a connection that is not the `known`-th of this process, to its number; the first is 1.
    ///
    /// For whoever must tell the server something after every reconnect: begin with 0.
    pub async fn connected_after(&self, known: u64) -> u64 {
        let mut link = self.link.clone();
        // Mapped before the match, which would hold the watch's lock across an await.
        let connected =
            link.wait_for(|link| link.connected && link.epoch != known).await.map(|link| link.epoch);
        match connected {
            Ok(epoch) => epoch,
            // The sender lives as long as the client that we hold.
            Err(_closed) => std::future::pending().await,
        }
    }

    /// Resolves when the `epoch`-th connection is no more.
    pub(crate) async fn lost(&self, epoch: u64) {
        let mut link = self.link.clone();
        drop(link.wait_for(|link| !link.connected || link.epoch != epoch).await);
    }

    /// The present connection's epoch.
    pub(crate) fn epoch(&self) -> Option<u64> {
        let link = *self.link.borrow();
        (link.connected && self.is_connected()).then_some(link.epoch)
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bus").field("link", &*self.link.borrow()).finish_non_exhaustive()
    }
}

/// Turns the client's events into one log line per change of state.
struct Journal {
    link: watch::Sender<Link>,
    last_failure: Mutex<Option<String>>,
    metrics: Option<Metrics>,
}

impl Journal {
    fn record(&self, event: &Event) {
        match event {
            Event::Connected => {
                self.link.send_modify(|link| *link = Link { connected: true, epoch: link.epoch + 1 });
                self.tell();
                self.remember(None);
                tracing::info!("NATS is connected");
            }
            Event::Disconnected => {
                self.link.send_modify(|link| link.connected = false);
                self.tell();
                tracing::warn!("NATS is disconnected; reconnecting");
            }
            Event::Closed => {
                self.link.send_modify(|link| link.connected = false);
                self.tell();
                tracing::info!("the NATS connection is closed");
            }
            Event::LameDuckMode => tracing::info!("the NATS server is about to stop"),
            Event::Draining => {}
            Event::SlowConsumer(_) => {
                tracing::warn!(
                    capacity = SUBSCRIPTION_CAPACITY,
                    "a subscription is full; NATS messages were dropped"
                );
            }
            Event::ServerError(error) => tracing::warn!(error = %error, "NATS refused something"),
            Event::ClientError(error) => {
                // Repeats with every attempt to connect; said once.
                if self.remember(Some(error.to_string())) {
                    tracing::warn!(error = %error, "NATS cannot be reached yet");
                }
            }
        }
    }

    fn tell(&self) {
        let Some(metrics) = &self.metrics else { return };
        let link = *self.link.borrow();
        metrics.connected.set(link.connected.into());
        if link.connected && link.epoch > 1 {
            metrics.reconnects.inc();
        }
    }

    fn last_failure(&self) -> Option<String> {
        self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether this is news.
    fn remember(&self, failure: Option<String>) -> bool {
        let mut last = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner);
        let news = *last != failure;
        *last = failure;
        news
    }
}

/// The first attempt at once, then doubling from 50 ms to 2 s.
fn backoff(attempt: usize) -> Duration {
    let doublings = u32::try_from(attempt.saturating_sub(2)).unwrap_or(u32::MAX).min(16);
    match attempt {
        0 | 1 => Duration::ZERO,
        _ => RECONNECT_FIRST.saturating_mul(1 << doublings).min(RECONNECT_MOST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_cap() {
        assert_eq!(backoff(1), Duration::ZERO);
        assert_eq!(backoff(2), RECONNECT_FIRST);
        assert!((2..100).all(|attempt| backoff(attempt) <= backoff(attempt + 1)));
        assert_eq!(backoff(usize::MAX), RECONNECT_MOST);
    }
}
