//! From the outbox to the stream of facts, in the order of the commits.
//!
//! The table is the truth: what is in it is announced, and what the stream has acknowledged is deleted. A crash between
//! the two announces the same facts again under the same message ids, which the stream recognises for two minutes and
//! a follower by the fact's id for ever.

use std::{borrow::Cow, collections::HashSet, time::Duration};

use bus_contract::{
    Message,
    directory::{Fact, FactBatch, OutboxFact},
    partition::{self, Partition},
    stream,
};
use bus_jetstream::{
    connect::MAX_ACKS_IN_FLIGHT,
    publish::{Confirmation, PublishError},
};
use chrono::{DateTime, Utc};
use service_runtime::trace::{Kind, Span, TRACEPARENT, Trace};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    metrics::Metrics,
    partition::Context,
    store::{self, dead_letters::DeadLetter, outbox::OutboxRow},
    time::{from_timestamp, now},
};

/// The most outbox rows (one per commit) that are read at once.
const MAX_ROWS: i64 = 256;
/// Bytes of outbox rows that are read at once, unless a single row holds more.
const MAX_BYTES: i64 = 8 << 20;
/// How long facts are gathered after a commit. A round costs two transactions whatever it announces, and the commits
/// that callers wait for compete with it.
const GATHER: Duration = Duration::from_millis(20);
/// How long to wait after a failure. Facts may be late; they are never lost.
const RETRY: Duration = Duration::from_secs(1);
/// Facts of one partition that may be on their way at once: all partitions together fill what the connection allows.
const WINDOW: usize = MAX_ACKS_IN_FLIGHT / partition::COUNT as usize;

/// Announces what is committed until asked to stop. A last attempt is made on the way out.
pub(crate) async fn run(
    context: &Context,
    partition: Partition,
    committed: &Notify,
    stop: &CancellationToken,
) {
    let mut failing = false;
    loop {
        let gathered = async {
            committed.notified().await;
            tokio::time::sleep(GATHER).await;
        };
        let stopped = stop.run_until_cancelled(gathered).await.is_none();
        loop {
            match announce_oldest(context, partition).await {
                Ok(Announced { all }) => {
                    failing = false;
                    if all {
                        break;
                    }
                }
                Err(error) => {
                    if !std::mem::replace(&mut failing, true) {
                        tracing::warn!(partition = partition.number(), error = %format!("{error:#}"), "facts wait");
                    }
                    if stop.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                        return;
                    }
                }
            }
        }
        if stopped {
            return;
        }
    }
}

struct Announced {
    /// Whether that was all there was.
    all: bool,
}

/// Announces the oldest rows and deletes them.
async fn announce_oldest(context: &Context, partition: Partition) -> anyhow::Result<Announced> {
    let rows = context
        .pool
        .run("outbox.read", move |conn| store::outbox::oldest(conn, partition, MAX_ROWS, MAX_BYTES))
        .await?;
    let Some((last, all)) = rows.last().map(|row| (row.outbox_id, row.is_newest)) else {
        return Ok(Announced { all: true });
    };
    publish(context, partition, &rows).await?;
    context
        .pool
        .run("outbox.delete", move |conn| store::outbox::delete_through(conn, partition, last))
        .await?;
    Ok(Announced { all })
}

/// Publishes what the rows hold, until the stream has acknowledged all of it.
async fn publish(context: &Context, partition: Partition, rows: &[OutboxRow]) -> anyhow::Result<()> {
    let mut window = Window::new(&context.metrics);
    for row in rows {
        for fact in FactBatch::decode(row.facts.as_slice())?.facts {
            window.make_room(&fact.subject).await?;
            let span = sending(&fact);
            let sent = context.bus.publish_durable(
                fact.subject.clone(),
                &fact.fact_id,
                Some(span.trace()),
                in_history(&fact.fact, row.history),
            );
            match sent.await {
                Ok(confirmation) => {
                    let accepted_at = fact.accepted_at.as_ref().and_then(from_timestamp);
                    window.under_way.push(Sending { confirmation, accepted_at, span });
                }
                // It would hold back everything behind it for ever.
                Err(PublishError::TooLarge) => bury(context, partition, fact).await?,
                Err(error) => return Err(error.into()),
            }
        }
    }
    window.settle().await?;
    Ok(())
}

