//! Credentials that end before they expire: tokens, and clients with every access token that they got.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use uuid::Uuid;

use super::schema::revocations;

pg_pool::static_sql! {
    /// An end can come sooner, never later.
    End = "INSERT INTO revocations (token_id, ends_at, expires_at)
           SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[])
           ON CONFLICT ON CONSTRAINT revocations_pkey
           DO UPDATE SET ends_at = least(revocations.ends_at, excluded.ends_at)"
}

/// Lets each credential end at `ends_at`, or earlier if that was said before.
pub(crate) fn end(
    connection: &mut PgConnection,
    credentials: &[(Uuid, DateTime<Utc>)],
    ends_at: DateTime<Utc>,
) -> QueryResult<()> {
    use diesel::sql_types::{Array, Timestamptz, Uuid as UuidType};
    let ids: Vec<Uuid> = credentials.iter().map(|(id, _)| *id).collect();
    let ends = vec![ends_at; credentials.len()];
    let expiries: Vec<DateTime<Utc>> = credentials.iter().map(|(_, expires_at)| *expires_at).collect();
    pg_pool::sql::statement(End)
        .bind::<Array<UuidType>, _>(ids)
        .bind::<Array<Timestamptz>, _>(ends)
        .bind::<Array<Timestamptz>, _>(expiries)
        .execute(connection)
        .map(drop)
}

/// When this credential ends, whoever's it is; `None` where nobody gave it an end.
pub(crate) fn end_of(connection: &mut PgConnection, credential: Uuid) -> QueryResult<Option<DateTime<Utc>>> {
    revocations::table.find(credential).select(revocations::ends_at).first(connection).optional()
}

/// The ends of what expires after `time`.
pub(crate) fn of_what_expires_after(
    connection: &mut PgConnection,
    time: DateTime<Utc>,
) -> QueryResult<Vec<(Uuid, DateTime<Utc>)>> {
    revocations::table
        .filter(revocations::expires_at.gt(time))
        .select((revocations::token_id, revocations::ends_at))
        .load(connection)
}

/// Forgets the ends of what expired by `time`: it is refused without them.
pub(crate) fn forget_expired(connection: &mut PgConnection, time: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(revocations::table.filter(revocations::expires_at.le(time))).execute(connection)
}
