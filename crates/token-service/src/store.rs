//! The tables, and what may be done with them.
//!
//! Functions here run inside a transaction that `lifecycle` or `publish` opens; none opens one itself.

pub(crate) mod clients;
pub(crate) mod events;
pub(crate) mod expiries;
pub(crate) mod keys;
pub(crate) mod revocations;
pub(crate) mod schema;
pub(crate) mod tokens;

use diesel::{PgConnection, QueryResult, RunQueryDsl as _, sql_types::Text};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use typed_ids::CompanyId;

pub(crate) const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

pg_pool::static_sql! {
    SetCompany = "SELECT set_config('timeclock.company_id', $1, true)";
    /// Row locks would not do: whoever waited for them still does not see the rows that the other inserted.
    TakeTurns = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
}

/// From here to the end of the transaction, rows of this company are all there is.
pub(crate) fn act_for(connection: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    pg_pool::sql::statement(SetCompany).bind::<Text, _>(company.to_string()).execute(connection).map(drop)
}

/// Lets one transaction at a time add to a company's credentials; to be called before anything is read.
pub(crate) fn take_turns(connection: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    pg_pool::sql::statement(TakeTurns).bind::<Text, _>(company.to_string()).execute(connection).map(drop)
}
