//! Browsers in which administrators are signed in. Every function but [`find`] expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::sessions;

/// A row of `sessions`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = sessions, check_for_backend(diesel::pg::Pg))]
pub(crate) struct SessionRow {
    pub(crate) company_id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) administrator_id: Uuid,
    pub(crate) session_key: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_seen_at: DateTime<Utc>,
    pub(crate) password_given_at: DateTime<Utc>,
    pub(crate) address: String,
    pub(crate) browser: String,
}

/// When a session must have begun, and must have been seen last, to be still good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cutoff {
    pub(crate) created_after: DateTime<Utc>,
    pub(crate) seen_after: DateTime<Utc>,
    /// The identity provider's session must end later than this.
    pub(crate) ends_after: DateTime<Utc>,
}

/// The session that a cookie is the key of, whosever it is, when it is still good.
pub(crate) fn find(
    connection: &mut PgConnection,
    session_key: &str,
    cutoff: Cutoff,
) -> QueryResult<Option<SessionRow>> {
    super::present(connection, session_key)?;
    sessions::table
        .filter(sessions::session_key.eq(session_key))
        .filter(sessions::created_at.gt(cutoff.created_after))
        .filter(sessions::last_seen_at.gt(cutoff.seen_after))
        .select(SessionRow::as_select())
        .first(connection)
        .optional()
}

pub(crate) fn insert(connection: &mut PgConnection, row: &SessionRow) -> QueryResult<()> {
    diesel::insert_into(sessions::table).values(row).execute(connection).map(drop)
}

/// Those of one administrator, the one that was seen last first.
pub(crate) fn of_administrator(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    cutoff: Cutoff,
) -> QueryResult<Vec<SessionRow>> {
    sessions::table
        .filter(sessions::company_id.eq(company.as_uuid()))
        .filter(sessions::administrator_id.eq(administrator))
        .filter(sessions::created_at.gt(cutoff.created_after))
        .filter(sessions::last_seen_at.gt(cutoff.seen_after))
        .order((sessions::last_seen_at.desc(), sessions::session_id.desc()))
        .select(SessionRow::as_select())
        .load(connection)
}

pub(crate) fn seen(
    connection: &mut PgConnection,
    company: CompanyId,
    session: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(sessions::table.find((company.as_uuid(), session)))
        .set(sessions::last_seen_at.eq(now))
        .execute(connection)
        .map(drop)
}

pub(crate) fn password_given(
    connection: &mut PgConnection,
    company: CompanyId,
    session: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(sessions::table.find((company.as_uuid(), session)))
        .set(sessions::password_given_at.eq(now))
        .execute(connection)
        .map(drop)
}

/// Ends one session of an administrator; whether there was one.
pub(crate) fn end(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    session: Uuid,
) -> QueryResult<bool> {
    let ended = diesel::delete(
        sessions::table
            .find((company.as_uuid(), session))
            .filter(sessions::administrator_id.eq(administrator)),
    )
    .execute(connection)?;
    Ok(ended > 0)
}

/// Ends every session of an administrator, but `kept` if there is one; how many.
pub(crate) fn end_all(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    kept: Option<Uuid>,
) -> QueryResult<usize> {
    diesel::delete(
        sessions::table
            .filter(sessions::company_id.eq(company.as_uuid()))
            .filter(sessions::administrator_id.eq(administrator))
            .filter(sessions::session_id.ne(kept.unwrap_or(Uuid::nil()))),
    )
    .execute(connection)
}

/// Forgets what is no longer good, of all administrators of a company.
pub(crate) fn forget_expired(
    connection: &mut PgConnection,
    company: CompanyId,
    cutoff: Cutoff,
) -> QueryResult<()> {
    diesel::delete(sessions::table.filter(sessions::company_id.eq(company.as_uuid())).filter(
        sessions::created_at.le(cutoff.created_after).or(sessions::last_seen_at.le(cutoff.seen_after)),
    ))
    .execute(connection)
    .map(drop)
}

/// Whose the sessions of a company are, once for each.
pub(crate) fn owners(
    connection: &mut PgConnection,
    company: CompanyId,
    cutoff: Cutoff,
) -> QueryResult<Vec<Uuid>> {
    sessions::table
        .filter(sessions::company_id.eq(company.as_uuid()))
        .filter(sessions::created_at.gt(cutoff.created_after))
        .filter(sessions::last_seen_at.gt(cutoff.seen_after))
        .select(sessions::administrator_id)
        .load(connection)
}
