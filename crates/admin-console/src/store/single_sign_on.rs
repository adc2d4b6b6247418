//! How companies sign in, and which domains lead to them. Functions that find by a key need no [`super::act_for`]; all
//! others do.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::{sign_in_domains, single_sign_on, vouched_domains};

/// A row of `single_sign_on`.
#[derive(Queryable, Selectable, Insertable, AsChangeset, Debug, Clone)]
#[diesel(table_name = single_sign_on, primary_key(company_id), check_for_backend(diesel::pg::Pg))]
pub(crate) struct SingleSignOnRow {
    pub(crate) company_id: Uuid,
    pub(crate) way: String,
    pub(crate) issuer: String,
    pub(crate) metadata: String,
    pub(crate) metadata_url: String,
    pub(crate) match_by: String,
    pub(crate) allows_unsolicited: bool,
    pub(crate) is_only: bool,
    pub(crate) changed_at: DateTime<Utc>,
    pub(crate) refreshed_at: DateTime<Utc>,
    pub(crate) refresh_problem: String,
    pub(crate) client_id: String,
    pub(crate) keys: String,
}

pub(crate) fn of_company(
    connection: &mut PgConnection,
    company: CompanyId,
) -> QueryResult<Option<SingleSignOnRow>> {
    single_sign_on::table
        .find(company.as_uuid())
        .select(SingleSignOnRow::as_select())
        .first(connection)
        .optional()
}

/// Whether the company still signs in as it did when this was read; nobody changes it before the transaction ends.
pub(crate) fn is_still(connection: &mut PgConnection, read: &SingleSignOnRow) -> QueryResult<bool> {
    let row: Option<SingleSignOnRow> = single_sign_on::table
        .find(read.company_id)
        .select(SingleSignOnRow::as_select())
        .for_share()
        .first(connection)
        .optional()?;
    let key = |row: &SingleSignOnRow| (row.issuer.clone(), row.way.clone(), row.changed_at);
    Ok(row.is_some_and(|row| key(&row) == key(read)))
}

/// Whose identity provider this is.
pub(crate) fn company_of_issuer(
    connection: &mut PgConnection,
    issuer: &str,
) -> QueryResult<Option<CompanyId>> {
    if issuer.is_empty() || issuer.contains('\0') {
        return Ok(None);
    }
    super::present(connection, issuer)?;
    let company: Option<Uuid> = single_sign_on::table
        .filter(single_sign_on::issuer.eq(issuer))
        // Whoever only tests an identity provider has not claimed it.
        .filter(single_sign_on::way.ne("password"))
        .select(single_sign_on::company_id)
        .first(connection)
        .optional()?;
    Ok(company.map(CompanyId::from_uuid))
}

/// Where somebody with a user name of this domain signs in, if not with a password.
pub(crate) fn company_of_domain(
    connection: &mut PgConnection,
    domain: &str,
) -> QueryResult<Option<CompanyId>> {
    if domain.is_empty() || domain.contains('\0') {
        return Ok(None);
    }
    super::present(connection, domain)?;
    let company: Option<Uuid> = sign_in_domains::table
        .filter(sign_in_domains::domain.eq(domain))
        .select(sign_in_domains::company_id)
        .first(connection)
        .optional()?;
    let Some(company) = company.map(CompanyId::from_uuid) else { return Ok(None) };
    super::act_for(connection, company)?;
    let set_up = single_sign_on::table.find(company.as_uuid()).filter(single_sign_on::way.ne("password"));
    let is_elsewhere: bool = diesel::select(diesel::dsl::exists(set_up)).get_result(connection)?;
    Ok(is_elsewhere.then_some(company))
}

/// Sets how a company signs in. An issuer with which another company signs in violates `single_sign_on_issuer_idx`.
pub(crate) fn put(connection: &mut PgConnection, row: &SingleSignOnRow) -> QueryResult<()> {
    diesel::insert_into(single_sign_on::table)
        .values(row)
        .on_conflict(single_sign_on::company_id)
        .do_update()
        .set(row)
        .execute(connection)
        .map(drop)
}

pub(crate) fn set_only(connection: &mut PgConnection, company: CompanyId, is_only: bool) -> QueryResult<()> {
    diesel::update(single_sign_on::table.find(company.as_uuid()))
        .set(single_sign_on::is_only.eq(is_only))
        .execute(connection)
        .map(drop)
}

