//! Which history of the directory we hold for the present one: versions of two histories say nothing of each other.

use diesel::{PgConnection, QueryResult, prelude::*};
use uuid::Uuid;

use super::schema::directory_history;

/// `None` until we know any.
pub(crate) fn present(connection: &mut PgConnection) -> QueryResult<Option<Uuid>> {
    directory_history::table.select(directory_history::history_id).first(connection).optional()
}

/// From here on, sessions of people that were begun in another history are good no more.
pub(crate) fn adopt(connection: &mut PgConnection, history: Uuid) -> QueryResult<()> {
    diesel::insert_into(directory_history::table)
        .values((directory_history::is_only.eq(true), directory_history::history_id.eq(history)))
        .on_conflict(directory_history::is_only)
        .do_update()
        .set(directory_history::history_id.eq(history))
        .execute(connection)
        .map(drop)
}
