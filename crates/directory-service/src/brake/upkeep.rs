//! What the owner of a partition does about its companies' removals: forgets what is old or decided, lets brakes expire
//! about which nobody has decided in time, and sees undoing through.
//!
//! A company's row says when its removals are to be looked at next, so a round without any is one look at an index.

use std::time::{Duration, Instant};

use bus_contract::partition::Partition;
use diesel::{PgConnection, QueryResult};
use service_runtime::Causes;
use tokio_util::sync::CancellationToken;
use typed_ids::CompanyId;

use super::{Brake, BrakeSettings, State, undo};
use crate::{
    partition::Context,
    store::{self, brakes, removals},
    time::now,
};

/// How often there is a look at what is due.
const TICK: Duration = Duration::from_secs(2);
/// How often brakes and held users are counted.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// Companies that one round takes on; the others are next.
const COMPANIES: i64 = 1_000;
/// Companies whose brakes and held users are counted.
const MOST_COUNTED: i64 = 10_000;

/// Works until asked to stop. What fails is tried again in the next round.
pub(crate) async fn run(context: &Context, partition: Partition, stop: &CancellationToken) {
    let mut counted: Option<Instant> = None;
    let mut complained = false;
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        match round(context, partition, stop).await {
            Ok(()) => complained = false,
            Err(error) if !std::mem::replace(&mut complained, true) => {
                tracing::warn!(partition = partition.number(), error = %format!("{error:#}"), "removals wait");
            }
            Err(_again) => {}
        }
        if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
            counted = Some(Instant::now());
            count(context, partition).await;
        }
    }
    // Its next owner tells of it.
    context.metrics.brakes.forget(partition);
}

async fn round(context: &Context, partition: Partition, stop: &CancellationToken) -> anyhow::Result<()> {
    let now = now();
    let due =
        context.pool.run("brakes.due", move |conn| brakes::due(conn, partition, now, COMPANIES)).await?;
    for company in due {
        if stop.is_cancelled() {
            return Ok(());
        }
        let settings = context.brake;
        let looked = move |conn: &mut PgConnection| look_after(conn, company, settings);
        for brake in context.pool.transaction("brakes.look_after", looked).await? {
            undo::bring_back(context, &brake, stop).await?;
        }
    }
    Ok(())
}

/// Forgets, lets expire, and says when to look again, at once while somebody is on the way; the brakes that are being
/// undone.
fn look_after(
    conn: &mut PgConnection,
    company: CompanyId,
    settings: BrakeSettings,
) -> QueryResult<Vec<Brake>> {
    brakes::lock(conn, company)?;
    store::open_companies(conn, &[company])?;
    let now = now();
    brakes::expire(conn, company, now)?;
    removals::forget(conn, company, now - settings.window)?;
    brakes::finish(conn, company, now)?;
    let (undoing, on): (Vec<_>, Vec<_>) =
        brakes::open(conn, &[company])?.into_iter().partition(|brake| brake.state == State::Undoing);
    let alone = removals::oldest_alone(conn, company)?.map(|oldest| oldest + settings.window);
    // All of them may come back by themselves, and nobody says so.
    let waiting = on.iter().map(|brake| brake.ends_at.min(now + settings.window)).min();
    let undone = (!undoing.is_empty()).then_some(now);
    let next = [alone, waiting, undone].into_iter().flatten().min();
    brakes::look_next(conn, company, next)?;
    Ok(undoing)
}

async fn count(context: &Context, partition: Partition) {
    let counting = context.pool.transaction("brakes.count", move |conn| {
        let companies = brakes::watched(conn, partition, MOST_COUNTED)?;
        store::open_companies(conn, &companies)?;
        brakes::counted(conn, &companies)
    });
    match counting.await {
        Ok(counts) => context.metrics.brakes.tell(partition, counts, now()),
        Err(error) => tracing::debug!(error = %Causes(&error), "brakes could not be counted"),
    }
}
