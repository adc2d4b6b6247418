//! What an operator sees of the write path; every series is in docs/reference/metrics.md.

use bus_contract::{
    partition::{self, Partition},
    provisioning::{self, outcome::Result as OutcomeResult, refused::Reason},
    subject::Verb,
};
use chrono::{DateTime, Utc};
use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry,
    core::{AtomicF64, AtomicI64},
    exponential_buckets,
};
use service_runtime::metrics::{Collectors, PassingGauge};

use crate::{activity::metrics::CallMetrics, apply::Delivery, history::Breach, store::brakes::Counts};

/// Bounds, in seconds, for what should take milliseconds and takes as long as an outage lasts.
const DELAY_SECONDS: [f64; 18] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0,
    3_600.0,
];

/// The service's own series; those of the pool, the bus and the process come from their owners.
pub(crate) struct Metrics {
    pub(crate) partitions_held: IntGauge,
    pub(crate) lag: IntGaugeVec,
    pub(crate) batch_size: Histogram,
    pub(crate) batch_seconds: Histogram,
    pub(crate) look_up_batch: Histogram,
    pub(crate) redeliveries: IntCounter,
    pub(crate) dead_letters: IntCounter,
    pub(crate) facts: IntCounter,
    pub(crate) histories: IntCounterVec,
    pub(crate) brakes: BrakeMetrics,
    pub(crate) outbox_rows: PassingGauge<AtomicI64>,
    pub(crate) outbox_age: PassingGauge<AtomicF64>,
    pub(crate) calls: CallMetrics,
    outcomes: IntCounterVec,
    request_age: Histogram,
    access_removal: Histogram,
    fact_delay: Histogram,
}

/// Everything that can become of a request.
const OUTCOMES: [&str; 9] = [
    "changed",
    "unchanged",
    "repeated",
    "refused",
    "refused_invalid",
    "refused_not_found",
    "refused_conflict",
    "refused_precondition",
    "unreadable",
];

fn outcomes(make: &Collectors<'_>) -> prometheus::Result<IntCounterVec> {
    let outcomes =
        make.counters("timeclock_directory_outcomes_total", "Requests by what became of them", &["outcome"])?;
    for outcome in OUTCOMES {
        outcomes.with_label_values(&[outcome]);
    }
    Ok(outcomes)
}

fn histories(make: &Collectors<'_>) -> prometheus::Result<IntCounterVec> {
    let histories = make.counters(
        "timeclock_directory_histories_begun_total",
        "Histories of facts that this instance began, by why the database and the bus had parted",
        &["reason"],
    )?;
    for breach in Breach::ALL {
        histories.with_label_values(&[breach.as_str()]);
    }
    Ok(histories)
}

/// What is told of mass removals.
pub(crate) struct BrakeMetrics {
    pub(crate) came_on: IntCounter,
    pub(crate) not_held: IntCounter,
    on: IntGaugeVec,
    held_users: IntGaugeVec,
    undecided_age: IntGaugeVec,
    undoing_age: IntGaugeVec,
}

impl BrakeMetrics {
    fn register(make: &Collectors<'_>) -> prometheus::Result<Self> {
        Ok(Self {
            came_on: make.counter(
                "timeclock_directory_brakes_total",
                "Mass removals that came to light: many people of a company were removed at once",
            )?,
            not_held: make.counter(
                "timeclock_directory_users_not_held_total",
                "Deleted users who cannot be brought back, because as many people of the company were kept as may be",
            )?,
            on: make.gauges(
                "timeclock_directory_brakes_on",
                "Mass removals about which nobody has decided, of the partition's companies",
                &["partition"],
            )?,
            held_users: make.gauges(
                "timeclock_directory_held_users",
                "Deleted users of the partition's companies that could still be brought back",
                &["partition"],
            )?,
            undecided_age: make.gauges(
                "timeclock_directory_brake_undecided_age_seconds",
                "For how long nobody has decided about the oldest mass removal of the partition's companies",
                &["partition"],
            )?,
            undoing_age: make.gauges(
                "timeclock_directory_brake_undoing_age_seconds",
                "For how long people of a mass removal of the partition's companies are being brought back",
                &["partition"],
            )?,
        })
    }

    /// Says what was counted of a partition's companies.
    pub(crate) fn tell(&self, partition: Partition, counts: Counts, now: DateTime<Utc>) {
        let age = |since: Option<DateTime<Utc>>| since.map_or(0, |since| (now - since).num_seconds().max(0));
        let label = partition.to_string();
        self.on.with_label_values(&[&label]).set(counts.on);
        self.held_users.with_label_values(&[&label]).set(counts.held_users);
        self.undecided_age.with_label_values(&[&label]).set(age(counts.undecided_since));
        self.undoing_age.with_label_values(&[&label]).set(age(counts.undoing_since));
    }

