//! What calls amount to: a pure function from what was counted of a company and one more call to what is counted then.

use std::collections::BTreeMap;

use bus_contract::{call::Verb, directory::call::Answer, subject::Verb as Change};
use chrono::{DateTime, DurationRound as _, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use typed_ids::TokenId;
use uuid::Uuid;

use super::call::Call;
use crate::time::first_id_from;

/// The most kinds of failure that are told apart in one cycle; those beyond are in its totals only.
pub(crate) const MAX_CAUSES: usize = 20;
/// How long a slot is.
pub(crate) const SLOT: TimeDelta = TimeDelta::minutes(30);

/// Everything that is counted of one company.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Activity {
    pub(crate) connection: Connection,
    /// The cycles that the calls belong to, the oldest first; the last one may go on.
    pub(crate) cycles: Vec<Cycle>,
    /// What is to be added, by the beginning of each slot.
    pub(crate) slots: BTreeMap<DateTime<Utc>, Slot>,
    /// What is to be added, by credential.
    pub(crate) uses: BTreeMap<TokenId, Use>,
}

/// What is known of a company whatever the cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Connection {
    /// The last call that was let in.
    pub(crate) last_call_at: Option<DateTime<Utc>>,
    /// Calls with a credential that has ended, since the last that was let in: the first, the last, how many.
    pub(crate) refused_since: Option<DateTime<Utc>>,
    pub(crate) refused_last_at: Option<DateTime<Utc>>,
    pub(crate) refused_calls: i64,
    /// The last test that came while no cycle was running.
    pub(crate) probed_at: Option<DateTime<Utc>>,
    pub(crate) first_test_at: Option<DateTime<Utc>>,
    pub(crate) first_user_at: Option<DateTime<Utc>>,
    pub(crate) first_group_at: Option<DateTime<Utc>>,
    /// The first cycle that created something.
    pub(crate) initial_cycle: Option<Uuid>,
}

/// A run of calls without a long pause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cycle {
    pub(crate) id: Uuid,
    pub(crate) started_at: DateTime<Utc>,
    pub(crate) last_call_at: DateTime<Utc>,
    pub(crate) counts: Counts,
    pub(crate) causes: Vec<Cause>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) calls: i64,
    pub(crate) checked: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) unchanged: i64,
    pub(crate) deactivated: i64,
    pub(crate) reactivated: i64,
    pub(crate) deleted: i64,
    pub(crate) refused: i64,
    pub(crate) failed: i64,
    /// Of those refused and failed: calls that asked for a change.
    pub(crate) failed_changes: i64,
}

/// What calls of one company amount to for the metrics, whatever the cycle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    /// When the last one was answered.
    pub(crate) at: DateTime<Utc>,
    /// The same of those with a good credential.
    pub(crate) let_in_at: Option<DateTime<Utc>>,
}

impl Tally {
    pub(crate) fn add(&mut self, call: &Call) {
        self.counts.add(call);
        self.at = self.at.max(call.at);
        if call.is_let_in() {
            later(&mut self.let_in_at, call.at);
        }
    }

    /// Calls by what came of them.
    pub(crate) const fn results(&self) -> [(&'static str, i64); 3] {
        let Counts { calls, refused, failed, .. } = self.counts;
        [("ok", calls - refused - failed), ("refused", refused), ("failed", failed)]
    }

    /// Changes that were made.
    pub(crate) const fn changes(&self) -> [(&'static str, i64); 5] {
        let Counts { created, updated, deactivated, reactivated, deleted, .. } = self.counts;
        [
            ("created", created),
            ("updated", updated),
            ("deactivated", deactivated),
            ("reactivated", reactivated),
            ("deleted", deleted),
        ]
    }
}

impl Counts {
    fn add(&mut self, call: &Call) {
        self.calls += 1;
        let counter = match (call.answer, call.verb) {
            (Answer::Found | Answer::NothingFound, Verb::Read | Verb::Search) => &mut self.checked,
            (Answer::Found | Answer::NothingFound | Answer::Unspecified, _) => return,
            (Answer::Created, _) => &mut self.created,
            (Answer::Updated, Verb::Change(Change::Deactivate)) => &mut self.deactivated,
            (Answer::Updated, Verb::Change(Change::Reactivate)) => &mut self.reactivated,
            (Answer::Updated, _) => &mut self.updated,
            (Answer::Unchanged, _) => &mut self.unchanged,
            (Answer::Deleted, _) => &mut self.deleted,
            (Answer::Refused | Answer::Unauthenticated, _) => &mut self.refused,
            (Answer::Failed, _) => &mut self.failed,
        };
        *counter += 1;
        self.failed_changes += i64::from(call.is_failure() && call.is_change());
    }

    /// Changes that were made, or were made already.
    pub(crate) fn successes(&self) -> i64 {
        self.created + self.updated + self.unchanged + self.deactivated + self.reactivated + self.deleted
    }
}

/// What stood in the way, and how often; as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cause {
    #[serde(rename = "c")]
    pub(crate) cause: String,
    #[serde(rename = "n")]
    pub(crate) count: i64,
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_reference: bool,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) calls: i64,
    pub(crate) failures: i64,
}

