//! A batch of requests, applied in one transaction: load what it touches, decide, store what it amounts to.
//!
//! The same transaction moves the partition's watermark, so a batch is applied once however often it is delivered:
//! what lies behind the watermark is answered from the log.

pub(crate) mod decide;
pub(crate) mod refuse;
pub(crate) mod request;

use std::collections::{BTreeSet, HashMap};

use bus_contract::{
    directory::{FactBatch, Manager},
    provisioning::{self, Applied as AppliedResult, Refused, outcome::Result as OutcomeResult},
};
use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, UserId};

use self::{
    decide::{Decision, Known, Outcome, Refusal},
    request::{Change, Request, Unreadable},
};
use crate::{
    announce,
    store::{self, dead_letters::DeadLetter, log::Line, partitions::Tenure},
    user::User,
};

/// One message as the stream delivered it.
#[derive(Debug, Clone)]
pub(crate) struct Delivery {
    pub(crate) stream_sequence: i64,
    pub(crate) subject: String,
    pub(crate) payload: bytes::Bytes,
    pub(crate) traceparent: Option<String>,
    pub(crate) request: Result<Request, Unreadable>,
}

/// What became of a batch, to be told after the commit.
#[derive(Debug)]
pub(crate) enum Applied {
    /// Per delivery, in order; `None` for one that nobody can be told about.
    Outcomes(Vec<Option<provisioning::Outcome>>),
    /// Another instance holds the partition now; nothing was changed.
    TenureEnded,
}

