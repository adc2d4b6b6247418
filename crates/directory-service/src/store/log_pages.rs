//! Pages of the provisioning log, the newest line first: first the ids, from an index that holds them in that order for
//! what is asked, then the lines. What a page costs does not depend on how long the log is.
//!
//! Every transaction that calls these must have opened the company.

use bus_contract::call::OUTCOMES;
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Array, BigInt, Binary, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, GroupId, UserId};
use uuid::Uuid;

use super::browse::called;
use crate::activity::call::VERBS;

/// Lines of one person or group that are looked at for a verb or an outcome: the newest.
pub(crate) const MAX_LOOKED_AT: i64 = 5_000;
/// The same of one of several names.
pub(crate) const MAX_LOOKED_AT_OF_A_NAME: i64 = 1_000;
/// The longest folded name that a line is found by, in characters.
const MAX_TARGET_KEY: i32 = 200;
/// Names that a beginning stands for, and users: the first in the order of their folded forms and of their userNames.
pub(crate) const MAX_NAMES: i64 = 50;

pg_pool::static_sql! {
    // Every page is the beginning of a backward scan of one index: where it starts is a comparison of rows, by all columns
    // that the scan is ordered by, which also keeps the plan from filtering the primary key, whose order would do as well
    // if they were compared by `=`. Where it stops is a comparison of the first column alone and a limit: Postgres 15 does
    // not end a scan at the later columns of a row, so what is older than wanted is dropped behind the limit.
    Newest -> (SqlUuid,) =
        "select request_id from provisioning_log where company_id = $1 and request_id >= $2 and request_id < $3 \
         order by request_id desc limit $4";
    // The newest of each pair are merged.
    NewestOfOutcomes -> (SqlUuid,) =
        "select l.request_id from unnest($5, $6) as k(verb, outcome) cross join lateral ( \
           select l.request_id from provisioning_log l where l.company_id = $1 and l.verb = k.verb \
             and l.outcome >= k.outcome and (l.outcome, l.request_id) < (k.outcome, $3) \
           order by l.outcome desc, l.request_id desc limit $4) l \
         where l.request_id >= $2 order by l.request_id desc limit $4";
    // By the id and by the name; `union` lets a line that has both be one.
    NewestOfUser -> (SqlUuid,) =
        "select l.request_id from ( \
           (select l.request_id, l.verb, l.outcome from provisioning_log l where l.company_id = $1 \
              and l.user_id >= $7 and (l.user_id, l.request_id) < ($7, $3) \
            order by l.user_id desc, l.request_id desc limit $8) \
           union \
           (select l.request_id, l.verb, l.outcome from ( \
              select left(u.user_name_key, $9) as target_key from users u \
              where u.company_id = $1 and u.user_id = $7 offset 0) u \
            cross join lateral ( \
              select l.request_id, l.verb, l.outcome from provisioning_log l where l.company_id = $1 \
                and l.target_key >= u.target_key and (l.target_key, l.request_id) < (u.target_key, $3) \
              order by l.target_key desc, l.request_id desc limit $8) l)) l \
         where l.request_id >= $2 and l.verb = any ($5) and l.outcome = any ($6) order by l.request_id desc limit $4";
    NewestOfGroup -> (SqlUuid,) =
        "select l.request_id from ( \
           select l.request_id, l.verb, l.outcome from provisioning_log l where l.company_id = $1 \
             and l.group_id >= $7 and (l.group_id, l.request_id) < ($7, $3) \
           order by l.group_id desc, l.request_id desc limit $8) l \
         where l.request_id >= $2 and l.verb = any ($5) and l.outcome = any ($6) order by l.request_id desc limit $4";
    // From each name to the next by the index, so that a name with a million lines is one step. A line about a user names
    // the userName; whoever is called so otherwise is found among the users, for both their lines by id and by userName.
    NewestOfNames -> (SqlUuid,) = concat!(
        "with recursive names(target_key) as ( \
           (select l.target_key from provisioning_log l where l.company_id = $1 and l.target_key >= $7 \
              and l.target_key < $9 order by l.target_key limit 1) \
           union all \
           select n.target_key from names cross join lateral ( \
             select l.target_key from provisioning_log l where l.company_id = $1 \
               and l.target_key > names.target_key and l.target_key < $9 order by l.target_key limit 1) n), \
         people(user_id, target_key) as ( \
           select user_id, left(user_name_key, $13) from ( \
             select distinct user_name_key, user_id from unnest($11, $12) as b(beginning, behind) cross join lateral (",
            called!("$10"),
            ") u order by user_name_key limit $10) u) \
         select l.request_id from ( \
           (select l.request_id, l.verb, l.outcome from ( \
              (select target_key from names limit $10) union (select target_key from people)) k cross join lateral ( \
                select l.request_id, l.verb, l.outcome from provisioning_log l where l.company_id = $1 \
                  and l.target_key >= k.target_key and (l.target_key, l.request_id) < (k.target_key, $3) \
                order by l.target_key desc, l.request_id desc limit $8) l) \
           union \
           (select l.request_id, l.verb, l.outcome from people p cross join lateral ( \
              select l.request_id, l.verb, l.outcome from provisioning_log l where l.company_id = $1 \
                and l.user_id >= p.user_id and (l.user_id, l.request_id) < (p.user_id, $3) \
              order by l.user_id desc, l.request_id desc limit $8) l)) l \
         where l.request_id >= $2 and l.verb = any ($5) and l.outcome = any ($6) order by l.request_id desc limit $4"
    );
    Lines =
        "select l.*, coalesce(l.recorded_name, u.user_name_key) as target_name, \
           coalesce(u.display_name, g.display_name) as display_name \
         from unnest($2) as k(request_id) cross join lateral ( \
           select l.request_id, l.accepted_at, l.applied_at, l.verb, l.outcome, l.user_id, l.group_id, \
             l.target_name as recorded_name, l.token_id, l.address, l.status, l.refusal, l.changes, \
             l.changed_attributes, l.members_added, l.members_removed \
           from provisioning_log l where l.company_id = $1 and l.request_id = k.request_id offset 0) l \
         left join lateral ( \
           select u.display_name, u.user_name_key from users u \
           where u.company_id = $1 and u.user_id = l.user_id offset 0) u on true \
         left join lateral ( \
           select g.display_name from groups g where g.company_id = $1 and g.group_id = l.group_id offset 0) g on true \
         order by l.request_id desc"
}

