//! People whose access provisioning ended lately, with what deleted ones were.
//!
//! Only the owner of the company's partition writes these rows, in the transaction of a batch, and whoever decides about
//! them, behind [`super::brakes::lock`].

use bus_contract::directory::Removal;
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{BrakeId, CompanyId, GroupId, UserId};
use uuid::Uuid;

use super::{
    companies_setting,
    users::{UserRow, companies_of, in_places},
};
use crate::{
    apply::{
        decide::{
            UserKey,
            restore::{Held, Returnee},
        },
        removals::Removed,
    },
    brake::BrakeSettings,
    time::to_timestamp,
    user::User,
};

pg_pool::static_sql! {
    // Who is deleted while an undo is on the way to them is removed anew, and what the undo still asks of them finds nothing.
    // They had access before: somebody had decided that they get it back. So is whoever was disabled in a mass removal that
    // takes nobody in any more: it must end.
    Detach =
        "with detached as (update removals r set brake_id = null, removed_at = $1 \
           from brakes b, unnest($2, $3) as v(company_id, user_id) \
           where r.company_id = v.company_id and r.user_id = v.user_id \
             and b.company_id = r.company_id and b.brake_id = r.brake_id \
             and (b.state <> 'on' or b.began_at <= $4) \
           returning b.company_id, b.brake_id, r.was_active) \
         update brakes b set removed = b.removed - n.count, had_access = b.had_access - n.had_access from ( \
           select company_id, brake_id, count(*) as count, count(*) filter (where was_active) as had_access \
           from detached group by company_id, brake_id) n \
         where b.company_id = n.company_id and b.brake_id = n.brake_id";
    // Whoever has waited disabled and is deleted now can be lost only from now on: there is as much time as for anybody.
    GiveTime =
        "update brakes b set ends_at = greatest(b.ends_at, $1) \
         where b.company_id = any ($2) and b.state = 'on' and exists (select from removals r \
           join unnest($2, $3) as v(company_id, user_id) on r.company_id = v.company_id and r.user_id = v.user_id \
           where r.company_id = b.company_id and r.brake_id = b.brake_id and r.attributes is null)";
    // Somebody who was disabled and is deleted now was removed once: the row says since when, and whether there was access
    // before the first of both. One that is older than what is counted together says nothing of that.
    Keep =
        "insert into removals (company_id, user_id, removed_at, user_name, display_name, was_active, version, created_at, \
           last_modified_at, attributes, group_ids) \
         select v.company_id, v.user_id, $1, v.user_name, v.display_name, v.was_active, v.version, v.created_at, \
           v.last_modified_at, v.attributes, v.group_ids::uuid[] \
         from unnest($3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as v(company_id, user_id, user_name, display_name, \
           was_active, version, created_at, last_modified_at, attributes, group_ids) \
         on conflict (company_id, user_id) do update set \
           removed_at = case when removals.brake_id is null then excluded.removed_at else removals.removed_at end, \
           user_name = excluded.user_name, display_name = excluded.display_name, \
           was_active = excluded.was_active \
             or (removals.was_active and (removals.brake_id is not null or removals.removed_at > $2)), \
           version = excluded.version, created_at = excluded.created_at, last_modified_at = excluded.last_modified_at, \
           attributes = excluded.attributes, group_ids = excluded.group_ids";
    Recent -> (BigInt, BigInt) =
        "select count(*), count(*) filter (where was_active) from removals \
         where company_id = $1 and brake_id is null and removed_at > $2";
    Join =
        "with joined as (update removals set brake_id = $2 \
           where company_id = $1 and brake_id is null and removed_at > $3 returning removed_at, was_active, attributes) \
         update brakes set removed = removed + (select count(*) from joined), \
           had_access = had_access + (select count(*) from joined where was_active), last_at = $4, \
           began_at = least(began_at, (select min(removed_at) from joined)), \
           ends_at = case when exists (select from joined where attributes is not null) \
             then greatest(ends_at, $5) else ends_at end \
         where company_id = $1 and brake_id = $2";
    LetGo -> (BigInt,) =
        "with gone as (delete from removals where company_id = $1 and brake_id is null and removed_at = $3 \
             and attributes is not null returning was_active), \
           counted as (update brakes set last_at = $3, removed = removed + (select count(*) from gone), \
               not_held = not_held + (select count(*) from gone), \
               had_access = had_access + (select count(*) from gone where was_active) \
             where company_id = $1 and brake_id = $2) \
         select count(*) from gone";
    Return =
        "with gone as (delete from removals where company_id = $1 and user_id = any ($2) returning brake_id) \
         update brakes b set returned = b.returned + n.count from ( \
           select brake_id, count(*) as count from gone where brake_id is not null group by brake_id) n \
         where b.company_id = $1 and b.brake_id = n.brake_id";
    Settle =
        "with gone as (delete from removals where company_id = $1 and user_id = $2 and brake_id = $3 returning user_id) \
         update brakes set restored = restored + case when $4 then 1 else 0 end, \
           superseded = superseded + case when $4 then 0 else 1 end \
         where company_id = $1 and brake_id = $3 and exists (select from gone)";
    // What `o` and `offset 0` are for is said in `store::batch`.
    ByUsers -> (
        SqlUuid, SqlUuid, SqlUuid, Text, Bool, Nullable<BigInt>, Nullable<Timestamptz>, Nullable<Timestamptz>,
        Nullable<Text>, Nullable<Array<SqlUuid>>,
    ) =
        "select r.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, user_id) cross join lateral ( \
           select r.company_id, r.user_id, r.brake_id, r.user_name, r.was_active, r.version, r.created_at, \
             r.last_modified_at, r.attributes, r.group_ids \
           from removals r join brakes b on b.company_id = r.company_id and b.brake_id = r.brake_id \
           where r.company_id = k.company_id and r.user_id = k.user_id and b.state = 'undoing' \
             and o.opened is not null offset 0) r";
    ExternalIdHolders -> (BigInt, SqlUuid) =
        "select k.place - 1, u.user_id from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) with ordinality as k(company_id, external_id, place) cross join lateral ( \
           select u.user_id from users u where u.company_id = k.company_id and u.external_id = k.external_id \
           and o.opened is not null order by u.user_id limit 1) u";
    Page -> (SqlUuid, Text, Nullable<Text>, Timestamptz, Bool, Bool, Integer) =
        "select user_id, user_name, display_name, removed_at, attributes is not null, was_active, \
           (select count(*) from groups g where g.company_id = $1 and g.group_id = any (r.group_ids))::integer \
         from removals r where company_id = $1 and brake_id = $2 and user_id > $3 order by user_id limit $4";
    CountDeleted -> (BigInt,) =
        "select count(*) from removals where company_id = $1 and brake_id = $2 and attributes is not null";
    Waiting -> (SqlUuid,) =
        "select user_id from removals where company_id = $1 and brake_id = $2 order by user_id limit $3";
    StillWaiting -> (BigInt,) =
        "select count(*) from removals where company_id = $1 and brake_id = $2 and user_id = any ($3)";
    // What nobody may bring back any more: alone and old, or of a brake that is over.
    Forget =
        "delete from removals r where r.company_id = $1 and case when r.brake_id is null then r.removed_at <= $2 \
           else not exists (select from brakes b where b.company_id = $1 and b.brake_id = r.brake_id \
             and b.state in ('on', 'undoing')) end";
    Destroy = "delete from removals where company_id = $1 and brake_id = $2";
    OldestAlone -> (Nullable<Timestamptz>,) =
        "select min(removed_at) from removals where company_id = $1 and brake_id is null"
}

