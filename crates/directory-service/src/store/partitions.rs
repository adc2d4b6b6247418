//! Who may apply a partition's requests, and how far it has come.

use bus_contract::partition::Partition;
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{BigInt, SmallInt},
};
use pg_pool::sql::statement;

use super::history::{self, Seen};
use crate::history::{Breach, Requests, breach};

/// A right to apply a partition's requests; a later one ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tenure {
    pub(crate) partition: Partition,
    pub(crate) epoch: i64,
}

pg_pool::static_sql! {
    TakeOver -> (BigInt,) =
        "update partitions set epoch = epoch + 1, revision = revision + 1, stream_created_unix_nanos = $2, \
           applied_sequence = greatest($3, \
             case when stream_created_unix_nanos is distinct from $2 then 0 else applied_sequence end) \
         where partition = $1 returning epoch"
}

/// Begins a new tenure, and a new history of facts where the database and the bus have parted since.
///
/// Sequences of another incarnation of the stream mean nothing, so the watermark starts again when the stream was made
/// anew. What the stream has forgotten cannot come again, so the watermark is never behind that.
pub(crate) fn take_over(
    conn: &mut PgConnection,
    partition: Partition,
    before: &Seen,
    requests: Requests,
) -> QueryResult<(Tenure, Option<Breach>)> {
    let now = history::lock(conn)?;
    let breach = breach(before, requests, &now);
    if breach.is_some() {
        let is_same_stream = now.stream_created_unix_nanos == Some(requests.created_unix_nanos);
        history::begin(conn, Some(if is_same_stream { now.applied_sequence } else { 0 }))?;
    }
    history::know(conn, requests.created_unix_nanos)?;
    let (epoch,) = statement(TakeOver)
        .bind::<SmallInt, _>(number(partition))
        .bind::<BigInt, _>(requests.created_unix_nanos)
        .bind::<BigInt, _>(requests.first_sequence - 1)
        .get_result(conn)?;
    Ok((Tenure { partition, epoch }, breach))
}

/// As the column spells it.
pub(crate) fn number(partition: Partition) -> i16 {
    partition.number().cast_signed()
}
