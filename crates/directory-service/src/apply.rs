//! A batch of requests: read what it touches, decide, write what it amounts to in one transaction.
//!
//! That transaction also moves the partition's watermark, so a batch is applied once however often it is delivered:
//! what lies behind the watermark is answered from the log.

pub(crate) mod changes;
pub(crate) mod decide;
mod read;
pub(crate) mod refuse;
pub(crate) mod removals;
pub(crate) mod request;
pub(crate) mod tell;
mod write;

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use bus_contract::{
    directory::FactBatch,
    provisioning::{self, Applied as AppliedResult, outcome::Result as OutcomeResult},
};
use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult};
use pg_pool::pool::statement;
use service_runtime::trace::Trace;
use typed_ids::CompanyId;

use self::{
    decide::Refusal,
    read::Read,
    removals::{News, Removals},
    request::{Change, Request, Unreadable},
    tell::Around,
};
use crate::{
    announce,
    brake::BrakeSettings,
    store::{
        self,
        batch::Write,
        dead_letters::DeadLetter,
        log::{Line, Recorded},
        partitions::Tenure,
    },
};

/// One message as the stream delivered it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) stream_sequence: i64,
    pub(crate) subject: String,
    pub(crate) payload: bytes::Bytes,
    /// In which its application is a span.
    pub(crate) trace: Trace,
    /// When the stream took it.
    pub(crate) stored_at: DateTime<Utc>,
    pub(crate) request: Result<Request, Unreadable>,
}

/// What became of a batch, to be told after the commit.
#[derive(Debug)]
pub(crate) enum Applied {
    /// Per delivery, in order; `None` for one that nobody can be told about. And what there is to say of its removals.
    Outcomes(Vec<Option<provisioning::Outcome>>, Vec<News>),
    /// Another instance holds the partition now; nothing was changed.
    TenureEnded,
}

/// How often a batch is decided anew because somebody wrote meanwhile. That takes another owner, which ends the tenure,
/// or a write of ours that was given up for lost and took effect late, of which there is one.
const ATTEMPTS: usize = 4;

/// Applies a batch. Safe to run again whatever became of it.
///
/// `condemned` says why the batch's only delivery can never be stored; it is then kept as a dead letter and refused.
pub(crate) fn apply(
    conn: &mut PgConnection,
    tenure: Tenure,
    batch: &[Delivery],
    condemned: Option<&str>,
    brake: BrakeSettings,
    now: DateTime<Utc>,
) -> QueryResult<Applied> {
    for _ in 0..ATTEMPTS {
        match attempt(conn, tenure, batch, condemned, brake, now)? {
            Attempt::Applied(outcomes, news) => return Ok(Applied::Outcomes(outcomes, news)),
            Attempt::TenureEnded => return Ok(Applied::TenureEnded),
            Attempt::Overtaken => {}
        }
    }
    Ok(Applied::TenureEnded)
}

/// What became of one try.
enum Attempt {
    Applied(Vec<Option<provisioning::Outcome>>, Vec<News>),
    TenureEnded,
    /// Somebody wrote between our reading and our writing; nothing was changed.
    Overtaken,
}

fn attempt(
    conn: &mut PgConnection,
    tenure: Tenure,
    batch: &[Delivery],
    condemned: Option<&str>,
    brake: BrakeSettings,
    now: DateTime<Utc>,
) -> QueryResult<Attempt> {
    let Some(last) = batch.last() else { return Ok(Attempt::Applied(vec![], vec![])) };
    let readable: Vec<&Request> =
        batch.iter().filter_map(|delivery| delivery.request.as_ref().ok()).collect();
    let companies: BTreeSet<_> = readable.iter().map(|request| request.company).collect();
    let companies: Vec<CompanyId> = companies.into_iter().collect();
    // What Postgres refuses to store it refuses to look for.
    let asked = if condemned.is_none() { readable.as_slice() } else { &[] };
    let reading = statement("users.apply.read");
    let Read { seen, mut known, group_names } = read::read(conn, tenure, &companies, asked)?;
    drop(reading);
    if seen.epoch != tenure.epoch {
        return Ok(Attempt::TenureEnded);
    }
    let Sorted { mut outcomes, fresh, letters, mut lines } =
        sort(conn, tenure, batch, &companies, seen.applied_sequence, condemned)?;
    let requests: Vec<&Request> = fresh.iter().map(|(_, request)| *request).collect();
    let decision = loop {
        match decide::decide(&known, &requests, now) {
            Ok(decision) => break decision,
            Err(unknown) => read::complete(conn, &companies, &mut known, unknown)?,
        }
    };
    let around = Around::look(conn, &companies, &known, &group_names, &decision)?;
    let mut facts = FactBatch::default();
    for ((place, request), outcome) in fresh.iter().zip(&decision.outcomes) {
        let Delivery { trace, stored_at, .. } = &batch[*place];
        facts.facts.extend(announce::facts(request, outcome, &around, trace, *stored_at, now));
        let result = around.result(outcome);
        lines.push(tell::line(request, outcome, &result, &known));
        outcomes[*place] = Some(tell::told(request, result));
    }
    let write = Write {
        tenure,
        revision: seen.revision,
        last_sequence: last.stream_sequence,
        companies: &companies,
        // Who gives a name up stands before who takes it.
        users: decision.updates.iter().chain(&decision.inserts).collect(),
        lines: &lines,
        facts: &facts,
        applied_at: now,
    };
    let _writing = statement("users.apply.write");
    let removals = Removals::of(requests.iter().copied().zip(&decision.outcomes));
    Ok(match write::write(conn, &write, &decision, &letters, removals, brake)? {
        Some(news) => Attempt::Applied(outcomes, news),
        None => Attempt::Overtaken,
    })
}

