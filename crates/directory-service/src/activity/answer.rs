//! Answers how a company's provisioning goes: what happens now, the cycles before, and everybody's health.

use std::collections::HashMap;

use bus_contract::{
    Message as _,
    directory::{
        self, CompanyHealth, CredentialUse, FailureCause, GetActivity, GetActivityReply, Health, ListCycles,
        ListCyclesReply, ListHealth, ListHealthReply, Reply, Size, failure::Reason, health::State, reply,
    },
};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use pg_pool::Pool;
use typed_ids::{CompanyId, TokenId};
use uuid::Uuid;

use super::count::{Connection, Cycle, SLOT, Slot, Use};
use crate::{
    brake::{self, Brake},
    health::health,
    question::{answered, failed, failure},
    store::{self, activity::ConnectionRow},
    time::{now, to_timestamp},
};

/// How long after its last call a cycle counts as running.
const RUNNING: TimeDelta = TimeDelta::minutes(2);
/// Slots that are shown: a day.
const SLOTS: i32 = 48;
/// Credentials that are shown: the newest.
const MAX_USES: i64 = 100;
/// The most cycles and companies of a page.
const MAX_CYCLES: u32 = 100;
const MAX_HEALTHS: u32 = 1_000;

/// The states of health, in the words of the metric.
pub(super) const STATES: [(State, &str); 5] = [
    (State::NeverConnected, "never_connected"),
    (State::Healthy, "healthy"),
    (State::Warning, "warning"),
    (State::Critical, "critical"),
    (State::Disconnected, "disconnected"),
];

/// Answers what happens now.
pub(crate) async fn get(pool: &Pool, payload: &[u8]) -> Reply {
    let company: Option<CompanyId> =
        GetActivity::decode(payload).ok().and_then(|question| question.company_id.parse().ok());
    let Some(company) = company else { return invalid("the question names no company") };
    let now = now();
    let from = first_slot(now);
    let found = pool
        .transaction("activity.get", move |conn| {
            store::open_companies(conn, &[company])?;
            let connection = store::activity::connections(conn, &[company])?.into_iter().next();
            let cycles = store::activity::newest_cycles(conn, &[company], Uuid::max(), 2)?;
            let slots = store::activity::slots(conn, company, from)?;
            let uses = store::activity::uses(conn, company, MAX_USES)?;
            let brakes = undecided(store::brakes::open(conn, &[company])?);
            Ok((connection, cycles, slots, uses, brakes))
        })
        .await;
    match found {
        Ok((row, cycles, slots, uses, brakes)) => {
            let connection = row.as_ref().map(ConnectionRow::connection).unwrap_or_default();
            let cycles: Vec<Cycle> = cycles.into_iter().map(|row| row.into_cycle()).collect();
            let mut shown = cycles.iter().map(|cycle| to_wire(cycle, &connection, now));
            answered(reply::Result::GetActivity(GetActivityReply {
                health: Some(health(&connection, cycles.first(), brakes.get(&company), now)),
                latest: shown.next(),
                previous: shown.next(),
                slots: every_slot(from, &slots),
                uses: uses.into_iter().map(credential_use).collect(),
                size: Some(row.as_ref().map(size).unwrap_or_default()),
                first_test_at: connection.first_test_at.map(to_timestamp),
                first_user_at: connection.first_user_at.map(to_timestamp),
                first_group_at: connection.first_group_at.map(to_timestamp),
            }))
        }
        Err(error) => failed("get activity", &error),
    }
}

/// Answers one page of cycles.
pub(crate) async fn list_cycles(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = ListCycles::decode(payload) else { return invalid("the question is malformed") };
    let Ok(company) = question.company_id.parse::<CompanyId>() else {
        return invalid("the question names no company");
    };
    let before = match question.before_cycle_id.as_str() {
        "" => Ok(Uuid::max()),
        text => text.parse(),
    };
    let Ok(before) = before else { return invalid("before_cycle_id is no id") };
    if !(1..=MAX_CYCLES).contains(&question.limit) {
        return invalid(&format!("limit is 1 to {MAX_CYCLES}"));
    }
    let limit = question.limit;
    let found = pool
        .transaction("cycles.page", move |conn| {
            store::open_companies(conn, &[company])?;
            let connection = store::activity::connections(conn, &[company])?.into_iter().next();
            let cycles = store::activity::newest_cycles(conn, &[company], before, i64::from(limit) + 1)?;
            Ok((connection, cycles))
        })
        .await;
    match found {
        Ok((row, rows)) => {
            let connection = row.as_ref().map(ConnectionRow::connection).unwrap_or_default();
            let now = now();
            // A cycle is some 2 KiB at most, so a page of them fits.
            let mut cycles: Vec<_> =
                rows.into_iter().map(|row| to_wire(&row.into_cycle(), &connection, now)).collect();
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            let has_more = cycles.len() > limit;
            cycles.truncate(limit);
            answered(reply::Result::ListCycles(ListCyclesReply { cycles, has_more }))
        }
        Err(error) => failed("list cycles", &error),
    }
}

