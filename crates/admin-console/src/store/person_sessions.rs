//! Browsers in which provisioned people are signed in, and below which version of a person there may be none. Every
//! function but [`find`] expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult,
    prelude::*,
    sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid},
};
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use super::{
    directory_history,
    schema::{directory_history as present_history, person_sessions, session_floors},
    sessions::Cutoff,
};

pg_pool::static_sql! {
    /// A row lock would not do: the first sign-in and the first end find no row to lock.
    TakeTurns = "SELECT pg_advisory_xact_lock(hashtextextended('person ' || $1, 0))";
    /// $1 company, $2 user, $3 version, $4 history. Ends come in any order, and again; a floor of a former history is none.
    RaiseFloor = "
        INSERT INTO session_floors AS f (company_id, user_id, version, history_id) VALUES ($1, $2, $3, $4)
        ON CONFLICT (company_id, user_id) DO UPDATE SET
          version = CASE WHEN f.history_id IS NOT DISTINCT FROM excluded.history_id
            THEN greatest(f.version, excluded.version) ELSE excluded.version END,
          history_id = excluded.history_id"
}

/// A row of `person_sessions`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = person_sessions, check_for_backend(diesel::pg::Pg))]
pub(crate) struct PersonSessionRow {
    pub(crate) company_id: Uuid,
    pub(crate) session_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) user_version: i64,
    pub(crate) user_name: String,
    pub(crate) display_name: String,
    pub(crate) role: String,
    pub(crate) way: String,
    pub(crate) subject: String,
    pub(crate) subject_format: String,
    pub(crate) session_index: String,
    pub(crate) session_key: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_seen_at: DateTime<Utc>,
    pub(crate) confirmed_at: Option<DateTime<Utc>>,
    pub(crate) address: String,
    pub(crate) browser: String,
    /// When the identity provider's session ends; `None` when it does not say.
    pub(crate) ends_at: Option<DateTime<Utc>>,
}

/// Lets one transaction at a time begin or end sessions of a person; to be called before anything is read.
pub(crate) fn take_turns(connection: &mut PgConnection, company: CompanyId, user: UserId) -> QueryResult<()> {
    let key = format!("{company} {user}");
    pg_pool::sql::statement(TakeTurns).bind::<Text, _>(key).execute(connection).map(drop)
}

/// The session that a cookie is the key of, whosever it is, when it is still good: one that began in another history of the
/// directory is not, because nothing that is announced would end it.
pub(crate) fn find(
    connection: &mut PgConnection,
    session_key: &str,
    cutoff: Cutoff,
) -> QueryResult<Option<PersonSessionRow>> {
    super::present(connection, session_key)?;
    person_sessions::table
        .filter(person_sessions::session_key.eq(session_key))
        .filter(person_sessions::created_at.gt(cutoff.created_after))
        .filter(person_sessions::last_seen_at.gt(cutoff.seen_after))
        .filter(person_sessions::ends_at.is_null().or(person_sessions::ends_at.gt(cutoff.ends_after)))
        .filter(
            person_sessions::history_id.is_not_distinct_from(
                present_history::table.select(present_history::history_id).single_value(),
            ),
        )
        .select(PersonSessionRow::as_select())
        .first(connection)
        .optional()
}

/// Begins a session, unless the person's access ended with a later version than the one they were looked up with; whether
/// it has begun. Expects [`take_turns`] before it.
pub(crate) fn insert(connection: &mut PgConnection, row: &PersonSessionRow) -> QueryResult<bool> {
    // A directory is restored in longer than a sign-in waits for its answer, so the version is of the present history.
    let history = directory_history::present(connection)?;
    let floor: Option<i64> = session_floors::table
        .find((row.company_id, row.user_id))
        .filter(session_floors::history_id.is_not_distinct_from(history))
        .select(session_floors::version)
        .first(connection)
        .optional()?;
    if floor.is_some_and(|floor| row.user_version < floor) {
        return Ok(false);
    }
    diesel::insert_into(person_sessions::table)
        .values((row, person_sessions::history_id.eq(history)))
        .execute(connection)?;
    Ok(true)
}

/// Access ended, or what it rested on changed, with this version of a person, which this history counts: every session that
/// began with an earlier one, or in another history, ends, and none begins any more. Which ended; doing it again does nothing.
/// `None` when it is known to be a former history, which says nothing of who has access now: sessions of its own are good no
/// more, and signing in asks the directory that is there now.
pub(crate) fn end_below(
    connection: &mut PgConnection,
    (company, user): (CompanyId, UserId),
    version: i64,
    history: Option<Uuid>,
) -> QueryResult<Option<Vec<Uuid>>> {
    take_turns(connection, company, user)?;
    let present = directory_history::present(connection)?;
    if present == history {
        raise_floor(connection, (company, user), version, history)?;
    } else if present.is_some() && history.is_some() {
        return Ok(None);
    }
    let is_earlier =
        person_sessions::user_version.lt(version).or(person_sessions::history_id.is_distinct_from(history));
    diesel::delete(
        person_sessions::table
            .filter(person_sessions::company_id.eq(company.as_uuid()))
            .filter(person_sessions::user_id.eq(user.as_uuid()))
            .filter(is_earlier),
    )
    .returning(person_sessions::session_id)
    .get_results(connection)
    .map(Some)
}

