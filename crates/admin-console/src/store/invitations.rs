//! Invitations that wait to be accepted. Every function but [`find`] expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::invitations;

/// Gives somebody this invitation; an earlier one is worth nothing from here on.
pub(crate) fn put(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    invitation_key: &str,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    let renewed = (invitations::invitation_key.eq(invitation_key), invitations::expires_at.eq(expires_at));
    diesel::insert_into(invitations::table)
        .values((
            invitations::company_id.eq(company.as_uuid()),
            invitations::administrator_id.eq(administrator),
            renewed,
        ))
        .on_conflict((invitations::company_id, invitations::administrator_id))
        .do_update()
        .set(renewed)
        .execute(connection)
        .map(drop)
}

/// Whom this invitation is for, at whichever company, while it is good.
pub(crate) fn find(
    connection: &mut PgConnection,
    invitation_key: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<(CompanyId, Uuid)>> {
    super::present(connection, invitation_key)?;
    let row: Option<(Uuid, Uuid)> = invitations::table
        .filter(invitations::invitation_key.eq(invitation_key))
        .filter(invitations::expires_at.gt(now))
        .select((invitations::company_id, invitations::administrator_id))
        .first(connection)
        .optional()?;
    Ok(row.map(|(company, administrator)| (CompanyId::from_uuid(company), administrator)))
}

/// Uses an invitation up; whether it was there. Of two at once, one finds it gone.
pub(crate) fn use_up(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    invitation_key: &str,
) -> QueryResult<bool> {
    let used = diesel::delete(
        invitations::table
            .find((company.as_uuid(), administrator))
            .filter(invitations::invitation_key.eq(invitation_key)),
    )
    .execute(connection)?;
    Ok(used > 0)
}

/// When each invitation of a company ends, also those that have.
pub(crate) fn of_company(
    connection: &mut PgConnection,
    company: CompanyId,
) -> QueryResult<Vec<(Uuid, DateTime<Utc>)>> {
    invitations::table
        .filter(invitations::company_id.eq(company.as_uuid()))
        .select((invitations::administrator_id, invitations::expires_at))
        .load(connection)
}
