//! What becomes of a batch of requests: a pure function from what is there and what is asked to what will be there,
//! what each caller is told, and what the rest of TimeClock 365 hears.
//!
//! The caller holds the partition, so nobody else changes these users meanwhile and deciding in memory, request by
//! request, in order, is exact. No IO and no clock here; a batch can be decided any number of times.

pub(crate) mod groups;
pub(crate) mod restore;

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use scim_protocol::{
    Attributes,
    error::ScimError,
    fold::fold,
    patch, resource,
    schema::{self, SchemaSet},
};
use serde_json::Value;
use typed_ids::{CompanyId, MemberId, UserId};

use self::{
    groups::{AtVersion, GroupOutcome, GroupsDecision, GroupsState, KnownGroups},
    restore::KnownReturnees,
};
use super::request::{self, Change, Condition, Request, UserChange};
use crate::user::{Canonical, User};

pub(crate) type UserKey = (CompanyId, UserId);
pub(crate) type NameKey = (CompanyId, String);

/// What the database holds of everything that the batch touches.
#[derive(Debug, Default, Clone)]
pub(crate) struct Known {
    /// Present: exists. Absent: was looked up and does not exist.
    pub(crate) users: HashMap<UserKey, User>,
    /// Who holds a name, for every name that was looked up.
    pub(crate) names: HashMap<NameKey, Option<UserId>>,
    pub(crate) groups: KnownGroups,
    /// The schemas of the users of those companies that have declared some of their own.
    pub(crate) schemas: HashMap<CompanyId, SchemaSet>,
    pub(crate) removed: KnownReturnees,
}

/// What the caller was told, and why.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    Created(User),
    Updated {
        before: User,
        after: User,
        changed: Vec<String>,
    },
    Unchanged(User),
    Deleted {
        user: User,
        left: Vec<AtVersion>,
    },
    /// Back after a mass removal that was undone, and in these groups again.
    Restored {
        user: User,
        joined: Vec<AtVersion>,
    },
    Group(GroupOutcome),
    Refused(Refusal),
}

/// A refusal that the caller can act on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// RFC 7644 §3.12 as the pure engine words it.
    Invalid(ScimError),
    NotFound,
    NoSuchGroup,
    /// The name is another user's.
    NameTaken,
    /// The name is another group's.
    GroupNameTaken,
    /// Neither users nor groups of the company.
    NoSuchMembers {
        named: Vec<MemberId>,
        /// How many more there are.
        others: usize,
    },
    /// The group was to be a member of itself.
    OwnMember,
    /// The id that the gateway chose is somebody's: an old create that comes again when its log line is gone.
    IdTaken,
    /// Part of no mass removal that is being undone.
    NotRemoved,
    /// Somebody else is that person by now.
    Superseded,
    PreconditionFailed {
        current: i64,
    },
}

/// Everything that one batch decides.
#[derive(Debug)]
pub(crate) struct Decision {
    /// One for each request, in their order.
    pub(crate) outcomes: Vec<Outcome>,
    /// Users that are to be inserted, with their final state.
    pub(crate) inserts: Vec<User>,
    /// Users that are to be overwritten.
    pub(crate) updates: Vec<User>,
    /// Users that are to be removed.
    pub(crate) deletes: Vec<UserKey>,
    pub(crate) groups: GroupsDecision,
}

/// Names whose holders the decision depends on and that have not been looked up yet. Only a rename is found out so, and
/// only by applying it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unknown {
    pub(crate) names: Vec<NameKey>,
    pub(crate) group_names: Vec<NameKey>,
}

/// Decides a batch, or says what else must be looked up first.
pub(crate) fn decide(known: &Known, requests: &[&Request], now: DateTime<Utc>) -> Result<Decision, Unknown> {
    let mut state = State {
        before: known,
        users: known.users.clone(),
        names: known.names.clone(),
        unknown: BTreeSet::new(),
        touched: Vec::new(),
        groups: GroupsState::new(&known.groups),
    };
    let outcomes: Vec<_> = requests.iter().map(|request| state.apply(request, now)).collect();
    if !(state.unknown.is_empty() && state.groups.unknown.is_empty()) {
        return Err(Unknown {
            names: state.unknown.into_iter().collect(),
            group_names: std::mem::take(&mut state.groups.unknown).into_iter().collect(),
        });
    }
    Ok(state.net(outcomes))
}

struct State<'a> {
    before: &'a Known,
    users: HashMap<UserKey, User>,
    names: HashMap<NameKey, Option<UserId>>,
    unknown: BTreeSet<NameKey>,
    /// In the order in which they were first touched, so that rows are written in a repeatable order.
    touched: Vec<UserKey>,
    groups: GroupsState<'a>,
}

