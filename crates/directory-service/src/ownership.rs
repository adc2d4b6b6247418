//! Which partitions this instance holds: an equal share of those that exist, by session advisory locks.
//!
//! A lock lives as long as its connection, so an instance that dies gives its partitions back the moment Postgres sees
//! the connection close; there are no leases to expire and no clocks to compare. Every instance also locks a number of
//! its own, and counting those tells how many share the work. The lock only decides who *tries*: that two never apply
//! the same partition is the watermark's doing (`store::partitions`).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bus_contract::partition::{self, Partition};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Bool, Integer},
};
use pg_pool::Session;
use service_runtime::Causes;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{partition as tenure, store::partitions::number};

/// The first key of an advisory lock on a partition; the second is its number.
const PARTITION_CLASS: i32 = 0x7c36_5001;
/// The first key of the lock that makes an instance count; the second is the backend's process id.
const INSTANCE_CLASS: i32 = 0x7c36_5002;
/// How often the shares are looked at. Bounds how long a partition of a dead instance stays without an owner.
const BALANCE_EVERY: Duration = Duration::from_millis(500);

/// How long an instance without NATS keeps its partitions before it leaves them to those that can work on them.
const WITHOUT_BUS: Duration = Duration::from_secs(5);

/// Partitions in work, each with what stops it.
type Held = BTreeMap<Partition, (CancellationToken, JoinHandle<()>)>;

/// Holds a fair share of the partitions until asked to stop; then finishes what is in hand and lets them go.
pub(crate) async fn run(
    context: tenure::Context,
    settings: pg_pool::Settings,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let mut said_unavailable = false;
    while !stop.is_cancelled() {
        if !context.bus.is_connected() {
            stop.run_until_cancelled(tokio::time::sleep(BALANCE_EVERY)).await;
            continue;
        }
        match Session::connect(&settings, "ownership").await {
            Ok(session) => {
                said_unavailable = false;
                hold(&context, &session, &stop).await;
            }
            Err(error) => {
                if !said_unavailable {
                    tracing::warn!(
                        error = %Causes(&error),
                        "no partitions: Postgres is away"
                    );
                    said_unavailable = true;
                }
            }
        }
        stop.run_until_cancelled(tokio::time::sleep(BALANCE_EVERY)).await;
    }
    Ok(())
}

/// Balances until the session breaks or we are asked to stop.
async fn hold(context: &tenure::Context, session: &Session, stop: &CancellationToken) {
    let mut held = Held::new();
    let mut bus_seen = Instant::now();
    loop {
        if context.bus.is_connected() {
            bus_seen = Instant::now();
        } else if bus_seen.elapsed() > WITHOUT_BUS {
            tracing::warn!("gave the partitions up: NATS is away from here");
            break;
        }
        if let Err(error) = balance(context, session, &mut held).await {
            tracing::warn!(error = %Causes(&error), "lost the partitions: Postgres is away");
            break;
        }
        context.metrics.partitions_held.set(i64::try_from(held.len()).unwrap_or(i64::MAX));
        if stop.run_until_cancelled(tokio::time::sleep(BALANCE_EVERY)).await.is_none() {
            break;
        }
    }
    for (stop, _) in held.values() {
        stop.cancel();
    }
    for (partition, (_, task)) in held {
        finished(partition, task).await;
    }
    context.metrics.partitions_held.set(0);
}

async fn balance(
    context: &tenure::Context,
    session: &Session,
    held: &mut Held,
) -> Result<(), pg_pool::Error> {
    let instances: usize = session.run("ownership.count", count_instances).await?;
    let instances = instances.max(1);
    let fair = usize::from(partition::COUNT).div_ceil(instances);
    // A task that panicked has left its partition without work; the lock is still ours.
    let died: Vec<_> =
        held.iter().filter(|(_, (_, task))| task.is_finished()).map(|(partition, _)| *partition).collect();
    for partition in died {
        if let Some((_, task)) = held.remove(&partition) {
            finished(partition, task).await;
        }
        session.run("ownership.release", move |conn| unlock(conn, partition)).await?;
    }
    while held.len() > fair {
        let Some((partition, (stop, task))) = held.pop_last() else { break };
        stop.cancel();
        finished(partition, task).await;
        session.run("ownership.release", move |conn| unlock(conn, partition)).await?;
        tracing::info!(partition = partition.number(), "handed over");
    }
    for partition in Partition::all() {
        if held.len() >= fair {
            break;
        }
        if held.contains_key(&partition) || !acquire(session, partition).await? {
            continue;
        }
        let stop = CancellationToken::new();
        let task = tokio::spawn(tenure::own(context.clone(), partition, stop.clone()));
        held.insert(partition, (stop, task));
    }
    Ok(())
}

async fn acquire(session: &Session, partition: Partition) -> Result<bool, pg_pool::Error> {
    session.run("ownership.acquire", move |conn| lock(conn, partition)).await
}

async fn finished(partition: Partition, task: JoinHandle<()>) {
    if let Err(error) = task.await {
        tracing::error!(
            partition = partition.number(),
            error = %Causes(&error),
            "a partition's task died"
        );
    }
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Counts the instances, this one included.
fn count_instances(conn: &mut PgConnection) -> QueryResult<usize> {
    // Idempotent by the look into pg_locks: a session may take the same advisory lock many times over.
    sql_query(
        "select pg_try_advisory_lock($1, pg_backend_pid()) where not exists (select 1 from pg_locks \
         where locktype = 'advisory' and classid = $1 and objid = pg_backend_pid()::oid and pid = pg_backend_pid())",
    )
    .bind::<Integer, _>(INSTANCE_CLASS)
    .execute(conn)?;
    let row: CountRow = sql_query(
        "select count(*) as count from pg_locks where locktype = 'advisory' and classid = $1 and granted \
         and database = (select oid from pg_database where datname = current_database())",
    )
    .bind::<Integer, _>(INSTANCE_CLASS)
    .get_result(conn)?;
    Ok(usize::try_from(row.count).unwrap_or(1))
}

#[derive(QueryableByName)]
struct LockedRow {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

fn lock(conn: &mut PgConnection, partition: Partition) -> QueryResult<bool> {
    let row: LockedRow = sql_query("select pg_try_advisory_lock($1, $2) as locked")
        .bind::<Integer, _>(PARTITION_CLASS)
        .bind::<Integer, _>(i32::from(number(partition)))
        .get_result(conn)?;
    Ok(row.locked)
}

fn unlock(conn: &mut PgConnection, partition: Partition) -> QueryResult<()> {
    sql_query("select pg_advisory_unlock($1, $2)")
        .bind::<Integer, _>(PARTITION_CLASS)
        .bind::<Integer, _>(i32::from(number(partition)))
        .execute(conn)?;
    Ok(())
}
