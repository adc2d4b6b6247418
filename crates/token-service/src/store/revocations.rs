//! Tokens that end before they expire.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::TokenId;
use uuid::Uuid;

use super::schema::revocations;

pg_pool::static_sql! {
    /// An end can come sooner, never later.
    End = "INSERT INTO revocations (token_id, ends_at, expires_at)
           SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
           ON CONFLICT ON CONSTRAINT revocations_pkey
           DO UPDATE SET ends_at = least(revocations.ends_at, excluded.ends_at)"
}

/// Lets each token end at `ends_at`, or earlier if that was said before.
pub(crate) fn end(
    connection: &mut PgConnection,
    tokens: &[(TokenId, DateTime<Utc>)],
    ends_at: DateTime<Utc>,
) -> QueryResult<()> {
    use diesel::sql_types::{Array, Timestamptz, Uuid as UuidType};
    let ids: Vec<Uuid> = tokens.iter().map(|(id, _)| id.as_uuid()).collect();
    let ends = vec![ends_at; tokens.len()];
    let expiries: Vec<DateTime<Utc>> = tokens.iter().map(|(_, expires_at)| *expires_at).collect();
    pg_pool::sql::statement(End)
        .bind::<Array<UuidType>, _>(ids)
        .bind::<Array<Timestamptz>, _>(ends)
        .bind::<Array<Timestamptz>, _>(expiries)
        .execute(connection)
        .map(drop)
}

/// The ends of tokens that expire after `time`.
pub(crate) fn of_tokens_expiring_after(
    connection: &mut PgConnection,
    time: DateTime<Utc>,
) -> QueryResult<Vec<(Uuid, DateTime<Utc>)>> {
    revocations::table
        .filter(revocations::expires_at.gt(time))
        .select((revocations::token_id, revocations::ends_at))
        .load(connection)
}

/// Forgets the ends of tokens that expired by `time`: they are refused without them.
pub(crate) fn forget_expired(connection: &mut PgConnection, time: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(revocations::table.filter(revocations::expires_at.le(time))).execute(connection)
}
