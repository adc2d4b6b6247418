//! Sign-ins that are under way at an identity provider, and assertions that have come back. Every function but [`find`]
//! expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult,
    dsl::{count_star, min},
    prelude::*,
};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::{accepted_assertions, sign_in_requests};

/// A row of `sign_in_requests`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = sign_in_requests, check_for_backend(diesel::pg::Pg))]
pub(crate) struct SignInRequestRow {
    pub(crate) company_id: Uuid,
    pub(crate) request_id: Uuid,
    pub(crate) request_key: String,
    pub(crate) browser_key: String,
    pub(crate) purpose: String,
    pub(crate) tester: String,
    pub(crate) return_to: String,
    pub(crate) expires_at: DateTime<Utc>,
    pub(crate) network_key: String,
}

/// How many may wait for the same purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) of_company: i64,
    /// Of those, from one network.
    pub(crate) of_network: i64,
}

/// Whether one more may wait; `Err` says when the first of those that are in its way is good no more. Forgets those that
/// nobody came back from.
pub(crate) fn has_room(
    connection: &mut PgConnection,
    company: CompanyId,
    (purpose, network_key): (&str, &str),
    now: DateTime<Utc>,
    room: Room,
) -> QueryResult<Result<(), DateTime<Utc>>> {
    forget_expired(connection, company, now)?;
    let alike = || {
        sign_in_requests::table
            .filter(sign_in_requests::company_id.eq(company.as_uuid()))
            .filter(sign_in_requests::purpose.eq(purpose))
            .select((count_star(), min(sign_in_requests::expires_at)))
    };
    let of_network = alike().filter(sign_in_requests::network_key.eq(network_key));
    let of_network: (i64, Option<DateTime<Utc>>) = of_network.first(connection)?;
    let of_company: (i64, Option<DateTime<Utc>>) = alike().first(connection)?;
    for ((waiting, first), most) in [(of_network, room.of_network), (of_company, room.of_company)] {
        if waiting >= most {
            return Ok(Err(first.unwrap_or(now)));
        }
    }
    Ok(Ok(()))
}

/// Notes a request.
pub(crate) fn insert(connection: &mut PgConnection, row: &SignInRequestRow) -> QueryResult<()> {
    diesel::insert_into(sign_in_requests::table).values(row).execute(connection).map(drop)
}

/// Forgets requests that nobody came back from.
pub(crate) fn forget_expired(
    connection: &mut PgConnection,
    company: CompanyId,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(
        sign_in_requests::table
            .filter(sign_in_requests::company_id.eq(company.as_uuid()))
            .filter(sign_in_requests::expires_at.le(now)),
    )
    .execute(connection)
    .map(drop)
}

/// The request that this is the key of, at whichever company, while it is good.
pub(crate) fn find(
    connection: &mut PgConnection,
    request_key: &str,
    now: DateTime<Utc>,
) -> QueryResult<Option<SignInRequestRow>> {
    super::present(connection, request_key)?;
    sign_in_requests::table
        .filter(sign_in_requests::request_key.eq(request_key))
        .filter(sign_in_requests::expires_at.gt(now))
        .select(SignInRequestRow::as_select())
        .first(connection)
        .optional()
}

/// Uses a request up; whether it was there. Of two at once, one finds it gone.
pub(crate) fn use_up(connection: &mut PgConnection, company: CompanyId, request: Uuid) -> QueryResult<bool> {
    let used =
        diesel::delete(sign_in_requests::table.find((company.as_uuid(), request))).execute(connection)?;
    Ok(used > 0)
}

/// Takes an assertion, and forgets those that are good no more; `false` when it was taken before.
pub(crate) fn take_assertion(
    connection: &mut PgConnection,
    company: CompanyId,
    assertion_key: &str,
    (now, good_until): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<bool> {
    diesel::delete(
        accepted_assertions::table
            .filter(accepted_assertions::company_id.eq(company.as_uuid()))
            .filter(accepted_assertions::good_until.lt(now)),
    )
    .execute(connection)?;
    let taken = diesel::insert_into(accepted_assertions::table)
        .values((
            accepted_assertions::company_id.eq(company.as_uuid()),
            accepted_assertions::assertion_key.eq(assertion_key),
            accepted_assertions::good_until.eq(good_until),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(taken > 0)
}
