//! When many people who are removed are too many, and what a human may decide about them (docs/adr/0023).
//!
//! Everybody whose access provisioning ends is kept as a row beside the users, with what a deleted user was. The write
//! path counts those rows in the transaction of the batch; beyond the company's rule a *brake* comes on and takes them
//! in. Access has ended when that transaction is committed, which takes some statements longer and waits for nobody.

pub(crate) mod answer;
pub(crate) mod undo;
pub(crate) mod upkeep;

use chrono::{DateTime, TimeDelta, Utc};
use typed_ids::{BrakeId, CompanyId};

/// How long removals belong together, and how long a human has time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BrakeSettings {
    /// Removals within this time are counted together.
    pub(crate) window: TimeDelta,
    /// How long a brake takes people in, and how long a human has time from the last deletion on. After twice that at most
    /// nobody who was removed can be brought back.
    pub(crate) hold: TimeDelta,
}

/// When removals are a mass removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rule {
    /// People.
    pub(crate) more_than: i64,
    /// Of those who had access before.
    pub(crate) per_cent: i64,
}

/// What holds for a company that has said nothing: a team of ten may be replaced in an afternoon, and no company loses a
/// tenth of its people within an hour without somebody knowing of it.
pub(crate) const DEFAULT_RULE: Rule = Rule { more_than: 10, per_cent: 10 };
/// People of one company who are kept at once, so that what is kept has a bound. Whoever is deleted beyond that is deleted for
/// good.
pub(crate) const MOST_KEPT: i64 = 100_000;
/// What a company may choose. At the largest values hardly anything is a mass removal, and that is its choice. Who is not
/// kept is not counted, so a larger number than is kept could never be reached.
pub(crate) const MOST_PEOPLE: i64 = MOST_KEPT / 2;
pub(crate) const MOST_PER_CENT: i64 = 100;

impl Rule {
    /// Whether so many removals, of so many people who had access before, are a mass removal.
    pub(crate) fn is_broken_by(self, removed: i64, people: i64) -> bool {
        removed > self.more_than && removed.saturating_mul(100) > self.per_cent.saturating_mul(people)
    }
}

/// What a brake has come to, as the table's check constraint spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    On,
    Undoing,
    Undone,
    Released,
    Expired,
}

impl State {
    pub(crate) const ALL: [Self; 5] = [Self::On, Self::Undoing, Self::Undone, Self::Released, Self::Expired];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }
}

/// A mass removal.
#[derive(Debug, Clone)]
pub(crate) struct Brake {
    pub(crate) company: CompanyId,
    pub(crate) id: BrakeId,
    pub(crate) state: State,
    pub(crate) began_at: DateTime<Utc>,
    pub(crate) last_at: DateTime<Utc>,
    /// Until when somebody may decide.
    pub(crate) ends_at: DateTime<Utc>,
    /// Who had access before, of all of the company's.
    pub(crate) people: i64,
    pub(crate) removed: i64,
    /// Of those removed.
    pub(crate) had_access: i64,
    pub(crate) restored: i64,
    pub(crate) superseded: i64,
    pub(crate) returned: i64,
    /// Of those removed: whoever was deleted for good at once.
    pub(crate) not_held: i64,
    pub(crate) decided_at: Option<DateTime<Utc>>,
    pub(crate) decided_by: Option<String>,
    /// As in the audit log.
    pub(crate) decided_by_kind: Option<i16>,
}

impl Brake {
    /// Whether whoever is removed now may join. One that took people in for as long as nobody decides would never end.
    pub(crate) fn takes_in(&self, settings: BrakeSettings, now: DateTime<Utc>) -> bool {
        self.state == State::On && self.began_at > now - settings.hold
    }

    /// Who is still to be decided about, or still to be brought back.
    pub(crate) fn waiting(&self) -> i64 {
        match self.state {
            State::On | State::Undoing => {
                (self.removed - self.restored - self.superseded - self.returned - self.not_held).max(0)
            }
            State::Undone | State::Released | State::Expired => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mass_removal_is_more_than_the_number_and_more_than_the_share() {
        for (removed, people, is_broken) in [
            (10, 20, false),
            (11, 20, true),
            (11, 109, true),
            // Exactly ten per cent.
            (11, 110, false),
            (132, 300, true),
            (500, 10_000, false),
            // Nobody had access: those who are deleted were disabled before.
            (11, 0, true),
        ] {
            assert_eq!(DEFAULT_RULE.is_broken_by(removed, people), is_broken, "{removed} of {people}");
        }
    }

    #[test]
    fn all_of_a_company_can_be_let_go_by_rule() {
        let rule = Rule { more_than: 1, per_cent: MOST_PER_CENT };
        assert!(!rule.is_broken_by(300, 300));
    }
}
