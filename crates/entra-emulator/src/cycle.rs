//! In which order does a cycle do what? Probe, users, managers, groups, members, and then we look at the result.
//!
//! Users come before groups and references after the objects they point to. The order among users is undefined in
//! Entra; ours is leavers, then changes, then newcomers, so that a sign-in name freed in a cycle can be taken in the
//! same cycle and a conflict is the server's doing.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use serde::Serialize;

use crate::{
    client::Traffic,
    emulator::{Emulator, Progress},
    exchange::Exchange,
    latency::Latencies,
    outcome::{Action, Entry, Failure, Kind, Outcome, Quarantine, Skip},
    tenant::{Delta, ObjectId, Tenant},
    wire::Purpose,
};

mod groups;
mod references;
mod users;
mod verification;

/// Everything, or what changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names say it")]
pub enum CycleKind {
    Initial,
    Incremental,
}

impl fmt::Display for CycleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Initial => "initial",
            Self::Incremental => "incremental",
        })
    }
}

/// How many objects ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counts {
    pub success: usize,
    pub skipped: usize,
    pub failure: usize,
}

/// What one cycle did.
#[derive(Debug)]
pub struct Cycle {
    /// Everything, or what changed.
    pub kind: CycleKind,
    /// Why the job was stopped, if it was.
    pub quarantine: Option<Quarantine>,
    /// What became of each object.
    pub entries: Vec<Entry>,
    /// All exchanges in the order in which they ended; empty unless they are kept.
    pub exchanges: Vec<Arc<Exchange>>,
    /// How long answers took.
    pub latencies: Latencies,
    /// How many requests were repeated after `Retry-After`.
    pub repeats: u64,
    /// How many people the cycle dealt with.
    pub users: usize,
    /// How long creating, updating and deleting people took; without managers and verification.
    pub users_took: Duration,
    /// How long the whole cycle took.
    pub took: Duration,
    /// Why the wire log is incomplete, if it is.
    pub wire_log_fault: Option<String>,
}

impl Cycle {
    /// Whether nothing failed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.quarantine.is_none() && self.wire_log_fault.is_none() && self.failures().next().is_none()
    }

    /// The entries that failed, with why.
    pub fn failures(&self) -> impl Iterator<Item = (&Entry, &Failure)> {
        self.entries.iter().filter_map(|entry| match &entry.outcome {
            Outcome::Failure(failure) => Some((entry, failure)),
            Outcome::Success | Outcome::Skipped(_) => None,
        })
    }

    /// How the entries ended, by what was done.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<(Kind, Action), Counts> {
        let mut counts = BTreeMap::<_, Counts>::new();
        for entry in &self.entries {
            let count = counts.entry((entry.kind, entry.action)).or_default();
            match entry.outcome {
                Outcome::Success => count.success += 1,
                Outcome::Skipped(_) => count.skipped += 1,
                Outcome::Failure(_) => count.failure += 1,
            }
        }
        counts
    }

    /// How many users ended with this action and success.
    #[must_use]
    pub fn succeeded_users(&self, action: Action) -> usize {
        self.counts().get(&(Kind::User, action)).map_or(0, |counts| counts.success)
    }

    /// The exchanges of one purpose.
    pub fn exchanges_for(&self, purpose: Purpose) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().map(Arc::as_ref).filter(move |exchange| exchange.purpose == purpose)
    }

    /// People per second in the users phase.
    #[must_use]
    pub fn users_per_second(&self) -> f64 {
        let users = u32::try_from(self.users).unwrap_or(u32::MAX);
        f64::from(users) / self.users_took.as_secs_f64().max(1e-6)
    }
}

/// What a running cycle has gathered.
#[derive(Debug, Default)]
pub(crate) struct Run {
    entries: Vec<Entry>,
    /// Objects to be done again.
    escrow: Delta,
    /// People deleted in this cycle, for the verification.
    deleted: Vec<(ObjectId, crate::emulator::UserLink)>,
    users: usize,
    users_took: Duration,
}

