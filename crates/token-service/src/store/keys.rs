//! Signing keys.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};

use super::schema::signing_keys;

/// How old a key is when it begins to sign, unless it is the only one. The publisher compares every 15 s and retries every
/// second; a token of a key that a gateway does not know yet would be answered 401, at which Entra quarantines a job.
const LEAD: TimeDelta = TimeDelta::seconds(60);

/// A row of `signing_keys`, as far as signing needs it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_keys, check_for_backend(diesel::pg::Pg))]
pub(crate) struct KeyRow {
    pub(crate) kid: String,
    pub(crate) sealed_private_key: Vec<u8>,
    pub(crate) created_at: DateTime<Utc>,
    /// From when on nothing of it is accepted.
    pub(crate) retired_at: Option<DateTime<Utc>>,
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
    /// Whoever changes the keys takes turns with others who do, and reads what they left.
    LockKeys = "LOCK TABLE signing_keys IN SHARE ROW EXCLUSIVE MODE"
}

/// Lets one transaction at a time change the keys; to be called before anything is read.
pub(crate) fn take_turns(connection: &mut PgConnection) -> QueryResult<()> {
    pg_pool::sql::statement(LockKeys).execute(connection).map(drop)
}

/// The key that signs at `now`: the newest that every gateway knows by now, or else the oldest there is.
pub(crate) fn signing(connection: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<Option<KeyRow>> {
    let usable = signing_keys::table.filter(signing_keys::retired_at.is_null()).select(KeyRow::as_select());
    let known = usable
        .filter(signing_keys::created_at.le(now - LEAD))
        .order((signing_keys::created_at.desc(), signing_keys::kid.desc()))
        .first(connection)
        .optional()?;
    match known {
        Some(known) => Ok(Some(known)),
        None => usable.order((signing_keys::created_at, signing_keys::kid)).first(connection).optional(),
    }
}

/// The key of this id, retired or not.
pub(crate) fn by_id(connection: &mut PgConnection, kid: &str) -> QueryResult<KeyRow> {
    signing_keys::table.find(kid).select(KeyRow::as_select()).first(connection)
}

/// Every key, the newest first.
pub(crate) fn all(connection: &mut PgConnection) -> QueryResult<Vec<KeyRow>> {
    signing_keys::table
        .order((signing_keys::created_at.desc(), signing_keys::kid.desc()))
        .select(KeyRow::as_select())
        .load(connection)
}

pub(crate) fn insert(connection: &mut PgConnection, key: &NewKey) -> QueryResult<()> {
    diesel::insert_into(signing_keys::table).values(key).execute(connection).map(drop)
}

/// Stores the key unless there is one to sign with already.
pub(crate) fn insert_first(connection: &mut PgConnection, key: &NewKey) -> QueryResult<bool> {
    take_turns(connection)?;
    if signing(connection, key.created_at)?.is_some() {
        return Ok(false);
    }
    insert(connection, key)?;
    Ok(true)
}

/// Ends the key.
pub(crate) fn retire(connection: &mut PgConnection, kid: &str, now: DateTime<Utc>) -> QueryResult<()> {
    diesel::update(signing_keys::table.find(kid))
        .set(signing_keys::retired_at.eq(now))
        .execute(connection)
        .map(drop)
}

/// Stores the private half, sealed anew.
pub(crate) fn reseal(connection: &mut PgConnection, kid: &str, sealed: &[u8]) -> QueryResult<()> {
    diesel::update(signing_keys::table.find(kid))
        .set(signing_keys::sealed_private_key.eq(sealed))
        .execute(connection)
        .map(drop)
}

/// The ids and public halves of the keys whose signatures count: all but the retired ones.
pub(crate) fn public(connection: &mut PgConnection) -> QueryResult<Vec<(String, Vec<u8>)>> {
    signing_keys::table
        .filter(signing_keys::retired_at.is_null())
        .order(signing_keys::kid)
        .select((signing_keys::kid, signing_keys::public_key))
        .load(connection)
}
