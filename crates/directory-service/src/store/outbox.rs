//! Facts that were committed and not yet announced.

use bus_contract::partition::Partition;
use diesel::{
    PgConnection, QueryResult, Queryable, RunQueryDsl,
    sql_types::{BigInt, Binary, Bool, Double, SmallInt, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use uuid::Uuid;

use super::partitions::number;

pg_pool::static_sql! {
    Oldest -> (BigInt, Binary, Bool, SqlUuid) =
        "select outbox_id, facts, next_id is null as is_newest, (select history_id from history) from ( \
           select outbox_id, facts, lead(outbox_id) over (order by outbox_id) as next_id, \
             sum(octet_length(facts)) over (order by outbox_id) - octet_length(facts) as bytes_before \
           from (select outbox_id, facts from outbox where partition = $1 order by outbox_id limit $2 + 1) as head) as o \
         where bytes_before < $3 order by outbox_id limit $2";
    // Each partition's oldest is the first of its index.
    CountWaiting -> (BigInt, Double) =
        "select (select count(*) from (select from outbox limit $1) o), \
           coalesce((select extract(epoch from clock_timestamp() - min(o.committed_at))::float8 \
             from partitions p cross join lateral ( \
               select o.committed_at from outbox o where o.partition = p.partition order by o.outbox_id limit 1) o), 0)";
    DeleteThrough =
        "with unhurried as (select set_config('synchronous_commit', 'off', true)) \
         delete from outbox using unhurried where partition = $1 and outbox_id <= $2"
}

#[derive(Queryable)]
pub(crate) struct OutboxRow {
    pub(crate) outbox_id: i64,
    pub(crate) facts: Vec<u8>,
    /// Whether the partition had no row behind this one.
    pub(crate) is_newest: bool,
    /// The history to which all rows belong now, whenever they were written.
    pub(crate) history: Uuid,
}

/// The most rows that are counted: beyond, how many there are tells nothing more.
const MOST_COUNTED: i64 = 100_000;

/// What waits to be announced, of all partitions.
#[derive(Queryable)]
pub(crate) struct Waiting {
    pub(crate) rows: i64,
    /// Of the oldest; 0 when there is none.
    pub(crate) age_seconds: f64,
}

/// What waits to be announced, of all partitions.
pub(crate) fn waiting(conn: &mut PgConnection) -> QueryResult<Waiting> {
    statement(CountWaiting).bind::<BigInt, _>(MOST_COUNTED).get_result(conn)
}

/// The oldest rows of a partition, in the order of their commits: as many as `max_rows` and `max_bytes` allow, and at
/// least one.
pub(crate) fn oldest(
    conn: &mut PgConnection,
    partition: Partition,
    max_rows: i64,
    max_bytes: i64,
) -> QueryResult<Vec<OutboxRow>> {
    statement(Oldest)
        .bind::<SmallInt, _>(number(partition))
        .bind::<BigInt, _>(max_rows)
        .bind::<BigInt, _>(max_bytes)
        .load(conn)
}

/// Forgets what the stream has acknowledged. Losing this to a crash only announces the same facts again, under the
/// same message ids, so it does not wait for the disk.
pub(crate) fn delete_through(
    conn: &mut PgConnection,
    partition: Partition,
    outbox_id: i64,
) -> QueryResult<()> {
    statement(DeleteThrough)
        .bind::<SmallInt, _>(number(partition))
        .bind::<BigInt, _>(outbox_id)
        .execute(conn)?;
    Ok(())
}
