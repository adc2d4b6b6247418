//! Facts that were committed and not yet announced.

use bus_contract::{Message, directory::FactBatch, partition::Partition};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Binary, Bool, SmallInt},
};

use super::partitions::number;

/// Adds what one commit has to announce.
pub(crate) fn insert(conn: &mut PgConnection, partition: Partition, facts: &FactBatch) -> QueryResult<()> {
    if facts.facts.is_empty() {
        return Ok(());
    }
    sql_query("insert into outbox (partition, facts) values ($1, $2)")
        .bind::<SmallInt, _>(number(partition))
        .bind::<Binary, _>(facts.encode_to_vec())
        .execute(conn)?;
    Ok(())
}

#[derive(QueryableByName)]
pub(crate) struct OutboxRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) outbox_id: i64,
    #[diesel(sql_type = Binary)]
    pub(crate) facts: Vec<u8>,
    /// Whether the partition had no row behind this one.
    #[diesel(sql_type = Bool)]
    pub(crate) is_newest: bool,
}

/// The oldest rows of a partition, in the order of their commits: as many as `max_rows` and `max_bytes` allow, and at
/// least one.
pub(crate) fn oldest(
    conn: &mut PgConnection,
    partition: Partition,
    max_rows: i64,
    max_bytes: i64,
) -> QueryResult<Vec<OutboxRow>> {
    sql_query(
        "select outbox_id, facts, next_id is null as is_newest from ( \
           select outbox_id, facts, lead(outbox_id) over (order by outbox_id) as next_id, \
             sum(octet_length(facts)) over (order by outbox_id) - octet_length(facts) as bytes_before \
           from (select outbox_id, facts from outbox where partition = $1 order by outbox_id limit $2 + 1) as head) as o \
         where bytes_before < $3 order by outbox_id limit $2",
    )
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
    sql_query("set local synchronous_commit = off").execute(conn)?;
    sql_query("delete from outbox where partition = $1 and outbox_id <= $2")
        .bind::<SmallInt, _>(number(partition))
        .bind::<BigInt, _>(outbox_id)
        .execute(conn)?;
    Ok(())
}
