//! What is counted of companies: written by the reader of the stream of calls, in its transaction.
//!
//! Whoever writes has locked the reader's row first, so what it read is still true. Every transaction that calls these
//! must have opened the companies.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, QueryableByName, RunQueryDsl,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, TokenId};
use uuid::Uuid;

use super::users::companies_of;
use crate::activity::count::{Activity, Connection, Counts, Cycle, SLOT, Slot, Use};

/// Slots that are kept: those of a day, and the one that runs.
pub(crate) const SLOTS_KEPT: i32 = 49;

pg_pool::static_sql! {
    Lock -> (BigInt, BigInt) =
        "select stream_created_unix_nanos, applied_sequence from calls_reader where reader = 1 for update";
    Look -> (BigInt, BigInt) = "select stream_created_unix_nanos, applied_sequence from calls_reader where reader = 1";
    // Sequences of another incarnation mean nothing, and one that the stream has not reached is from before it lost its
    // count, unless it was reached since the stream was asked.
    Begin =
        "update calls_reader set stream_created_unix_nanos = $1, \
           applied_sequence = case when stream_created_unix_nanos <> $1 then 0 \
             when $3 > $2 then least(applied_sequence, $2) else applied_sequence end \
         where reader = 1";
    MoveOn =
        "update calls_reader set stream_created_unix_nanos = $1, applied_sequence = $2 where reader = 1";
    Connections =
        "select c.* from unnest($1) as k(company_id) cross join lateral ( \
           select c.* from connections c where c.company_id = k.company_id offset 0) c";
    // The newest of each, at most so many.
    NewestCycles =
        "select c.* from unnest($1) as k(company_id) cross join lateral ( \
           select c.* from cycles c where c.company_id = k.company_id and c.cycle_id < $2 \
           order by c.cycle_id desc limit $3) c";
    WriteConnections =
        "insert into connections (company_id, last_call_at, refused_since, refused_last_at, refused_calls, probed_at, \
           first_test_at, first_user_at, first_group_at, initial_cycle_id) \
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         on conflict (company_id) do update set last_call_at = excluded.last_call_at, \
           refused_since = excluded.refused_since, refused_last_at = excluded.refused_last_at, \
           refused_calls = excluded.refused_calls, probed_at = excluded.probed_at, \
           first_test_at = excluded.first_test_at, first_user_at = excluded.first_user_at, \
           first_group_at = excluded.first_group_at, initial_cycle_id = excluded.initial_cycle_id";
    NoteConnected =
        "update companies set connected_at = $2 where company_id = any ($1) and connected_at is null";
    WriteCycles =
        "insert into cycles (company_id, cycle_id, started_at, last_call_at, calls, checked, created, updated, unchanged, \
           deactivated, reactivated, deleted, refused, failed, failed_changes, causes) \
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         on conflict (company_id, cycle_id) do update set last_call_at = excluded.last_call_at, \
           calls = excluded.calls, checked = excluded.checked, created = excluded.created, \
           updated = excluded.updated, unchanged = excluded.unchanged, deactivated = excluded.deactivated, \
           reactivated = excluded.reactivated, deleted = excluded.deleted, refused = excluded.refused, \
           failed = excluded.failed, failed_changes = excluded.failed_changes, causes = excluded.causes";
    AddToSlots =
        "insert into call_slots (company_id, begins_at, calls, failures) select * from unnest($1, $2, $3, $4) \
         on conflict (company_id, begins_at) do update set calls = call_slots.calls + excluded.calls, \
           failures = call_slots.failures + excluded.failures";
    DropSlots = "delete from call_slots where company_id = any ($1) and begins_at < $2";
    AddToUses =
        "insert into credential_uses as u (company_id, credential_id, first_used_at, last_used_at, last_address, calls, \
           refused_calls, last_worked_at) select * from unnest($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict (company_id, credential_id) do update set \
           first_used_at = least(u.first_used_at, excluded.first_used_at), \
           last_address = case when excluded.last_used_at >= u.last_used_at or u.last_used_at is null \
             then coalesce(excluded.last_address, u.last_address) else u.last_address end, \
           last_used_at = greatest(u.last_used_at, excluded.last_used_at), \
           last_worked_at = greatest(u.last_worked_at, excluded.last_worked_at), \
           calls = u.calls + excluded.calls, refused_calls = u.refused_calls + excluded.refused_calls";
    // The newest credentials; ids are ordered by time.
    Uses -> (SqlUuid, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Timestamptz>, Nullable<Text>, BigInt, BigInt) =
        "select credential_id, first_used_at, last_used_at, last_worked_at, last_address, calls, refused_calls \
         from credential_uses \
         where company_id = $1 order by credential_id desc limit $2";
    Slots -> (Timestamptz, BigInt, BigInt) =
        "select begins_at, calls, failures from call_slots where company_id = $1 and begins_at >= $2 order by begins_at";
    Connected -> (SqlUuid,) =
        "select company_id from companies where connected_at is not null and company_id > $1 order by company_id limit $2";
    // Who is disabled is counted by an index of their own, so both counts read indexes alone.
    CountSize =
        "update connections set counted_at = $2, users = n.users, active_users = n.users - n.inactive, groups = n.groups \
         from (select (select count(*) from users u where u.company_id = $1) as users, \
                 (select count(*) from users u where u.company_id = $1 and not u.active) as inactive, \
                 (select count(*) from groups g where g.company_id = $1) as groups offset 0) n \
         where company_id = $1";
    DropLines =
        "delete from provisioning_log where company_id = $1 and request_id = any (array( \
           select request_id from provisioning_log where company_id = $1 and request_id < $2 \
           order by request_id limit $3))";
    DropCycles =
        "delete from cycles where company_id = $1 and cycle_id = any (array( \
           select cycle_id from cycles where company_id = $1 and cycle_id < $2 order by cycle_id limit $3))"
}

