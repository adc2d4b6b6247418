//! Signing keys.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};

use super::schema::signing_keys;

/// A row of `signing_keys`, as far as signing needs it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_keys, check_for_backend(diesel::pg::Pg))]
pub(crate) struct KeyRow {
    pub(crate) kid: String,
    pub(crate) sealed_private_key: Vec<u8>,
}

/// A key to be.
#[derive(Insertable, Clone)]
#[diesel(table_name = signing_keys)]
pub(crate) struct NewKey {
    pub(crate) kid: String,
    pub(crate) public_key: Vec<u8>,
    pub(crate) sealed_private_key: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
}

pg_pool::static_sql! {
    /// Two instances that both find no key take turns, so that the second finds the first one's.
    LockKeys = "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE"
}

/// The key that signs new tokens.
pub(crate) fn current(connection: &mut PgConnection) -> QueryResult<Option<KeyRow>> {
    signing_keys::table
        .filter(signing_keys::retired_at.is_null())
        .order((signing_keys::created_at.desc(), signing_keys::kid))
        .select(KeyRow::as_select())
        .first(connection)
        .optional()
}

/// The key of this id, retired or not.
pub(crate) fn by_id(connection: &mut PgConnection, kid: &str) -> QueryResult<KeyRow> {
    signing_keys::table.find(kid).select(KeyRow::as_select()).first(connection)
}

/// Stores the key unless there is one to sign with already.
pub(crate) fn insert_first(connection: &mut PgConnection, key: &NewKey) -> QueryResult<bool> {
    pg_pool::sql::statement(LockKeys).execute(connection)?;
    if current(connection)?.is_some() {
        return Ok(false);
    }
    diesel::insert_into(signing_keys::table).values(key).execute(connection)?;
    Ok(true)
}

/// Every key's id and public half; tokens of retired keys still verify.
pub(crate) fn public(connection: &mut PgConnection) -> QueryResult<Vec<(String, Vec<u8>)>> {
    signing_keys::table
        .order(signing_keys::kid)
        .select((signing_keys::kid, signing_keys::public_key))
        .load(connection)
}