/// Keeps metadata that was read again, if it was still to be read from there; whether it was.
pub(crate) fn refresh(connection: &mut PgConnection, row: &SingleSignOnRow) -> QueryResult<bool> {
    let kept = diesel::update(
        single_sign_on::table
            .find(row.company_id)
            .filter(single_sign_on::metadata_url.eq(&row.metadata_url))
            .filter(single_sign_on::issuer.eq(&row.issuer)),
    )
    .set((
        single_sign_on::metadata.eq(&row.metadata),
        single_sign_on::keys.eq(&row.keys),
        single_sign_on::refreshed_at.eq(row.refreshed_at),
        single_sign_on::refresh_problem.eq(""),
    ))
    .execute(connection)?;
    Ok(kept > 0)
}

/// Claims to look for a key that is not among the company's; `false` when somebody did since `since`.
pub(crate) fn seek_keys(
    connection: &mut PgConnection,
    company: CompanyId,
    (now, since): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<bool> {
    let claimed = diesel::update(
        single_sign_on::table.find(company.as_uuid()).filter(single_sign_on::keys_sought_at.le(since)),
    )
    .set(single_sign_on::keys_sought_at.eq(now))
    .execute(connection)?;
    Ok(claimed > 0)
}

/// Keeps keys that were read again, if they are still this issuer's.
pub(crate) fn keep_keys(
    connection: &mut PgConnection,
    company: CompanyId,
    (issuer, keys): (&str, &str),
) -> QueryResult<()> {
    diesel::update(single_sign_on::table.find(company.as_uuid()).filter(single_sign_on::issuer.eq(issuer)))
        .set(single_sign_on::keys.eq(keys))
        .execute(connection)
        .map(drop)
}

/// Notes that the metadata could not be read.
pub(crate) fn refresh_failed(
    connection: &mut PgConnection,
    company: CompanyId,
    problem: &str,
) -> QueryResult<()> {
    diesel::update(single_sign_on::table.find(company.as_uuid()))
        .set(single_sign_on::refresh_problem.eq(problem))
        .execute(connection)
        .map(drop)
}

/// The company's domains in order.
pub(crate) fn domains(connection: &mut PgConnection, company: CompanyId) -> QueryResult<Vec<String>> {
    sign_in_domains::table
        .filter(sign_in_domains::company_id.eq(company.as_uuid()))
        .order(sign_in_domains::domain)
        .select(sign_in_domains::domain)
        .load(connection)
}

/// Sets the company's domains. One that another company has violates `sign_in_domains_domain_key`.
pub(crate) fn set_domains(
    connection: &mut PgConnection,
    company: CompanyId,
    domains: &[String],
) -> QueryResult<()> {
    diesel::delete(sign_in_domains::table.filter(sign_in_domains::company_id.eq(company.as_uuid())))
        .execute(connection)?;
    let rows: Vec<_> = domains
        .iter()
        .map(|domain| (sign_in_domains::company_id.eq(company.as_uuid()), sign_in_domains::domain.eq(domain)))
        .collect();
    diesel::insert_into(sign_in_domains::table).values(rows).execute(connection).map(drop)
}

/// The domains that operators have vouched for, in order.
pub(crate) fn vouched_domains(connection: &mut PgConnection, company: CompanyId) -> QueryResult<Vec<String>> {
    vouched_domains::table
        .filter(vouched_domains::company_id.eq(company.as_uuid()))
        .order(vouched_domains::domain)
        .select(vouched_domains::domain)
        .load(connection)
}

/// Notes that a domain is the company's; `false` when that was known.
pub(crate) fn vouch(
    connection: &mut PgConnection,
    company: CompanyId,
    (domain, now): (&str, DateTime<Utc>),
) -> QueryResult<bool> {
    let noted = diesel::insert_into(vouched_domains::table)
        .values((
            vouched_domains::company_id.eq(company.as_uuid()),
            vouched_domains::domain.eq(domain),
            vouched_domains::vouched_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(noted > 0)
}

/// Forgets that, and takes the domain from the company; `false` when it had neither.
pub(crate) fn withdraw(connection: &mut PgConnection, company: CompanyId, domain: &str) -> QueryResult<bool> {
    let forgotten =
        diesel::delete(vouched_domains::table.find((company.as_uuid(), domain))).execute(connection)?;
    let taken =
        diesel::delete(sign_in_domains::table.find((company.as_uuid(), domain))).execute(connection)?;
    Ok(forgotten + taken > 0)
}

/// Forgets the company's identity provider; its issuer, if there was one.
pub(crate) fn release(connection: &mut PgConnection, company: CompanyId) -> QueryResult<Option<String>> {
    diesel::delete(single_sign_on::table.find(company.as_uuid()))
        .returning(single_sign_on::issuer)
        .get_result(connection)
        .optional()
}
