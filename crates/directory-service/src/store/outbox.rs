//! Facts that were committed and not yet announced.

use bus_contract::{Message, directory::FactBatch, partition::Partition};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{BigInt, Binary, SmallInt},
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
}

/// The oldest rows of a partition, in the order of their commits.
pub(crate) fn oldest(
    conn: &mut PgConnection,
    partition: Partition,
    limit: i64,
) -> QueryResult<Vec<OutboxRow>> {
    sql_query("select outbox_id, facts from outbox where partition = $1 order by outbox_id limit $2")
        .bind::<SmallInt, _>(number(partition))
        .bind::<BigInt, _>(limit)
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
