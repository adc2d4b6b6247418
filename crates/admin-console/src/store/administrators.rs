//! Who may sign in, and what proves that it is them. Every function but [`credential`] expects [`super::act_for`] before
//! it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*, sql_types::Text};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::{administrators, credentials};
use crate::signed_in::Role;

pg_pool::static_sql! {
    /// Row locks would not do: two removals of two administrators lock different rows.
    TakeTurns = "SELECT pg_advisory_xact_lock(hashtextextended('administrators ' || $1, 0))"
}

/// Lets one transaction at a time change who a company's administrators are; to be called before anything is read.
pub(crate) fn take_turns(connection: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    pg_pool::sql::statement(TakeTurns).bind::<Text, _>(company.to_string()).execute(connection).map(drop)
}

/// A row of `administrators`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = administrators, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AdministratorRow {
    pub(crate) company_id: Uuid,
    pub(crate) administrator_id: Uuid,
    pub(crate) email: String,
    /// Empty until the invitation is accepted.
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) is_active: bool,
    /// Empty for what the browser asks for.
    pub(crate) language: String,
    pub(crate) wants_notices: bool,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_signed_in_at: Option<DateTime<Utc>>,
    /// Keeps the password where all others sign in at the identity provider.
    pub(crate) is_break_glass: bool,
}

impl AdministratorRow {
    pub(crate) fn role(&self) -> Role {
        // The table allows two values; whatever else somebody may add does not get the greater rights.
        if self.role == Role::Administrator.as_str() { Role::Administrator } else { Role::Auditor }
    }
}

/// What must be known to try a password.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) company: CompanyId,
    pub(crate) administrator: Uuid,
    /// `None` until the invitation is accepted.
    pub(crate) password_hash: Option<String>,
}

/// Who signs in with this address, at whichever company.
pub(crate) fn credential(connection: &mut PgConnection, email_key: &str) -> QueryResult<Option<Credential>> {
    // Postgres knows no text with it, so nobody has such an address.
    if email_key.contains('\0') {
        return Ok(None);
    }
    super::present(connection, email_key)?;
    let row: Option<(Uuid, Uuid, Option<String>)> = credentials::table
        .filter(credentials::email_key.eq(email_key))
        .select((credentials::company_id, credentials::administrator_id, credentials::password_hash))
        .first(connection)
        .optional()?;
    Ok(row.map(|(company, administrator, password_hash)| Credential {
        company: CompanyId::from_uuid(company),
        administrator,
        password_hash,
    }))
}

/// The password's hash of somebody who is active.
pub(crate) fn password_hash(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
) -> QueryResult<Option<String>> {
    let hash: Option<Option<String>> = credentials::table
        .find((company.as_uuid(), administrator))
        .select(credentials::password_hash)
        .first(connection)
        .optional()?;
    Ok(hash.flatten())
}

/// Sets the password's hash; whoever had another one a moment ago has it no more.
pub(crate) fn set_password(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    hash: &str,
) -> QueryResult<()> {
    diesel::update(credentials::table.find((company.as_uuid(), administrator)))
        .set(credentials::password_hash.eq(hash))
        .execute(connection)
        .map(drop)
}

/// Adds somebody who has no password yet. A second one with this address violates `credentials_email_key_key`.
pub(crate) fn insert(
    connection: &mut PgConnection,
    row: &AdministratorRow,
    email_key: &str,
) -> QueryResult<()> {
    diesel::insert_into(administrators::table).values(row).execute(connection)?;
    diesel::insert_into(credentials::table)
        .values((
            credentials::company_id.eq(row.company_id),
            credentials::administrator_id.eq(row.administrator_id),
            credentials::email_key.eq(email_key),
        ))
        .execute(connection)
        .map(drop)
}

pub(crate) fn find(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
) -> QueryResult<Option<AdministratorRow>> {
    administrators::table
        .find((company.as_uuid(), administrator))
        .select(AdministratorRow::as_select())
        .first(connection)
        .optional()
}

/// All of a company, in the order of their addresses.
pub(crate) fn of_company(
    connection: &mut PgConnection,
    company: CompanyId,
) -> QueryResult<Vec<AdministratorRow>> {
    administrators::table
        .filter(administrators::company_id.eq(company.as_uuid()))
        .order((administrators::email, administrators::administrator_id))
        .select(AdministratorRow::as_select())
        .load(connection)
}

/// Whether somebody else could still change things: an active administrator other than this one.
pub(crate) fn has_another_administrator(
    connection: &mut PgConnection,
    company: CompanyId,
    than: Uuid,
) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(
        administrators::table
            .filter(administrators::company_id.eq(company.as_uuid()))
            .filter(administrators::administrator_id.ne(than))
            .filter(administrators::role.eq(Role::Administrator.as_str()))
            .filter(administrators::is_active),
    ))
    .get_result(connection)
}

/// Whether somebody other than `than` could still get in, and change things, when the identity provider is broken.
pub(crate) fn has_break_glass(
    connection: &mut PgConnection,
    company: CompanyId,
    than: Option<Uuid>,
) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(
        administrators::table
            .inner_join(
                credentials::table.on(credentials::company_id
                    .eq(administrators::company_id)
                    .and(credentials::administrator_id.eq(administrators::administrator_id))),
            )
            .filter(administrators::company_id.eq(company.as_uuid()))
            .filter(administrators::administrator_id.ne(than.unwrap_or(Uuid::nil())))
            .filter(administrators::role.eq(Role::Administrator.as_str()))
            .filter(administrators::is_active)
            .filter(administrators::is_break_glass)
            .filter(credentials::password_hash.is_not_null()),
    ))
    .get_result(connection)
}

pub(crate) fn set_break_glass(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    is_break_glass: bool,
) -> QueryResult<()> {
    diesel::update(administrators::table.find((company.as_uuid(), administrator)))
        .set(administrators::is_break_glass.eq(is_break_glass))
        .execute(connection)
        .map(drop)
}

pub(crate) fn set_role(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    role: Role,
) -> QueryResult<()> {
    diesel::update(administrators::table.find((company.as_uuid(), administrator)))
        .set(administrators::role.eq(role.as_str()))
        .execute(connection)
        .map(drop)
}

/// From here on they are who they say they are, and may sign in.
pub(crate) fn activate(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    name: &str,
    language: &str,
) -> QueryResult<()> {
    diesel::update(administrators::table.find((company.as_uuid(), administrator)))
        .set((
            administrators::is_active.eq(true),
            administrators::name.eq(name),
            administrators::language.eq(language),
        ))
        .execute(connection)
        .map(drop)
}

/// What people may say about themselves.
pub(crate) fn set_profile(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    name: &str,
    language: &str,
) -> QueryResult<()> {
    diesel::update(administrators::table.find((company.as_uuid(), administrator)))
        .set((administrators::name.eq(name), administrators::language.eq(language)))
        .execute(connection)
        .map(drop)
}

pub(crate) fn set_wants_notices(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    wants: bool,
) -> QueryResult<()> {
    diesel::update(administrators::table.find((company.as_uuid(), administrator)))
        .set(administrators::wants_notices.eq(wants))
        .execute(connection)
        .map(drop)
}

pub(crate) fn signed_in_at(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(administrators::table.find((company.as_uuid(), administrator)))
        .set(administrators::last_signed_in_at.eq(now))
        .execute(connection)
        .map(drop)
}

/// Takes them out, with credential, sessions and invitation.
pub(crate) fn delete(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
) -> QueryResult<()> {
    diesel::delete(administrators::table.find((company.as_uuid(), administrator)))
        .execute(connection)
        .map(drop)
}
