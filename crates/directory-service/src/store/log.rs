//! The provisioning log: what was asked, by whom, and what became of it.

use bus_contract::{Message, provisioning::Refused};
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, RequestId, UserId};
use uuid::Uuid;

use crate::apply::request::Request;

pg_pool::static_sql! {
    Insert =
        "insert into provisioning_log (company_id, request_id, user_id, token_id, verb, accepted_at, applied_at, \
           outcome, refusal, changed_attributes) \
         select v.company_id, v.request_id, v.user_id, v.token_id, v.verb, v.accepted_at, $10, v.outcome, v.refusal, \
           string_to_array(v.changed, ',') \
         from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) \
           as v(company_id, request_id, user_id, token_id, verb, accepted_at, outcome, refusal, changed)";
    ByRequests -> (SqlUuid, SqlUuid, Text, Nullable<Binary>) =
        "select l.request_id, l.user_id, l.outcome, l.refusal \
         from unnest($1, $2) as k(company_id, request_id) join provisioning_log l using (company_id, request_id)"
}

/// One line, as it is written.
pub(crate) struct Line<'a> {
    pub(crate) request: &'a Request,
    /// As the table's check constraint spells it.
    pub(crate) outcome: &'static str,
    pub(crate) refusal: Option<Refused>,
    pub(crate) changed_attributes: &'a [String],
}

/// Writes the lines of one batch.
pub(crate) fn insert(
    conn: &mut PgConnection,
    lines: &[Line<'_>],
    applied_at: DateTime<Utc>,
) -> QueryResult<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&Request) -> Uuid| lines.iter().map(|line| of(line.request)).collect::<Vec<_>>();
    statement(Insert)
        .bind::<Array<SqlUuid>, _>(column(|request| request.company.as_uuid()))
        .bind::<Array<SqlUuid>, _>(column(|request| request.id.as_uuid()))
        .bind::<Array<SqlUuid>, _>(column(|request| request.user.as_uuid()))
        .bind::<Array<Nullable<SqlUuid>>, _>(
            lines.iter().map(|line| line.request.token.map(typed_ids::TokenId::as_uuid)).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.request.verb).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(lines.iter().map(|line| line.request.accepted_at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.outcome).collect::<Vec<_>>())
        .bind::<Array<Nullable<Binary>>, _>(
            lines.iter().map(|line| line.refusal.as_ref().map(Message::encode_to_vec)).collect::<Vec<_>>(),
        )
        // Postgres has no unnest for an array of arrays; no attribute path of ours holds a comma.
        .bind::<Array<Text>, _>(
            lines.iter().map(|line| line.changed_attributes.join(",")).collect::<Vec<_>>(),
        )
        .bind::<Timestamptz, _>(applied_at)
        .execute(conn)?;
    Ok(())
}

/// The recorded outcome of a request that was applied before.
pub(crate) struct Recorded {
    pub(crate) request: RequestId,
    pub(crate) user: UserId,
    pub(crate) outcome: String,
    pub(crate) refusal: Option<Refused>,
}

/// What became of these requests, those that were applied.
pub(crate) fn recorded(
    conn: &mut PgConnection,
    keys: &[(CompanyId, RequestId)],
) -> QueryResult<Vec<Recorded>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<(Uuid, Uuid, String, Option<Vec<u8>>)> = statement(ByRequests)
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(company, _)| company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, request)| request.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(request, user, outcome, refusal)| Recorded {
            request: RequestId::from_uuid(request),
            user: UserId::from_uuid(user),
            outcome,
            refusal: refusal.and_then(|bytes| Refused::decode(bytes.as_slice()).ok()),
        })
        .collect())
}