/// Keeps people who were removed by this batch.
pub(crate) fn keep(
    conn: &mut PgConnection,
    removed: &[Removed<'_>],
    settings: BrakeSettings,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let companies: Vec<Uuid> = removed.iter().map(|it| it.user.company.as_uuid()).collect();
    let users: Vec<Uuid> = removed.iter().map(|it| it.user.id.as_uuid()).collect();
    statement(Detach)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<SqlUuid>, _>(&companies)
        .bind::<Array<SqlUuid>, _>(&users)
        .bind::<Timestamptz, _>(now - settings.hold)
        .execute(conn)?;
    let gone = removed.iter().filter(|it| it.groups.is_some());
    let (their_companies, gone): (Vec<Uuid>, Vec<Uuid>) =
        gone.map(|it| (it.user.company.as_uuid(), it.user.id.as_uuid())).unzip();
    statement(GiveTime)
        .bind::<Timestamptz, _>(now + settings.hold)
        .bind::<Array<SqlUuid>, _>(their_companies)
        .bind::<Array<SqlUuid>, _>(gone)
        .execute(conn)?;
    let deleted = |removed: &Removed<'_>| removed.groups.is_some();
    let groups = |removed: &Removed<'_>| removed.groups.as_deref().map(group_array);
    statement(Keep)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(now - settings.window)
        .bind::<Array<SqlUuid>, _>(&companies)
        .bind::<Array<SqlUuid>, _>(&users)
        .bind::<Array<Text>, _>(removed.iter().map(|it| it.user.user_name()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(removed.iter().map(|it| it.user.display_name()).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(removed.iter().map(|it| it.was_active).collect::<Vec<_>>())
        .bind::<Array<Nullable<BigInt>>, _>(
            removed.iter().map(|it| deleted(it).then_some(it.user.version)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Timestamptz>>, _>(
            removed.iter().map(|it| deleted(it).then_some(it.user.created_at)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Timestamptz>>, _>(
            removed.iter().map(|it| deleted(it).then_some(it.user.last_modified_at)).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Text>>, _>(
            removed.iter().map(|it| deleted(it).then(|| it.user.attributes.json())).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Text>>, _>(removed.iter().map(groups).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// The text form of a Postgres uuid array: an array of arrays would have to be as long in every row.
fn group_array(groups: &[GroupId]) -> String {
    let ids: Vec<String> = groups.iter().map(ToString::to_string).collect();
    format!("{{{}}}", ids.join(","))
}

/// Removals since then that are no part of a mass removal; and how many of those people had access before.
pub(crate) fn recent(
    conn: &mut PgConnection,
    company: CompanyId,
    since: DateTime<Utc>,
) -> QueryResult<(i64, i64)> {
    statement(Recent).bind::<SqlUuid, _>(company.as_uuid()).bind::<Timestamptz, _>(since).get_result(conn)
}

/// Makes those removals part of a mass removal, whose deleted people are held until `held_until` at least.
pub(crate) fn join(
    conn: &mut PgConnection,
    company: CompanyId,
    brake: BrakeId,
    since: DateTime<Utc>,
    (now, held_until): (DateTime<Utc>, DateTime<Utc>),
) -> QueryResult<()> {
    statement(Join)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .bind::<Timestamptz, _>(since)
        .bind::<Timestamptz, _>(now)
        .bind::<Timestamptz, _>(held_until)
        .execute(conn)
        .map(drop)
}

/// Destroys what was kept of those who were deleted by this batch, and counts them in a mass removal; how many they were.
pub(crate) fn let_go(
    conn: &mut PgConnection,
    company: CompanyId,
    brake: Option<BrakeId>,
    now: DateTime<Utc>,
) -> QueryResult<i64> {
    let (people,): (i64,) = statement(LetGo)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Nullable<SqlUuid>, _>(brake.map(|brake| brake.as_uuid()))
        .bind::<Timestamptz, _>(now)
        .get_result(conn)?;
    Ok(people)
}

/// Forgets the removal of people whom Entra has given access again.
pub(crate) fn give_back(conn: &mut PgConnection, company: CompanyId, users: &[UserId]) -> QueryResult<()> {
    statement(Return)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Array<SqlUuid>, _>(users.iter().map(|user| user.as_uuid()).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// Forgets the removal of somebody who was brought back, or cannot be.
pub(crate) fn settle(
    conn: &mut PgConnection,
    (company, user): UserKey,
    brake: BrakeId,
    is_restored: bool,
) -> QueryResult<()> {
    statement(Settle)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(user.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .bind::<Bool, _>(is_restored)
        .execute(conn)
        .map(drop)
}

/// Those of these people who are part of a mass removal that is being undone.
pub(crate) fn by_users(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[UserKey],
) -> QueryResult<Vec<(UserKey, Returnee)>> {
    type Row = (
        Uuid,
        Uuid,
        Uuid,
        String,
        bool,
        Option<i64>,
        Option<DateTime<Utc>>,
        Option<DateTime<Utc>>,
        Option<String>,
        Option<Vec<Uuid>>,
    );
    let rows: Vec<Row> = statement(ByUsers)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    let known = |row: Row| -> QueryResult<(UserKey, Returnee)> {
        let (company_id, user_id, brake, user_name, was_active, version, created, modified, text, groups) =
            row;
        let held = match (version, created, modified, text) {
            (Some(version), Some(created_at), Some(last_modified_at), Some(attributes)) => {
                let row = UserRow { company_id, user_id, version, created_at, last_modified_at, attributes };
                let user: User = row.into_user()?;
                let groups = groups.unwrap_or_default().into_iter().map(GroupId::from_uuid).collect();
                Some(Held { user, groups })
            }
            _ => None,
        };
        let key = (CompanyId::from_uuid(company_id), UserId::from_uuid(user_id));
        Ok((key, Returnee { brake: BrakeId::from_uuid(brake), user_name, was_active, held }))
    };
    rows.into_iter().map(known).collect()
}

/// Somebody who has each of these external ids, in their order.
pub(crate) fn external_id_holders(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, String)],
) -> QueryResult<Vec<Option<UserId>>> {
    let rows: Vec<(i64, Uuid)> = statement(ExternalIdHolders)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<Text>, _>(keys.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(in_places(keys.len(), rows, UserId::from_uuid))
}

/// Who waits for a decision behind `after`, at most `limit`, in the order of their ids. The transaction must have opened
/// the company, as for all that follow.
pub(crate) fn page(
    conn: &mut PgConnection,
    company: CompanyId,
    brake: BrakeId,
    after: Uuid,
    limit: i64,
) -> QueryResult<Vec<Removal>> {
    type Row = (Uuid, String, Option<String>, DateTime<Utc>, bool, bool, i32);
    let rows: Vec<Row> = statement(Page)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .bind::<SqlUuid, _>(after)
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    let removal =
        |(user, user_name, display_name, removed_at, is_deleted, was_active, groups): Row| Removal {
            user_id: UserId::from_uuid(user).to_string(),
            user_name,
            display_name: display_name.unwrap_or_default(),
            removed_at: Some(to_timestamp(removed_at)),
            is_deleted,
            was_active,
            groups: u32::try_from(groups).unwrap_or(0),
        };
    Ok(rows.into_iter().map(removal).collect())
}

/// How many of a mass removal's people were deleted and are held.
pub(crate) fn count_deleted(conn: &mut PgConnection, company: CompanyId, brake: BrakeId) -> QueryResult<i64> {
    let (count,): (i64,) = statement(CountDeleted)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .get_result(conn)?;
    Ok(count)
}

/// Some of those who are still to be brought back.
pub(crate) fn waiting(
    conn: &mut PgConnection,
    company: CompanyId,
    brake: BrakeId,
    limit: i64,
) -> QueryResult<Vec<UserId>> {
    let rows: Vec<(Uuid,)> = statement(Waiting)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(|(user,)| UserId::from_uuid(user)).collect())
}

/// How many of these are still to be brought back.
pub(crate) fn still_waiting(
    conn: &mut PgConnection,
    company: CompanyId,
    brake: BrakeId,
    users: &[UserId],
) -> QueryResult<i64> {
    let (count,): (i64,) = statement(StillWaiting)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .bind::<Array<SqlUuid>, _>(users.iter().map(|user| user.as_uuid()).collect::<Vec<_>>())
        .get_result(conn)?;
    Ok(count)
}

/// Destroys what is kept of people whom nobody may bring back any more.
pub(crate) fn forget(
    conn: &mut PgConnection,
    company: CompanyId,
    alone_before: DateTime<Utc>,
) -> QueryResult<()> {
    statement(Forget)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Timestamptz, _>(alone_before)
        .execute(conn)
        .map(drop)
}

/// Destroys what is kept of a mass removal's people.
pub(crate) fn destroy(conn: &mut PgConnection, company: CompanyId, brake: BrakeId) -> QueryResult<()> {
    statement(Destroy)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(brake.as_uuid())
        .execute(conn)
        .map(drop)
}

/// When the oldest removal was that is no part of a mass removal.
pub(crate) fn oldest_alone(
    conn: &mut PgConnection,
    company: CompanyId,
) -> QueryResult<Option<DateTime<Utc>>> {
    let (oldest,): (Option<DateTime<Utc>>,) =
        statement(OldestAlone).bind::<SqlUuid, _>(company.as_uuid()).get_result(conn)?;
    Ok(oldest)
}
