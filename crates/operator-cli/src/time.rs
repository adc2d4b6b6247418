//! How a time is shown: RFC 3339, in UTC.

use bus_contract::Timestamp;
use chrono::{DateTime, SecondsFormat};

use crate::{bus::unintelligible, failure::Failure};

/// A time that `service` must have told.
pub(crate) fn shown(service: &str, at: Option<Timestamp>) -> Result<String, Failure> {
    at.and_then(|at| DateTime::from_timestamp(at.seconds, 0))
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
        .ok_or_else(|| unintelligible(service, "no time"))
}