/// Which incarnation of the stream is being counted, and how far it is.
pub(crate) fn look(conn: &mut PgConnection) -> QueryResult<(i64, i64)> {
    statement(Look).get_result(conn)
}

/// Begins to count this incarnation of the stream, which had come as far as `last` after we had been at `before`.
pub(crate) fn begin(conn: &mut PgConnection, created: i64, last: i64, before: i64) -> QueryResult<()> {
    statement(Begin)
        .bind::<BigInt, _>(created)
        .bind::<BigInt, _>(last)
        .bind::<BigInt, _>(before)
        .execute(conn)
        .map(drop)
}

/// How far which incarnation of the stream is counted; others who count wait for this transaction.
pub(crate) fn lock(conn: &mut PgConnection) -> QueryResult<(i64, i64)> {
    statement(Lock).get_result(conn)
}

/// Says how far it is counted now.
pub(crate) fn move_on(conn: &mut PgConnection, incarnation: i64, sequence: i64) -> QueryResult<()> {
    statement(MoveOn).bind::<BigInt, _>(incarnation).bind::<BigInt, _>(sequence).execute(conn).map(drop)
}

#[derive(QueryableByName)]
pub(crate) struct ConnectionRow {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) company_id: Uuid,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_call_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    refused_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    refused_last_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    refused_calls: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    probed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_test_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_user_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    first_group_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    initial_cycle_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) users: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) active_users: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(crate) groups: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(crate) counted_at: Option<DateTime<Utc>>,
}

impl ConnectionRow {
    pub(crate) fn connection(&self) -> Connection {
        Connection {
            last_call_at: self.last_call_at,
            refused_since: self.refused_since,
            refused_last_at: self.refused_last_at,
            refused_calls: self.refused_calls,
            probed_at: self.probed_at,
            first_test_at: self.first_test_at,
            first_user_at: self.first_user_at,
            first_group_at: self.first_group_at,
            initial_cycle: self.initial_cycle_id,
        }
    }
}

