//! What becomes of the return of somebody whom a mass removal took away.
//!
//! Whoever was disabled gets access again and keeps what has changed since; whoever was deleted is again what they were,
//! in the groups that still exist. A name or an external id that somebody else has by now is theirs: Entra has created
//! that person anew.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use typed_ids::{BrakeId, CompanyId, GroupId, MemberId, UserId};

use super::{Outcome, Refusal, State, UserKey, groups::Member};
use crate::user::User;

/// Somebody whom a mass removal took away, and who is to come back.
#[derive(Debug, Clone)]
pub(crate) struct Returnee {
    pub(crate) brake: BrakeId,
    pub(crate) user_name: String,
    /// Whether they had access before.
    pub(crate) was_active: bool,
    /// What a deleted user was; `None` for one who was disabled.
    pub(crate) held: Option<Held>,
}

#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// In the last version.
    pub(crate) user: User,
    pub(crate) groups: Vec<GroupId>,
}

/// What is known of those whose return a batch asks for.
#[derive(Debug, Default, Clone)]
pub(crate) struct KnownReturnees {
    pub(crate) people: HashMap<UserKey, Returnee>,
    /// Somebody who has the external id of one of those deleted.
    pub(crate) external_ids: HashMap<(CompanyId, String), UserId>,
}

impl State<'_> {
    pub(super) fn restore(
        &mut self,
        key: UserKey,
        brake: BrakeId,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Refusal> {
        let before = self.before;
        let removed = before.removed.people.get(&key).filter(|removed| removed.brake == brake);
        let removed = removed.ok_or(Refusal::NotRemoved)?;
        match (self.users.get(&key).cloned(), &removed.held) {
            (Some(user), _) if user.is_active() => Ok(Outcome::Unchanged(user)),
            (Some(before), None) => {
                let attributes = super::set_active(&before.attributes, true);
                let version = before.version + 1;
                let after = User { version, last_modified_at: now, attributes, ..before.clone() };
                self.put(after.clone());
                Ok(Outcome::Updated { before, after, changed: vec!["active".to_owned()] })
            }
            (None, Some(held)) => self.bring_back(held, removed.was_active, now),
            // Brought back by this batch, or deleted by it: what comes next says which.
            (Some(_), Some(_)) | (None, None) => Err(Refusal::NotRemoved),
        }
    }

    fn bring_back(&mut self, held: &Held, was_active: bool, now: DateTime<Utc>) -> Result<Outcome, Refusal> {
        let user = User {
            // The deletion was announced with the last version; what comes after it has to be newer.
            version: held.user.version + 1,
            last_modified_at: now,
            attributes: super::set_active(&held.user.attributes, was_active),
            ..held.user.clone()
        };
        if self.has_successor(&user) {
            return Err(Refusal::Superseded);
        }
        self.take_name(&user).map_err(|_taken| Refusal::Superseded)?;
        self.put(user.clone());
        let member = Member { id: MemberId::from_uuid(user.id.as_uuid()), is_group: false };
        let joined = self.groups.join(user.company, member, &held.groups, now);
        Ok(Outcome::Restored { user, joined })
    }

    /// Whether somebody else has the external id by now: two users with one would be two answers to Entra's question for
    /// one person.
    fn has_successor(&self, user: &User) -> bool {
        let Some(external_id) = user.external_id() else { return false };
        let is_it = |other: &User| {
            other.company == user.company && other.id != user.id && other.external_id() == Some(external_id)
        };
        let stored = self.before.removed.external_ids.get(&(user.company, external_id.to_owned()));
        let is_still_there = |holder: &UserId| {
            // Whoever the batch has touched is asked as they are now.
            let key = (user.company, *holder);
            !self.touched.contains(&key) && *holder != user.id
        };
        stored.is_some_and(is_still_there) || self.users.values().any(is_it)
    }
}