    /// Says nothing of a partition any more.
    pub(crate) fn forget(&self, partition: Partition) {
        let label = partition.to_string();
        for gauge in [&self.on, &self.held_users, &self.undecided_age, &self.undoing_age] {
            // It fails only when nothing was told yet.
            gauge.remove_label_values(&[&label]).ok();
        }
    }
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let sizes = exponential_buckets(1.0, 2.0, 10)?;
        let seconds = exponential_buckets(0.000_5, 2.0, 15)?;
        let make = Collectors::of(registry);
        make.gauge("timeclock_directory_partitions", "Partitions that there are")?
            .set(partition::COUNT.into());
        let delay = |name, help| make.histogram(name, help, &DELAY_SECONDS);
        Ok(Self {
            partitions_held: make
                .gauge("timeclock_directory_partitions_held", "Partitions that this instance applies")?,
            lag: make.gauges(
                "timeclock_directory_pending_requests",
                "Requests of a partition that wait in the stream or are not acknowledged",
                &["partition"],
            )?,
            batch_size: make.histogram(
                "timeclock_directory_batch_requests",
                "Requests applied by one transaction",
                &sizes,
            )?,
            batch_seconds: make.histogram(
                "timeclock_directory_batch_seconds",
                "Time from a batch in hand to its commit",
                &seconds,
            )?,
            look_up_batch: make.histogram(
                "timeclock_directory_look_up_batch_questions",
                "Look-ups answered by one transaction",
                &sizes,
            )?,
            redeliveries: make.counter(
                "timeclock_directory_redeliveries_total",
                "Requests that came again after they had been applied or handed out",
            )?,
            dead_letters: make.counter(
                "timeclock_directory_dead_letters_total",
                "Requests and facts that can never be applied or announced",
            )?,
            facts: make.counter(
                "timeclock_directory_facts_total",
                "Facts that the stream DIRECTORY has acknowledged",
            )?,
            outbox_rows: make
                .passing_gauge("timeclock_directory_outbox_rows", "Commits whose facts are not announced")?,
            outbox_age: make.passing_gauge(
                "timeclock_directory_outbox_age_seconds",
                "Age of the oldest commit whose facts are not announced; 0 when there is none",
            )?,
            outcomes: outcomes(&make)?,
            request_age: delay(
                "timeclock_directory_request_age_seconds",
                "From a request's acceptance in the stream to its commit",
            )?,
            access_removal: delay(
                "timeclock_directory_access_removal_seconds",
                "From the acceptance of a user's deactivation or deletion to its commit",
            )?,
            fact_delay: delay(
                "timeclock_directory_fact_delay_seconds",
                "From a request's acceptance in the stream to the acknowledgement of its fact",
            )?,
            histories: histories(&make)?,
            brakes: BrakeMetrics::register(&make)?,
            calls: CallMetrics::register(registry)?,
        })
    }

    /// Counts a batch that is applied now.
    pub(crate) fn count(
        &self,
        batch: &[Delivery],
        outcomes: &[Option<provisioning::Outcome>],
        now: DateTime<Utc>,
    ) {
        self.batch_size.observe(f64::from(u32::try_from(batch.len()).unwrap_or(u32::MAX)));
        for (delivery, outcome) in batch.iter().zip(outcomes) {
            self.outcomes.with_label_values(&[word(outcome.as_ref())]).inc();
            let Some(outcome) = outcome else { continue };
            if outcome.repeated {
                self.redeliveries.inc();
                continue;
            }
            let age = seconds_since(delivery.stored_at, now);
            self.request_age.observe(age);
            if removes_access(delivery) && matches!(outcome.result, Some(OutcomeResult::Applied(_))) {
                self.access_removal.observe(age);
            }
        }
    }

    /// Counts a fact that is announced now.
    pub(crate) fn count_fact(&self, accepted_at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.facts.inc();
        if let Some(accepted_at) = accepted_at {
            self.fact_delay.observe(seconds_since(accepted_at, now));
        }
    }
}

/// 0 when the clock of NATS is ahead of ours.
fn seconds_since(then: DateTime<Utc>, now: DateTime<Utc>) -> f64 {
    (now - then).as_seconds_f64().max(0.0)
}

/// Whether somebody is to lose access by it.
fn removes_access(delivery: &Delivery) -> bool {
    delivery.request.as_ref().is_ok_and(|request| {
        let verbs = [Verb::Deactivate.as_str(), Verb::Delete.as_str()];
        request.user().is_some() && verbs.contains(&request.verb)
    })
}

/// A closed list, whatever the requests say.
pub(crate) fn word(outcome: Option<&provisioning::Outcome>) -> &'static str {
    let Some(outcome) = outcome else { return "unreadable" };
    match &outcome.result {
        _ if outcome.repeated => "repeated",
        Some(OutcomeResult::Applied(applied)) if applied.changed => "changed",
        Some(OutcomeResult::Applied(_)) => "unchanged",
        Some(OutcomeResult::Refused(refused)) => match refused.reason() {
            Reason::Invalid => "refused_invalid",
            Reason::NotFound => "refused_not_found",
            Reason::Conflict => "refused_conflict",
            Reason::PreconditionFailed => "refused_precondition",
            Reason::Unspecified => "refused",
        },
        None => "unreadable",
    }
}
