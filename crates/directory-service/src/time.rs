//! Instants between their three spellings: chrono in the code, protobuf on the bus, timestamptz in the database.

use bus_contract::Timestamp;
use chrono::{DateTime, SubsecRound, Utc};

/// Now, in whole milliseconds: what a SCIM client is shown is then exactly what the database keeps.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}

/// As protobuf spells it.
pub(crate) fn to_timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: at.timestamp_subsec_nanos().cast_signed() }
}

/// As chrono spells it; `None` beyond its range.
pub(crate) fn from_timestamp(at: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}
