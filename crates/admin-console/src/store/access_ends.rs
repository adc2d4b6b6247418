//! When access ended, by which request. Every function expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::access_ends;

/// A row of `access_ends`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = access_ends, check_for_backend(diesel::pg::Pg))]
pub(crate) struct AccessEndRow {
    pub(crate) company_id: Uuid,
    pub(crate) request_id: Uuid,
    pub(crate) user_id: Uuid,
    pub(crate) cause: String,
    pub(crate) requested_at: Option<DateTime<Utc>>,
    pub(crate) enforced_at: DateTime<Utc>,
    pub(crate) sessions_ended: i32,
}

/// Writes an end down; whether it was not written before.
pub(crate) fn insert(connection: &mut PgConnection, end: &AccessEndRow) -> QueryResult<bool> {
    let inserted =
        diesel::insert_into(access_ends::table).values(end).on_conflict_do_nothing().execute(connection)?;
    Ok(inserted > 0)
}

/// Those that these requests were, in no order.
pub(crate) fn of_requests(
    connection: &mut PgConnection,
    company: CompanyId,
    requests: &[Uuid],
) -> QueryResult<Vec<AccessEndRow>> {
    access_ends::table
        .filter(access_ends::company_id.eq(company.as_uuid()))
        .filter(access_ends::request_id.eq_any(requests))
        .select(AccessEndRow::as_select())
        .load(connection)
}

/// Forgets those that were enforced before.
pub(crate) fn forget(
    connection: &mut PgConnection,
    company: CompanyId,
    before: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(
        access_ends::table
            .filter(access_ends::company_id.eq(company.as_uuid()))
            .filter(access_ends::enforced_at.lt(before)),
    )
    .execute(connection)
    .map(drop)
}