#[derive(QueryableByName)]
pub(crate) struct CycleRow {
    #[diesel(sql_type = SqlUuid)]
    pub(crate) company_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    cycle_id: Uuid,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_call_at: DateTime<Utc>,
    #[diesel(embed)]
    counts: CountsRow,
    #[diesel(sql_type = Text)]
    causes: String,
}

#[derive(QueryableByName)]
struct CountsRow {
    #[diesel(sql_type = BigInt)]
    calls: i64,
    #[diesel(sql_type = BigInt)]
    checked: i64,
    #[diesel(sql_type = BigInt)]
    created: i64,
    #[diesel(sql_type = BigInt)]
    updated: i64,
    #[diesel(sql_type = BigInt)]
    unchanged: i64,
    #[diesel(sql_type = BigInt)]
    deactivated: i64,
    #[diesel(sql_type = BigInt)]
    reactivated: i64,
    #[diesel(sql_type = BigInt)]
    deleted: i64,
    #[diesel(sql_type = BigInt)]
    refused: i64,
    #[diesel(sql_type = BigInt)]
    failed: i64,
    #[diesel(sql_type = BigInt)]
    failed_changes: i64,
}

impl CycleRow {
    pub(crate) fn into_cycle(self) -> Cycle {
        let row = self.counts;
        Cycle {
            id: self.cycle_id,
            started_at: self.started_at,
            last_call_at: self.last_call_at,
            counts: Counts {
                calls: row.calls,
                checked: row.checked,
                created: row.created,
                updated: row.updated,
                unchanged: row.unchanged,
                deactivated: row.deactivated,
                reactivated: row.reactivated,
                deleted: row.deleted,
                refused: row.refused,
                failed: row.failed,
                failed_changes: row.failed_changes,
            },
            // Ours; text that cannot be read would be a mistake of ours, and the cycle is worth showing without.
            causes: serde_json::from_str(&self.causes).unwrap_or_default(),
        }
    }
}

/// What is known of these companies, those that were ever called for.
pub(crate) fn connections(
    conn: &mut PgConnection,
    companies: &[CompanyId],
) -> QueryResult<Vec<ConnectionRow>> {
    statement(Connections).bind::<Array<SqlUuid>, _>(uuids(companies)).load(conn)
}

/// The newest cycles of each of these companies that began before `before`.
pub(crate) fn newest_cycles(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    before: Uuid,
    limit: i64,
) -> QueryResult<Vec<CycleRow>> {
    statement(NewestCycles)
        .bind::<Array<SqlUuid>, _>(uuids(companies))
        .bind::<SqlUuid, _>(before)
        .bind::<BigInt, _>(limit)
        .load(conn)
}

/// What is known of these companies, each with its newest cycle; of a company that was never called for there is nothing.
pub(crate) fn known(
    conn: &mut PgConnection,
    companies: &[CompanyId],
) -> QueryResult<HashMap<Uuid, Activity>> {
    let mut known: HashMap<Uuid, Activity> = HashMap::new();
    for row in connections(conn, companies)? {
        known.entry(row.company_id).or_default().connection = row.connection();
    }
    for row in newest_cycles(conn, companies, Uuid::max(), 1)? {
        known.entry(row.company_id).or_default().cycles.push(row.into_cycle());
    }
    Ok(known)
}

