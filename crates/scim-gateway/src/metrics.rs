//! What the gateway counts besides the requests of its listener; every series is in docs/reference/metrics.md.

use std::time::Duration;

use bus_contract::subject::{Resource, Verb};
use bus_jetstream::publish::PublishError;
use prometheus::{Histogram, HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry};
use scim_protocol::error::ScimType;
use service_runtime::metrics::{ANSWER_SECONDS, Collectors};

use crate::{
    auth,
    calls::Loss,
    outcomes::Missing,
    provision::{Applied, ProvisionError},
};

/// The label of a change that was not refused, or without a keyword.
const NO_TYPE: &str = "none";
/// Why the directory refuses a change, in the words of RFC 7644 §3.12: what is counted from the start.
const REFUSALS: [&str; 6] = [NO_TYPE, "uniqueness", "invalidValue", "mutability", "invalidPath", "noTarget"];

/// The gateway's metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    pub(crate) auth: IntCounterVec,
    pub(crate) outcomes_waiting: IntGauge,
    pub(crate) outcome_timeouts: IntCounterVec,
    pub(crate) outcomes_unexpected: IntCounter,
    pub(crate) verification_keys: IntGauge,
    pub(crate) revocations: IntGauge,
    pub(crate) companies_with_schemas: IntGauge,
    pub(crate) calls_waiting: IntGauge,
    pub(crate) calls_reported: IntCounter,
    pub(crate) calls_dropped: IntCounterVec,
    pub(crate) call_batches: IntCounter,
    outcomes: IntCounterVec,
    outcome_wait: HistogramVec,
    pub(crate) pace: PaceMetrics,
}

/// What is counted of companies that call a lot.
#[derive(Clone, Debug)]
pub(crate) struct PaceMetrics {
    pub(crate) limited: IntCounterVec,
    pub(crate) turn_wait: Histogram,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Collectors::of(registry);
        let metrics = Self {
            auth: make.counters(
                "timeclock_gateway_auth_total",
                "Requests by what became of their token",
                &["result"],
            )?,
            outcomes_waiting: make
                .gauge("timeclock_gateway_outcomes_waiting", "Changes whose outcome is awaited")?,
            outcome_timeouts: make.counters(
                "timeclock_gateway_outcome_timeouts_total",
                "Changes answered with 503 for lack of an outcome, by whether the stream had stored them",
                &["stored"],
            )?,
            outcomes_unexpected: make.counter(
                "timeclock_gateway_outcomes_unexpected_total",
                "Messages to this process's inboxes that nobody awaited (any more)",
            )?,
            verification_keys: make
                .gauge("timeclock_gateway_verification_keys", "Public keys that tokens are verified with")?,
            revocations: make
                .gauge("timeclock_gateway_revocations", "Revoked or retiring credentials known")?,
            companies_with_schemas: make.gauge(
                "timeclock_gateway_companies_with_schemas",
                "Companies that have declared attributes of their own",
            )?,
            calls_waiting: make
                .gauge("timeclock_gateway_calls_waiting", "Answered calls whose report is not stored yet")?,
            calls_reported: make
                .counter("timeclock_gateway_calls_reported_total", "Answered calls whose report is stored")?,
            calls_dropped: make.counters(
                "timeclock_gateway_calls_dropped_total",
                "Answered calls whose report is lost, by why",
                &["reason"],
            )?,
            call_batches: make
                .counter("timeclock_gateway_call_batches_total", "Batches of reports that were sent")?,
            outcomes: make.counters(
                "timeclock_gateway_outcomes_total",
                "Changes asked of the directory, by what came of them",
                &["resource", "verb", "result", "scim_type"],
            )?,
            outcome_wait: make.histograms(
                "timeclock_gateway_outcome_wait_seconds",
                "From a change's publication to its outcome, or to the end of patience",
                &ANSWER_SECONDS,
                &["verb"],
            )?,
            pace: PaceMetrics::register(make)?,
        };
        metrics.begin_at_zero();
        Ok(metrics)
    }

    /// Makes the series of closed lists.
    fn begin_at_zero(&self) {
        for result in auth::RESULTS {
            self.auth.with_label_values(&[result]);
        }
        for stored in ["yes", "unknown"] {
            self.outcome_timeouts.with_label_values(&[stored]);
        }
        for loss in Loss::ALL {
            self.calls_dropped.with_label_values(&[loss.reason()]);
        }
        // Nobody who calls a gateway asks for a return: the directory does.
        for verb in Verb::ALL.into_iter().filter(|verb| *verb != Verb::Restore) {
            self.outcome_wait.with_label_values(&[verb.as_str()]);
            for resource in Resource::ALL.into_iter().filter(|resource| resource.takes(verb)) {
                let make = |result, scim_type| {
                    self.outcomes.with_label_values(&[resource.as_str(), verb.as_str(), result, scim_type]);
                };
                for result in ["applied", "unchanged", "timeout", "unavailable"] {
                    make(result, NO_TYPE);
                }
                for scim_type in REFUSALS {
                    make("refused", scim_type);
                }
            }
        }
    }

    /// Counts what came of a change; `after` is how long it was awaited.
    pub(crate) fn count_outcome(
        &self,
        resource: Resource,
        verb: Verb,
        outcome: Result<&Applied, &ProvisionError>,
        after: Option<Duration>,
    ) {
        let (result, scim_type) = words(outcome);
        self.outcomes.with_label_values(&[resource.as_str(), verb.as_str(), result, scim_type]).inc();
        if let Some(after) = after {
            self.outcome_wait.with_label_values(&[verb.as_str()]).observe(after.as_secs_f64());
        }
        let stored = match outcome {
            Err(ProvisionError::NoOutcome(Missing::Stored)) => "yes",
            Err(ProvisionError::NoOutcome(Missing::Unknown)) => "unknown",
            _ => return,
        };
        self.outcome_timeouts.with_label_values(&[stored]).inc();
    }
}

/// Of closed lists, whatever the directory says.
fn words(outcome: Result<&Applied, &ProvisionError>) -> (&'static str, &'static str) {
    match outcome {
        Ok(Applied { is_changed: true, .. }) => ("applied", NO_TYPE),
        Ok(Applied { is_changed: false, .. }) => ("unchanged", NO_TYPE),
        Err(ProvisionError::Refused(refused)) => {
            ("refused", ScimType::parse(&refused.scim_type).map_or(NO_TYPE, ScimType::as_str))
        }
        Err(ProvisionError::NotSent(PublishError::TooLarge)) => ("refused", NO_TYPE),
        Err(ProvisionError::NoOutcome(Missing::Stored | Missing::Unknown)) => ("timeout", NO_TYPE),
        Err(
            ProvisionError::NoOutcome(Missing::NotStored)
            | ProvisionError::NotSent(_)
            | ProvisionError::Nonsense,
        ) => ("unavailable", NO_TYPE),
    }
}

impl PaceMetrics {
    fn register(make: Collectors<'_>) -> prometheus::Result<Self> {
        let limited = make.counters(
            "timeclock_gateway_rate_limited_total",
            "Requests of companies answered with 429, by the limit that they met",
            &["limit"],
        )?;
        for limit in ["rate", "concurrency"] {
            limited.with_label_values(&[limit]);
        }
        let turn_wait = make.histogram(
            "timeclock_gateway_turn_wait_seconds",
            "Wait of a change for one of its company's turns, before it is handed to the stream",
            &ANSWER_SECONDS,
        )?;
        Ok(Self { limited, turn_wait })
    }
}
