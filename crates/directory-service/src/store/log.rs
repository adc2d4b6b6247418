//! The provisioning log: what was asked, by whom, and what became of it.

use bus_contract::{Message, provisioning::Refused};
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, Binary, Nullable, Text, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, GroupId, RequestId, TokenId, UserId};
use uuid::Uuid;

use super::{companies_setting, users::companies_of};
use crate::apply::request::Request;

pg_pool::static_sql! {
    // What `o` and `offset 0` are for is said in `store::batch`.
    ByRequests -> (SqlUuid, Nullable<SqlUuid>, Nullable<SqlUuid>, Text, Nullable<Binary>) =
        "select l.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, request_id) cross join lateral ( \
           select l.request_id, l.user_id, l.group_id, l.outcome, l.refusal from provisioning_log l \
           where l.company_id = k.company_id and l.request_id = k.request_id and o.opened is not null offset 0) l"
}

/// One line, as it is written.
pub(crate) struct Line<'a> {
    pub(crate) request: &'a Request,
    /// As the table's check constraint spells it.
    pub(crate) outcome: &'static str,
    pub(crate) refusal: Option<Refused>,
    pub(crate) changed_attributes: &'a [String],
}

/// One array per column.
pub(super) struct Columns<'a> {
    pub(super) company_ids: Vec<Uuid>,
    pub(super) request_ids: Vec<Uuid>,
    /// Empty where the request is about a group.
    pub(super) user_ids: Vec<Option<Uuid>>,
    pub(super) token_ids: Vec<Option<Uuid>>,
    pub(super) verbs: Vec<&'a str>,
    pub(super) accepted_at: Vec<DateTime<Utc>>,
    pub(super) outcomes: Vec<&'a str>,
    pub(super) refusals: Vec<Option<Vec<u8>>>,
    /// Joined by commas, which no attribute path of ours holds: Postgres has no unnest for an array of arrays.
    pub(super) changed_attributes: Vec<String>,
    /// Empty where the request is about a user.
    pub(super) group_ids: Vec<Option<Uuid>>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(lines: &[Line<'a>]) -> Self {
        let ids = |of: fn(&Request) -> Uuid| lines.iter().map(|line| of(line.request)).collect();
        Self {
            company_ids: ids(|request| request.company.as_uuid()),
            request_ids: ids(|request| request.id.as_uuid()),
            user_ids: lines.iter().map(|line| line.request.user().map(UserId::as_uuid)).collect(),
            token_ids: lines.iter().map(|line| line.request.token.map(TokenId::as_uuid)).collect(),
            verbs: lines.iter().map(|line| line.request.verb).collect(),
            accepted_at: lines.iter().map(|line| line.request.accepted_at).collect(),
            outcomes: lines.iter().map(|line| line.outcome).collect(),
            refusals: lines.iter().map(|line| line.refusal.as_ref().map(Message::encode_to_vec)).collect(),
            changed_attributes: lines.iter().map(|line| line.changed_attributes.join(",")).collect(),
            group_ids: lines.iter().map(|line| line.request.group().map(GroupId::as_uuid)).collect(),
        }
    }
}

/// The recorded outcome of a request that was applied before.
pub(crate) struct Recorded {
    pub(crate) request: RequestId,
    pub(crate) user: Option<UserId>,
    pub(crate) group: Option<GroupId>,
    pub(crate) outcome: String,
    pub(crate) refusal: Option<Refused>,
}

/// What became of these requests, those that were applied.
pub(crate) fn recorded(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, RequestId)],
) -> QueryResult<Vec<Recorded>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    type Row = (Uuid, Option<Uuid>, Option<Uuid>, String, Option<Vec<u8>>);
    let rows: Vec<Row> = statement(ByRequests)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, request)| request.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(request, user, group, outcome, refusal)| Recorded {
            request: RequestId::from_uuid(request),
            user: user.map(UserId::from_uuid),
            group: group.map(GroupId::from_uuid),
            outcome,
            refusal: refusal.and_then(|bytes| Refused::decode(bytes.as_slice()).ok()),
        })
        .collect())
}
