//! The tables, and what may be done with them.
//!
//! Functions here run inside a transaction that somebody above opens; none opens one itself. A transaction begins by
//! naming the company it acts for, or the key that it presents.

pub(crate) mod access_ends;
pub(crate) mod administrators;
pub(crate) mod attempts;
pub(crate) mod audit;
pub(crate) mod directory_history;
pub(crate) mod invitations;
pub(crate) mod networks;
pub(crate) mod notices;
pub(crate) mod person_sessions;
pub(crate) mod schema;
pub(crate) mod sessions;
pub(crate) mod sign_in_requests;
pub(crate) mod sign_in_tests;
pub(crate) mod single_sign_on;

use diesel::{PgConnection, QueryResult, RunQueryDsl as _, sql_types::Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use typed_ids::CompanyId;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

pg_pool::static_sql! {
    SetCompany = "SELECT set_config('timeclock.company_id', $1, true)";
    SetKey = "SELECT set_config('timeclock.key', $1, true)"
}

/// From here to the end of the transaction, rows of this company are all there is.
pub(crate) fn act_for(connection: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    pg_pool::sql::statement(SetCompany).bind::<Text, _>(company.to_string()).execute(connection).map(drop)
}

/// From here to the end of the transaction, the row that is found by this key may be read, whosever it is.
fn present(connection: &mut PgConnection, key: &str) -> QueryResult<()> {
    pg_pool::sql::statement(SetKey).bind::<Text, _>(key).execute(connection).map(drop)
}
