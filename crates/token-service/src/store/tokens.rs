//! A company's tokens. Every function expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::{CompanyId, TokenId};
use uuid::Uuid;

use super::schema::{revocations, signing_keys, tokens};

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
    pub(crate) created_by: String,
}

/// A token and the end it was given, if any: its own, or that of the key that signed it.
pub(crate) type WithEnd = (TokenRow, Option<DateTime<Utc>>);

pub(crate) fn insert(connection: &mut PgConnection, token: &TokenRow) -> QueryResult<()> {
    diesel::insert_into(tokens::table).values(token).execute(connection).map(drop)
}

/// A token's own end and that of its key; neither need be.
type Ends = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// The sooner of the two counts.
fn with_end((token, (own, of_key)): (TokenRow, Ends)) -> WithEnd {
    (token, own.into_iter().chain(of_key).min())
}

/// The newest first, at most `limit`.
pub(crate) fn of_company(
    connection: &mut PgConnection,
    company: CompanyId,
    limit: i64,
) -> QueryResult<Vec<WithEnd>> {
    let rows = tokens::table
        .inner_join(signing_keys::table)
        .left_join(revocations::table.on(revocations::token_id.eq(tokens::token_id)))
        .filter(tokens::company_id.eq(company.as_uuid()))
        .order((tokens::issued_at.desc(), tokens::token_id.desc()))
        .limit(limit)
        .select((TokenRow::as_select(), (revocations::ends_at.nullable(), signing_keys::retired_at)))
        .load(connection)?;
    Ok(rows.into_iter().map(with_end).collect())
}

/// Those that would be let in now.
pub(crate) fn live(
    connection: &mut PgConnection,
    company: CompanyId,
    now: DateTime<Utc>,
) -> QueryResult<Vec<(Uuid, DateTime<Utc>)>> {
    tokens::table
        .inner_join(signing_keys::table)
        .filter(tokens::company_id.eq(company.as_uuid()))
        .filter(tokens::expires_at.gt(now))
        .filter(signing_keys::retired_at.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(
            revocations::table
                .filter(revocations::token_id.eq(tokens::token_id))
                .filter(revocations::ends_at.le(now)),
        )))
        .order(tokens::token_id)
        .select((tokens::token_id, tokens::expires_at))
        .load(connection)
}

pub(crate) fn find(
    connection: &mut PgConnection,
    company: CompanyId,
    token: TokenId,
) -> QueryResult<Option<WithEnd>> {
    let row = tokens::table
        .inner_join(signing_keys::table)
        .left_join(revocations::table.on(revocations::token_id.eq(tokens::token_id)))
        .filter(tokens::company_id.eq(company.as_uuid()))
        .filter(tokens::token_id.eq(token.as_uuid()))
        .select((TokenRow::as_select(), (revocations::ends_at.nullable(), signing_keys::retired_at)))
        .first(connection)
        .optional()?;
    Ok(row.map(with_end))
}
