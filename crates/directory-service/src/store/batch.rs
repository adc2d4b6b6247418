//! The two statements of a batch: one reads what it decides on, one writes what it amounts to.
//!
//! Nothing is locked in between. The read says at which revision the partition was, and the write takes place only if it
//! is still there, and moves it on; so whoever else wrote meanwhile, another owner or a write of ours whose connection
//! broke and that took effect late, makes it write nothing. Each statement is a transaction of its own and therefore one
//! round trip, where a transaction of several would be a round trip for each and two more.

use bus_contract::{Message as _, directory::FactBatch, partition::Partition};
use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension as _, PgConnection, QueryResult, RunQueryDsl as _,
    sql_types::{
        Array, BigInt, Binary, Bool, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
    },
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, GroupId, UserId};
use uuid::Uuid;

use super::{
    companies_setting,
    log::{self, Line},
    partitions::{Tenure, number},
    users::{self, UserRow},
};
use crate::user::User;

pg_pool::static_sql! {
    // The subselects depend on `p`, so they are evaluated after it has opened the companies. `offset 0` keeps them what
    // they are, a probe of an index for each key: a plan that is made while the table is small stays right when it grows.
    ReadBatch -> (
        BigInt, BigInt, BigInt, Nullable<SmallInt>, Nullable<BigInt>, Nullable<SqlUuid>, Nullable<SqlUuid>,
        Nullable<SqlUuid>, Nullable<BigInt>, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Text>,
    ) =
        "select p.epoch, p.revision, p.applied_sequence, f.* \
         from (select epoch, revision, applied_sequence, set_config('timeclock.companies', $2, true) as opened \
               from partitions where partition = $1) p \
         left join lateral ( \
           select 0::smallint as what, null::bigint as place, u.company_id, u.user_id, null::uuid as group_id, \
             u.version, u.created_at, u.last_modified_at, u.attributes \
           from unnest($3, $4) as k(company_id, user_id) cross join lateral ( \
             select u.company_id, u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes from users u \
             where u.company_id = k.company_id and u.user_id = k.user_id and p.opened is not null offset 0) u \
           union all \
           select 1::smallint, k.place - 1, u.company_id, u.user_id, null, null, null, null, null \
           from unnest($5, $6) with ordinality as k(company_id, user_name_key, place) cross join lateral ( \
             select u.company_id, u.user_id from users u \
             where u.company_id = k.company_id and u.user_name_key = k.user_name_key and p.opened is not null \
             offset 0) u \
           union all \
           select 2::smallint, null, k.company_id, k.user_id, m.group_id, null, null, null, g.display_name \
           from unnest($3, $4) as k(company_id, user_id) cross join lateral ( \
             select m.group_id from memberships m \
             where m.company_id = k.company_id and m.member_id = k.user_id and p.opened is not null offset 0) m \
           cross join lateral (select g.display_name from groups g \
             where g.company_id = k.company_id and g.group_id = m.group_id offset 0) g \
           union all \
           select 3::smallint, null, k.company_id, null, null, null, null, null, e.document \
           from unnest($7) as k(company_id) cross join lateral (select e.document from extensions e \
             where e.company_id = k.company_id and p.opened is not null order by e.urn_key) e \
         ) f on true";
    // Every other part takes its rows from `fence`, so nothing is written when that finds the partition moved on.
    // An upsert rather than an update, because it has but one plan; what may be added is decided before.
    WriteBatch -> (SmallInt,) =
        "with fence as ( \
           update partitions set revision = revision + 1, applied_sequence = greatest(applied_sequence, $3) \
           where partition = $1 and epoch = $30 and revision = $2 \
             and set_config('timeclock.companies', $4, true) is not null \
           returning partition), \
         stored as ( \
           insert into users (company_id, user_id, user_name_key, external_id, work_email_key, many_work_emails, active, \
             manager_id, display_name, version, created_at, last_modified_at, attributes, display_name_key, search_keys) \
           select v.* from fence \
             cross join unnest($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $35, $36) as v \
           on conflict (company_id, user_id) do update set user_name_key = excluded.user_name_key, \
             external_id = excluded.external_id, work_email_key = excluded.work_email_key, \
             many_work_emails = excluded.many_work_emails, active = excluded.active, \
             manager_id = excluded.manager_id, display_name = excluded.display_name, version = excluded.version, \
             last_modified_at = excluded.last_modified_at, attributes = excluded.attributes, \
             display_name_key = excluded.display_name_key, search_keys = excluded.search_keys), \
         findable as ( \
           select v.company_id, v.user_id, u.search_keys as before, v.search_keys as after \
           from fence cross join unnest($5, $6, $36) as v(company_id, user_id, search_keys) left join lateral ( \
             select u.search_keys from users u where u.company_id = v.company_id and u.user_id = v.user_id offset 0) u on true \
           where u.search_keys is distinct from v.search_keys), \
         unkeyed as ( \
           delete from user_search_keys where ctid = any (array(select k.ctid from findable f \
             cross join string_to_table(f.before, E'\\n') as w(key) cross join lateral ( \
               select k.ctid from user_search_keys k \
               where k.company_id = f.company_id and k.key = w.key and k.user_id = f.user_id offset 0) k \
             where w.key <> all (string_to_array(f.after, E'\\n'))))), \
         keyed as ( \
           insert into user_search_keys (company_id, key, user_id) \
           select f.company_id, w.key, f.user_id from findable f cross join string_to_table(f.after, E'\\n') as w(key) \
           on conflict do nothing), \
         logged as ( \
           insert into provisioning_log (company_id, request_id, user_id, token_id, verb, accepted_at, applied_at, \
             outcome, refusal, changes, group_id, target_name, target_key, members_added, members_removed) \
           select v.company_id, v.request_id, v.user_id, v.token_id, v.verb, v.accepted_at, $28, v.outcome, v.refusal, \
             v.changes, v.group_id, v.target_name, v.target_key, v.members_added, v.members_removed \
           from fence cross join unnest($18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $31, $32, $33, $34) \
             as v(company_id, request_id, user_id, token_id, verb, accepted_at, outcome, refusal, changes, group_id, \
               target_name, target_key, members_added, members_removed)), \
         announced as ( \
           insert into outbox (partition, facts) select partition, $29 from fence where octet_length($29) > 0) \
         select partition from fence"
}

