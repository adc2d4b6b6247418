//! The companies that exist.

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, PgConnection, QueryResult, QueryableByName, RunQueryDsl, sql_query,
    sql_types::{Array, BigInt, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::CompanyId;
use uuid::Uuid;

pg_pool::static_sql! {
    Page -> (SqlUuid,) = "select company_id from companies where company_id > $1 order by company_id limit $2"
}

#[derive(QueryableByName)]
pub(crate) struct CompanyRow {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) company_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(crate) name: String,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) created_at: DateTime<Utc>,
}

/// Adds a company; `None` when there is one with that id.
pub(crate) fn insert(
    conn: &mut PgConnection,
    id: CompanyId,
    name: &str,
    created_at: DateTime<Utc>,
) -> QueryResult<Option<CompanyRow>> {
    sql_query(
        "insert into companies (company_id, name, created_at) values ($1, $2, $3) \
         on conflict (company_id) do nothing returning company_id, name, created_at",
    )
    .bind::<SqlUuid, _>(id.as_uuid())
    .bind::<Text, _>(name)
    .bind::<Timestamptz, _>(created_at)
    .get_result(conn)
    .optional()
}

/// The most companies that one answer lists.
pub(crate) const MAX_LISTED: i64 = 10_000;

/// Companies behind this one, oldest first.
pub(crate) fn listed(conn: &mut PgConnection, after: CompanyId, limit: i64) -> QueryResult<Vec<CompanyRow>> {
    sql_query(
        "select company_id, name, created_at from companies where company_id > $1 order by company_id limit $2",
    )
    .bind::<SqlUuid, _>(after.as_uuid())
    .bind::<BigInt, _>(limit)
    .load(conn)
}

/// Those of these companies that exist.
pub(crate) fn by_ids(conn: &mut PgConnection, ids: &[CompanyId]) -> QueryResult<Vec<CompanyRow>> {
    sql_query("select company_id, name, created_at from companies where company_id = any ($1)")
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.as_uuid()).collect::<Vec<_>>())
        .load(conn)
}

/// A page of the companies' ids, in their order.
pub(crate) fn page(conn: &mut PgConnection, after: Uuid, limit: i64) -> QueryResult<Vec<CompanyId>> {
    let rows: Vec<(Uuid,)> = statement(Page).bind::<SqlUuid, _>(after).bind::<BigInt, _>(limit).load(conn)?;
    Ok(rows.into_iter().map(|(company,)| CompanyId::from_uuid(company)).collect())
}
