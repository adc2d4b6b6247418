//! What the console counts besides the requests of its listener; every series is in docs/reference/metrics.md.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Registry};
use service_runtime::metrics::Collectors;

use crate::{
    mail, notices, sign_in,
    single_sign_on::{Way, federation},
};

#[derive(Clone)]
pub(crate) struct Metrics {
    /// By outcome.
    pub(crate) sign_ins: IntCounterVec,
    /// At identity providers, by way and result.
    pub(crate) single_sign_ons: IntCounterVec,
    pub(crate) throttled: IntCounter,
    pub(crate) password_hashes: IntCounter,
    pub(crate) sessions_begun: IntCounter,
    pub(crate) sessions_ended: IntCounter,
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
            throttled: make.counter(
                "timeclock_console_throttled_total",
                "Passwords that were not tried, because of too many before",
            )?,
            password_hashes: make.counter(
                "timeclock_console_password_hashes_total",
                "Passwords hashed, to set or to try one",
            )?,
            sessions_begun: make.counter("timeclock_console_sessions_begun_total", "Sessions that began")?,
            sessions_ended: make.counter(
                "timeclock_console_sessions_ended_total",
                "Sessions that somebody ended; others expire",
            )?,
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
            metrics.single_sign_ons.with_label_values(&[Way::Saml.as_str(), result]);
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
