//! Which history the facts belong to, and what it was begun upon.

use diesel::{
    PgConnection, QueryResult, Queryable, RunQueryDsl,
    sql_types::{BigInt, Nullable, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use uuid::Uuid;

pg_pool::static_sql! {
    // Watermarks of another incarnation of the stream count nothing.
    Look -> (SqlUuid, Nullable<BigInt>, BigInt, BigInt) =
        "select h.history_id, h.stream_created_unix_nanos, h.lost_sequence, \
           (select coalesce(max(applied_sequence), 0) from partitions p \
            where p.stream_created_unix_nanos = h.stream_created_unix_nanos) \
         from history h";
    Lock -> (SqlUuid,) = "select history_id from history for update";
    Present -> (SqlUuid,) = "select history_id from history";
    Know = "update history set stream_created_unix_nanos = $1 where stream_created_unix_nanos is distinct from $1";
    Begin -> (SqlUuid,) =
        "update history set history_id = gen_random_uuid(), began_at = now(), \
           lost_sequence = coalesce($1, lost_sequence) returning history_id"
}

/// What the database knows of itself and of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Queryable)]
pub(crate) struct Seen {
    pub(crate) history_id: Uuid,
    /// Which incarnation of the stream of requests it knows.
    pub(crate) stream_created_unix_nanos: Option<i64>,
    pub(crate) lost_sequence: i64,
    /// The latest request of that incarnation that is applied.
    pub(crate) applied_sequence: i64,
}

/// Looks, without holding anybody up.
pub(crate) fn look(conn: &mut PgConnection) -> QueryResult<Seen> {
    statement(Look).get_result(conn)
}

/// Looks, and keeps others from beginning a history until the transaction ends.
pub(crate) fn lock(conn: &mut PgConnection) -> QueryResult<Seen> {
    // Two statements: one that waits for a lock still sees the other rows as they were before.
    let (_history,): (Uuid,) = statement(Lock).get_result(conn)?;
    look(conn)
}

/// The present history.
pub(crate) fn present(conn: &mut PgConnection) -> QueryResult<Uuid> {
    let (history,) = statement(Present).get_result(conn)?;
    Ok(history)
}

/// Remembers which incarnation of the stream of requests there is.
pub(crate) fn know(conn: &mut PgConnection, stream_created_unix_nanos: i64) -> QueryResult<()> {
    statement(Know).bind::<BigInt, _>(stream_created_unix_nanos).execute(conn).map(drop)
}

/// Begins a new history. Watermarks up to `lost_sequence`, where it is given, say nothing of the stream any more.
pub(crate) fn begin(conn: &mut PgConnection, lost_sequence: Option<i64>) -> QueryResult<Uuid> {
    let (history,) = statement(Begin).bind::<Nullable<BigInt>, _>(lost_sequence).get_result(conn)?;
    Ok(history)
}
