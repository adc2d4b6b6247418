//! Users and groups for people to look through, in the order of their names: candidates by each key that a text may be,
//! every one of them a bounded piece of an index.
//!
//! Every transaction that calls these must have opened the company.

use std::collections::BTreeMap;

use bus_contract::directory::UserRecord;
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, GroupId, UserId};
use uuid::Uuid;

use super::log_pages::behind;
use crate::time::to_timestamp;

/// Users in the order of their names that are looked at for those who are active.
pub(crate) const MAX_PASSED_OVER: i64 = 20_000;
/// Users whose displayName, mail or other key begins with a text, of each in the order of that, that are put into the
/// order of userNames.
pub(crate) const MAX_CALLED: i64 = 200;
/// Resources that share an externalId.
const MAX_SAME_EXTERNAL_ID: i64 = 10;

/// The users, as many of each kind as the parameter says, whose displayName, work mail or key in `user_search_keys` begins
/// with a text `b.beginning`; before `b.behind` is everything that does.
macro_rules! called {
    ($limit:literal) => {
        concat!(
            "(select user_name_key, user_id, active from users where company_id = $1 \
               and display_name_key >= b.beginning and display_name_key < b.behind order by display_name_key limit ",
            $limit,
            ") union all (select user_name_key, user_id, active from users where company_id = $1 \
               and work_email_key >= b.beginning and work_email_key < b.behind order by work_email_key limit ",
            $limit,
            ") union all (select u.user_name_key, u.user_id, u.active from ( \
               select k.user_id from user_search_keys k where k.company_id = $1 \
                 and k.key >= b.beginning and k.key < b.behind order by k.key limit ",
            $limit,
            ") k cross join lateral ( \
               select u.user_name_key, u.user_id, u.active from users u \
               where u.company_id = $1 and u.user_id = k.user_id offset 0) u)"
        )
    };
}
pub(super) use called;

pg_pool::static_sql! {
    UserNameOf -> (Text,) = "select user_name_key from users where company_id = $1 and user_id = $2";
    AnyUsers -> (Text, SqlUuid) =
        "select user_name_key, user_id from users where company_id = $1 and user_name_key > $2 \
           and user_name_key >= $3 and user_name_key < $4 order by user_name_key limit $5";
    InactiveUsers -> (Text, SqlUuid) =
        "select user_name_key, user_id from users where company_id = $1 and user_name_key > $2 \
           and user_name_key >= $3 and user_name_key < $4 and not active order by user_name_key limit $5";
    // Most are active, so passing over the others is cheaper than an index that every change would pay for.
    ActiveUsers -> (Text, SqlUuid) =
        "select user_name_key, user_id from ( \
           select user_name_key, user_id, active from users where company_id = $1 and user_name_key > $2 \
             and user_name_key >= $3 and user_name_key < $4 order by user_name_key limit $6) u \
         where active order by user_name_key limit $5";
    UsersCalled -> (Text, SqlUuid) =
        concat!(
            "select distinct user_name_key, user_id from unnest($3, $4) as b(beginning, behind) cross join lateral (",
            called!("$6"),
            ") u where user_name_key > $2 and ($7 is null or active = $7) order by user_name_key limit $5"
        );
    UsersKnownAs -> (Text, SqlUuid) =
        "select user_name_key, user_id from ( \
           (select user_name_key, user_id, active from users where company_id = $1 and user_id = $3) union all \
           (select user_name_key, user_id, active from users where company_id = $1 and external_id = $4 \
              order by user_id limit $5)) u \
         where user_name_key > $2 and ($6 is null or active = $6)";
    // Without manager and groups, which a list does not show and which were half of what a page of it cost.
    UsersListed -> (SqlUuid, BigInt, Timestamptz, Timestamptz, Text) =
        "select u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes \
         from unnest($2) with ordinality as k(user_id, place) cross join lateral ( \
           select * from users u where u.company_id = $1 and u.user_id = k.user_id offset 0) u \
         order by k.place";
    GroupNameOf -> (Text,) = "select display_name_key from groups where company_id = $1 and group_id = $2";
    Groups -> (Text, SqlUuid) =
        "select display_name_key, group_id from groups where company_id = $1 and display_name_key > $2 \
           and display_name_key >= $3 and display_name_key < $4 order by display_name_key limit $5";
    GroupsKnownAs -> (Text, SqlUuid) =
        "select display_name_key, group_id from ( \
           (select display_name_key, group_id from groups where company_id = $1 and group_id = $3) union all \
           (select display_name_key, group_id from groups where company_id = $1 and external_id = $4 \
              order by group_id limit $5)) g \
         where display_name_key > $2"
}

/// What people look for.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    pub(crate) company: CompanyId,
    /// The folded beginning of a name; empty for all.
    pub(crate) prefix: String,
    /// The same as people are found by it: as it is, and without accents.
    pub(crate) beginnings: Vec<String>,
    /// An externalId, as it was typed.
    pub(crate) text: String,
    /// Only those who are active, or only those who are not.
    pub(crate) active: Option<bool>,
    pub(crate) limit: i64,
}

/// The folded userName of the user behind whom a page begins; `None` when there is no such user.
pub(crate) fn user_name_of(
    conn: &mut PgConnection,
    company: CompanyId,
    user: UserId,
) -> QueryResult<Option<String>> {
    let rows: Vec<(String,)> = statement(UserNameOf)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(user.as_uuid())
        .load(conn)?;
    Ok(rows.into_iter().next().map(|(name,)| name))
}

