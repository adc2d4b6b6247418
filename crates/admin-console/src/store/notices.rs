//! Which notices have been sent. Every function expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;

use super::schema::notices;

/// Whether nobody has sent this notice yet; from here on it counts as sent.
pub(crate) fn claim(
    connection: &mut PgConnection,
    company: CompanyId,
    kind: &str,
    key: &str,
    now: DateTime<Utc>,
) -> QueryResult<bool> {
    let claimed = diesel::insert_into(notices::table)
        .values((
            notices::company_id.eq(company.as_uuid()),
            notices::kind.eq(kind),
            notices::key.eq(key),
            notices::claimed_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(claimed > 0)
}

/// The keys under which notices of this kind have been sent.
pub(crate) fn claimed(
    connection: &mut PgConnection,
    company: CompanyId,
    kind: &str,
) -> QueryResult<Vec<String>> {
    notices::table
        .filter(notices::company_id.eq(company.as_uuid()))
        .filter(notices::kind.eq(kind))
        .order(notices::key)
        .select(notices::key)
        .load(connection)
}

/// Lets a notice be sent again.
pub(crate) fn release(
    connection: &mut PgConnection,
    company: CompanyId,
    kind: &str,
    key: &str,
) -> QueryResult<bool> {
    let released = diesel::delete(notices::table.find((company.as_uuid(), kind, key))).execute(connection)?;
    Ok(released > 0)
}
