//! Mass removals and the rules that make them. Every transaction that calls these must have opened the companies.

use bus_contract::{
    audit::Actor,
    partition::{self, Partition},
};
use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension as _, PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{BrakeId, CompanyId};
use uuid::Uuid;

use super::partitions::number;
use crate::brake::{Brake, DEFAULT_RULE, MOST_PEOPLE, Rule, State};

macro_rules! brakes {
    ($which:literal) => {
        concat!(
            "select company_id, brake_id, state, began_at, last_at, ends_at, people, removed, had_access, restored, \
               superseded, returned, decided_at, decided_by, decided_by_kind, not_held from brakes ",
            $which
        )
    };
}

/// Companies whose removals are looked at, and of those the ones of the partition `$number` of `$count`: the rule of
/// `Partition::of`. A limit that counted other partitions' companies could leave this one's out for ever.
macro_rules! companies_of_partition {
    ($due:literal, $count:literal, $number:literal, $limit:literal) => {
        concat!(
            "select company_id from companies where removals_due_at ",
            $due,
            " and (get_byte(uuid_send(company_id), 14) * 256 + get_byte(uuid_send(company_id), 15)) % ",
            $count,
            " = ",
            $number,
            " order by removals_due_at limit ",
            $limit
        )
    };
}

pg_pool::static_sql! {
    Lock -> (SmallInt,) = "select partition from partitions where partition = $1 for update";
    Insert =
        "insert into brakes (company_id, brake_id, state, began_at, last_at, people, ends_at) \
         values ($1, $2, 'on', $3, $3, $4, $5)";
    Open = brakes!("where company_id = any ($1) and state in ('on', 'undoing') order by brake_id");
    Since = brakes!("where company_id = $1 and last_at > $2");
    Newest = brakes!("where company_id = $1 order by brake_id desc limit $2");
    One = brakes!("where company_id = $1 and brake_id = $2");
    Decide =
        "update brakes set state = $3, decided_at = $4, decided_by = $5, decided_by_kind = $6 where company_id = $1 and brake_id = $2";
    // Whoever was brought back, or came back, needs no decision any more.
    Finish =
        "update brakes set state = 'undone', decided_at = coalesce(decided_at, $2) \
         where company_id = $1 and state in ('on', 'undoing') \
           and not exists (select from removals r where r.company_id = $1 and r.brake_id = brakes.brake_id)";
    Expire =
        "update brakes set state = 'expired', decided_at = $2 where company_id = $1 and state = 'on' and ends_at <= $2";
    DropOlder =
        "delete from brakes where company_id = $1 and brake_id < $2 and state not in ('on', 'undoing')";
    RuleOf -> (Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>, Nullable<Timestamptz>) =
        "select more_than, per_cent, people, counted_at from brake_rules where company_id = $1";
    SetRule =
        "insert into brake_rules (company_id, more_than, per_cent) values ($1, $2, $3) \
         on conflict (company_id) do update set more_than = excluded.more_than, per_cent = excluded.per_cent";
    // Those who have no access are few, and have an index of their own.
    CountPeople -> (BigInt,) =
        "select (select count(*) from users u where u.company_id = $1) \
           - (select count(*) from users u where u.company_id = $1 and not u.active)";
    NotePeople =
        "insert into brake_rules (company_id, people, counted_at) values ($1, $2, $3) \
         on conflict (company_id) do update set people = excluded.people, counted_at = excluded.counted_at";
    Due -> (SqlUuid,) = companies_of_partition!("<= $1", "$2", "$3", "$4");
    LookAgain =
        "update companies set removals_due_at = $2 \
         where company_id = any ($1) and (removals_due_at is null or removals_due_at > $2)";
    LookNext = "update companies set removals_due_at = $2 where company_id = $1";
    Counted -> (BigInt, BigInt, Nullable<Timestamptz>, Nullable<Timestamptz>) =
        "select count(*) filter (where state = 'on'), \
           (select count(*) from removals where company_id = any ($1) and attributes is not null), \
           min(began_at) filter (where state = 'on'), min(decided_at) filter (where state = 'undoing') \
         from brakes where company_id = any ($1) and state in ('on', 'undoing')";
    Watched -> (SqlUuid,) = companies_of_partition!("is not null", "$1", "$2", "$3")
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    company_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    brake_id: Uuid,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    began_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    ends_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    people: i64,
    #[diesel(sql_type = BigInt)]
    removed: i64,
    #[diesel(sql_type = BigInt)]
    had_access: i64,
    #[diesel(sql_type = BigInt)]
    restored: i64,
    #[diesel(sql_type = BigInt)]
    superseded: i64,
    #[diesel(sql_type = BigInt)]
    returned: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    decided_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    decided_by: Option<String>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    decided_by_kind: Option<i16>,
    #[diesel(sql_type = BigInt)]
    not_held: i64,
}

