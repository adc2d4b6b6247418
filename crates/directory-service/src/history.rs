//! Whether the database and the bus still tell the same story. When one of the two was lost or came back from a backup, a
//! new history begins, which every fact names, and whoever follows the facts takes a snapshot instead of believing what
//! it had.

use crate::store::history::Seen;

/// What the bus says of the stream of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) created_unix_nanos: i64,
    pub(crate) first_sequence: i64,
    pub(crate) last_sequence: i64,
}

/// Where the two stories part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Breach {
    /// The stream was made anew, and the facts that were in the bus are gone with it.
    BusAnew,
    /// The stream has forgotten requests as applied of which the database knows nothing.
    DatabaseOlder,
    /// The database has applied requests that the stream has not had yet.
    BusOlder,
}

impl Breach {
    pub(crate) const ALL: [Self; 3] = [Self::BusAnew, Self::DatabaseOlder, Self::BusOlder];

    /// Its word, in metrics and logs.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BusAnew => "bus_anew",
            Self::DatabaseOlder => "database_older",
            Self::BusOlder => "bus_older",
        }
    }
}

/// Whether the stories part, by what the database said before the bus was asked, what the bus said, and what the
/// database says now. The order matters: requests are applied all the time, and forgotten once they are applied.
pub(crate) fn breach(before: &Seen, requests: Requests, now: &Seen) -> Option<Breach> {
    // A directory that has never had a bus has nothing to compare.
    let known = now.stream_created_unix_nanos?;
    if known != requests.created_unix_nanos {
        return Some(Breach::BusAnew);
    }
    if now.applied_sequence < requests.first_sequence - 1 {
        return Some(Breach::DatabaseOlder);
    }
    let is_ahead = before.applied_sequence > requests.last_sequence.max(now.lost_sequence);
    // Another owner may have found out in the meantime.
    (is_ahead && before.history_id == now.history_id).then_some(Breach::BusOlder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTS: Requests = Requests { created_unix_nanos: 7, first_sequence: 91, last_sequence: 100 };

    fn seen(applied_sequence: i64) -> Seen {
        Seen {
            history_id: uuid::Uuid::nil(),
            stream_created_unix_nanos: Some(7),
            lost_sequence: 0,
            applied_sequence,
        }
    }

    #[test]
    fn what_is_applied_lies_between_what_is_forgotten_and_what_has_come() {
        for applied in 90..=100 {
            assert_eq!(breach(&seen(applied), REQUESTS, &seen(applied)), None);
        }
        assert_eq!(breach(&seen(89), REQUESTS, &seen(89)), Some(Breach::DatabaseOlder));
        assert_eq!(breach(&seen(101), REQUESTS, &seen(101)), Some(Breach::BusOlder));
    }

    #[test]
    fn requests_that_are_applied_while_the_bus_is_asked_are_no_breach() {
        assert_eq!(breach(&seen(80), REQUESTS, &seen(95)), None);
        assert_eq!(breach(&seen(100), REQUESTS, &seen(140)), None);
    }

    #[test]
    fn a_stream_that_was_made_anew_is_a_breach_unless_none_was_known() {
        let anew = Requests { created_unix_nanos: 8, first_sequence: 1, last_sequence: 0 };
        assert_eq!(breach(&seen(100), anew, &seen(100)), Some(Breach::BusAnew));
        let first = Seen { stream_created_unix_nanos: None, ..seen(0) };
        assert_eq!(breach(&first, anew, &first), None);
    }

    #[test]
    fn a_breach_is_found_once() {
        let known = Seen { lost_sequence: 140, ..seen(140) };
        assert_eq!(breach(&known, REQUESTS, &known), None);
        let by_another = Seen { history_id: uuid::Uuid::max(), ..seen(140) };
        assert_eq!(breach(&seen(140), REQUESTS, &by_another), None);
        let again = Requests { last_sequence: 99, ..REQUESTS };
        assert_eq!(
            breach(&Seen { lost_sequence: 98, ..seen(100) }, again, &seen(100)),
            Some(Breach::BusOlder)
        );
    }
}
