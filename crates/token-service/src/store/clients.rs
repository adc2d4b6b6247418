//! A company's OAuth clients and their secrets. Every function but [`company_of`] and [`count_live`] expects
//! [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::{client_companies, client_secrets, clients};

/// A row of `clients`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = clients, check_for_backend(diesel::pg::Pg))]
pub(crate) struct ClientRow {
    pub(crate) company_id: Uuid,
    pub(crate) client_id: Uuid,
    pub(crate) description: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) created_by: String,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
    pub(crate) tenant_id: Option<Uuid>,
    pub(crate) subject: Option<String>,
    pub(crate) audiences: Option<Vec<String>>,
}

/// A row of `client_secrets`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = client_secrets, check_for_backend(diesel::pg::Pg))]
pub(crate) struct SecretRow {
    pub(crate) company_id: Uuid,
    pub(crate) secret_id: Uuid,
    pub(crate) client_id: Uuid,
    pub(crate) digest: Vec<u8>,
    pub(crate) hint: String,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) revoked_at: Option<DateTime<Utc>>,
}

impl SecretRow {
    /// Whether it proves anything.
    pub(crate) fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// A client with its secrets, the newest first.
pub(crate) type WithSecrets = (ClientRow, Vec<SecretRow>);

/// Whose client this is, revoked or not.
pub(crate) fn company_of(connection: &mut PgConnection, client: Uuid) -> QueryResult<Option<CompanyId>> {
    let company = client_companies::table
        .find(client)
        .select(client_companies::company_id)
        .first(connection)
        .optional()?;
    Ok(company.map(CompanyId::from_uuid))
}

/// How many clients of all companies are not revoked.
pub(crate) fn count_live(connection: &mut PgConnection) -> QueryResult<i64> {
    client_companies::table.filter(client_companies::is_revoked.eq(false)).count().get_result(connection)
}

pub(crate) fn insert(connection: &mut PgConnection, client: &ClientRow) -> QueryResult<()> {
    diesel::insert_into(clients::table).values(client).execute(connection)?;
    let owner = (
        client_companies::client_id.eq(client.client_id),
        client_companies::company_id.eq(client.company_id),
    );
    diesel::insert_into(client_companies::table).values(owner).execute(connection).map(drop)
}

/// How many of the company's clients are not revoked.
pub(crate) fn live(connection: &mut PgConnection, company: CompanyId) -> QueryResult<i64> {
    clients::table
        .filter(clients::company_id.eq(company.as_uuid()))
        .filter(clients::revoked_at.is_null())
        .count()
        .get_result(connection)
}

/// Those that are not revoked first, then the newest, at most `limit`, each with at most `secrets` of its newest secrets.
pub(crate) fn of_company(
    connection: &mut PgConnection,
    company: CompanyId,
    limit: i64,
    secrets: i64,
) -> QueryResult<Vec<WithSecrets>> {
    let rows: Vec<ClientRow> = clients::table
        .filter(clients::company_id.eq(company.as_uuid()))
        .order((clients::revoked_at.is_not_null(), clients::created_at.desc(), clients::client_id.desc()))
        .limit(limit)
        .select(ClientRow::as_select())
        .load(connection)?;
    let ids: Vec<Uuid> = rows.iter().map(|client| client.client_id).collect();
    let all = secrets_of(connection, company, &ids, secrets.saturating_mul(limit))?;
    let mut found: Vec<WithSecrets> = rows.into_iter().map(|client| (client, Vec::new())).collect();
    let most = usize::try_from(secrets).unwrap_or(usize::MAX);
    for (client, own) in &mut found {
        own.extend(all.iter().filter(|secret| secret.client_id == client.client_id).take(most).cloned());
        newest_first(own);
    }
    Ok(found)
}

pub(crate) fn find(
    connection: &mut PgConnection,
    company: CompanyId,
    client: Uuid,
    secrets: i64,
) -> QueryResult<Option<WithSecrets>> {
    let found: Option<ClientRow> = clients::table
        .find((company.as_uuid(), client))
        .select(ClientRow::as_select())
        .first(connection)
        .optional()?;
    // Asked in any case: whether a client exists must not be told by the time that the answer takes.
    let mut secrets = secrets_of(connection, company, &[client], secrets)?;
    newest_first(&mut secrets);
    Ok(found.map(|found| (found, secrets)))
}

/// The secrets of these clients, at most `limit`: the live ones first, so that a limit never hides one of those.
fn secrets_of(
    connection: &mut PgConnection,
    company: CompanyId,
    clients: &[Uuid],
    limit: i64,
) -> QueryResult<Vec<SecretRow>> {
    client_secrets::table
        .filter(client_secrets::company_id.eq(company.as_uuid()))
        .filter(client_secrets::client_id.eq_any(clients))
        .order((client_secrets::revoked_at.is_not_null(), client_secrets::expires_at.desc()))
        .limit(limit)
        .select(SecretRow::as_select())
        .load(connection)
}

fn newest_first(secrets: &mut [SecretRow]) {
    secrets.sort_by_key(|secret| std::cmp::Reverse((secret.created_at, secret.secret_id)));
}

pub(crate) fn insert_secret(connection: &mut PgConnection, secret: &SecretRow) -> QueryResult<()> {
    diesel::insert_into(client_secrets::table).values(secret).execute(connection).map(drop)
}

/// Ends these secrets, unless they had ended before.
pub(crate) fn revoke_secrets(
    connection: &mut PgConnection,
    company: CompanyId,
    secrets: &[Uuid],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(client_secrets::table)
        .filter(client_secrets::company_id.eq(company.as_uuid()))
        .filter(client_secrets::secret_id.eq_any(secrets))
        .filter(client_secrets::revoked_at.is_null())
        .set(client_secrets::revoked_at.eq(now))
        .execute(connection)
        .map(drop)
}

/// Ends the client.
pub(crate) fn revoke(
    connection: &mut PgConnection,
    company: CompanyId,
    client: Uuid,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::update(clients::table.find((company.as_uuid(), client)))
        .set(clients::revoked_at.eq(now))
        .execute(connection)?;
    diesel::update(client_companies::table.find(client))
        .set(client_companies::is_revoked.eq(true))
        .execute(connection)
        .map(drop)
}