fn brake(row: Row) -> QueryResult<Brake> {
    let state = State::ALL.into_iter().find(|known| known.as_str() == row.state);
    Ok(Brake {
        company: CompanyId::from_uuid(row.company_id),
        id: BrakeId::from_uuid(row.brake_id),
        state: state
            .ok_or_else(|| diesel::result::Error::DeserializationError("no state of a brake".into()))?,
        began_at: row.began_at,
        last_at: row.last_at,
        ends_at: row.ends_at,
        people: row.people,
        removed: row.removed,
        had_access: row.had_access,
        restored: row.restored,
        superseded: row.superseded,
        returned: row.returned,
        decided_at: row.decided_at,
        decided_by: row.decided_by,
        decided_by_kind: row.decided_by_kind,
        not_held: row.not_held,
    })
}

/// Lets no batch of the company's partition be written until the transaction ends. Whoever changes removals begins with
/// this; a batch writes them behind the same lock, and reads of them only what is being undone.
pub(crate) fn lock(conn: &mut PgConnection, company: CompanyId) -> QueryResult<()> {
    let (_locked,): (i16,) =
        statement(Lock).bind::<SmallInt, _>(number(Partition::of(company))).get_result(conn)?;
    Ok(())
}

/// A new brake, which is on.
pub(crate) fn insert(
    conn: &mut PgConnection,
    company: CompanyId,
    id: BrakeId,
    people: i64,
    now: DateTime<Utc>,
    ends_at: DateTime<Utc>,
) -> QueryResult<()> {
    statement(Insert)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<BigInt, _>(people)
        .bind::<Timestamptz, _>(ends_at)
        .execute(conn)
        .map(drop)
}

/// The companies' brakes that are on or being undone, the oldest first.
pub(crate) fn open(conn: &mut PgConnection, companies: &[CompanyId]) -> QueryResult<Vec<Brake>> {
    let rows: Vec<Row> = statement(Open).bind::<Array<SqlUuid>, _>(uuids(companies)).load(conn)?;
    rows.into_iter().map(brake).collect()
}

/// A company's brakes that have taken somebody in since then, whatever was decided about them.
pub(crate) fn since(
    conn: &mut PgConnection,
    company: CompanyId,
    since: DateTime<Utc>,
) -> QueryResult<Vec<Brake>> {
    let rows: Vec<Row> =
        statement(Since).bind::<SqlUuid, _>(company.as_uuid()).bind::<Timestamptz, _>(since).load(conn)?;
    rows.into_iter().map(brake).collect()
}

/// A company's newest brakes.
pub(crate) fn newest(conn: &mut PgConnection, company: CompanyId, limit: i64) -> QueryResult<Vec<Brake>> {
    let rows: Vec<Row> =
        statement(Newest).bind::<SqlUuid, _>(company.as_uuid()).bind::<BigInt, _>(limit).load(conn)?;
    rows.into_iter().map(brake).collect()
}

pub(crate) fn one(conn: &mut PgConnection, company: CompanyId, id: BrakeId) -> QueryResult<Option<Brake>> {
    let row: Option<Row> = statement(One)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(id.as_uuid())
        .get_result(conn)
        .optional()?;
    row.map(brake).transpose()
}

/// Notes what somebody decided.
pub(crate) fn decide(
    conn: &mut PgConnection,
    brake: &Brake,
    state: State,
    now: DateTime<Utc>,
    by: &Actor,
) -> QueryResult<()> {
    statement(Decide)
        .bind::<SqlUuid, _>(brake.company.as_uuid())
        .bind::<SqlUuid, _>(brake.id.as_uuid())
        .bind::<Text, _>(state.as_str())
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(&by.name)
        .bind::<Nullable<SmallInt>, _>(i16::try_from(by.kind).ok())
        .execute(conn)
        .map(drop)
}

/// Ends the brakes of whom nobody waits any more.
pub(crate) fn finish(conn: &mut PgConnection, company: CompanyId, now: DateTime<Utc>) -> QueryResult<()> {
    statement(Finish)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .map(drop)
}

/// Ends the brakes whose time is over without a decision; how many.
pub(crate) fn expire(conn: &mut PgConnection, company: CompanyId, now: DateTime<Utc>) -> QueryResult<usize> {
    statement(Expire).bind::<SqlUuid, _>(company.as_uuid()).bind::<Timestamptz, _>(now).execute(conn)
}

/// Forgets decided brakes from before an id.
pub(crate) fn drop_older(conn: &mut PgConnection, company: CompanyId, before: Uuid) -> QueryResult<()> {
    statement(DropOlder)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(before)
        .execute(conn)
        .map(drop)
}