impl Emulator {
    /// Runs a cycle: everything the first time, afterwards what has changed in the tenant and what is in escrow.
    pub async fn run_cycle(&mut self, tenant: &mut Tenant) -> Cycle {
        let started = Instant::now();
        let kind = if self.initial_done { CycleKind::Incremental } else { CycleKind::Initial };
        let delta = self.due(tenant, kind);
        *self.stopped.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let probed = if self.settings.probe { self.test_connection().await } else { Ok(()) };
        let mut run = Run::default();
        let quarantine = match probed {
            Ok(()) => {
                self.run_phases(tenant, &delta, &mut run).await;
                self.escrow = run.escrow;
                self.stopped.lock().unwrap_or_else(PoisonError::into_inner).take()
            }
            Err(quarantine) => {
                // The watermark stays where it was.
                self.escrow = delta;
                Some(quarantine)
            }
        };
        self.initial_done |= quarantine.is_none();
        let Traffic { exchanges, latencies, repeats, wire_log_fault } = self.client.take_traffic();
        Cycle {
            kind,
            quarantine,
            entries: run.entries,
            exchanges,
            latencies,
            repeats,
            users: run.users,
            users_took: run.users_took,
            took: started.elapsed(),
            wire_log_fault,
        }
    }

    /// What the cycle has to deal with.
    fn due(&mut self, tenant: &mut Tenant, kind: CycleKind) -> Delta {
        let mut delta = tenant.take_delta();
        let escrow = std::mem::take(&mut self.escrow);
        delta.people.extend(escrow.people);
        delta.groups.extend(escrow.groups);
        delta.purged_people.extend(escrow.purged_people);
        delta.purged_groups.extend(escrow.purged_groups);
        if kind == CycleKind::Initial {
            delta.people.extend(tenant.people().map(|person| person.object_id));
            delta.groups.extend(tenant.groups().map(|group| group.object_id));
        }
        delta
    }

    async fn run_phases(&mut self, tenant: &Tenant, delta: &Delta, run: &mut Run) {
        let groups = self.groups_are_due(tenant, delta);
        let group_probe = if groups && self.settings.probe { self.test_groups().await } else { Ok(()) };
        let started = Instant::now();
        self.run_users(tenant, delta, run).await;
        run.users_took = started.elapsed();
        self.run_managers(tenant, delta, run).await;
        if groups {
            self.run_groups(tenant, delta, group_probe, run).await;
        }
        if self.settings.verify && !self.is_stopped() {
            self.run_verification(tenant, run).await;
        }
    }

    /// Runs `step` for each object, so many at once as the settings say, and shows progress. The futures are boxed
    /// so that the whole cycle can be sent to another thread.
    async fn for_each<'a, T, R>(
        &'a self,
        phase: &'static str,
        objects: Vec<T>,
        step: impl Fn(&'a Self, T) -> BoxFuture<'a, R>,
    ) -> Vec<R> {
        if objects.is_empty() {
            return Vec::new();
        }
        self.progress(Progress::Phase { name: phase, objects: objects.len() });
        let mut results = Vec::with_capacity(objects.len());
        let mut waiting = objects.into_iter();
        let mut running = FuturesUnordered::new();
        running
            .extend(waiting.by_ref().take(self.settings.concurrency.max(1)).map(|object| step(self, object)));
        while let Some(result) = running.next().await {
            self.progress(Progress::Object);
            results.push(result);
            running.extend(waiting.next().map(|object| step(self, object)));
        }
        results
    }
}

fn user_entry(object: ObjectId, name: &str, action: Action, outcome: Outcome) -> Entry {
    Entry { object, kind: Kind::User, name: name.to_owned(), action, outcome }
}

fn group_entry(object: ObjectId, name: &str, action: Action, outcome: Outcome) -> Entry {
    Entry { object, kind: Kind::Group, name: name.to_owned(), action, outcome }
}

/// Whether the object has to come again in the next cycle.
fn is_unfinished(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failure(_) | Outcome::Skipped(Skip::Quarantined))
}
