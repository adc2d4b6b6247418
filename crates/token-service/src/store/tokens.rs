//! A company's tokens and what happened to them. Every function expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*, sql_types::Text};
use typed_ids::{CompanyId, TokenId};
use uuid::Uuid;

use super::schema::{revocations, token_events, tokens};

pg_pool::static_sql! {
    /// Row locks would not do: whoever waited for them still does not see the rows that the other inserted.
    TakeTurns = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
}

/// Lets one transaction at a time issue or rotate for a company; to be called before anything is read.
pub(crate) fn take_turns(connection: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    pg_pool::sql::statement(TakeTurns).bind::<Text, _>(company.to_string()).execute(connection).map(drop)
}

/// A row of `tokens`.
#[derive(Queryable, Selectable, Insertable, Debug, Clone)]
#[diesel(table_name = tokens, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TokenRow {
    pub(crate) company_id: Uuid,
    pub(crate) token_id: Uuid,
    pub(crate) kid: String,
    pub(crate) issuer: String,
    pub(crate) description: String,
    pub(crate) issued_at: DateTime<Utc>,
    pub(crate) expires_at: DateTime<Utc>,
}

/// A token and the end it was given, if any.
pub(crate) type WithEnd = (TokenRow, Option<DateTime<Utc>>);

/// What happened to a token.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Issued,
    Revealed,
    Retiring,
    Revoked,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Revealed => "revealed",
            Self::Retiring => "retiring",
            Self::Revoked => "revoked",
        }
    }
}

pub(crate) fn insert(connection: &mut PgConnection, token: &TokenRow) -> QueryResult<()> {
    diesel::insert_into(tokens::table).values(token).execute(connection).map(drop)
}

/// The newest first, at most `limit`.
pub(crate) fn of_company(
    connection: &mut PgConnection,
    company: CompanyId,
    limit: i64,
) -> QueryResult<Vec<WithEnd>> {
    tokens::table
        .left_join(revocations::table.on(revocations::token_id.eq(tokens::token_id)))
        .filter(tokens::company_id.eq(company.as_uuid()))
        .order((tokens::issued_at.desc(), tokens::token_id.desc()))
        .limit(limit)
        .select((TokenRow::as_select(), revocations::ends_at.nullable()))
        .load(connection)
}

/// Those that would be let in now.
pub(crate) fn live(
    connection: &mut PgConnection,
    company: CompanyId,
    now: DateTime<Utc>,
) -> QueryResult<Vec<(TokenId, DateTime<Utc>)>> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = tokens::table
        .filter(tokens::company_id.eq(company.as_uuid()))
        .filter(tokens::expires_at.gt(now))
        .filter(diesel::dsl::not(diesel::dsl::exists(
            revocations::table
                .filter(revocations::token_id.eq(tokens::token_id))
                .filter(revocations::ends_at.le(now)),
        )))
        .order(tokens::token_id)
        .select((tokens::token_id, tokens::expires_at))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, expires_at)| (TokenId::from_uuid(id), expires_at)).collect())
}

pub(crate) fn find(
    connection: &mut PgConnection,
    company: CompanyId,
    token: TokenId,
) -> QueryResult<Option<WithEnd>> {
    tokens::table
        .left_join(revocations::table.on(revocations::token_id.eq(tokens::token_id)))
        .filter(tokens::company_id.eq(company.as_uuid()))
        .filter(tokens::token_id.eq(token.as_uuid()))
        .select((TokenRow::as_select(), revocations::ends_at.nullable()))
        .first(connection)
        .optional()
}

/// Writes down what happened to each of these tokens.
pub(crate) fn record(
    connection: &mut PgConnection,
    company: CompanyId,
    tokens: impl IntoIterator<Item = TokenId>,
    kind: Kind,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let events: Vec<_> = tokens
        .into_iter()
        .map(|token| {
            (
                token_events::company_id.eq(company.as_uuid()),
                token_events::event_id.eq(Uuid::now_v7()),
                token_events::token_id.eq(token.as_uuid()),
                token_events::kind.eq(kind.as_str()),
                token_events::occurred_at.eq(now),
            )
        })
        .collect();
    diesel::insert_into(token_events::table).values(events).execute(connection).map(drop)
}