/// What was seen of a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) first_at: Option<DateTime<Utc>>,
    pub(crate) last_at: Option<DateTime<Utc>>,
    /// The last that was more than a test: only those prove that Entra keeps the credential.
    pub(crate) last_worked_at: Option<DateTime<Utc>>,
    pub(crate) last_address: Option<String>,
    pub(crate) calls: i64,
    pub(crate) refused_calls: i64,
}

impl Activity {
    /// Counts one call more. `is_reference`: it was refused because of somebody it refers to and who is not there. `pause`
    /// is what parts two cycles.
    pub(crate) fn count(&mut self, call: &Call, is_reference: bool, pause: TimeDelta) {
        self.count_contact(call);
        self.count_use(call);
        if let Ok(begins_at) = call.at.duration_trunc(SLOT) {
            let slot = self.slots.entry(begins_at).or_default();
            slot.calls += 1;
            slot.failures += i64::from(call.is_failure());
        }
        let running = self.cycles.last().is_some_and(|cycle| call.at <= cycle.last_call_at + pause);
        if !running {
            // A test alone is contact and no cycle: an administrator's, or the probe of a cycle without work.
            if call.verb == Verb::Test {
                later(&mut self.connection.probed_at, call.at);
                return;
            }
            self.cycles.push(Cycle::begun_by(call));
        }
        let Some(cycle) = self.cycles.last_mut() else { return };
        cycle.count(call, is_reference);
        if cycle.counts.created > 0 {
            self.connection.initial_cycle.get_or_insert(cycle.id);
        }
    }

    fn count_contact(&mut self, call: &Call) {
        let connection = &mut self.connection;
        if !call.is_let_in() {
            // One that was under way when a later one was let in says nothing about now.
            if connection.last_call_at.is_none_or(|last| call.at >= last) {
                connection.refused_since.get_or_insert(call.at);
                later(&mut connection.refused_last_at, call.at);
                connection.refused_calls += 1;
            }
            return;
        }
        later(&mut connection.last_call_at, call.at);
        // One that was let in before the last was refused says nothing about now either.
        if connection.refused_last_at.is_none_or(|refused| call.at >= refused) {
            (connection.refused_since, connection.refused_last_at, connection.refused_calls) =
                (None, None, 0);
        }
        let first = match (call.verb, call.answer) {
            (Verb::Test, Answer::Found | Answer::NothingFound) => &mut connection.first_test_at,
            (_, Answer::Created) if call.user.is_some() => &mut connection.first_user_at,
            (_, Answer::Created) if call.group.is_some() => &mut connection.first_group_at,
            _ => return,
        };
        first.get_or_insert(call.at);
    }

    fn count_use(&mut self, call: &Call) {
        let Some(credential) = call.credential else { return };
        let seen = self.uses.entry(credential).or_default();
        if !call.is_let_in() {
            seen.refused_calls += 1;
            return;
        }
        seen.calls += 1;
        // Test Connection sends what somebody typed and has not saved yet.
        if !matches!(call.verb, Verb::Test | Verb::Discover) {
            later(&mut seen.last_worked_at, call.at);
        }
        seen.first_at = Some(seen.first_at.map_or(call.at, |first| first.min(call.at)));
        if seen.last_at.is_none_or(|last| call.at >= last) {
            seen.last_at = Some(call.at);
            seen.last_address = call.address.clone().or_else(|| seen.last_address.take());
        }
    }
}

impl Cycle {
    fn begun_by(call: &Call) -> Self {
        // Two cycles of a company never begin in one millisecond: a pause lies between them.
        let id = first_id_from(call.at);
        let (counts, causes) = (Counts::default(), vec![]);
        Self { id, started_at: call.at, last_call_at: call.at, counts, causes }
    }

    fn count(&mut self, call: &Call, is_reference: bool) {
        self.last_call_at = self.last_call_at.max(call.at);
        self.counts.add(call);
        if call.is_failure() {
            self.count_cause(call, is_reference);
        }
    }

    fn count_cause(&mut self, call: &Call, is_reference: bool) {
        let cause = format!("{} {}", call.status, call.scim_type);
        let cause = cause.trim_end();
        let is_full = self.causes.len() >= MAX_CAUSES;
        let known =
            self.causes.iter_mut().find(|known| known.cause == cause && known.is_reference == is_reference);
        match known {
            Some(known) => known.count += 1,
            None if is_full => {}
            None => {
                self.causes.push(Cause { cause: cause.to_owned(), count: 1, is_reference });
            }
        }
    }

    /// Failures that are references to somebody who is not there.
    pub(crate) fn reference_failures(&self) -> i64 {
        self.causes.iter().filter(|cause| cause.is_reference).map(|cause| cause.count).sum()
    }
}

fn later(known: &mut Option<DateTime<Utc>>, at: DateTime<Utc>) {
    *known = (*known).max(Some(at));
}

#[cfg(test)]
mod tests;
