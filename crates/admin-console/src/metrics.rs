//! What the console counts besides the requests of its listener; every series is in docs/reference/metrics.md.

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry};
use saml_protocol::Certificate;
use service_runtime::metrics::Collectors;

use crate::{
    access, mail, notices, sign_in,
    single_sign_on::{
        Way, federation,
        metadata::{self, Kind},
    },
};

/// From the quickest that a fact can come to the hour for which a console may be down; 2 is the objective.
const REMOVAL_SECONDS: [f64; 14] =
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0, 300.0, 1800.0, 3600.0];

#[derive(Clone)]
pub(crate) struct Metrics {
    /// By outcome.
    pub(crate) sign_ins: IntCounterVec,
    /// At identity providers, by way and result.
    pub(crate) single_sign_ons: IntCounterVec,
    /// What identity providers were asked for, by kind and result.
    pub(crate) provider_fetches: IntCounterVec,
    pub(crate) throttled: IntCounter,
    pub(crate) password_hashes: IntCounter,
    pub(crate) sessions_begun: IntCounter,
    pub(crate) sessions_ended: IntCounter,
    pub(crate) access: AccessMetrics,
    /// By result.
    pub(crate) mails: IntCounterVec,
    /// By kind.
    pub(crate) notices: IntCounterVec,
    /// Streams of events to open pages.
    pub(crate) open_streams: IntGauge,
    /// What operators asked, by operation and result.
    pub(crate) operator_requests: IntCounterVec,
}

impl Metrics {
    pub(crate) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Collectors::of(registry);
        let metrics = Self {
            sign_ins: make.counters(
                "timeclock_console_sign_ins_total",
                "Attempts to sign in, by outcome",
                &["outcome"],
            )?,
            single_sign_ons: make.counters(
                "timeclock_console_single_sign_ons_total",
                "Sign-ins that came back from identity providers, by way and result",
                &["way", "result"],
            )?,
            provider_fetches: make.counters(
                "timeclock_console_provider_fetches_total",
                "What identity providers were asked for by the console itself, by kind and result",
                &["kind", "result"],
            )?,
            throttled: make.counter(
                "timeclock_console_throttled_total",
                "Sign-ins that were not tried, because of too many before",
            )?,
            password_hashes: make.counter(
                "timeclock_console_password_hashes_total",
                "Passwords hashed, to set or to try one",
            )?,
            sessions_begun: make.counter("timeclock_console_sessions_begun_total", "Sessions that began")?,
            sessions_ended: make.counter(
                "timeclock_console_sessions_ended_total",
                "Sessions that ended before they expired, whoever or whatever ended them",
            )?,
            access: AccessMetrics::register(registry)?,
            mails: make.counters("timeclock_console_mails_total", "Mails, by result", &["result"])?,
            notices: make.counters(
                "timeclock_console_notices_total",
                "Notices sent to administrators, by kind",
                &["kind"],
            )?,
            open_streams: make
                .gauge("timeclock_console_open_streams", "Streams of events to open pages, at most 2,000")?,
            operator_requests: make.counters(
                "timeclock_console_operator_requests_total",
                "Requests of operators about administrators, by operation and result",
                &["operation", "result"],
            )?,
        };
        for result in federation::RESULTS {
            for way in [Way::Saml, Way::Oidc] {
                metrics.single_sign_ons.with_label_values(&[way.as_str(), result]);
            }
        }
        for kind in Kind::ALL {
            for result in metadata::RESULTS {
                metrics.provider_fetches.with_label_values(&[kind.as_str(), result]);
            }
        }
        for (counters, values) in [
            (&metrics.sign_ins, &sign_in::OUTCOMES[..]),
            (&metrics.mails, &mail::RESULTS[..]),
            (&metrics.notices, &notices::KINDS[..]),
        ] {
            for value in values {
                counters.with_label_values(&[value]);
            }
        }
        Ok(metrics)
    }
}

/// Tells the end of the certificate by which this installation proves itself to identity providers; one that has none tells
/// nothing.
pub(crate) fn tell_certificate(registry: &Registry, certificate: &Certificate) -> prometheus::Result<()> {
    let expiry = Collectors::of(registry).gauge(
        "timeclock_console_sign_in_certificate_expiry_timestamp_seconds",
        "When the certificate ends by which this installation proves itself to identity providers",
    )?;
    expiry.set(certificate.not_after.timestamp());
    Ok(())
}

/// What is counted of access that ends.
#[derive(Clone)]
pub(crate) struct AccessMetrics {
    pub(crate) removal: Histogram,
    /// By cause.
    pub(crate) sessions_ended: IntCounterVec,
    pub(crate) facts_waiting: IntGauge,
    /// Whose facts failed to be enforced and are tried again.
    pub(crate) companies_waiting: IntGauge,
    /// By what was done with them.
    pub(crate) facts: IntCounterVec,
}

impl AccessMetrics {
    fn register(registry: &Registry) -> prometheus::Result<Self> {
        let make = Collectors::of(registry);
        let metrics = Self {
            removal: make.histogram(
                "timeclock_console_access_removal_seconds",
                "From a request's arrival at the gateway to the end of the sessions of whoever it takes access from",
                &REMOVAL_SECONDS,
            )?,
            sessions_ended: make.counters(
                "timeclock_console_access_sessions_ended_total",
                "Sessions that ended because of a change in the directory, by cause",
                &["cause"],
            )?,
            facts_waiting: make.gauge(
                "timeclock_console_access_facts_waiting",
                "Facts about users that no instance has finished with",
            )?,
            companies_waiting: make.gauge(
                "timeclock_console_access_companies_waiting",
                "Companies of which this instance could not end sessions yet, and tries again",
            )?,
            facts: make.counters(
                "timeclock_console_access_facts_total",
                "Facts about users that an instance has finished with, by what it did",
                &["effect"],
            )?,
        };
        for effect in access::follow::EFFECTS {
            metrics.facts.with_label_values(&[effect]);
        }
        for cause in access::Cause::ALL {
            metrics.sessions_ended.with_label_values(&[cause.as_str()]);
        }
        Ok(metrics)
    }
}
