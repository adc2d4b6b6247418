//! How times are shown.

use bus_contract::Timestamp;
use chrono::{DateTime, SecondsFormat};

/// RFC 3339, in UTC, to the second; `None` when there is none, or it is beyond the calendar.
pub(crate) fn rfc3339(at: Option<Timestamp>) -> Option<String> {
    at.and_then(|at| DateTime::from_timestamp(at.seconds, 0))
        .map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true))
}
