//! From the outbox to the stream of facts, in the order of the commits.
//!
//! The table is the truth: what is in it is announced, and what the stream has acknowledged is deleted. A crash between
//! the two announces the same facts again under the same message ids, which the stream recognises for two minutes and
//! a follower by the fact's id for ever.

use std::time::Duration;

use bus_contract::{Message, directory::FactBatch, partition::Partition};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{partition::Context, store};

/// The most outbox rows (one per commit) that are read at once.
const MAX_ROWS: i64 = 256;
/// Bytes of outbox rows that are read at once, unless a single row holds more.
const MAX_BYTES: i64 = 8 << 20;
/// How long facts are gathered after a commit. A round costs two transactions whatever it announces, and the commits
/// that callers wait for compete with it.
const GATHER: Duration = Duration::from_millis(20);
/// How long to wait after a failure. Facts may be late; they are never lost.
const RETRY: Duration = Duration::from_secs(1);

/// Announces what is committed until asked to stop. A last attempt is made on the way out.
pub(crate) async fn run(
    context: &Context,
    partition: Partition,
    committed: &Notify,
    stop: &CancellationToken,
) {
    loop {
        let gathered = async {
            committed.notified().await;
            tokio::time::sleep(GATHER).await;
        };
        let stopped = stop.run_until_cancelled(gathered).await.is_none();
        loop {
            match announce_oldest(context, partition).await {
                Ok(Announced { facts, all }) => {
                    context.metrics.facts.inc_by(facts);
                    if all {
                        break;
                    }
                }
                Err(error) => {
                    tracing::warn!(partition = partition.number(), error = %format!("{error:#}"), "facts wait");
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
    facts: u64,
    /// Whether that was all there was.
    all: bool,
}

/// Announces the oldest rows and deletes them.
async fn announce_oldest(context: &Context, partition: Partition) -> anyhow::Result<Announced> {
    let rows = context
        .pool
        .transaction("outbox.read", move |conn| store::outbox::oldest(conn, partition, MAX_ROWS, MAX_BYTES))
        .await?;
    let Some((last, all)) = rows.last().map(|row| (row.outbox_id, row.is_newest)) else {
        return Ok(Announced { facts: 0, all: true });
    };
    let mut confirmations = Vec::new();
    for row in &rows {
        for fact in FactBatch::decode(row.facts.as_slice())?.facts {
            confirmations.push(context.bus.publish_durable(fact.subject, &fact.fact_id, fact.fact).await?);
        }
    }
    let facts = confirmations.len();
    for confirmation in confirmations {
        confirmation.await?;
    }
    context
        .pool
        .transaction("outbox.delete", move |conn| store::outbox::delete_through(conn, partition, last))
        .await?;
    Ok(Announced { facts: u64::try_from(facts)?, all })
}
