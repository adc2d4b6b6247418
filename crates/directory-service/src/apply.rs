//! A batch of requests: read what it touches, decide, write what it amounts to in one transaction.
//!
//! That transaction also moves the partition's watermark, so a batch is applied once however often it is delivered:
//! what lies behind the watermark is answered from the log.

pub(crate) mod decide;
pub(crate) mod refuse;
pub(crate) mod request;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Range,
};

use bus_contract::{
    directory::{FactBatch, Manager},
    provisioning::{self, Applied as AppliedResult, outcome::Result as OutcomeResult},
};
use chrono::{DateTime, Utc};
use diesel::{Connection as _, PgConnection, QueryResult, result::Error};
use typed_ids::{CompanyId, UserId};

use self::{
    decide::{Decision, Known, Outcome, Refusal},
    request::{Request, Unreadable},
};
use crate::{
    announce,
    store::{
        self,
        batch::{Seen, Write},
        dead_letters::DeadLetter,
        log::Line,
        partitions::Tenure,
    },
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
    now: DateTime<Utc>,
) -> QueryResult<Applied> {
    for _ in 0..ATTEMPTS {
        match attempt(conn, tenure, batch, condemned, now)? {
            Attempt::Applied(outcomes) => return Ok(Applied::Outcomes(outcomes)),
            Attempt::TenureEnded => return Ok(Applied::TenureEnded),
            Attempt::Overtaken => {}
        }
    }
    Ok(Applied::TenureEnded)
}

/// What became of one try.
enum Attempt {
    Applied(Vec<Option<provisioning::Outcome>>),
    TenureEnded,
    /// Somebody wrote between our reading and our writing; nothing was changed.
    Overtaken,
}

fn attempt(
    conn: &mut PgConnection,
    tenure: Tenure,
    batch: &[Delivery],
    condemned: Option<&str>,
    now: DateTime<Utc>,
) -> QueryResult<Attempt> {
    let Some(last) = batch.last() else { return Ok(Attempt::Applied(vec![])) };
    let readable = batch.iter().filter_map(|delivery| delivery.request.as_ref().ok());
    let companies: BTreeSet<_> = readable.clone().map(|request| request.company).collect();
    let companies: Vec<CompanyId> = companies.into_iter().collect();
    // What Postgres refuses to store it refuses to look for.
    let (seen, mut known) = read(conn, tenure, &companies, readable.filter(|_| condemned.is_none()))?;
    if seen.epoch != tenure.epoch {
        return Ok(Attempt::TenureEnded);
    }
    let Sorted { mut outcomes, fresh, letters, mut lines } =
        sort(conn, tenure, batch, &companies, seen.applied_sequence, condemned)?;
    let requests: Vec<&Request> = fresh.iter().map(|(_, request)| *request).collect();
    let decision = loop {
        match decide::decide(&known, &requests, now) {
            Ok(decision) => break decision,
            Err(unknown) => {
                let holders = store::users::name_holders(conn, &companies, &unknown.names)?;
                known.names.extend(unknown.names.into_iter().zip(holders));
            }
        }
    };
    let managers = managers(conn, &companies, &known, &decision)?;
    let mut facts = FactBatch::default();
    for ((place, request), outcome) in fresh.iter().zip(&decision.outcomes) {
        let manager = shown(outcome).and_then(|user| managers.get(&(user.company, user.manager()?)).cloned());
        let trace = batch[*place].traceparent.as_deref();
        facts.facts.extend(announce::fact(request, outcome, manager.clone(), trace, now));
        let result = result(outcome, manager);
        lines.push(line(request, outcome, &result));
        outcomes[*place] = Some(told(request, result));
    }
    let write = Write {
        partition: tenure.partition,
        revision: seen.revision,
        last_sequence: last.stream_sequence,
        companies: &companies,
        // Who gives a name up stands before who takes it.
        users: decision.updates.iter().chain(&decision.inserts).collect(),
        lines: &lines,
        facts: &facts,
        applied_at: now,
    };
    Ok(match store(conn, &write, &decision.deletes, &letters)? {
        true => Attempt::Applied(outcomes),
        false => Attempt::Overtaken,
    })
}

