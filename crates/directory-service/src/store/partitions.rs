//! Who may apply a partition's requests, and how far it has come.

use bus_contract::partition::Partition;
use diesel::{
    OptionalExtension, PgConnection, QueryResult, RunQueryDsl,
    sql_types::{BigInt, SmallInt, Text},
};
use pg_pool::sql::statement;
use typed_ids::CompanyId;

use super::companies_setting;

/// A right to apply a partition's requests; a later one ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tenure {
    pub(crate) partition: Partition,
    pub(crate) epoch: i64,
}

pg_pool::static_sql! {
    TakeOver -> (BigInt,) =
        "update partitions set epoch = epoch + 1, stream_created_unix_nanos = $2, applied_sequence = \
           case when stream_created_unix_nanos is distinct from $2 then 0 else applied_sequence end \
         where partition = $1 returning epoch";
    BeginBatch -> (BigInt,) =
        "with before as (\
           select applied_sequence from partitions where partition = $1 and epoch = $2 for update) \
         update partitions p set applied_sequence = greatest(before.applied_sequence, $3) from before \
         where p.partition = $1 \
           and set_config('timeclock.companies', $4, true) is not null \
         returning before.applied_sequence"
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

/// The first statement of a batch, which does three things in one round trip: it waits for and then excludes any other
/// writer of the partition, moves the watermark to the end of the batch, and opens the batch's companies.
///
/// Returns the watermark as it was, or `None` when the tenure has ended.
pub(crate) fn begin_batch(
    conn: &mut PgConnection,
    tenure: Tenure,
    last_sequence: i64,
    companies: &[CompanyId],
) -> QueryResult<Option<i64>> {
    let before: Option<(i64,)> = statement(BeginBatch)
        .bind::<SmallInt, _>(number(tenure.partition))
        .bind::<BigInt, _>(tenure.epoch)
        .bind::<BigInt, _>(last_sequence)
        .bind::<Text, _>(companies_setting(companies))
        .get_result(conn)
        .optional()?;
    Ok(before.map(|(applied_sequence,)| applied_sequence))
}

/// As the column spells it.
pub(crate) fn number(partition: Partition) -> i16 {
    partition.number().cast_signed()
}
