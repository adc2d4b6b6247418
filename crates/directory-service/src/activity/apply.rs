//! Messages of the stream of calls into the tables: read what is known, count, write, and move the watermark on.

use std::collections::{BTreeMap, HashSet};

use bus_contract::{
    Message as _,
    directory::{CallBatch, call::Answer},
    subject::company_of_calls,
};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, RequestId};

use super::{
    call::Call,
    count::Tally,
    line::{self, CallLine},
};
use crate::{
    apply::refuse,
    store::{self, log::Recorded},
};

/// A message of the stream.
#[derive(Debug, Clone)]
pub(super) struct Delivery {
    pub(super) sequence: i64,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Calls(CompanyId, Vec<Call>),
    /// Nobody can tell what it says.
    Unreadable,
}

impl Delivery {
    /// Reads a message. The company of the subject and of the body must agree: the subject is what the bus lets a gateway
    /// write to.
    pub(super) fn read(sequence: u64, subject: &str, payload: &[u8], now: DateTime<Utc>) -> Self {
        let read = || {
            let company = company_of_calls(subject)?;
            let batch = CallBatch::decode(payload).ok()?;
            let calls = batch.calls.into_iter().map(|call| Call::read(call, now)).collect();
            (batch.company_id == company.to_string()).then_some(Content::Calls(company, calls))
        };
        Self {
            // A stream of more than 2⁶³ messages would have run for a million years.
            sequence: i64::try_from(sequence).unwrap_or(i64::MAX),
            content: read().unwrap_or(Content::Unreadable),
        }
    }
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// Whose activity has changed, and what their calls amount to.
    pub(super) companies: Vec<(CompanyId, Tally)>,
    pub(super) lines: u64,
}

/// Applies messages in the order of the stream; `None` when another incarnation of it is being counted. Safe to run
/// again: what lies behind the watermark was counted.
pub(super) fn apply(
    conn: &mut PgConnection,
    incarnation: i64,
    batch: &[Delivery],
    pause: TimeDelta,
    now: DateTime<Utc>,
) -> QueryResult<Option<Applied>> {
    let (known, applied) = store::activity::lock(conn)?;
    if known != incarnation {
        return Ok(None);
    }
    let Some(last) = batch.last().map(|delivery| delivery.sequence).filter(|last| *last > applied) else {
        return Ok(Some(Applied::default()));
    };
    let mut calls: BTreeMap<CompanyId, Vec<&Call>> = BTreeMap::new();
    for delivery in batch.iter().filter(|delivery| delivery.sequence > applied) {
        if let Content::Calls(company, new) = &delivery.content {
            calls.entry(*company).or_default().extend(new);
        }
    }
    let applied = if calls.is_empty() { Applied::default() } else { count(conn, &calls, pause, now)? };
    store::activity::move_on(conn, incarnation, last)?;
    Ok(Some(applied))
}

fn count(
    conn: &mut PgConnection,
    calls: &BTreeMap<CompanyId, Vec<&Call>>,
    pause: TimeDelta,
    now: DateTime<Utc>,
) -> QueryResult<Applied> {
    let companies: Vec<CompanyId> = calls.keys().copied().collect();
    store::open_companies(conn, &companies)?;
    let mut known = store::activity::known(conn, &companies)?;
    let missing = about_missing_members(conn, &companies, calls)?;
    let mut activities = Vec::with_capacity(companies.len());
    let mut lines: Vec<CallLine<'_>> = Vec::new();
    let mut tallies = Vec::with_capacity(companies.len());
    for (company, calls) in calls {
        let mut tally = Tally::default();
        let mut activity = known.remove(&company.as_uuid()).unwrap_or_default();
        for call in calls {
            let is_reference = call.request.is_some_and(|request| missing.contains(&request));
            activity.count(call, is_reference, pause);
            tally.add(call);
            lines.extend(line::line(*company, call));
        }
        activities.push((*company, activity));
        tallies.push((*company, tally));
    }
    store::activity::write(conn, &activities, now)?;
    let lines = store::log::insert_calls(conn, &lines, now)?;
    Ok(Applied { lines: lines as u64, companies: tallies })
}

/// Which of the calls the directory refused because of members who do not exist. Its log knows; gateways do not.
fn about_missing_members(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    calls: &BTreeMap<CompanyId, Vec<&Call>>,
) -> QueryResult<HashSet<RequestId>> {
    let refused = |call: &&Call| call.is_decided && call.answer == Answer::Refused;
    let keys: Vec<(CompanyId, RequestId)> = calls
        .iter()
        .flat_map(|(company, calls)| {
            let refused = calls.iter().copied().filter(refused);
            refused.filter_map(move |call| Some((*company, call.request?)))
        })
        .collect();
    let recorded = store::log::recorded(conn, companies, &keys)?;
    let is_about = |line: &Recorded| {
        line.refusal.as_ref().is_some_and(|refusal| refuse::is_about_missing_members(&refusal.detail))
    };
    Ok(recorded.iter().filter(|line| is_about(line)).map(|line| line.request).collect())
}