/// Reads everything that the requests are about. A create's id is among it: it has to be nobody's.
fn read<'a>(
    conn: &mut PgConnection,
    tenure: Tenure,
    companies: &[CompanyId],
    requests: impl Iterator<Item = &'a Request> + Clone,
) -> QueryResult<(Seen, Known)> {
    let targets: BTreeSet<_> = requests.clone().map(|request| (request.company, request.user)).collect();
    let targets: Vec<_> = targets.into_iter().collect();
    let names: BTreeSet<_> = requests.filter_map(decide::wanted_name).collect();
    let names: Vec<_> = names.into_iter().collect();
    let mut seen = store::batch::read(conn, tenure.partition, companies, &targets, &names)?;
    let known = Known {
        users: seen.users.drain(..).map(|user| (user.key(), user)).collect(),
        names: names.into_iter().zip(seen.holders.drain(..)).collect(),
    };
    Ok((seen, known))
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
                sorted.outcomes[place] = Some(told(request, OutcomeResult::Refused(refusal.clone())));
                sorted.lines.push(Line {
                    request,
                    outcome: "refused",
                    refusal: Some(refusal),
                    changed_attributes: &[],
                });
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

/// Writes everything, or nothing and `false` when somebody wrote since it was read. What is rare is a statement of its
/// own, for which there is a transaction around all.
fn store(
    conn: &mut PgConnection,
    write: &Write<'_>,
    deletes: &[(CompanyId, UserId)],
    letters: &[DeadLetter<'_>],
) -> QueryResult<bool> {
    if deletes.is_empty() && letters.is_empty() {
        return store::batch::write(conn, write);
    }
    let stored = conn.transaction(|conn| {
        store::open_companies(conn, write.companies)?;
        // Removals first, so that a name freed by this batch can be taken by it.
        let mut by_company: BTreeMap<CompanyId, Vec<UserId>> = BTreeMap::new();
        for (company, user) in deletes {
            by_company.entry(*company).or_default().push(*user);
        }
        for (company, users) in by_company {
            store::users::delete(conn, company, &users)?;
        }
        for letter in letters {
            store::dead_letters::insert(conn, letter, write.applied_at)?;
        }
        if store::batch::write(conn, write)? { Ok(()) } else { Err(Error::RollbackTransaction) }
    });
    match stored {
        Ok(()) => Ok(true),
        Err(Error::RollbackTransaction) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The managers that the answers name and that exist after the batch.
fn managers(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    known: &Known,
    decision: &Decision,
) -> QueryResult<HashMap<(CompanyId, UserId), Manager>> {
    let wanted: BTreeSet<_> = decision
        .outcomes
        .iter()
        .filter_map(|outcome| shown(outcome).and_then(|user| Some((user.company, user.manager()?))))
        .collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let gone: BTreeSet<_> = decision.deletes.iter().collect();
    let written = decision.inserts.iter().chain(&decision.updates).map(|user| (user.key(), user));
    // What is written replaces what was known.
    let in_hand: HashMap<_, _> = known.users.iter().map(|(key, user)| (*key, user)).chain(written).collect();
    let mut managers = HashMap::new();
    let mut elsewhere = Vec::new();
    for key in wanted {
        match in_hand.get(&key) {
            _ if gone.contains(&key) => {}
            Some(user) => {
                managers.insert(key, manager(key.1, user.display_name()));
            }
            None => elsewhere.push(key),
        }
    }
    let found = store::users::display_names(conn, companies, &elsewhere)?;
    managers.extend(found.into_iter().map(|(key, name)| (key, manager(key.1, name.as_deref()))));
    Ok(managers)
}

fn manager(id: UserId, name: Option<&str>) -> Manager {
    Manager { user_id: id.to_string(), display_name: name.unwrap_or_default().to_owned() }
}

fn told(request: &Request, result: OutcomeResult) -> provisioning::Outcome {
    provisioning::Outcome { request_id: request.id.to_string(), repeated: false, result: Some(result) }
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
    let users: Vec<_> = recorded
        .iter()
        .filter_map(|record| Some((requests.get(&record.request)?.1.company, record.user)))
        .collect();
    let users: HashMap<_, _> =
        store::users::by_ids(conn, companies, &users)?.into_iter().map(|user| (user.key(), user)).collect();
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