/// Applies a batch inside the caller's transaction. Safe to run again after a rollback.
///
/// `condemned` says why the batch's only delivery can never be stored; it is then kept as a dead letter and refused.
pub(crate) fn apply(
    conn: &mut PgConnection,
    tenure: Tenure,
    batch: &[Delivery],
    condemned: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<Applied> {
    let Some(last) = batch.last() else { return Ok(Applied::Outcomes(vec![])) };
    let companies: BTreeSet<_> =
        batch.iter().filter_map(|delivery| delivery.request.as_ref().ok()?.company.into()).collect();
    let companies: Vec<CompanyId> = companies.into_iter().collect();
    let Some(watermark) = store::partitions::begin_batch(conn, tenure, last.stream_sequence, &companies)?
    else {
        return Ok(Applied::TenureEnded);
    };

    // The watermark only says where to look: what is in the log was applied, and nothing else was. A stream that came
    // back from a crash with lower sequences than it had must not lose what is sent to it next.
    let behind = batch.iter().take_while(|delivery| delivery.stream_sequence <= watermark).count();
    let suspects: Vec<_> = if condemned.is_some() { vec![0] } else { (0..behind).collect() };
    let mut recorded = repeat(conn, batch, &suspects)?;
    let mut outcomes: Vec<Option<provisioning::Outcome>> = vec![None; batch.len()];
    let mut fresh = Vec::with_capacity(batch.len());
    for (place, delivery) in batch.iter().enumerate() {
        if let Some(outcome) = recorded.remove(&place) {
            outcomes[place] = Some(outcome);
            continue;
        }
        match &delivery.request {
            Ok(request) if condemned.is_none() => fresh.push((place, request)),
            readable => {
                let reason = condemned.map_or_else(
                    || readable.as_ref().err().map(Unreadable::to_string).unwrap_or_default(),
                    str::to_owned,
                );
                bury(conn, tenure, delivery, &reason, now)?;
                if let Ok(request) = readable {
                    let refusal = refuse::unstorable(request);
                    store::log::insert(conn, &[refused_line(request, refusal.clone())], now)?;
                    outcomes[place] = Some(provisioning::Outcome {
                        request_id: request.id.to_string(),
                        repeated: false,
                        result: Some(OutcomeResult::Refused(refusal)),
                    });
                }
            }
        }
    }

    if fresh.first().is_some_and(|(place, _)| *place < behind) {
        tracing::warn!(
            partition = tenure.partition.number(),
            watermark,
            "requests behind the watermark are not in the log: the stream lost its count; they are applied"
        );
    }
    let requests: Vec<&Request> = fresh.iter().map(|(_, request)| *request).collect();
    let traces: Vec<_> = fresh.iter().map(|(place, _)| batch[*place].traceparent.as_deref()).collect();
    for ((place, _), outcome) in fresh.iter().zip(perform(conn, tenure, &requests, &traces, now)?) {
        outcomes[*place] = Some(outcome);
    }
    Ok(Applied::Outcomes(outcomes))
}

/// Loads, decides and stores the requests that were not applied before.
fn perform(
    conn: &mut PgConnection,
    tenure: Tenure,
    requests: &[&Request],
    traces: &[Option<&str>],
    now: DateTime<Utc>,
) -> QueryResult<Vec<provisioning::Outcome>> {
    if requests.is_empty() {
        return Ok(vec![]);
    }
    let mut known = load(conn, requests)?;
    let decision = loop {
        match decide::decide(&known, requests, now) {
            Ok(decision) => break decision,
            Err(unknown) => look_up_names(conn, &mut known, unknown.names)?,
        }
    };
    write(conn, &decision)?;

    let managers = managers(conn, &decision)?;
    let mut facts = FactBatch::default();
    let mut lines = Vec::with_capacity(requests.len());
    let mut outcomes = Vec::with_capacity(requests.len());
    for ((request, outcome), trace) in requests.iter().zip(&decision.outcomes).zip(traces) {
        let manager = shown(outcome).and_then(|user| managers.get(&(user.company, user.manager()?)).cloned());
        facts.facts.extend(announce::fact(request, outcome, manager.clone(), *trace, now));
        let result = result(outcome, manager);
        lines.push(line(request, outcome, &result));
        outcomes.push(provisioning::Outcome {
            request_id: request.id.to_string(),
            repeated: false,
            result: Some(result),
        });
    }
    store::log::insert(conn, &lines, now)?;
    store::outbox::insert(conn, tenure.partition, &facts)?;
    Ok(outcomes)
}

fn load(conn: &mut PgConnection, requests: &[&Request]) -> QueryResult<Known> {
    let mut known = Known::default();
    let targets: BTreeSet<_> = requests
        .iter()
        .filter(|request| !matches!(request.change, Change::Create(_)))
        .map(|request| (request.company, request.user))
        .collect();
    let targets: Vec<_> = targets.into_iter().collect();
    known.users = store::users::by_ids(conn, &targets)?.into_iter().map(|user| (user.key(), user)).collect();
    let names: BTreeSet<_> = requests.iter().filter_map(|request| decide::wanted_name(request)).collect();
    look_up_names(conn, &mut known, names.into_iter().collect())?;
    Ok(known)
}

fn look_up_names(
    conn: &mut PgConnection,
    known: &mut Known,
    names: Vec<(CompanyId, String)>,
) -> QueryResult<()> {
    let holders = store::users::name_holders(conn, &names)?;
    known.names.extend(names.into_iter().zip(holders));
    Ok(())
}

/// Removals first and additions last, so that a name freed by this batch can be taken by it.
fn write(conn: &mut PgConnection, decision: &Decision) -> QueryResult<()> {
    store::users::delete(conn, &decision.deletes)?;
    store::users::update(conn, &decision.updates)?;
    store::users::insert(conn, &decision.inserts)?;
    Ok(())
}

/// The managers that the answers name and that exist after the batch.
fn managers(
    conn: &mut PgConnection,
    decision: &Decision,
) -> QueryResult<HashMap<(CompanyId, UserId), Manager>> {
    let wanted: BTreeSet<_> = decision
        .outcomes
        .iter()
        .filter_map(|outcome| shown(outcome).and_then(|user| Some((user.company, user.manager()?))))
        .collect();
    let wanted: Vec<_> = wanted.into_iter().collect();
    Ok(store::users::display_names(conn, &wanted)?
        .into_iter()
        .map(|(key, name)| {
            (key, Manager { user_id: key.1.to_string(), display_name: name.unwrap_or_default() })
        })
        .collect())
}

/// Answers from the log what is in it, with the users as they are now.
fn repeat(
    conn: &mut PgConnection,
    batch: &[Delivery],
    places: &[usize],
) -> QueryResult<HashMap<usize, provisioning::Outcome>> {
    let requests: HashMap<_, _> = places
        .iter()
        .filter_map(|&place| batch[place].request.as_ref().ok().map(|request| (request.id, (place, request))))
        .collect();
    let keys: Vec<_> = requests.values().map(|(_, request)| (request.company, request.id)).collect();
    let recorded = store::log::recorded(conn, &keys)?;
    let users: Vec<_> = recorded
        .iter()
        .filter_map(|record| Some((requests.get(&record.request)?.1.company, record.user)))
        .collect();
    let users: HashMap<_, _> =
        store::users::by_ids(conn, &users)?.into_iter().map(|user| (user.key(), user)).collect();
    Ok(recorded
        .into_iter()
        .filter_map(|record| {
            let (place, request) = requests.get(&record.request)?;
            let user = users.get(&(request.company, record.user)).map(|user| user.to_record(None));
            let result = match record.refusal {
                Some(refusal) => OutcomeResult::Refused(refusal),
                // Somebody has deleted the user since; there is nothing left to show.
                None if user.is_none() && record.outcome != "deleted" => {
                    OutcomeResult::Refused(refuse::to_wire(&Refusal::NotFound))
                }
                None => {
                    OutcomeResult::Applied(AppliedResult { user, changed: record.outcome != "unchanged" })
                }
            };
            let outcome = provisioning::Outcome {
                request_id: record.request.to_string(),
                repeated: true,
                result: Some(result),
            };
            Some((*place, outcome))
        })
        .collect())
}

fn bury(
    conn: &mut PgConnection,
    tenure: Tenure,
    delivery: &Delivery,
    reason: &str,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let letter = DeadLetter {
        partition: tenure.partition,
        stream_sequence: delivery.stream_sequence,
        subject: &delivery.subject,
        reason,
        payload: &delivery.payload,
    };
    store::dead_letters::insert(conn, &letter, now)
}

/// The user that the answer shows.
fn shown(outcome: &Outcome) -> Option<&User> {
    match outcome {
        Outcome::Created(user) | Outcome::Unchanged(user) | Outcome::Updated { after: user, .. } => {
            Some(user)
        }
        Outcome::Deleted(_) | Outcome::Refused(_) => None,
    }
}

fn result(outcome: &Outcome, manager: Option<Manager>) -> OutcomeResult {
    match outcome {
        Outcome::Refused(refusal) => OutcomeResult::Refused(refuse::to_wire(refusal)),
        _ => OutcomeResult::Applied(AppliedResult {
            user: shown(outcome).map(|user| user.to_record(manager)),
            changed: !matches!(outcome, Outcome::Unchanged(_)),
        }),
    }
}

fn refused_line(request: &Request, refusal: Refused) -> Line<'_> {
    Line { request, outcome: "refused", refusal: Some(refusal), changed_attributes: &[] }
}

fn line<'a>(request: &'a Request, outcome: &'a Outcome, result: &OutcomeResult) -> Line<'a> {
    let (word, changed_attributes): (_, &[String]) = match outcome {
        Outcome::Created(_) => ("created", &[]),
        Outcome::Updated { changed, .. } => ("updated", changed),
        Outcome::Unchanged(_) => ("unchanged", &[]),
        Outcome::Deleted(_) => ("deleted", &[]),
        Outcome::Refused(_) => ("refused", &[]),
    };
    let refusal = match result {
        OutcomeResult::Refused(refused) => Some(refused.clone()),
        OutcomeResult::Applied(_) => None,
    };
    Line { request, outcome: word, refusal, changed_attributes }
}