/// Of whom lines are wanted.
#[derive(Debug, Clone)]
pub(crate) enum About {
    Anybody,
    User(UserId),
    Group(GroupId),
    /// The beginning of a name: folded, and as people are found by it.
    Name(String, Vec<String>),
}

/// Which lines are wanted.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) company: CompanyId,
    pub(crate) about: About,
    /// Absent for all.
    pub(crate) outcomes: Option<Outcomes>,
    /// From this id on, and before that one.
    pub(crate) from: Uuid,
    pub(crate) before: Uuid,
    pub(crate) limit: i64,
}

/// Verbs and outcomes, none of them empty.
#[derive(Debug, Clone)]
pub(crate) struct Outcomes {
    pub(crate) verbs: Vec<String>,
    pub(crate) outcomes: Vec<String>,
}

#[derive(QueryableByName)]
pub(crate) struct LineRow {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) request_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) accepted_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) applied_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub(crate) verb: String,
    #[diesel(sql_type = Text)]
    pub(crate) outcome: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(crate) user_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(crate) group_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) target_name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) display_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(crate) token_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) address: Option<String>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub(crate) status: Option<i16>,
    #[diesel(sql_type = Nullable<Binary>)]
    pub(crate) refusal: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(crate) changes: Option<String>,
    /// Of lines from before changes were recorded.
    #[diesel(sql_type = Array<Text>)]
    pub(crate) changed_attributes: Vec<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub(crate) members_added: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub(crate) members_removed: Option<i32>,
}

