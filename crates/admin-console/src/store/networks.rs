//! From which networks accounts were signed in to, where all instances see them.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension as _, PgConnection, QueryResult, RunQueryDsl as _,
    sql_types::{Bytea, Integer, Timestamptz},
};

pg_pool::static_sql! {
    Find -> (Integer,) = "SELECT 1 FROM known_networks WHERE network_key = $1 AND signed_in_at > $2";
    Remember = "INSERT INTO known_networks (network_key, signed_in_at) VALUES ($1, $2)
        ON CONFLICT (network_key) DO UPDATE SET signed_in_at = excluded.signed_in_at";
    ForgetOld = "DELETE FROM known_networks WHERE network_key IN (
        SELECT network_key FROM known_networks WHERE signed_in_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)"
}

/// Whether somebody has signed in from there since then.
pub(crate) fn is_known(connection: &mut PgConnection, key: &[u8], since: DateTime<Utc>) -> QueryResult<bool> {
    let found: Option<(i32,)> = pg_pool::sql::statement(Find)
        .bind::<Bytea, _>(key)
        .bind::<Timestamptz, _>(since)
        .get_result(connection)
        .optional()?;
    Ok(found.is_some())
}

/// Somebody signs in from there now.
pub(crate) fn remember(connection: &mut PgConnection, key: &[u8], now: DateTime<Utc>) -> QueryResult<()> {
    pg_pool::sql::statement(Remember)
        .bind::<Bytea, _>(key)
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .map(drop)
}

/// Clears away some of what is too long ago.
pub(crate) fn forget_old(connection: &mut PgConnection, before: DateTime<Utc>) -> QueryResult<()> {
    pg_pool::sql::statement(ForgetOld).bind::<Timestamptz, _>(before).execute(connection).map(drop)
}
