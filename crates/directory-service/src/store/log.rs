//! The provisioning log: what was asked, by whom, and what became of it.

use bus_contract::{Message, provisioning::Refused};
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, Binary, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use scim_protocol::fold::fold;
use typed_ids::{CompanyId, GroupId, RequestId, TokenId, UserId};
use uuid::Uuid;

use super::{companies_setting, users::companies_of};
use crate::{
    activity::line::CallLine,
    apply::{
        changes::{self, MAX_VALUE},
        request::Request,
    },
};

pg_pool::static_sql! {
    // What `o` and `offset 0` are for is said in `store::batch`.
    ByRequests -> (SqlUuid, Nullable<SqlUuid>, Nullable<SqlUuid>, Text, Nullable<Binary>) =
        "select l.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, request_id) cross join lateral ( \
           select l.request_id, l.user_id, l.group_id, l.outcome, l.refusal from provisioning_log l \
           where l.company_id = k.company_id and l.request_id = k.request_id and o.opened is not null offset 0) l";
    InsertCalls =
        "insert into provisioning_log (company_id, request_id, user_id, group_id, token_id, verb, accepted_at, applied_at, \
           outcome, refusal, target_name, target_key, status, address) \
         select v.company_id, v.request_id, v.user_id, v.group_id, v.token_id, v.verb, v.accepted_at, $13, v.outcome, \
           v.refusal, v.target_name, v.target_key, v.status, v.address \
         from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $14) \
           as v(company_id, request_id, user_id, group_id, token_id, verb, accepted_at, outcome, refusal, target_name, \
             target_key, status, address) \
         on conflict (company_id, request_id) do nothing"
}

/// One line, as it is written.
pub(crate) struct Line<'a> {
    pub(crate) request: &'a Request,
    /// As the table's check constraint spells it.
    pub(crate) outcome: &'static str,
    pub(crate) refusal: Option<Refused>,
    /// userName or displayName.
    pub(crate) target_name: Option<&'a str>,
    /// As [`changes::text`] wrote them.
    pub(crate) changes: Option<String>,
    pub(crate) members_added: usize,
    pub(crate) members_removed: usize,
}

/// One array per column.
pub(super) struct Columns<'l> {
    pub(super) company_ids: Vec<Uuid>,
    pub(super) request_ids: Vec<Uuid>,
    /// Empty where the request is about a group.
    pub(super) user_ids: Vec<Option<Uuid>>,
    pub(super) token_ids: Vec<Option<Uuid>>,
    pub(super) verbs: Vec<&'l str>,
    pub(super) accepted_at: Vec<DateTime<Utc>>,
    pub(super) outcomes: Vec<&'l str>,
    pub(super) refusals: Vec<Option<Vec<u8>>>,
    pub(super) changes: Vec<Option<&'l str>>,
    /// Empty where the request is about a user.
    pub(super) group_ids: Vec<Option<Uuid>>,
    pub(super) target_names: Vec<Option<String>>,
    pub(super) target_keys: Vec<Option<String>>,
    /// Empty where there are none.
    pub(super) members_added: Vec<Option<i32>>,
    pub(super) members_removed: Vec<Option<i32>>,
}

impl<'l> Columns<'l> {
    pub(super) fn of(lines: &'l [Line<'_>]) -> Self {
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
            changes: lines.iter().map(|line| line.changes.as_deref()).collect(),
            group_ids: lines.iter().map(|line| line.request.group().map(GroupId::as_uuid)).collect(),
            target_names: lines.iter().map(|line| line.target_name.map(target_name)).collect(),
            target_keys: lines.iter().map(|line| line.target_name.map(target_key)).collect(),
            members_added: lines.iter().map(|line| counted(line.members_added)).collect(),
            members_removed: lines.iter().map(|line| counted(line.members_removed)).collect(),
        }
    }
}

fn counted(members: usize) -> Option<i32> {
    i32::try_from(members).ok().filter(|count| *count > 0)
}

/// A name as the log keeps it. Postgres cannot store U+0000, which a request that is refused may hold.
pub(crate) fn target_name(name: &str) -> String {
    changes::clipped(name).replace('\0', "\u{fffd}")
}

/// What a name is found by: folded, and no longer than an index entry may be.
pub(crate) fn target_key(name: &str) -> String {
    fold(name).replace('\0', "\u{fffd}").chars().take(MAX_VALUE).collect()
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

/// Adds lines of calls that the directory did not decide; how many there are new. The transaction must have opened their
/// companies.
pub(crate) fn insert_calls(
    conn: &mut PgConnection,
    lines: &[CallLine<'_>],
    applied_at: DateTime<Utc>,
) -> QueryResult<usize> {
    if lines.is_empty() {
        return Ok(0);
    }
    let of = |id: fn(&CallLine<'_>) -> Option<Uuid>| lines.iter().map(id).collect::<Vec<_>>();
    let names = || lines.iter().map(|line| line.call.target_name.as_deref());
    statement(InsertCalls)
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(lines.iter().map(|line| line.request.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(of(|line| line.call.user.map(UserId::as_uuid)))
        .bind::<Array<Nullable<SqlUuid>>, _>(of(|line| line.call.group.map(GroupId::as_uuid)))
        .bind::<Array<Nullable<SqlUuid>>, _>(of(|line| line.call.credential.map(TokenId::as_uuid)))
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.call.verb.as_str()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(lines.iter().map(|line| line.accepted_at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|line| line.outcome).collect::<Vec<_>>())
        .bind::<Array<Nullable<Binary>>, _>(
            lines.iter().map(|line| line.refusal.as_ref().map(Message::encode_to_vec)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Text>>, _>(names().map(|name| name.map(target_name)).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(names().map(|name| name.map(target_key)).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(
            lines.iter().map(|line| line.call.status.cast_signed()).collect::<Vec<_>>(),
        )
        .bind::<Timestamptz, _>(applied_at)
        .bind::<Array<Nullable<Text>>, _>(
            lines.iter().map(|line| line.call.address.as_deref()).collect::<Vec<_>>(),
        )
        .execute(conn)
}
