//! Requests that can never be applied, kept for an operator.

use bus_contract::partition::Partition;
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl, sql_query,
    sql_types::{BigInt, Binary, SmallInt, Text, Timestamptz},
};

use super::partitions::number;

pub(crate) struct DeadLetter<'a> {
    pub(crate) partition: Partition,
    pub(crate) stream_sequence: i64,
    pub(crate) subject: &'a str,
    pub(crate) reason: String,
    pub(crate) payload: &'a [u8],
}

/// Keeps one, in the transaction that moves the watermark past it.
pub(crate) fn insert(
    conn: &mut PgConnection,
    letter: &DeadLetter<'_>,
    received_at: DateTime<Utc>,
) -> QueryResult<()> {
    sql_query(
        "insert into dead_letters (partition, stream_sequence, subject, reason, received_at, payload) \
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind::<SmallInt, _>(number(letter.partition))
    .bind::<BigInt, _>(letter.stream_sequence)
    .bind::<Text, _>(letter.subject)
    .bind::<Text, _>(&letter.reason)
    .bind::<Timestamptz, _>(received_at)
    .bind::<Binary, _>(letter.payload)
    .execute(conn)?;
    Ok(())
}