impl State<'_> {
    fn apply(&mut self, request: &Request, now: DateTime<Utc>) -> Outcome {
        let result = match &request.change {
            Change::User(user, change) => self.apply_to_user((request.company, *user), change, now),
            Change::Group(group, change) => self.groups.apply(request, *group, change, &self.users, now),
        };
        result.unwrap_or_else(Outcome::Refused)
    }

    fn apply_to_user(
        &mut self,
        key: UserKey,
        change: &UserChange,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Refusal> {
        match change {
            UserChange::Create(attributes) => self.create(key, attributes, now),
            UserChange::Replace(attributes, condition) => {
                self.change(key, condition, now, |user| {
                    // RFC 7644 §3.5.1 lets an omitted attribute keep its value. Access is not to be given back by
                    // leaving `active` out, so this one does.
                    let attributes = match user.attributes.get("active") {
                        Some(active) => with_active(attributes, active),
                        None => attributes.clone(),
                    };
                    let changed = resource::changed(&user.attributes, &attributes);
                    Ok((attributes, changed))
                })
            }
            UserChange::Patch(operations, condition) => {
                let schemas = self.before.schemas.get(&key.0).unwrap_or(schema::users());
                self.change(key, condition, now, |user| {
                    let operations = request::operations(schemas, operations)?;
                    let mut patched = patch::apply(schemas, &user.attributes, &operations)?;
                    if !patched.attributes.contains_key("active") {
                        // Whoever clears `active` does not ask for access.
                        patched.attributes.insert("active".to_owned(), false.into());
                        patched.changed = resource::changed(&user.attributes, &patched.attributes);
                    }
                    Ok((patched.attributes.into(), patched.changed))
                })
            }
            UserChange::Delete(condition) => self.delete(key, condition, now),
            UserChange::Restore(brake) => self.restore(key, *brake, now),
        }
    }

    fn create(
        &mut self,
        key: UserKey,
        attributes: &Canonical,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Refusal> {
        // Entra's reader needs a boolean in every answer (entra-wire 1.11); somebody who is provisioned may work.
        let attributes = with_active(attributes, &Value::Bool(true));
        if self.users.contains_key(&key) {
            return Err(Refusal::IdTaken);
        }
        let user = User {
            company: key.0,
            id: key.1,
            version: 1,
            created_at: now,
            last_modified_at: now,
            attributes,
        };
        self.take_name(&user)?;
        self.put(user.clone());
        Ok(Outcome::Created(user))
    }

    fn change(
        &mut self,
        key: UserKey,
        condition: &Condition,
        now: DateTime<Utc>,
        transform: impl FnOnce(&User) -> Result<(Canonical, Vec<String>), ScimError>,
    ) -> Result<Outcome, Refusal> {
        let before = self.existing(key, condition)?;
        let (attributes, changed) = transform(&before).map_err(Refusal::Invalid)?;
        if changed.is_empty() {
            return Ok(Outcome::Unchanged(before));
        }
        let after = User { version: before.version + 1, last_modified_at: now, attributes, ..before.clone() };
        if name_key(&after) != name_key(&before) {
            self.take_name(&after)?;
            self.names.insert(name_key(&before), None);
        }
        self.put(after.clone());
        Ok(Outcome::Updated { before, after, changed })
    }

    fn delete(
        &mut self,
        key: UserKey,
        condition: &Condition,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Refusal> {
        let user = self.existing(key, condition)?;
        self.names.insert(name_key(&user), None);
        self.users.remove(&key);
        self.touched.push(key);
        let left = self.groups.leave((key.0, MemberId::from_uuid(key.1.as_uuid())), now);
        Ok(Outcome::Deleted { user, left })
    }

    fn existing(&self, key: UserKey, condition: &Condition) -> Result<User, Refusal> {
        let user = self.users.get(&key).ok_or(Refusal::NotFound)?;
        if condition.holds(user.version) {
            Ok(user.clone())
        } else {
            Err(Refusal::PreconditionFailed { current: user.version })
        }
    }

    /// Claims the user's name, or refuses because another user of the company has it. A name nobody looked up yet is
    /// noted and taken for free: the whole decision is then made again.
    fn take_name(&mut self, user: &User) -> Result<(), Refusal> {
        let key = name_key(user);
        match self.names.get(&key) {
            Some(Some(holder)) if *holder != user.id => return Err(Refusal::NameTaken),
            Some(_) => {}
            None => {
                self.unknown.insert(key.clone());
            }
        }
        self.names.insert(key, Some(user.id));
        Ok(())
    }

    fn put(&mut self, user: User) {
        self.touched.push(user.key());
        self.users.insert(user.key(), user);
    }

    /// What the batch amounts to, one write per user.
    fn net(mut self, outcomes: Vec<Outcome>) -> Decision {
        let groups = self.groups.net();
        let mut decision = Decision { outcomes, inserts: vec![], updates: vec![], deletes: vec![], groups };
        let mut seen = BTreeSet::new();
        for key in std::mem::take(&mut self.touched) {
            if !seen.insert(key) {
                continue;
            }
            match (self.before.users.contains_key(&key), self.users.remove(&key)) {
                (false, Some(user)) => decision.inserts.push(user),
                (true, Some(user)) => decision.updates.push(user),
                (true, None) => decision.deletes.push(key),
                (false, None) => {}
            }
        }
        decision
    }
}

/// These attributes, with this value of `active`.
fn set_active(attributes: &Canonical, is_active: bool) -> Canonical {
    let mut changed = Attributes::clone(attributes);
    changed.insert("active".to_owned(), is_active.into());
    changed.into()
}

/// These attributes, with this value of `active` where they have none.
fn with_active(attributes: &Canonical, active: &Value) -> Canonical {
    if attributes.contains_key("active") {
        return attributes.clone();
    }
    let mut completed = Attributes::clone(attributes);
    completed.insert("active".to_owned(), active.clone());
    completed.into()
}

pub(crate) fn name_key(user: &User) -> NameKey {
    (user.company, fold(user.user_name()))
}

/// The user's name that a request asks for, when it can be told without applying it.
pub(crate) fn wanted_name(request: &Request) -> Option<NameKey> {
    let name = match &request.change {
        Change::User(_, UserChange::Create(attributes) | UserChange::Replace(attributes, _)) => {
            attributes.get("userName")?.as_str()?
        }
        Change::User(..) | Change::Group(..) => return None,
    };
    Some((request.company, fold(name)))
}

#[cfg(test)]
mod tests;
