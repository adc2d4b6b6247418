//! Who awaits which outcome.
//!
//! A change is published with the inbox `outcome.v1.<process>.<request>`. One subscription receives for all of them: the
//! stream's acknowledgement (JSON) and the directory's [`Outcome`] (protobuf) of each. This module brings both to the
//! HTTP request that waits. Nothing is kept for a request whose caller has left.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bus_contract::{Message as _, provisioning::Outcome, stream::PROVISIONING, subject};
use bus_jetstream::{Bus, Bytes, request::Incoming};
use futures_util::StreamExt as _;
use prometheus::{IntCounter, IntGauge};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use typed_ids::RequestId;

use crate::{metrics::Metrics, pace::Turn};

/// Locks, so that workers rarely meet at one.
const SHARDS: usize = 32;

/// Why a change has no outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// The stream refused to store it: it will not be applied.
    NotStored,
    /// It is stored, and will be applied when the directory gets to it.
    Stored,
    /// Nothing was heard of it in time: it may or may not be stored.
    Unknown,
}

/// The outcomes that are awaited. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Outcomes(Arc<Inner>);

struct Inner {
    process: String,
    bus: Bus,
    shards: [Mutex<HashMap<RequestId, Slot>>; SHARDS],
    waiting: IntGauge,
    unexpected: IntCounter,
}

struct Slot {
    answer: oneshot::Sender<Answer>,
    stored: Arc<AtomicBool>,
    begun: Instant,
    /// Ends with the slot, whether or not anybody looks at the answer: operations of a bulk request do so late.
    _turn: Turn,
}

enum Answer {
    Outcome(Box<Outcome>),
    NotStored,
}

/// One request's place in the register, given up when dropped.
pub(crate) struct Awaited {
    outcomes: Outcomes,
    request: RequestId,
    answer: oneshot::Receiver<Answer>,
    stored: Arc<AtomicBool>,
}

impl Outcomes {
    pub(crate) fn new(process: &str, bus: Bus, metrics: &Metrics) -> Self {
        Self(Arc::new(Inner {
            process: process.to_owned(),
            bus,
            shards: std::array::from_fn(|_| Mutex::default()),
            waiting: metrics.outcomes_waiting.clone(),
            unexpected: metrics.outcomes_unexpected.clone(),
        }))
    }

    /// Where this request's outcome is to be sent.
    pub(crate) fn inbox(&self, request: RequestId) -> String {
        subject::outcome_inbox(&self.0.process, request)
    }

    /// Begins to wait. To be called before the request is published.
    pub(crate) fn expect(&self, request: RequestId, turn: Turn) -> Awaited {
        let (sender, answer) = oneshot::channel();
        let stored = Arc::new(AtomicBool::new(false));
        self.with(request, |slots| {
            let slot =
                Slot { answer: sender, stored: Arc::clone(&stored), begun: Instant::now(), _turn: turn };
            slots.insert(request, slot)
        });
        self.0.waiting.inc();
        Awaited { outcomes: self.clone(), request, answer, stored }
    }

    /// Brings what arrives at this process's inboxes to whoever waits, until it is asked to stop.
    pub(crate) async fn receive(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut arriving = self.0.bus.subscribe(subject::outcome_inboxes(&self.0.process)).await?;
        while let Some(Some(incoming)) = stop.run_until_cancelled(arriving.next()).await {
            self.deliver(&incoming);
        }
        anyhow::ensure!(stop.is_cancelled(), "the subscription to outcomes ended");
        Ok(())
    }

    fn deliver(&self, incoming: &Incoming) {
        let Some(request) = subject::request_of_inbox(&incoming.subject) else {
            self.0.unexpected.inc();
            return;
        };
        match Heard::read(request, &incoming.payload) {
            Heard::Stored => {
                // Overtaken by the outcome, the acknowledgement finds nobody, and that is as it should be.
                let begun = self.with(request, |slots| {
                    let slot = slots.get(&request)?;
                    slot.stored.store(true, Ordering::Release);
                    Some(slot.begun)
                });
                if let Some(begun) = begun {
                    self.0.bus.note_stored(&PROVISIONING, begun.elapsed());
                }
            }
            Heard::Answer(answer) => {
                let slot = self.with(request, |slots| slots.remove(&request));
                if slot.is_none_or(|slot| slot.answer.send(answer).is_err()) {
                    self.0.unexpected.inc();
                }
            }
            Heard::Nonsense => {
                self.0.unexpected.inc();
                tracing::warn!(request.id = %request, "cannot read what arrived at the inbox of a request");
            }
        }
    }

    fn with<T>(&self, request: RequestId, work: impl FnOnce(&mut HashMap<RequestId, Slot>) -> T) -> T {
        // The last byte of a UUIDv7 is random.
        let shard = usize::from(request.as_uuid().as_bytes()[15]) % SHARDS;
        work(&mut self.0.shards[shard].lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Awaited {
    /// The outcome, or why there is none within `patience`.
    pub(crate) async fn outcome(mut self, patience: Duration) -> Result<Outcome, Missing> {
        let missing = match tokio::time::timeout(patience, &mut self.answer).await {
            Ok(Ok(Answer::Outcome(outcome))) => return Ok(*outcome),
            Ok(Ok(Answer::NotStored)) => Missing::NotStored,
            Ok(Err(_)) | Err(_) if self.stored.load(Ordering::Acquire) => return Err(Missing::Stored),
            Ok(Err(_)) | Err(_) => Missing::Unknown,
        };
        self.outcomes.0.bus.note_not_stored(Some(&PROVISIONING));
        Err(missing)
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.outcomes.with(self.request, |slots| slots.remove(&self.request));
        self.outcomes.0.waiting.dec();
    }
}

/// What a message to an inbox says.
enum Heard {
    Stored,
    Answer(Answer),
    Nonsense,
}

impl Heard {
    fn read(request: RequestId, payload: &Bytes) -> Self {
        match payload.first() {
            // The server's own "no responders": no stream listens to the subject.
            None => Self::Answer(Answer::NotStored),
            // An acknowledgement. As the first byte of an outcome it would be field 15, which outcomes do not have.
            Some(b'{') => match serde_json::from_slice::<Acknowledgement>(payload) {
                Ok(Acknowledgement { error: None }) => Self::Stored,
                Ok(Acknowledgement { error: Some(error) }) => {
                    tracing::warn!(request.id = %request, code = error.code, reason = error.description, "a stream refused a request");
                    Self::Answer(Answer::NotStored)
                }
                Err(_) => Self::Nonsense,
            },
            Some(_) => match Outcome::decode(payload.clone()) {
                Ok(outcome) if outcome.request_id.parse() == Ok(request) => {
                    Self::Answer(Answer::Outcome(Box::new(outcome)))
                }
                Ok(_) | Err(_) => Self::Nonsense,
            },
        }
    }
}

#[derive(serde::Deserialize)]
struct Acknowledgement {
    error: Option<Refusal>,
}

#[derive(serde::Deserialize)]
struct Refusal {
    #[serde(default)]
    code: u16,
    #[serde(default)]
    description: String,
}