/// What a batch finds.
pub(crate) struct Seen {
    /// The epoch of the tenure that holds the partition.
    pub(crate) epoch: i64,
    pub(crate) revision: i64,
    /// How far the partition's requests are applied.
    pub(crate) applied_sequence: i64,
    /// Those of the targets that exist.
    pub(crate) users: Vec<User>,
    /// Who holds each of the names, in their order.
    pub(crate) holders: Vec<Option<UserId>>,
    /// Each group that one of the targets is a direct member of, with what the group is called.
    pub(crate) direct_groups: Vec<((CompanyId, UserId), GroupId, String)>,
    /// Schema documents that the companies have declared.
    pub(crate) extensions: Vec<(CompanyId, String)>,
}

type Row = (
    i64,
    i64,
    i64,
    Option<i16>,
    Option<i64>,
    Option<Uuid>,
    Option<Uuid>,
    Option<Uuid>,
    Option<i64>,
    Option<DateTime<Utc>>,
    Option<DateTime<Utc>>,
    Option<String>,
);

/// Reads the partition's row, the users with these ids, the holders of these folded names and the targets' groups.
pub(crate) fn read(
    conn: &mut PgConnection,
    partition: Partition,
    companies: &[CompanyId],
    targets: &[(CompanyId, UserId)],
    names: &[(CompanyId, String)],
) -> QueryResult<Seen> {
    let rows: Vec<Row> = statement(ReadBatch)
        .bind::<SmallInt, _>(number(partition))
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(users::companies_of(targets))
        .bind::<Array<SqlUuid>, _>(targets.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(users::companies_of(names))
        .bind::<Array<Text>, _>(names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(companies.iter().map(|company| company.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    let partition = rows.first().map(|row| (row.0, row.1, row.2));
    let (epoch, revision, applied_sequence) = partition.ok_or(diesel::result::Error::NotFound)?;
    let mut seen = Seen {
        epoch,
        revision,
        applied_sequence,
        users: vec![],
        holders: vec![None; names.len()],
        direct_groups: vec![],
        extensions: vec![],
    };
    rows.into_iter().try_for_each(|row| seen.take(row))?;
    Ok(seen)
}

impl Seen {
    fn take(&mut self, row: Row) -> QueryResult<()> {
        let (_, _, _, what, place, company, user, group, version, created_at, last_modified_at, text) = row;
        // Nothing was asked for, or nothing found.
        let (Some(what), Some(company_id)) = (what, company) else { return Ok(()) };
        let Some(user_id) = user else {
            self.extensions.extend(text.map(|document| (CompanyId::from_uuid(company_id), document)));
            return Ok(());
        };
        match (what, place, group, (version, created_at, last_modified_at, text)) {
            (0, _, _, (Some(version), Some(created_at), Some(last_modified_at), Some(attributes))) => {
                let row = UserRow { company_id, user_id, version, created_at, last_modified_at, attributes };
                self.users.push(row.into_user()?);
            }
            (1, Some(place), ..) => {
                let place = usize::try_from(place).ok().and_then(|place| self.holders.get_mut(place));
                if let Some(found) = place {
                    *found = Some(UserId::from_uuid(user_id));
                }
            }
            (2, _, Some(group), (.., Some(name))) => {
                let user = (CompanyId::from_uuid(company_id), UserId::from_uuid(user_id));
                self.direct_groups.push((user, GroupId::from_uuid(group), name));
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a batch amounts to.
pub(crate) struct Write<'a> {
    pub(crate) tenure: Tenure,
    /// As it was read.
    pub(crate) revision: i64,
    /// The stream sequence of the batch's last request.
    pub(crate) last_sequence: i64,
    pub(crate) companies: &'a [CompanyId],
    /// Written in this order: who gives a name up stands before who takes it.
    pub(crate) users: Vec<&'a User>,
    pub(crate) lines: &'a [Line<'a>],
    pub(crate) facts: &'a FactBatch,
    pub(crate) applied_at: DateTime<Utc>,
}

/// Writes everything, or nothing and `false` when the partition is at another revision.
pub(crate) fn write(conn: &mut PgConnection, write: &Write<'_>) -> QueryResult<bool> {
    let users = users::Columns::of(&write.users);
    let lines = log::Columns::of(write.lines);
    let written: Option<(i16,)> = statement(WriteBatch)
        .bind::<SmallInt, _>(number(write.tenure.partition))
        .bind::<BigInt, _>(write.revision)
        .bind::<BigInt, _>(write.last_sequence)
        .bind::<Text, _>(companies_setting(write.companies))
        .bind::<Array<SqlUuid>, _>(users.company_ids)
        .bind::<Array<SqlUuid>, _>(users.user_ids)
        .bind::<Array<Text>, _>(users.user_name_keys)
        .bind::<Array<Nullable<Text>>, _>(users.external_ids)
        .bind::<Array<Nullable<Text>>, _>(users.work_email_keys)
        .bind::<Array<Bool>, _>(users.many_work_emails)
        .bind::<Array<Bool>, _>(users.active)
        .bind::<Array<Nullable<SqlUuid>>, _>(users.manager_ids)
        .bind::<Array<Nullable<Text>>, _>(users.display_names)
        .bind::<Array<BigInt>, _>(users.versions)
        .bind::<Array<Timestamptz>, _>(users.created_at)
        .bind::<Array<Timestamptz>, _>(users.last_modified_at)
        .bind::<Array<Text>, _>(users.attributes)
        .bind::<Array<SqlUuid>, _>(lines.company_ids)
        .bind::<Array<SqlUuid>, _>(lines.request_ids)
        .bind::<Array<Nullable<SqlUuid>>, _>(lines.user_ids)
        .bind::<Array<Nullable<SqlUuid>>, _>(lines.token_ids)
        .bind::<Array<Text>, _>(lines.verbs)
        .bind::<Array<Timestamptz>, _>(lines.accepted_at)
        .bind::<Array<Text>, _>(lines.outcomes)
        .bind::<Array<Nullable<Binary>>, _>(lines.refusals)
        .bind::<Array<Nullable<Text>>, _>(lines.changes)
        .bind::<Array<Nullable<SqlUuid>>, _>(lines.group_ids)
        .bind::<Timestamptz, _>(write.applied_at)
        .bind::<Binary, _>(write.facts.encode_to_vec())
        .bind::<BigInt, _>(write.tenure.epoch)
        .bind::<Array<Nullable<Text>>, _>(lines.target_names)
        .bind::<Array<Nullable<Text>>, _>(lines.target_keys)
        .bind::<Array<Nullable<Integer>>, _>(lines.members_added)
        .bind::<Array<Nullable<Integer>>, _>(lines.members_removed)
        .bind::<Array<Nullable<Text>>, _>(users.display_name_keys)
        .bind::<Array<Text>, _>(users.search_keys)
        .get_result(conn)
        .optional()?;
    Ok(written.is_some())
}