/// Writes what was counted of each company.
pub(crate) fn write(
    conn: &mut PgConnection,
    activities: &[(CompanyId, Activity)],
    now: DateTime<Utc>,
) -> QueryResult<()> {
    write_connections(conn, activities)?;
    let companies: Vec<Uuid> = activities.iter().map(|(company, _)| company.as_uuid()).collect();
    statement(NoteConnected)
        .bind::<Array<SqlUuid>, _>(&companies)
        .bind::<Timestamptz, _>(now)
        .execute(conn)?;
    write_cycles(conn, activities)?;
    let slots: Vec<(CompanyId, (DateTime<Utc>, Slot))> = activities
        .iter()
        .flat_map(|(company, activity)| activity.slots.iter().map(|(at, slot)| (*company, (*at, *slot))))
        .collect();
    statement(AddToSlots)
        .bind::<Array<SqlUuid>, _>(companies_of(&slots))
        .bind::<Array<Timestamptz>, _>(slots.iter().map(|(_, (at, _))| *at).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(slots.iter().map(|(_, (_, slot))| slot.calls).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(slots.iter().map(|(_, (_, slot))| slot.failures).collect::<Vec<_>>())
        .execute(conn)?;
    statement(DropSlots)
        .bind::<Array<SqlUuid>, _>(&companies)
        .bind::<Timestamptz, _>(now - SLOT * SLOTS_KEPT)
        .execute(conn)?;
    write_uses(conn, activities)
}

fn write_connections(conn: &mut PgConnection, activities: &[(CompanyId, Activity)]) -> QueryResult<()> {
    type Times = Vec<Option<DateTime<Utc>>>;
    let of = |field: fn(&Connection) -> Option<DateTime<Utc>>| -> Times {
        activities.iter().map(|(_, activity)| field(&activity.connection)).collect()
    };
    statement(WriteConnections)
        .bind::<Array<SqlUuid>, _>(companies_of(activities))
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.last_call_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.refused_since))
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.refused_last_at))
        .bind::<Array<BigInt>, _>(
            activities.iter().map(|(_, activity)| activity.connection.refused_calls).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.probed_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.first_test_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.first_user_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(of(|connection| connection.first_group_at))
        .bind::<Array<Nullable<SqlUuid>>, _>(
            activities.iter().map(|(_, activity)| activity.connection.initial_cycle).collect::<Vec<_>>(),
        )
        .execute(conn)
        .map(drop)
}