/// A batch by what is to be done with its deliveries.
struct Sorted<'a> {
    /// Per delivery; filled in for those that were applied before and those that never will be.
    outcomes: Vec<Option<provisioning::Outcome>>,
    /// To be decided, each with its place in the batch.
    fresh: Vec<(usize, &'a Request)>,
    letters: Vec<DeadLetter<'a>>,
    lines: Vec<Line<'a>>,
}

fn sort<'a>(
    conn: &mut PgConnection,
    tenure: Tenure,
    batch: &'a [Delivery],
    companies: &[CompanyId],
    watermark: i64,
    condemned: Option<&'a str>,
) -> QueryResult<Sorted<'a>> {
    // The watermark only says where to look: what is in the log was applied, and nothing else was. A stream that came
    // back from a crash with lower sequences than it had must not lose what is sent to it next.
    let behind = batch.iter().take_while(|delivery| delivery.stream_sequence <= watermark).count();
    let suspects = if condemned.is_some() { 0..1 } else { 0..behind };
    let mut recorded = repeat(conn, companies, batch, suspects)?;
    let mut sorted =
        Sorted { outcomes: vec![None; batch.len()], fresh: vec![], letters: vec![], lines: vec![] };
    for (place, delivery) in batch.iter().enumerate() {
        if let Some(outcome) = recorded.remove(&place) {
            sorted.outcomes[place] = Some(outcome);
            continue;
        }
        let reason = match (&delivery.request, condemned) {
            (Ok(request), None) => {
                sorted.fresh.push((place, request));
                continue;
            }
            (Ok(request), Some(reason)) => {
                let refusal = refuse::unstorable(request);
                let result = OutcomeResult::Refused(refusal.clone());
                sorted.outcomes[place] = Some(tell::told(request, result));
                sorted.lines.push(tell::refused_line(request, refusal));
                reason.to_owned()
            }
            (Err(unreadable), _) => unreadable.to_string(),
        };
        sorted.letters.push(DeadLetter {
            partition: tenure.partition,
            stream_sequence: delivery.stream_sequence,
            subject: &delivery.subject,
            reason,
            payload: &delivery.payload,
        });
    }
    if sorted.fresh.first().is_some_and(|(place, _)| *place < behind) {
        tracing::warn!(
            partition = tenure.partition.number(),
            watermark,
            "requests behind the watermark are not in the log: the stream lost its count; they are applied"
        );
    }
    Ok(sorted)
}

/// Answers from the log what is in it, with the users as they are now.
fn repeat(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    batch: &[Delivery],
    places: Range<usize>,
) -> QueryResult<HashMap<usize, provisioning::Outcome>> {
    let requests: HashMap<_, _> = places
        .filter_map(|place| batch[place].request.as_ref().ok().map(|request| (request.id, (place, request))))
        .collect();
    let keys: Vec<_> = requests.values().map(|(_, request)| (request.company, request.id)).collect();
    let recorded = store::log::recorded(conn, companies, &keys)?;
    let company = |record: &Recorded| Some(requests.get(&record.request)?.1.company);
    let users: Vec<_> = recorded.iter().filter_map(|record| Some((company(record)?, record.user?))).collect();
    let users: HashMap<_, _> = store::users::by_ids(conn, companies, &users)?
        .into_iter()
        .map(|user| (user.key(), user.to_record(None)))
        .collect();
    let groups: Vec<_> =
        recorded.iter().filter_map(|record| Some((company(record)?, record.group?))).collect();
    let groups: HashMap<_, _> = store::groups::by_ids(conn, companies, &groups)?
        .into_iter()
        .map(|group| (group.key(), group.to_record()))
        .collect();
    let outcomes = recorded.into_iter().filter_map(|record| {
        let (place, request) = requests.get(&record.request)?;
        let user = record.user.and_then(|user| users.get(&(request.company, user)).cloned());
        let group = record.group.and_then(|group| groups.get(&(request.company, group)).cloned());
        let is_gone = user.is_none() && group.is_none() && record.outcome != "deleted";
        let result = match record.refusal {
            Some(refusal) => OutcomeResult::Refused(refusal),
            // Somebody has deleted it since; there is nothing left to show.
            None if is_gone => OutcomeResult::Refused(refuse::to_wire(&match request.change {
                Change::User(..) => Refusal::NotFound,
                Change::Group(..) => Refusal::NoSuchGroup,
            })),
            None => {
                OutcomeResult::Applied(AppliedResult { user, changed: record.outcome != "unchanged", group })
            }
        };
        let outcome = provisioning::Outcome {
            request_id: record.request.to_string(),
            repeated: true,
            result: Some(result),
        };
        Some((*place, outcome))
    });
    Ok(outcomes.collect())
}