fn raise_floor(
    connection: &mut PgConnection,
    (company, user): (CompanyId, UserId),
    version: i64,
    history: Option<Uuid>,
) -> QueryResult<()> {
    pg_pool::sql::statement(RaiseFloor)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(user.as_uuid())
        .bind::<BigInt, _>(version)
        .bind::<Nullable<SqlUuid>, _>(history)
        .execute(connection)
        .map(drop)
}

/// Those of one person, the one that was seen last first.
pub(crate) fn of_person(
    connection: &mut PgConnection,
    company: CompanyId,
    user: UserId,
    cutoff: Cutoff,
) -> QueryResult<Vec<PersonSessionRow>> {
    person_sessions::table
        .filter(person_sessions::company_id.eq(company.as_uuid()))
        .filter(person_sessions::user_id.eq(user.as_uuid()))
        .filter(person_sessions::created_at.gt(cutoff.created_after))
        .filter(person_sessions::last_seen_at.gt(cutoff.seen_after))
        .filter(person_sessions::ends_at.is_null().or(person_sessions::ends_at.gt(cutoff.ends_after)))
        .order((person_sessions::last_seen_at.desc(), person_sessions::session_id.desc()))
        .select(PersonSessionRow::as_select())
        .load(connection)
}

pub(crate) fn seen(
    connection: &mut PgConnection,
    company: CompanyId,
    session: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(person_sessions::table.find((company.as_uuid(), session)))
        .set(person_sessions::last_seen_at.eq(now))
        .execute(connection)
        .map(drop)
}

/// Ends one session of a person; what it was, if there was one.
pub(crate) fn end(
    connection: &mut PgConnection,
    company: CompanyId,
    user: UserId,
    session: Uuid,
) -> QueryResult<Option<PersonSessionRow>> {
    diesel::delete(
        person_sessions::table
            .find((company.as_uuid(), session))
            .filter(person_sessions::user_id.eq(user.as_uuid())),
    )
    .returning(PersonSessionRow::as_returning())
    .get_result(connection)
    .optional()
}

/// What somebody was called when they last signed in; empty when they have no session.
pub(crate) fn name_of(
    connection: &mut PgConnection,
    company: CompanyId,
    user: UserId,
) -> QueryResult<String> {
    let name: Option<String> = person_sessions::table
        .filter(person_sessions::company_id.eq(company.as_uuid()))
        .filter(person_sessions::user_id.eq(user.as_uuid()))
        .order(person_sessions::created_at.desc())
        .select(person_sessions::user_name)
        .first(connection)
        .optional()?;
    Ok(name.unwrap_or_default())
}

/// Ends every session of a person, but `kept` if there is one; how many.
pub(crate) fn end_all(
    connection: &mut PgConnection,
    company: CompanyId,
    user: UserId,
    kept: Option<Uuid>,
) -> QueryResult<usize> {
    diesel::delete(
        person_sessions::table
            .filter(person_sessions::company_id.eq(company.as_uuid()))
            .filter(person_sessions::user_id.eq(user.as_uuid()))
            .filter(person_sessions::session_id.ne(kept.unwrap_or(Uuid::nil()))),
    )
    .execute(connection)
}

/// Ends the sessions that an identity provider knows by this subject, all of them when it names none of its own; whose they
/// were.
pub(crate) fn end_of_subject(
    connection: &mut PgConnection,
    company: CompanyId,
    subject: &str,
    session_index: Option<&str>,
) -> QueryResult<Vec<String>> {
    let of_subject = person_sessions::table
        .filter(person_sessions::company_id.eq(company.as_uuid()))
        .filter(person_sessions::subject.eq(subject));
    match session_index {
        Some(index) => diesel::delete(of_subject.filter(person_sessions::session_index.eq(index)))
            .returning(person_sessions::user_name)
            .get_results(connection),
        None => diesel::delete(of_subject).returning(person_sessions::user_name).get_results(connection),
    }
}

/// Ends every session of everybody of a company, because what they signed in with is trusted no more; how many.
pub(crate) fn end_of_company(connection: &mut PgConnection, company: CompanyId) -> QueryResult<usize> {
    diesel::delete(person_sessions::table.filter(person_sessions::company_id.eq(company.as_uuid())))
        .execute(connection)
}

/// Forgets what is no longer good, of everybody of a company.
pub(crate) fn forget_expired(
    connection: &mut PgConnection,
    company: CompanyId,
    cutoff: Cutoff,
) -> QueryResult<()> {
    diesel::delete(
        person_sessions::table.filter(person_sessions::company_id.eq(company.as_uuid())).filter(
            person_sessions::created_at
                .le(cutoff.created_after)
                .or(person_sessions::last_seen_at.le(cutoff.seen_after))
                .or(person_sessions::ends_at
                    .is_not_null()
                    .and(person_sessions::ends_at.assume_not_null().le(cutoff.ends_after))),
        ),
    )
    .execute(connection)
    .map(drop)
}
