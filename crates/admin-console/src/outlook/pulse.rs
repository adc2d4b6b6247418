//! How fresh a connection is and how well it did lately: what the overview and the settings show alike.

use bus_contract::{
    Timestamp,
    directory::{Cycle, FailureCause, GetActivityReply},
};

use crate::{
    language::{Key, times::from_wire},
    page::Page,
    picture::Picture,
};

/// What a kind of failure is in words; `None` for one that needs a look at the lines.
pub(crate) fn words(cause: &str) -> Option<Key> {
    let (status, keyword) = cause.split_once(' ').unwrap_or((cause, ""));
    Some(match (status, keyword) {
        ("400", _) => Key("cause-invalid"),
        ("401", _) => Key("cause-unauthenticated"),
        ("404", _) => Key("cause-not-found"),
        ("409", "uniqueness") => Key("cause-taken"),
        ("429", _) => Key("cause-too-many"),
        (status, _) if status.starts_with('5') => Key("cause-ours"),
        _ => return None,
    })
}

/// Kinds of failure that are shown; the provisioning page has more.
const CAUSES: usize = 3;

/// A connection's freshness and success.
pub(crate) struct Pulse {
    pub(crate) last_call: Option<Timestamp>,
    pub(crate) last_cycle: Option<Cycle>,
    pub(crate) next_cycle: Next,
    /// Of the last day's calls, as a percentage.
    pub(crate) success: Option<String>,
    pub(crate) picture: Picture,
    /// What failed most in the last cycle.
    pub(crate) causes: Vec<FailureCause>,
}

/// When Entra begins again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Next {
    Unknown,
    Running,
    At(Timestamp),
    /// It should have begun then.
    Overdue(Timestamp),
}

impl Pulse {
    pub(crate) fn of(activity: &GetActivityReply, page: &Page) -> Self {
        let health = activity.health.as_ref();
        let latest = activity.latest.as_ref();
        let picture = Picture::of(&activity.slots);
        let next = health.and_then(|health| health.next_cycle_at);
        Self {
            last_call: health.and_then(|health| health.last_call_at),
            last_cycle: activity.latest.clone(),
            next_cycle: Next::of(next, latest.is_some_and(|cycle| cycle.is_running), page.times.now),
            success: picture.success_tenths().map(|tenths| page.per_cent(tenths)),
            picture,
            causes: latest.into_iter().flat_map(|cycle| &cycle.causes).take(CAUSES).cloned().collect(),
        }
    }
}

impl Next {
    fn of(expected: Option<Timestamp>, is_running: bool, now: jiff::Timestamp) -> Self {
        match expected {
            _ if is_running => Self::Running,
            Some(at) if from_wire(&at).is_some_and(|at| at < now) => Self::Overdue(at),
            Some(at) => Self::At(at),
            None => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cycle_is_running_expected_or_overdue() {
        let now = jiff::Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds: i64| Timestamp { seconds: 1_800_000_000 + seconds, nanos: 0 };
        assert_eq!(Next::of(None, false, now), Next::Unknown);
        assert_eq!(Next::of(Some(at(1)), false, now), Next::At(at(1)));
        assert_eq!(Next::of(Some(at(-1)), false, now), Next::Overdue(at(-1)));
        // A first cycle may take days, and nothing is overdue meanwhile.
        assert_eq!(Next::of(Some(at(-1)), true, now), Next::Running);
    }
}
