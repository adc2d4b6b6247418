//! Every statement that the directory sends to Postgres. Functions take the connection and return diesel's own result;
//! they neither open transactions nor log.

pub(crate) mod activity;
pub(crate) mod batch;
pub(crate) mod brakes;
pub(crate) mod browse;
pub(crate) mod companies;
pub(crate) mod company_events;
pub(crate) mod dead_letters;
pub(crate) mod extensions;
pub(crate) mod filter_sql;
pub(crate) mod groups;
pub(crate) mod history;
pub(crate) mod log;
pub(crate) mod log_pages;
pub(crate) mod memberships;
pub(crate) mod order_sql;
pub(crate) mod outbox;
pub(crate) mod partitions;
pub(crate) mod removals;
pub(crate) mod resource_table;
pub(crate) mod search;
pub(crate) mod search_keys;
pub(crate) mod users;

use std::time::Duration;

use diesel::{PgConnection, QueryResult, RunQueryDsl, sql_types::Text};
use pg_pool::{STATEMENT_TIMEOUT, sql::statement};
use typed_ids::CompanyId;

pg_pool::static_sql! {
    OpenCompanies = "select set_config('timeclock.companies', $1, true)";
    OpenCompanyWithin = "select set_config('timeclock.companies', $1, true), set_config('statement_timeout', $2, true)"
}

/// Opens the rows of these companies, and of no others, to the rest of the transaction (row level security).
pub(crate) fn open_companies(conn: &mut PgConnection, companies: &[CompanyId]) -> QueryResult<()> {
    statement(OpenCompanies).bind::<Text, _>(companies_setting(companies)).execute(conn).map(drop)
}

/// Opens one company's rows, as [`open_companies`] does, and lets no statement of the transaction take longer than
/// whoever asks waits: nobody would hear what it finds.
pub(crate) fn open_company_within(
    conn: &mut PgConnection,
    company: CompanyId,
    within: Duration,
) -> QueryResult<()> {
    // 0 would be no limit at all.
    let within = within.min(STATEMENT_TIMEOUT).as_millis().max(1);
    statement(OpenCompanyWithin)
        .bind::<Text, _>(companies_setting(&[company]))
        .bind::<Text, _>(within.to_string())
        .execute(conn)
        .map(drop)
}

/// The text form of a Postgres uuid array, as the policies read it.
fn companies_setting(companies: &[CompanyId]) -> String {
    let mut setting = String::with_capacity(2 + companies.len() * 37);
    setting.push('{');
    for (place, company) in companies.iter().enumerate() {
        if place > 0 {
            setting.push(',');
        }
        setting.push_str(&company.to_string());
    }
    setting.push('}');
    setting
}