fn write_cycles(conn: &mut PgConnection, activities: &[(CompanyId, Activity)]) -> QueryResult<()> {
    let cycles: Vec<(CompanyId, &Cycle)> = activities
        .iter()
        .flat_map(|(company, activity)| activity.cycles.iter().map(|cycle| (*company, cycle)))
        .collect();
    let of = |field: fn(&Counts) -> i64| -> Vec<i64> {
        cycles.iter().map(|(_, cycle)| field(&cycle.counts)).collect()
    };
    // Texts and numbers have no way to fail.
    let causes: Vec<String> = cycles
        .iter()
        .map(|(_, cycle)| serde_json::to_string(&cycle.causes).unwrap_or_else(|_never| "[]".to_owned()))
        .collect();
    statement(WriteCycles)
        .bind::<Array<SqlUuid>, _>(companies_of(&cycles))
        .bind::<Array<SqlUuid>, _>(cycles.iter().map(|(_, cycle)| cycle.id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(cycles.iter().map(|(_, cycle)| cycle.started_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(cycles.iter().map(|(_, cycle)| cycle.last_call_at).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(of(|counts| counts.calls))
        .bind::<Array<BigInt>, _>(of(|counts| counts.checked))
        .bind::<Array<BigInt>, _>(of(|counts| counts.created))
        .bind::<Array<BigInt>, _>(of(|counts| counts.updated))
        .bind::<Array<BigInt>, _>(of(|counts| counts.unchanged))
        .bind::<Array<BigInt>, _>(of(|counts| counts.deactivated))
        .bind::<Array<BigInt>, _>(of(|counts| counts.reactivated))
        .bind::<Array<BigInt>, _>(of(|counts| counts.deleted))
        .bind::<Array<BigInt>, _>(of(|counts| counts.refused))
        .bind::<Array<BigInt>, _>(of(|counts| counts.failed))
        .bind::<Array<BigInt>, _>(of(|counts| counts.failed_changes))
        .bind::<Array<Text>, _>(causes)
        .execute(conn)
        .map(drop)
}

fn write_uses(conn: &mut PgConnection, activities: &[(CompanyId, Activity)]) -> QueryResult<()> {
    let uses: Vec<(CompanyId, (TokenId, &Use))> = activities
        .iter()
        .flat_map(|(company, activity)| activity.uses.iter().map(|(id, seen)| (*company, (*id, seen))))
        .collect();
    statement(AddToUses)
        .bind::<Array<SqlUuid>, _>(companies_of(&uses))
        .bind::<Array<SqlUuid>, _>(uses.iter().map(|(_, (id, _))| id.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(
            uses.iter().map(|(_, (_, u))| u.first_at).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Timestamptz>>, _>(uses.iter().map(|(_, (_, u))| u.last_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            uses.iter().map(|(_, (_, seen))| seen.last_address.as_deref()).collect::<Vec<_>>(),
        )
        .bind::<Array<BigInt>, _>(uses.iter().map(|(_, (_, seen))| seen.calls).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(uses.iter().map(|(_, (_, seen))| seen.refused_calls).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(
            uses.iter().map(|(_, (_, seen))| seen.last_worked_at).collect::<Vec<_>>(),
        )
        .execute(conn)
        .map(drop)
}

/// What was seen of a company's newest credentials.
pub(crate) fn uses(
    conn: &mut PgConnection,
    company: CompanyId,
    limit: i64,
) -> QueryResult<Vec<(TokenId, Use)>> {
    type At = Option<DateTime<Utc>>;
    type Row = (Uuid, At, At, At, Option<String>, i64, i64);
    let rows: Vec<Row> =
        statement(Uses).bind::<SqlUuid, _>(company.as_uuid()).bind::<BigInt, _>(limit).load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, first_at, last_at, last_worked_at, last_address, calls, refused_calls)| {
            let seen = Use { first_at, last_at, last_worked_at, last_address, calls, refused_calls };
            (TokenId::from_uuid(id), seen)
        })
        .collect())
}

/// The slots from then on, the oldest first; those without a call are left out.
pub(crate) fn slots(
    conn: &mut PgConnection,
    company: CompanyId,
    from: DateTime<Utc>,
) -> QueryResult<Vec<(DateTime<Utc>, Slot)>> {
    let rows: Vec<(DateTime<Utc>, i64, i64)> =
        statement(Slots).bind::<SqlUuid, _>(company.as_uuid()).bind::<Timestamptz, _>(from).load(conn)?;
    Ok(rows.into_iter().map(|(at, calls, failures)| (at, Slot { calls, failures })).collect())
}

/// Companies that were ever called for, in the order of their ids. Needs no company to be open.
pub(crate) fn connected(conn: &mut PgConnection, after: Uuid, limit: i64) -> QueryResult<Vec<CompanyId>> {
    let rows: Vec<(Uuid,)> =
        statement(Connected).bind::<SqlUuid, _>(after).bind::<BigInt, _>(limit).load(conn)?;
    Ok(rows.into_iter().map(|(company,)| CompanyId::from_uuid(company)).collect())
}

/// Counts a company's users and groups.
pub(crate) fn count_size(conn: &mut PgConnection, company: CompanyId, now: DateTime<Utc>) -> QueryResult<()> {
    statement(CountSize)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Timestamptz, _>(now)
        .execute(conn)
        .map(drop)
}

/// Deletes the oldest log lines and cycles from before `before`, at most so many of each; how many there were.
pub(crate) fn drop_older(
    conn: &mut PgConnection,
    company: CompanyId,
    before: Uuid,
    limit: i64,
) -> QueryResult<usize> {
    let lines = statement(DropLines)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(conn)?;
    let cycles = statement(DropCycles)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(before)
        .bind::<BigInt, _>(limit)
        .execute(conn)?;
    super::brakes::drop_older(conn, company, before)?;
    Ok(lines.max(cycles))
}

fn uuids(companies: &[CompanyId]) -> Vec<Uuid> {
    companies.iter().map(|company| company.as_uuid()).collect()
}