/// The newest of the wanted lines.
pub(crate) fn newest(conn: &mut PgConnection, wanted: &Wanted) -> QueryResult<Vec<LineRow>> {
    let ids = ids(conn, wanted)?;
    by_ids(conn, wanted.company, &ids)
}

/// The lines with these ids, those that exist, the newest first.
pub(crate) fn by_ids(conn: &mut PgConnection, company: CompanyId, ids: &[Uuid]) -> QueryResult<Vec<LineRow>> {
    statement(Lines).bind::<SqlUuid, _>(company.as_uuid()).bind::<Array<SqlUuid>, _>(ids).load(conn)
}

fn ids(conn: &mut PgConnection, wanted: &Wanted) -> QueryResult<Vec<Uuid>> {
    macro_rules! within {
        ($statement:expr) => {
            statement($statement)
                .bind::<SqlUuid, _>(wanted.company.as_uuid())
                .bind::<SqlUuid, _>(wanted.from)
                .bind::<SqlUuid, _>(wanted.before)
                .bind::<BigInt, _>(wanted.limit)
        };
    }
    let every = Outcomes::every();
    let outcomes = wanted.outcomes.as_ref().unwrap_or(&every);
    let looked_at = match (&wanted.outcomes, &wanted.about) {
        // Without a choice among them the newest are the ones.
        (None, _) => wanted.limit,
        (Some(_), About::Name(..)) => MAX_LOOKED_AT_OF_A_NAME,
        (Some(_), _) => MAX_LOOKED_AT,
    };
    macro_rules! about {
        ($statement:expr, $type:ty, $key:expr) => {
            within!($statement)
                .bind::<Array<Text>, _>(&outcomes.verbs)
                .bind::<Array<Text>, _>(&outcomes.outcomes)
                .bind::<$type, _>($key)
                .bind::<BigInt, _>(looked_at)
        };
    }
    let rows: Vec<(Uuid,)> = match (&wanted.about, &wanted.outcomes) {
        (About::Anybody, None) => within!(Newest).load(conn)?,
        (About::Anybody, Some(outcomes)) => {
            let (verbs, outcomes): (Vec<&str>, Vec<&str>) = outcomes.pairs().unzip();
            within!(NewestOfOutcomes)
                .bind::<Array<Text>, _>(verbs)
                .bind::<Array<Text>, _>(outcomes)
                .load(conn)?
        }
        (About::User(user), _) => {
            about!(NewestOfUser, SqlUuid, user.as_uuid()).bind::<Integer, _>(MAX_TARGET_KEY).load(conn)?
        }
        (About::Group(group), _) => about!(NewestOfGroup, SqlUuid, group.as_uuid()).load(conn)?,
        (About::Name(prefix, beginnings), _) => about!(NewestOfNames, Text, prefix)
            .bind::<Text, _>(behind(prefix))
            .bind::<BigInt, _>(MAX_NAMES)
            .bind::<Array<Text>, _>(beginnings)
            .bind::<Array<Text>, _>(beginnings.iter().map(|text| behind(text)).collect::<Vec<_>>())
            .bind::<Integer, _>(MAX_TARGET_KEY)
            .load(conn)?,
    };
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

impl Outcomes {
    fn every() -> Self {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self { verbs: owned(&VERBS), outcomes: owned(&OUTCOMES) }
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.verbs
            .iter()
            .flat_map(|verb| self.outcomes.iter().map(move |outcome| (verb.as_str(), outcome.as_str())))
    }
}

/// What stands behind everything that begins so, in the order of bytes: no name holds the last code point, which stands
/// for no character.
pub(crate) fn behind(prefix: &str) -> String {
    format!("{prefix}\u{10ffff}")
}