/// Answers one page of companies.
pub(crate) async fn list_health(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = ListHealth::decode(payload) else { return invalid("the question is malformed") };
    let after = match question.after_company_id.as_str() {
        "" => Ok(Uuid::nil()),
        text => text.parse::<CompanyId>().map(CompanyId::as_uuid),
    };
    let Ok(after) = after else { return invalid("after_company_id is no id") };
    if !(1..=MAX_HEALTHS).contains(&question.limit) {
        return invalid(&format!("limit is 1 to {MAX_HEALTHS}"));
    }
    match healths(pool, after, i64::from(question.limit)).await {
        // The health of a company is some 400 bytes at most, so a page of them fits.
        Ok(healths) => answered(reply::Result::ListHealth(ListHealthReply {
            companies: healths
                .into_iter()
                .map(|(company, health)| CompanyHealth {
                    company_id: company.to_string(),
                    health: Some(health),
                })
                .collect(),
        })),
        Err(error) => failed("list health", &error),
    }
}

/// The health of companies that were ever called for, in the order of their ids.
pub(super) async fn healths(
    pool: &Pool,
    after: Uuid,
    limit: i64,
) -> Result<Vec<(CompanyId, Health)>, pg_pool::Error> {
    let found = pool.transaction("activity.health", move |conn| {
        let companies = store::activity::connected(conn, after, limit)?;
        store::open_companies(conn, &companies)?;
        let known = store::activity::known(conn, &companies)?;
        let brakes = undecided(store::brakes::open(conn, &companies)?);
        Ok((companies, known, brakes))
    });
    let (companies, mut known, brakes) = found.await?;
    let now = now();
    let of = |company: CompanyId| {
        let activity = known.remove(&company.as_uuid()).unwrap_or_default();
        (company, health(&activity.connection, activity.cycles.last(), brakes.get(&company), now))
    };
    Ok(companies.into_iter().map(of).collect())
}

/// Of each company the newest mass removal about which somebody has to decide.
fn undecided(open: Vec<Brake>) -> HashMap<CompanyId, Brake> {
    let waits = |brake: &Brake| brake.state == brake::State::On && brake.waiting() > 0;
    open.into_iter().filter(waits).map(|brake| (brake.company, brake)).collect()
}

fn to_wire(cycle: &Cycle, connection: &Connection, now: DateTime<Utc>) -> directory::Cycle {
    let count = |count: i64| u64::try_from(count).unwrap_or(0);
    let counts = &cycle.counts;
    let mut causes: Vec<FailureCause> = cycle
        .causes
        .iter()
        .map(|cause| FailureCause {
            cause: cause.cause.clone(),
            count: count(cause.count),
            is_reference: cause.is_reference,
        })
        .collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    directory::Cycle {
        cycle_id: cycle.id.to_string(),
        started_at: Some(to_timestamp(cycle.started_at)),
        last_call_at: Some(to_timestamp(cycle.last_call_at)),
        is_running: now - cycle.last_call_at <= RUNNING,
        is_initial: connection.initial_cycle == Some(cycle.id),
        calls: count(counts.calls),
        checked: count(counts.checked),
        created: count(counts.created),
        updated: count(counts.updated),
        unchanged: count(counts.unchanged),
        deactivated: count(counts.deactivated),
        reactivated: count(counts.reactivated),
        deleted: count(counts.deleted),
        refused: count(counts.refused),
        failed: count(counts.failed),
        causes,
    }
}

/// The beginning of the oldest slot that is shown; the newest is the one that runs.
fn first_slot(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(SLOT).unwrap_or(now) - SLOT * (SLOTS - 1)
}

/// Every slot of the day, also those without a call.
fn every_slot(from: DateTime<Utc>, known: &[(DateTime<Utc>, Slot)]) -> Vec<directory::Slot> {
    let known: HashMap<_, _> = known.iter().copied().collect();
    (0..SLOTS)
        .map(|place| {
            let begins_at = from + SLOT * place;
            let slot = known.get(&begins_at).copied().unwrap_or_default();
            directory::Slot {
                begins_at: Some(to_timestamp(begins_at)),
                calls: u64::try_from(slot.calls).unwrap_or(0),
                failures: u64::try_from(slot.failures).unwrap_or(0),
            }
        })
        .collect()
}

fn credential_use((credential, seen): (TokenId, Use)) -> CredentialUse {
    CredentialUse {
        credential_id: credential.to_string(),
        first_used_at: seen.first_at.map(to_timestamp),
        last_used_at: seen.last_at.map(to_timestamp),
        last_worked_at: seen.last_worked_at.map(to_timestamp),
        last_address: seen.last_address.unwrap_or_default(),
        calls: u64::try_from(seen.calls).unwrap_or(0),
        refused_calls: u64::try_from(seen.refused_calls).unwrap_or(0),
    }
}

fn size(row: &ConnectionRow) -> Size {
    let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    Size {
        users: count(row.users),
        active_users: count(row.active_users),
        groups: count(row.groups),
        counted_at: row.counted_at.map(to_timestamp),
    }
}

fn invalid(detail: &str) -> Reply {
    failure(Reason::Invalid, "", detail)
}