/// The users that are sought and whose folded userName is behind `after`, in the order of it.
pub(crate) fn users(conn: &mut PgConnection, sought: &Sought, after: &str) -> QueryResult<Vec<UserId>> {
    macro_rules! named {
        ($statement:expr) => {
            statement($statement)
                .bind::<SqlUuid, _>(sought.company.as_uuid())
                .bind::<Text, _>(after)
                .bind::<Text, _>(&sought.prefix)
                .bind::<Text, _>(behind(&sought.prefix))
                .bind::<BigInt, _>(sought.limit)
        };
    }
    let named: Vec<(String, Uuid)> = match sought.active {
        None => named!(AnyUsers).load(conn)?,
        Some(false) => named!(InactiveUsers).load(conn)?,
        Some(true) => named!(ActiveUsers).bind::<BigInt, _>(MAX_PASSED_OVER).load(conn)?,
    };
    let mut found: BTreeMap<String, Uuid> = named.into_iter().collect();
    if !sought.prefix.is_empty() {
        let called: Vec<(String, Uuid)> = statement(UsersCalled)
            .bind::<SqlUuid, _>(sought.company.as_uuid())
            .bind::<Text, _>(after)
            .bind::<Array<Text>, _>(&sought.beginnings)
            .bind::<Array<Text>, _>(sought.beginnings.iter().map(|text| behind(text)).collect::<Vec<_>>())
            .bind::<BigInt, _>(sought.limit)
            .bind::<BigInt, _>(MAX_CALLED)
            .bind::<Nullable<Bool>, _>(sought.active)
            .load(conn)?;
        found.extend(called);
        let known: Vec<(String, Uuid)> = statement(UsersKnownAs)
            .bind::<SqlUuid, _>(sought.company.as_uuid())
            .bind::<Text, _>(after)
            .bind::<Nullable<SqlUuid>, _>(sought.text.parse::<UserId>().ok().map(UserId::as_uuid))
            .bind::<Text, _>(&sought.text)
            .bind::<BigInt, _>(MAX_SAME_EXTERNAL_ID)
            .bind::<Nullable<Bool>, _>(sought.active)
            .load(conn)?;
        found.extend(known);
    }
    Ok(first(found, sought.limit).map(UserId::from_uuid).collect())
}

/// Those users without their managers and groups, in the order in which they are asked for.
pub(crate) fn listed(
    conn: &mut PgConnection,
    company: CompanyId,
    users: &[UserId],
) -> QueryResult<Vec<UserRecord>> {
    type Row = (Uuid, i64, DateTime<Utc>, DateTime<Utc>, String);
    let rows: Vec<Row> = statement(UsersListed)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Array<SqlUuid>, _>(users.iter().map(|user| user.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    let records = rows.into_iter().map(|(user, version, created_at, modified_at, attributes)| UserRecord {
        user_id: UserId::from_uuid(user).to_string(),
        version,
        created_at: Some(to_timestamp(created_at)),
        last_modified_at: Some(to_timestamp(modified_at)),
        attributes_json: attributes,
        ..UserRecord::default()
    });
    Ok(records.collect())
}

/// The folded displayName of the group behind which a page begins; `None` when there is no such group.
pub(crate) fn group_name_of(
    conn: &mut PgConnection,
    company: CompanyId,
    group: GroupId,
) -> QueryResult<Option<String>> {
    let rows: Vec<(String,)> = statement(GroupNameOf)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(group.as_uuid())
        .load(conn)?;
    Ok(rows.into_iter().next().map(|(name,)| name))
}

/// The groups that are sought and whose folded displayName is behind `after`, in the order of it.
pub(crate) fn groups(conn: &mut PgConnection, sought: &Sought, after: &str) -> QueryResult<Vec<GroupId>> {
    let named: Vec<(String, Uuid)> = statement(Groups)
        .bind::<SqlUuid, _>(sought.company.as_uuid())
        .bind::<Text, _>(after)
        .bind::<Text, _>(&sought.prefix)
        .bind::<Text, _>(behind(&sought.prefix))
        .bind::<BigInt, _>(sought.limit)
        .load(conn)?;
    let mut found: BTreeMap<String, Uuid> = named.into_iter().collect();
    if !sought.prefix.is_empty() {
        let known: Vec<(String, Uuid)> = statement(GroupsKnownAs)
            .bind::<SqlUuid, _>(sought.company.as_uuid())
            .bind::<Text, _>(after)
            .bind::<Nullable<SqlUuid>, _>(sought.text.parse::<GroupId>().ok().map(GroupId::as_uuid))
            .bind::<Text, _>(&sought.text)
            .bind::<BigInt, _>(MAX_SAME_EXTERNAL_ID)
            .load(conn)?;
        found.extend(known);
    }
    Ok(first(found, sought.limit).map(GroupId::from_uuid).collect())
}

/// Names are unique, so they are the order and what tells candidates apart.
fn first(found: BTreeMap<String, Uuid>, limit: i64) -> impl Iterator<Item = Uuid> {
    found.into_values().take(usize::try_from(limit).unwrap_or(usize::MAX))
}
