//! The schemas that companies declare.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::CompanyId;
use uuid::Uuid;

pg_pool::static_sql! {
    OfCompany -> (Text,) = "select document from extensions where company_id = $1 order by urn_key";
    Upsert =
        "insert into extensions (company_id, urn_key, document, declared_at) values ($1, $2, $3, $4) \
         on conflict (company_id, urn_key) do update set document = excluded.document, \
           declared_at = excluded.declared_at";
    // A user's extension is a member of the stored object, under the URN as it was declared.
    IsUsed -> (SqlUuid,) =
        "select user_id from users where company_id = $1 and attributes::jsonb ? $2 limit 1";
    Delete = "delete from extensions where company_id = $1 and urn_key = $2";
    Note =
        "update companies set has_extensions = exists (select 1 from extensions where company_id = $1) \
         where company_id = $1";
    Declaring -> (SqlUuid,) = "select company_id from companies where has_extensions";
    Lock -> (SqlUuid,) = "select company_id from companies where company_id = $1 for update"
}

// Every transaction that calls these must have opened the company.

/// The documents of one company, in the order of their URNs.
pub(crate) fn of_company(conn: &mut PgConnection, company: CompanyId) -> QueryResult<Vec<String>> {
    let rows: Vec<(String,)> = statement(OfCompany).bind::<SqlUuid, _>(company.as_uuid()).load(conn)?;
    Ok(rows.into_iter().map(|(document,)| document).collect())
}

/// Whether there is such a company; if so, other declarations of it wait for this transaction.
pub(crate) fn lock(conn: &mut PgConnection, company: CompanyId) -> QueryResult<bool> {
    let rows: Vec<(Uuid,)> = statement(Lock).bind::<SqlUuid, _>(company.as_uuid()).load(conn)?;
    Ok(!rows.is_empty())
}

/// Adds or replaces a document.
pub(crate) fn upsert(
    conn: &mut PgConnection,
    company: CompanyId,
    urn: &str,
    document: &str,
    declared_at: DateTime<Utc>,
) -> QueryResult<()> {
    statement(Upsert)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Text, _>(urn.to_ascii_lowercase())
        .bind::<Text, _>(document)
        .bind::<Timestamptz, _>(declared_at)
        .execute(conn)?;
    note(conn, company)
}

/// Whether a user has values of the schema with this URN, as it was declared.
pub(crate) fn is_used(conn: &mut PgConnection, company: CompanyId, urn: &str) -> QueryResult<bool> {
    let rows: Vec<(Uuid,)> =
        statement(IsUsed).bind::<SqlUuid, _>(company.as_uuid()).bind::<Text, _>(urn).load(conn)?;
    Ok(!rows.is_empty())
}

/// Removes a document.
pub(crate) fn delete(conn: &mut PgConnection, company: CompanyId, urn: &str) -> QueryResult<()> {
    statement(Delete)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Text, _>(urn.to_ascii_lowercase())
        .execute(conn)?;
    note(conn, company)
}

fn note(conn: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    statement(Note).bind::<SqlUuid, _>(company.as_uuid()).execute(conn).map(drop)
}

/// The companies that have declared something.
pub(crate) fn declaring(conn: &mut PgConnection) -> QueryResult<Vec<CompanyId>> {
    let rows: Vec<(Uuid,)> = statement(Declaring).load(conn)?;
    Ok(rows.into_iter().map(|(company,)| CompanyId::from_uuid(company)).collect())
}
