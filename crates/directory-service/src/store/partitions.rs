//! Who may apply a partition's requests, and how far it has come.

use bus_contract::partition::Partition;
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{BigInt, SmallInt},
};
use pg_pool::sql::statement;

/// A right to apply a partition's requests; a later one ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tenure {
    pub(crate) partition: Partition,
    pub(crate) epoch: i64,
}

pg_pool::static_sql! {
    TakeOver -> (BigInt,) =
        "update partitions set epoch = epoch + 1, revision = revision + 1, stream_created_unix_nanos = $2, \
           applied_sequence = case when stream_created_unix_nanos is distinct from $2 then 0 else applied_sequence end \
         where partition = $1 returning epoch"
}

/// Begins a new tenure. Sequences of another incarnation of the stream mean nothing, so the watermark starts again
/// when the stream was made anew.
pub(crate) fn take_over(
    conn: &mut PgConnection,
    partition: Partition,
    stream_created_unix_nanos: i64,
) -> QueryResult<Tenure> {
    let (epoch,) = statement(TakeOver)
        .bind::<SmallInt, _>(number(partition))
        .bind::<BigInt, _>(stream_created_unix_nanos)
        .get_result(conn)?;
    Ok(Tenure { partition, epoch })
}

/// As the column spells it.
pub(crate) fn number(partition: Partition) -> i16 {
    partition.number().cast_signed()
}