/// How many people had access, and when they were counted.
pub(crate) type PeopleAt = (i64, DateTime<Utc>);

/// A company's rule, and how many people had access when it was last counted.
pub(crate) fn rule(conn: &mut PgConnection, company: CompanyId) -> QueryResult<(Rule, Option<PeopleAt>)> {
    type RuleRow = (Option<i64>, Option<i64>, Option<i64>, Option<DateTime<Utc>>);
    let row: Option<RuleRow> =
        statement(RuleOf).bind::<SqlUuid, _>(company.as_uuid()).get_result(conn).optional()?;
    let Some((more_than, per_cent, people, counted_at)) = row else { return Ok((DEFAULT_RULE, None)) };
    let rule = Rule {
        // Once more could be chosen.
        more_than: more_than.unwrap_or(DEFAULT_RULE.more_than).min(MOST_PEOPLE),
        per_cent: per_cent.unwrap_or(DEFAULT_RULE.per_cent),
    };
    Ok((rule, people.zip(counted_at)))
}

/// A company's own rule.
pub(crate) fn set_rule(conn: &mut PgConnection, company: CompanyId, rule: Rule) -> QueryResult<()> {
    statement(SetRule)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<BigInt, _>(rule.more_than)
        .bind::<BigInt, _>(rule.per_cent)
        .execute(conn)
        .map(drop)
}

/// How many people have access now.
pub(crate) fn count_people(conn: &mut PgConnection, company: CompanyId) -> QueryResult<i64> {
    let (people,): (i64,) = statement(CountPeople).bind::<SqlUuid, _>(company.as_uuid()).get_result(conn)?;
    Ok(people)
}

/// Remembers how many people had access.
pub(crate) fn note_people(
    conn: &mut PgConnection,
    company: CompanyId,
    people: i64,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    statement(NotePeople)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<BigInt, _>(people)
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .map(drop)
}

/// A partition's companies whose removals are to be looked at, the longest due first. Needs no company to be open.
pub(crate) fn due(
    conn: &mut PgConnection,
    partition: Partition,
    now: DateTime<Utc>,
    limit: i64,
) -> QueryResult<Vec<CompanyId>> {
    let rows: Vec<(Uuid,)> = statement(Due)
        .bind::<Timestamptz, _>(now)
        .bind::<Integer, _>(i32::from(partition::COUNT))
        .bind::<Integer, _>(i32::from(partition.number()))
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(|(company,)| CompanyId::from_uuid(company)).collect())
}

/// Has these companies' removals looked at then, or before.
pub(crate) fn look_again(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    at: DateTime<Utc>,
) -> QueryResult<()> {
    statement(LookAgain)
        .bind::<Array<SqlUuid>, _>(uuids(companies))
        .bind::<Timestamptz, _>(at)
        .execute(conn)
        .map(drop)
}

/// Has a company's removals looked at then and not before; `None` where there are none.
pub(crate) fn look_next(
    conn: &mut PgConnection,
    company: CompanyId,
    at: Option<DateTime<Utc>>,
) -> QueryResult<()> {
    statement(LookNext)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Nullable<Timestamptz>, _>(at)
        .execute(conn)
        .map(drop)
}

/// A partition's companies that have removals at all. Needs no company to be open.
pub(crate) fn watched(
    conn: &mut PgConnection,
    partition: Partition,
    limit: i64,
) -> QueryResult<Vec<CompanyId>> {
    let rows: Vec<(Uuid,)> = statement(Watched)
        .bind::<Integer, _>(i32::from(partition::COUNT))
        .bind::<Integer, _>(i32::from(partition.number()))
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(|(company,)| CompanyId::from_uuid(company)).collect())
}

/// What metrics say of some companies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Brakes that are on.
    pub(crate) on: i64,
    /// Deleted users that are held.
    pub(crate) held_users: i64,
    /// Since when somebody should decide.
    pub(crate) undecided_since: Option<DateTime<Utc>>,
    /// Since when somebody is being brought back.
    pub(crate) undoing_since: Option<DateTime<Utc>>,
}

pub(crate) fn counted(conn: &mut PgConnection, companies: &[CompanyId]) -> QueryResult<Counts> {
    let (on, held_users, undecided_since, undoing_since) =
        statement(Counted).bind::<Array<SqlUuid>, _>(uuids(companies)).get_result(conn)?;
    Ok(Counts { on, held_users, undecided_since, undoing_since })
}

fn uuids(companies: &[CompanyId]) -> Vec<Uuid> {
    companies.iter().map(|company| company.as_uuid()).collect()
}
