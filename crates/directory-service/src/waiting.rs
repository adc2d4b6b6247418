//! What waits to be done, told from time to time: requests of a partition in the stream, and facts in the outbox.
//!
//! Asked rather than counted along, because a backlog matters most when nothing moves.

use std::time::Duration;

use bus_contract::partition::Partition;
use bus_jetstream::pull::Backlog;
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;

use crate::{
    partition::Context,
    store::outbox::{self, Waiting},
};

/// How often it is asked what waits.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// Tells how many requests of a partition wait, until the partition is given up; then nothing of it.
pub(crate) async fn requests(
    context: &Context,
    partition: Partition,
    backlog: Backlog,
    stop: &CancellationToken,
) {
    let partition = partition.to_string();
    loop {
        let asked = stop.run_until_cancelled(backlog.count());
        match asked.await {
            Some(Ok(waiting)) => {
                let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
                context.metrics.lag.with_label_values(&[&partition]).set(waiting);
            }
            Some(Err(error)) => {
                tracing::debug!(partition, error = %Causes(&error), "the backlog is not known")
            }
            None => {}
        }
        if stop.run_until_cancelled(tokio::time::sleep(ASK_EVERY)).await.is_none() {
            break;
        }
    }
    // Its next owner tells of it. It fails only when there was no answer yet.
    context.metrics.lag.remove_label_values(&[&partition]).ok();
}

/// Tells what waits in the outbox, until asked to stop; while Postgres is away, nothing.
///
/// Every instance tells of the whole outbox: facts wait longest where no partition has an owner.
pub(crate) async fn facts(context: Context, stop: CancellationToken) -> anyhow::Result<()> {
    let metrics = &context.metrics;
    loop {
        match context.pool.run("outbox.waiting", outbox::waiting).await {
            Ok(Waiting { rows, age_seconds }) => {
                metrics.outbox_rows.set(rows);
                metrics.outbox_age.set(age_seconds);
            }
            Err(error) => {
                metrics.outbox_rows.reset();
                metrics.outbox_age.reset();
                tracing::debug!(error = %Causes(&error), "what waits in the outbox is not known");
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(ASK_EVERY)).await.is_none() {
            return Ok(());
        }
    }
}
