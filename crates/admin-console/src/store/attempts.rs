//! Attempts to sign in, counted where all instances see them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    OptionalExtension as _, PgConnection, QueryResult, RunQueryDsl as _,
    sql_types::{Bytea, Integer, Interval, Timestamptz},
};

pg_pool::static_sql! {
    /// Counts an attempt, unless the key must wait. $1 key, $2 now, $3 free attempts, $4 first delay, $5 longest delay,
    /// $6 forgotten before. Whoever comes at the same time waits for the row, and then finds its new `retry_at`.
    Take -> (Integer,) = "
        INSERT INTO attempts AS a (attempt_key, failures, attempted_at, retry_at)
        VALUES ($1, 1, $2, $2)
        ON CONFLICT (attempt_key) DO UPDATE SET
          failures = CASE WHEN a.attempted_at < $6 THEN 1 ELSE a.failures + 1 END,
          attempted_at = $2,
          retry_at = CASE
            WHEN a.attempted_at < $6 OR a.failures + 1 < $3 THEN $2
            ELSE $2 + least($4 * power(2, least(a.failures + 1 - $3, 20)), $5) END
        WHERE a.retry_at <= $2
        RETURNING failures";
    RetryAt -> (Timestamptz,) = "SELECT retry_at FROM attempts WHERE attempt_key = $1";
    /// $1 key, $2 now.
    GiveBack = "UPDATE attempts SET failures = greatest(failures - 1, 0), retry_at = $2 WHERE attempt_key = $1";
    Forget = "DELETE FROM attempts WHERE attempt_key = $1";
    ForgetOld = "DELETE FROM attempts WHERE attempt_key IN (
        SELECT attempt_key FROM attempts WHERE attempted_at < $1 LIMIT 100 FOR UPDATE SKIP LOCKED)"
}

/// How attempts slow down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slowing {
    /// So many attempts cost no wait.
    pub(crate) free: i32,
    /// What follows the last of them; it doubles with each.
    pub(crate) first_delay: TimeDelta,
    pub(crate) longest_delay: TimeDelta,
    /// Without an attempt for this long, counting begins anew.
    pub(crate) forgotten_after: TimeDelta,
}

/// Counts an attempt as failed before its outcome is known, so that many at once do not all go first. `Err` says until
/// when the key must wait.
pub(crate) fn take(
    connection: &mut PgConnection,
    key: &[u8],
    now: DateTime<Utc>,
    slowing: Slowing,
) -> QueryResult<Result<(), DateTime<Utc>>> {
    let taken: Option<(i32,)> = pg_pool::sql::statement(Take)
        .bind::<Bytea, _>(key)
        .bind::<Timestamptz, _>(now)
        .bind::<Integer, _>(slowing.free)
        .bind::<Interval, _>(slowing.first_delay)
        .bind::<Interval, _>(slowing.longest_delay)
        .bind::<Timestamptz, _>(now - slowing.forgotten_after)
        .get_result(connection)
        .optional()?;
    if taken.is_some() {
        return Ok(Ok(()));
    }
    let (retry_at,) = pg_pool::sql::statement(RetryAt).bind::<Bytea, _>(key).get_result(connection)?;
    Ok(Err(retry_at))
}

/// An attempt that turned out well counts no more.
pub(crate) fn give_back(connection: &mut PgConnection, key: &[u8], now: DateTime<Utc>) -> QueryResult<()> {
    pg_pool::sql::statement(GiveBack)
        .bind::<Bytea, _>(key)
        .bind::<Timestamptz, _>(now)
        .execute(connection)
        .map(drop)
}

/// Counting begins anew.
pub(crate) fn forget(connection: &mut PgConnection, key: &[u8]) -> QueryResult<()> {
    pg_pool::sql::statement(Forget).bind::<Bytea, _>(key).execute(connection).map(drop)
}

/// Clears away some of what no longer counts.
pub(crate) fn forget_old(connection: &mut PgConnection, before: DateTime<Utc>) -> QueryResult<()> {
    pg_pool::sql::statement(ForgetOld).bind::<Timestamptz, _>(before).execute(connection).map(drop)
}