/// The fact, saying which history it belongs to. In protobuf a field may stand behind all others, so nothing is decoded.
fn in_history(fact: &[u8], history: Uuid) -> Vec<u8> {
    let stamp = Fact { history_id: history.to_string(), ..Fact::default() };
    let mut bytes = Vec::with_capacity(fact.len() + stamp.encoded_len());
    bytes.extend_from_slice(fact);
    bytes.extend(stamp.encode_to_vec());
    bytes
}

/// The span of a fact's way into the stream, in the trace of the request that it came of; whoever follows the facts goes on
/// with it.
fn sending(fact: &OutboxFact) -> Span {
    let trace = Trace::received(|name| {
        let value = if name == TRACEPARENT { &fact.traceparent } else { &fact.tracestate };
        Some(Cow::Borrowed(value.as_str()))
    });
    // `facts.v1.<company>.<kind>.<id>.<event>`: neither company nor id belong in a name.
    let mut tokens = fact.subject.rsplit('.');
    let (event, kind) = (tokens.next().unwrap_or_default(), tokens.nth(1).unwrap_or_default());
    trace
        .span(Kind::Producer, format_args!("send {kind}.{event}"))
        .with("messaging.system", "nats")
        .with("messaging.destination.name", stream::DIRECTORY.name)
        .with_text("messaging.message.id", &fact.fact_id)
        .begin()
}

/// A fact on its way.
struct Sending {
    confirmation: Confirmation,
    /// When its request was accepted.
    accepted_at: Option<DateTime<Utc>>,
    span: Span,
}

/// Facts on their way. Of one resource there is never more than one, because a reconnect may lose the earlier of two
/// and store the later, and the order per resource is what followers are promised.
struct Window<'c> {
    metrics: &'c Metrics,
    under_way: Vec<Sending>,
    resources: HashSet<String>,
}

impl<'c> Window<'c> {
    fn new(metrics: &'c Metrics) -> Self {
        Self { metrics, under_way: vec![], resources: HashSet::new() }
    }

    /// Waits until a fact of this subject may be sent.
    async fn make_room(&mut self, subject: &str) -> Result<(), PublishError> {
        // The last token is the event; what stands before it names the resource.
        let resource = subject.rsplit_once('.').map_or(subject, |(resource, _)| resource);
        if self.under_way.len() == WINDOW || self.resources.contains(resource) {
            self.settle().await?;
        }
        self.resources.insert(resource.to_owned());
        Ok(())
    }

    /// Waits until everything sent is stored.
    async fn settle(&mut self) -> Result<(), PublishError> {
        for Sending { confirmation, accepted_at, span } in self.under_way.drain(..) {
            if let Err(error) = confirmation.await {
                span.fail("not_stored");
                return Err(error);
            }
            self.metrics.count_fact(accepted_at, now());
        }
        self.resources.clear();
        Ok(())
    }
}

async fn bury(context: &Context, partition: Partition, fact: OutboxFact) -> anyhow::Result<()> {
    tracing::error!(
        partition = partition.number(),
        fact.id = fact.fact_id,
        "a fact is too large for the bus"
    );
    context.metrics.dead_letters.inc();
    let buried = move |conn: &mut diesel::PgConnection| {
        let letter = DeadLetter {
            partition,
            // Not a request's: facts have no place in the stream of requests.
            stream_sequence: 0,
            subject: &fact.subject,
            reason: "too large for the bus".to_owned(),
            payload: &fact.fact,
        };
        store::dead_letters::insert(conn, &letter, now())
    };
    context.pool.run("dead_letters.insert", buried).await?;
    Ok(())
}
