//! What administrators' tests of single sign-on have received. Every function expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::sign_in_tests;

/// A row of `sign_in_tests`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = sign_in_tests, check_for_backend(diesel::pg::Pg))]
pub(crate) struct SignInTestRow {
    pub(crate) company_id: Uuid,
    pub(crate) test_id: Uuid,
    pub(crate) tester: String,
    pub(crate) made_at: DateTime<Utc>,
    pub(crate) is_accepted: bool,
    pub(crate) report: String,
    pub(crate) set_up_at: Option<DateTime<Utc>>,
    /// What the person whom it led to may do; empty when it led to nobody.
    pub(crate) role: String,
}

/// Keeps a test, and forgets those from before `kept_since`.
pub(crate) fn insert(
    connection: &mut PgConnection,
    row: &SignInTestRow,
    kept_since: DateTime<Utc>,
) -> QueryResult<()> {
    forget_old(connection, CompanyId::from_uuid(row.company_id), kept_since)?;
    diesel::insert_into(sign_in_tests::table).values(row).execute(connection).map(drop)
}

/// Forgets tests from before `kept_since`.
pub(crate) fn forget_old(
    connection: &mut PgConnection,
    company: CompanyId,
    kept_since: DateTime<Utc>,
) -> QueryResult<()> {
    diesel::delete(
        sign_in_tests::table
            .filter(sign_in_tests::company_id.eq(company.as_uuid()))
            .filter(sign_in_tests::made_at.lt(kept_since)),
    )
    .execute(connection)
    .map(drop)
}

/// A test of this administrator since then.
pub(crate) fn find(
    connection: &mut PgConnection,
    company: CompanyId,
    test: Uuid,
    (tester, since): (&str, DateTime<Utc>),
) -> QueryResult<Option<SignInTestRow>> {
    sign_in_tests::table
        .find((company.as_uuid(), test))
        .filter(sign_in_tests::tester.eq(tester))
        .filter(sign_in_tests::made_at.ge(since))
        .select(SignInTestRow::as_select())
        .first(connection)
        .optional()
}

/// The tests of this administrator since then that succeeded, of what was set up at this time.
pub(crate) fn accepted(
    connection: &mut PgConnection,
    company: CompanyId,
    tester: &str,
    (set_up_at, since): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<Vec<SignInTestRow>> {
    sign_in_tests::table
        .filter(sign_in_tests::company_id.eq(company.as_uuid()))
        .filter(sign_in_tests::tester.eq(tester))
        .filter(sign_in_tests::set_up_at.eq(set_up_at))
        .filter(sign_in_tests::made_at.ge(since))
        .filter(sign_in_tests::is_accepted)
        .select(SignInTestRow::as_select())
        .load(connection)
}
