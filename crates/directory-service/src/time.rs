//! Instants between their three spellings: chrono in the code, protobuf on the bus, timestamptz in the database.

use bus_contract::Timestamp;
use chrono::{DateTime, SubsecRound, Utc};
use uuid::Uuid;

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

/// The smallest UUIDv7 of that moment or later: ids of requests and cycles are compared with it in place of times.
pub(crate) fn first_id_from(at: DateTime<Utc>) -> Uuid {
    let millis = at.timestamp_millis() + i64::from(!at.timestamp_subsec_nanos().is_multiple_of(1_000_000));
    let millis = u64::try_from(millis).unwrap_or(0).min((1 << 48) - 1);
    Uuid::from_u64_pair((millis << 16) | 0x7000, 0x8000_0000_0000_0000)
}

/// When an id was made; `None` for one that does not say.
pub(crate) fn made_at(id: Uuid) -> Option<DateTime<Utc>> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_lie_on_the_side_of_a_moment_on_which_they_were_made() {
        let at = |millis: i64, micros: i64| DateTime::from_timestamp_micros(millis * 1_000 + micros).unwrap();
        let first = first_id_from(at(1_800_000_000_123, 0));
        assert_eq!(made_at(first), Some(at(1_800_000_000_123, 0)));
        assert!(first > first_id_from(at(1_800_000_000_122, 0)));
        // Within a millisecond the id of the next one: what was made before does not belong.
        assert_eq!(first_id_from(at(1_800_000_000_122, 1)), first);
        let now = Uuid::now_v7();
        let made = made_at(now).unwrap();
        assert!(first_id_from(made) <= now && now < first_id_from(made + chrono::TimeDelta::milliseconds(1)));
    }
}
