//! Whose access a batch ended, and who has it again: what is kept of it beside the users (docs/adr/0023).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::{BrakeId, CompanyId, GroupId, UserId};

use super::{
    decide::{Outcome, Refusal, UserKey},
    request::{Change, Request, UserChange},
};
use crate::{
    brake::{Brake, BrakeSettings, MOST_KEPT},
    store,
    user::User,
};

/// Somebody whose access ended, as they were at that moment.
#[derive(Debug)]
pub(crate) struct Removed<'a> {
    pub(crate) user: &'a User,
    /// Whether there was access to end.
    pub(crate) was_active: bool,
    /// The groups that a deleted user was in; `None` for one who is disabled.
    pub(crate) groups: Option<Vec<GroupId>>,
}

/// Everything of it in one batch.
#[derive(Debug, Default)]
pub(crate) struct Removals<'a> {
    removed: BTreeMap<UserKey, Removed<'a>>,
    /// To whom Entra has given access again.
    returned: BTreeMap<CompanyId, Vec<UserId>>,
    /// Of whom an undo need not be asked again, and whether they are back.
    settled: Vec<(UserKey, BrakeId, bool)>,
}

/// A mass removal that was found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CameOn {
    pub(crate) company: CompanyId,
    pub(crate) brake: BrakeId,
    /// Removed so far.
    pub(crate) removed: i64,
    /// Of them, and of all of the company's: who had access before.
    pub(crate) had_access: i64,
    pub(crate) people: i64,
}

/// What an operator should know of a batch's removals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    CameOn(CameOn),
    /// So many were deleted for good at once, because no more people of the company may be kept.
    NotHeld {
        company: CompanyId,
        people: i64,
    },
}

impl<'a> Removals<'a> {
    pub(super) fn of(decided: impl IntoIterator<Item = (&'a Request, &'a Outcome)>) -> Self {
        let mut removals = Self::default();
        for (request, outcome) in decided {
            removals.take(request, outcome);
        }
        removals
    }

    fn take(&mut self, request: &Request, outcome: &'a Outcome) {
        let restored_from = match &request.change {
            Change::User(user, UserChange::Restore(brake)) => Some(((request.company, *user), *brake)),
            Change::User(..) | Change::Group(..) => None,
        };
        match (outcome, restored_from) {
            (Outcome::Updated { .. } | Outcome::Restored { .. }, Some((key, brake))) => {
                self.removed.remove(&key);
                self.settled.push((key, brake, true));
            }
            (Outcome::Refused(Refusal::Superseded), Some((key, brake))) => {
                self.settled.push((key, brake, false));
            }
            (Outcome::Updated { before, after, .. }, None) if before.is_active() && !after.is_active() => {
                self.removed.insert(after.key(), Removed { user: after, was_active: true, groups: None });
            }
            (Outcome::Updated { before, after, .. }, None) if !before.is_active() && after.is_active() => {
                self.removed.remove(&after.key());
                self.returned.entry(after.company).or_default().push(after.id);
            }
            (Outcome::Deleted { user, left }, _) => {
                let earlier = self.removed.get(&user.key()).is_some_and(|removed| removed.was_active);
                let was_active = user.is_active() || earlier;
                let groups = Some(left.iter().map(|left| left.group).collect());
                self.removed.insert(user.key(), Removed { user, was_active, groups });
            }
            _ => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.returned.is_empty() && self.settled.is_empty()
    }

    /// Keeps them, in the transaction of the batch and behind the lock on the partition's row; what this batch amounts to.
    pub(super) fn write(
        self,
        conn: &mut PgConnection,
        settings: BrakeSettings,
        now: DateTime<Utc>,
    ) -> QueryResult<Vec<News>> {
        for (key, brake, is_restored) in self.settled {
            store::removals::settle(conn, key, brake, is_restored)?;
        }
        for (company, users) in &self.returned {
            store::removals::give_back(conn, *company, users)?;
        }
        let removed: Vec<Removed<'_>> = self.removed.into_values().collect();
        if removed.is_empty() {
            return Ok(vec![]);
        }
        store::removals::keep(conn, &removed, settings, now)?;
        let mut companies: Vec<CompanyId> = removed.iter().map(|removed| removed.user.company).collect();
        companies.dedup();
        store::brakes::look_again(conn, &companies, now + settings.window)?;
        let mut news = Vec::new();
        for company in companies {
            news.extend(weigh(conn, company, settings, now)?);
        }
        Ok(news)
    }
}

/// Takes the removals of this moment into the company's brake that they go on with, or into a new one where they are a mass
/// removal; those of smaller numbers stay alone.
fn weigh(
    conn: &mut PgConnection,
    company: CompanyId,
    settings: BrakeSettings,
    now: DateTime<Utc>,
) -> QueryResult<Vec<News>> {
    let (since, held_until) = (now - settings.window, now + settings.hold);
    let open = store::brakes::open(conn, &[company])?;
    let kept: i64 = open.iter().map(Brake::waiting).sum();
    let recent = store::removals::recent(conn, company, since)?;
    let mut news = Vec::new();
    // An older one that still waits is a matter of its own: who hears of it hears nothing of these.
    let goes_on = |brake: &Brake| brake.last_at > since && brake.takes_in(settings, now);
    let mut brake = open.into_iter().rfind(goes_on).map(|on| on.id);
    if brake.is_none() {
        let came_on = come_on(conn, company, recent, settings, now)?;
        brake = came_on.map(|came_on| came_on.brake);
        news.extend(came_on.map(News::CameOn));
    }
    if kept + recent.0 > MOST_KEPT {
        let people = store::removals::let_go(conn, company, brake, now)?;
        news.extend((people > 0).then_some(News::NotHeld { company, people }));
    }
    if let Some(brake) = brake {
        store::removals::join(conn, company, brake, since, (now, held_until))?;
    }
    Ok(news)
}

/// A new brake, where so many removals, of people of whom so many had access, are a mass removal together with those that
/// somebody has decided about within the window: they decided about those whom they had seen.
fn come_on(
    conn: &mut PgConnection,
    company: CompanyId,
    (removed, had_access): (i64, i64),
    settings: BrakeSettings,
    now: DateTime<Utc>,
) -> QueryResult<Option<CameOn>> {
    let since = now - settings.window;
    let followed = store::brakes::since(conn, company, since)?;
    let together = removed + followed.iter().map(|brake| brake.removed - brake.returned).sum::<i64>();
    let (rule, counted) = store::brakes::rule(conn, company)?;
    if together <= rule.more_than {
        return Ok(None);
    }
    let people = match counted.filter(|(_, counted_at)| *counted_at > since) {
        Some((people, _)) => people,
        None => {
            // Those who are removed are not among those who have access any more.
            let people = store::brakes::count_people(conn, company)? + had_access;
            store::brakes::note_people(conn, company, people, now)?;
            people
        }
    };
    if !rule.is_broken_by(together, people) {
        return Ok(None);
    }
    let brake = BrakeId::mint();
    store::brakes::insert(conn, company, brake, people, now, now + settings.hold)?;
    Ok(Some(CameOn { company, brake, removed, had_access, people }))
}
