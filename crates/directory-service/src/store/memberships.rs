//! Who is in which group: one row each.

use bus_contract::directory;
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, GroupId, MemberId};
use uuid::Uuid;

use super::{companies_setting, users::companies_of};
use crate::apply::decide::groups::{GroupKey, Member, MemberKey};

pg_pool::static_sql! {
    // What `o` and `offset 0` are for is said in `store::batch`.
    Kinds -> (SqlUuid, SqlUuid, Bool) =
        "select k.company_id, k.id, f.is_group from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, id) cross join lateral ( \
           select false as is_group from users u \
             where u.company_id = k.company_id and u.user_id = k.id and o.opened is not null \
           union all \
           select true from groups g \
             where g.company_id = k.company_id and g.group_id = k.id and o.opened is not null offset 0) f";
    Pairs -> (SqlUuid, SqlUuid, SqlUuid, Bool) =
        "select m.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3, $4) as k(company_id, group_id, member_id) cross join lateral ( \
           select m.company_id, m.group_id, m.member_id, m.is_group from memberships m \
           where m.company_id = k.company_id and m.group_id = k.group_id and m.member_id = k.member_id \
             and o.opened is not null offset 0) m";
    OfGroups -> (SqlUuid, SqlUuid, SqlUuid, Bool) =
        "select m.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, group_id) cross join lateral ( \
           select m.company_id, m.group_id, m.member_id, m.is_group from memberships m \
           where m.company_id = k.company_id and m.group_id = k.group_id and o.opened is not null offset 0) m";
    OfMembers -> (SqlUuid, SqlUuid, SqlUuid, Bool) =
        "select m.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, member_id) cross join lateral ( \
           select m.company_id, m.group_id, m.member_id, m.is_group from memberships m \
           where m.company_id = k.company_id and m.member_id = k.member_id and o.opened is not null offset 0) m";
    Add =
        "insert into memberships (company_id, group_id, member_id, is_group) select * from unnest($1, $2, $3, $4) \
         on conflict do nothing";
    Remove = "delete from memberships where company_id = $1 and group_id = $2 and member_id = any ($3)";
    Page -> (BigInt, Nullable<SqlUuid>, Nullable<Bool>, Nullable<Text>) =
        "select g.version, m.member_id, m.is_group, m.display_name \
         from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join lateral (select g.version from groups g \
           where g.company_id = $2 and g.group_id = $3 and o.opened is not null) g \
         left join lateral ( \
           select m.member_id, m.is_group, coalesce(u.display_name, n.display_name) as display_name from ( \
             select m.member_id, m.is_group from memberships m \
             where m.company_id = $2 and m.group_id = $3 and m.member_id > $4 and o.opened is not null \
             order by m.member_id limit $5) m \
           left join lateral (select u.display_name from users u \
             where u.company_id = $2 and u.user_id = m.member_id and not m.is_group offset 0) u on true \
           left join lateral (select n.display_name from groups n \
             where n.company_id = $2 and n.group_id = m.member_id and m.is_group offset 0) n on true \
           order by m.member_id) m on true"
}

/// One membership.
pub(crate) type Row = (GroupKey, Member);

/// Whether each of these is a group, those that exist.
pub(crate) fn kinds(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[MemberKey],
) -> QueryResult<Vec<(MemberKey, bool)>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<(Uuid, Uuid, bool)> = statement(Kinds)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(ids(keys))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(company, id, is_group)| ((CompanyId::from_uuid(company), MemberId::from_uuid(id)), is_group))
        .collect())
}

/// Those of these memberships that exist.
pub(crate) fn pairs(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    pairs: &[(GroupKey, MemberId)],
) -> QueryResult<Vec<Row>> {
    if pairs.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<_> = statement(Pairs)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(
            pairs.iter().map(|((company, _), _)| company.as_uuid()).collect::<Vec<_>>(),
        )
        .bind::<Array<SqlUuid>, _>(pairs.iter().map(|((_, group), _)| group.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(pairs.iter().map(|(_, member)| member.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(rows.into_iter().map(row).collect())
}

/// Everybody who is in these groups.
pub(crate) fn of_groups(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    groups: &[GroupKey],
) -> QueryResult<Vec<Row>> {
    if groups.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<_> = statement(OfGroups)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(groups))
        .bind::<Array<SqlUuid>, _>(groups.iter().map(|(_, group)| group.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(rows.into_iter().map(row).collect())
}

/// Every group that one of these is a direct member of.
pub(crate) fn of_members(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    members: &[MemberKey],
) -> QueryResult<Vec<Row>> {
    if members.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<_> = statement(OfMembers)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(members))
        .bind::<Array<SqlUuid>, _>(ids(members))
        .load(conn)?;
    Ok(rows.into_iter().map(row).collect())
}

/// Adds memberships. The transaction must have opened their companies.
pub(crate) fn add(conn: &mut PgConnection, rows: &[Row]) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    statement(Add)
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|((company, _), _)| company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|((_, group), _)| group.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(rows.iter().map(|(_, member)| member.id.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(rows.iter().map(|(_, member)| member.is_group).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// Removes members of one group. The transaction must have opened its company.
pub(crate) fn remove(conn: &mut PgConnection, group: GroupKey, members: &[MemberId]) -> QueryResult<()> {
    statement(Remove)
        .bind::<SqlUuid, _>(group.0.as_uuid())
        .bind::<SqlUuid, _>(group.1.as_uuid())
        .bind::<Array<SqlUuid>, _>(members.iter().map(|member| member.as_uuid()).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// The group's version and its members behind `after`, at most `limit`, in the order of their ids; `None` when there is no
/// such group.
pub(crate) fn page(
    conn: &mut PgConnection,
    (company, group): GroupKey,
    after: MemberId,
    limit: i64,
) -> QueryResult<Option<(i64, Vec<directory::Member>)>> {
    type Shown = (i64, Option<Uuid>, Option<bool>, Option<String>);
    let rows: Vec<Shown> = statement(Page)
        .bind::<Text, _>(companies_setting(&[company]))
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(group.as_uuid())
        .bind::<SqlUuid, _>(after.as_uuid())
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    let Some((version, ..)) = rows.first() else { return Ok(None) };
    let version = *version;
    let members = rows.into_iter().filter_map(|(_, id, is_group, display_name)| {
        Some(directory::Member {
            member_id: MemberId::from_uuid(id?).to_string(),
            is_group: is_group?,
            display_name: display_name.unwrap_or_default(),
        })
    });
    Ok(Some((version, members.collect())))
}

fn ids(keys: &[MemberKey]) -> Vec<Uuid> {
    keys.iter().map(|(_, id)| id.as_uuid()).collect()
}

fn row((company, group, member, is_group): (Uuid, Uuid, Uuid, bool)) -> Row {
    (
        (CompanyId::from_uuid(company), GroupId::from_uuid(group)),
        Member { id: MemberId::from_uuid(member), is_group },
    )
}
