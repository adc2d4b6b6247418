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
const MAX_ROWS: i64 = 64;
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
        let stopped = stop.run_until_cancelled(committed.notified()).await.is_none();
        loop {
            match announce_oldest(context, partition).await {
                Ok(0) => break,
                Ok(facts) => context.metrics.facts.inc_by(facts),
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

/// Announces the oldest rows and deletes them; returns how many facts they held.
async fn announce_oldest(context: &Context, partition: Partition) -> anyhow::Result<u64> {
    let rows = context
        .pool
        .transaction("outbox.read", move |conn| store::outbox::oldest(conn, partition, MAX_ROWS))
        .await?;
    let Some(last) = rows.last().map(|row| row.outbox_id) else { return Ok(0) };
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
    Ok(u64::try_from(facts)?)
}
