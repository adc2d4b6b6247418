//! How a company's provisioning is doing: a pure function from what was counted to what an administrator is told, well
//! before Entra acts.
//!
//! Entra's rules (entra-wire 3.5): bad credentials put a job into quarantine at once; so do more than 40 % of failures
//! once there are 5,000, more than 40,000 failures, and 60,000 with those that are references to somebody who is not
//! there, which the first two leave out. A job in quarantine calls once a day at last.

use bus_contract::directory::{Concern, Health, concern::Kind, health::State};
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    activity::count::{Connection, Cycle},
    brake::Brake,
    time::to_timestamp,
};

/// From the beginning of a cycle to that of the next (entra-wire 3.1).
pub(crate) const INTERVAL: TimeDelta = TimeDelta::minutes(40);
/// Cycles without a call after which something is wrong.
const SILENT_CYCLES: i64 = 3;
/// How long those take.
pub(crate) const SILENT_AFTER: TimeDelta = TimeDelta::minutes(INTERVAL.num_minutes() * SILENT_CYCLES);
/// Longer silence than a job in quarantine keeps.
const SILENT_CRITICAL: TimeDelta = TimeDelta::hours(25);
/// Silence of a company that has left, or has ended provisioning: a job calls once a day at least until Entra disables it,
/// four weeks after it was put into quarantine. Operators can do nothing about it any more.
const DISCONNECTED_AFTER: TimeDelta = TimeDelta::days(14);

/// Per cent of changes that may fail before Entra acts, and failures from which it looks.
const RATIO_LIMIT: i64 = 40;
const RATIO_FLOOR: i64 = 5_000;
/// Per cent that is worth a word, once there are enough changes to speak of.
const RATIO_WARNING: i64 = 10;
const RATIO_CHANGES: i64 = 20;

/// Failures at which Entra acts, without those of references and with them.
const FAILURES_LIMIT: i64 = 40_000;
const ALL_FAILURES_LIMIT: i64 = 60_000;

/// Calls of one cycle that we failed to answer: some that are worth a word, and the per cent of at least so many calls
/// at which nothing much works.
const SERVER_ERRORS_WARNING: i64 = 10;
const SERVER_ERRORS_CRITICAL: i64 = 40;
const SERVER_ERRORS_CALLS: i64 = 20;

/// The health of a company.
pub(crate) fn health(
    connection: &Connection,
    latest: Option<&Cycle>,
    brake: Option<&Brake>,
    now: DateTime<Utc>,
) -> Health {
    let concerns: Vec<Concern> = [
        brake.map(removals),
        unauthenticated(connection),
        silent(connection, now),
        latest.and_then(failure_ratio),
        latest.and_then(failure_count),
        latest.and_then(server_errors),
    ]
    .into_iter()
    .flatten()
    .collect();
    let is_disconnected = last_seen(connection).is_some_and(|last| now - last >= DISCONNECTED_AFTER);
    let state = match (&connection.last_call_at, concerns.iter().any(endangers_the_job)) {
        _ if is_disconnected => State::Disconnected,
        (_, true) => State::Critical,
        (None, false) => State::NeverConnected,
        (Some(_), false) if concerns.is_empty() => State::Healthy,
        (Some(_), false) => State::Warning,
    };
    Health {
        state: state.into(),
        last_call_at: connection.last_call_at.map(to_timestamp),
        next_cycle_at: latest.map(|cycle| to_timestamp(next_cycle_at(connection, cycle))),
        concerns,
    }
}

/// From the latest beginning that was seen. A cycle without work is one probe, so that counts too. When it is overdue this
/// is the moment that has passed.
fn next_cycle_at(connection: &Connection, latest: &Cycle) -> DateTime<Utc> {
    Some(latest.started_at).max(connection.probed_at).unwrap_or(latest.started_at) + INTERVAL
}

/// Entra needs one call with bad credentials.
fn unauthenticated(connection: &Connection) -> Option<Concern> {
    let since = connection.refused_since?;
    Some(concern(Kind::Unauthenticated, true, (connection.refused_calls, 1), since))
}

/// The last call. One that is refused is no silence.
fn last_seen(connection: &Connection) -> Option<DateTime<Utc>> {
    connection.last_call_at.max(connection.refused_last_at)
}

fn silent(connection: &Connection, now: DateTime<Utc>) -> Option<Concern> {
    let last = last_seen(connection)?;
    let silence = now - last;
    let cycles = silence.num_seconds() / INTERVAL.num_seconds();
    (cycles >= SILENT_CYCLES)
        .then(|| concern(Kind::Silent, silence >= SILENT_CRITICAL, (cycles, SILENT_CYCLES), last))
}

fn failure_ratio(cycle: &Cycle) -> Option<Concern> {
    let failed = (cycle.counts.failed_changes - cycle.reference_failures()).max(0);
    let changes = cycle.counts.successes() + failed;
    if changes < RATIO_CHANGES || failed * 100 <= RATIO_WARNING * changes {
        return None;
    }
    // Half of what Entra needs to look is near enough.
    let is_critical = failed * 100 > RATIO_LIMIT * changes && failed >= RATIO_FLOOR / 2;
    let per_cent = failed * 100 / changes;
    Some(concern(Kind::FailureRatio, is_critical, (per_cent, RATIO_LIMIT), cycle.started_at))
}

fn failure_count(cycle: &Cycle) -> Option<Concern> {
    let all = cycle.counts.refused + cycle.counts.failed;
    let own = (all - cycle.reference_failures()).max(0);
    // Of the two rules the one that is nearer to acting.
    let (count, limit) = if own * ALL_FAILURES_LIMIT >= all * FAILURES_LIMIT {
        (own, FAILURES_LIMIT)
    } else {
        (all, ALL_FAILURES_LIMIT)
    };
    let is_critical = count * 10 >= limit * 9;
    (count * 2 >= limit).then(|| concern(Kind::FailureCount, is_critical, (count, limit), cycle.started_at))
}

fn server_errors(cycle: &Cycle) -> Option<Concern> {
    let (failed, calls) = (cycle.counts.failed, cycle.counts.calls);
    let is_critical = calls >= SERVER_ERRORS_CALLS && failed * 100 >= SERVER_ERRORS_CRITICAL * calls;
    (is_critical || failed >= SERVER_ERRORS_WARNING)
        .then(|| concern(Kind::ServerErrors, is_critical, (failed, 0), cycle.started_at))
}

/// People were removed whom nobody has missed yet: nothing of the connection is wrong, and nothing is more urgent.
fn removals(brake: &Brake) -> Concern {
    let until = Some(to_timestamp(brake.last_at));
    let had_access = u64::try_from(brake.had_access).unwrap_or(0);
    Concern {
        until,
        had_access,
        ..concern(Kind::Removals, true, (brake.removed, brake.people), brake.began_at)
    }
}

/// Whether Entra is about to act.
fn endangers_the_job(concern: &Concern) -> bool {
    concern.is_critical && concern.kind() != Kind::Removals
}

fn concern(kind: Kind, is_critical: bool, (count, limit): (i64, i64), since: DateTime<Utc>) -> Concern {
    Concern {
        kind: kind.into(),
        is_critical,
        count: u64::try_from(count).unwrap_or(0),
        limit: u64::try_from(limit).unwrap_or(0),
        since: Some(to_timestamp(since)),
        until: None,
        had_access: 0,
    }
}

#[cfg(test)]
mod tests;
