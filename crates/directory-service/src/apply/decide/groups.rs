//! What becomes of requests about groups, and of groups whose members go.
//!
//! Of a group's members only those are looked at that a request names, whatever the group's size; all of them only where
//! a request puts others in their place.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono::{DateTime, Utc};
use scim_protocol::{error::ScimError, fold::fold, patch, resource, schema};
use typed_ids::{CompanyId, GroupId, MemberId, UserId};

use super::{NameKey, Outcome, Refusal, UserKey};
use crate::{
    apply::request::{Condition, GroupChange, MembersChange, Request},
    group::Group,
    user::{Canonical, User},
};

pub(crate) type GroupKey = (CompanyId, GroupId);
pub(crate) type MemberKey = (CompanyId, MemberId);

/// Unknown members that a refusal names; the others are counted.
const NAMED_IN_A_REFUSAL: usize = 5;

/// Whoever is in a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub(crate) id: MemberId,
    pub(crate) is_group: bool,
}

/// What the database holds of everything that the batch touches and that has to do with groups.
#[derive(Debug, Default, Clone)]
pub(crate) struct KnownGroups {
    /// Present: exists. Absent: was looked up and does not exist.
    pub(crate) groups: HashMap<GroupKey, Group>,
    /// Who holds a name, for every name that was looked up.
    pub(crate) names: HashMap<NameKey, Option<GroupId>>,
    /// Whether each that a request wants to add is a group, for those that exist.
    pub(crate) candidates: HashMap<MemberKey, bool>,
    /// Who is in which group: for each pair that a request names, each group that a request clears, and each user and
    /// group that a request deletes.
    pub(crate) memberships: Memberships,
}

/// Who is in which group, to be asked from either side.
#[derive(Debug, Default, Clone)]
pub(crate) struct Memberships {
    by_group: BTreeMap<(GroupKey, MemberId), bool>,
    by_member: BTreeSet<(MemberKey, GroupId)>,
}

impl Memberships {
    pub(crate) fn insert(&mut self, group: GroupKey, member: Member) {
        self.by_group.insert((group, member.id), member.is_group);
        self.by_member.insert(((group.0, member.id), group.1));
    }

    fn remove(&mut self, group: GroupKey, member: MemberId) -> Option<Member> {
        let is_group = self.by_group.remove(&(group, member))?;
        self.by_member.remove(&((group.0, member), group.1));
        Some(Member { id: member, is_group })
    }

    fn contains(&self, group: GroupKey, member: MemberId) -> bool {
        self.by_group.contains_key(&(group, member))
    }

    fn of_group(&self, group: GroupKey) -> Vec<MemberId> {
        let from = (group, MemberId::from_uuid(uuid::Uuid::nil()));
        let to = (group, MemberId::from_uuid(uuid::Uuid::max()));
        self.by_group.range(from..=to).map(|((_, member), _)| *member).collect()
    }

    /// The groups that somebody is a direct member of.
    pub(crate) fn of_member(&self, member: MemberKey) -> Vec<GroupId> {
        let from = (member, GroupId::from_uuid(uuid::Uuid::nil()));
        let to = (member, GroupId::from_uuid(uuid::Uuid::max()));
        self.by_member.range(from..=to).map(|(_, group)| *group).collect()
    }
}

/// A group that somebody left by being deleted, or is in again by coming back, with its version since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AtVersion {
    pub(crate) group: GroupId,
    pub(crate) version: i64,
}

/// What became of a group.
#[derive(Debug, Clone)]
pub(crate) enum GroupOutcome {
    Created { group: Group, added: Vec<Member> },
    Updated { before: Group, group: Group, changed: Vec<String>, added: Vec<Member>, removed: Vec<Member> },
    Unchanged(Group),
    Deleted { group: Group, left: Vec<AtVersion> },
}

/// Everything about groups that one batch decides.
#[derive(Debug, Default)]
pub(crate) struct GroupsDecision {
    /// Groups that are to be written, with their final state.
    pub(crate) writes: Vec<Group>,
    /// Groups that are to be removed, with all that are in them.
    pub(crate) deletes: Vec<GroupKey>,
    pub(crate) added: Vec<(GroupKey, Member)>,
    pub(crate) removed: Vec<(GroupKey, MemberId)>,
    /// Who is in which group afterwards, as far as it was looked up.
    pub(crate) memberships: Memberships,
    /// The groups as they are afterwards, as far as they were looked up.
    pub(crate) groups: HashMap<GroupKey, Group>,
}

impl GroupsDecision {
    pub(crate) fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.deletes.is_empty() && self.added.is_empty() && self.removed.is_empty()
    }
}

/// The groups in the course of a batch.
pub(super) struct GroupsState<'a> {
    before: &'a KnownGroups,
    groups: HashMap<GroupKey, Group>,
    names: HashMap<NameKey, Option<GroupId>>,
    memberships: Memberships,
    pub(super) unknown: BTreeSet<NameKey>,
    /// In the order in which they were first touched.
    touched: Vec<GroupKey>,
    changed: BTreeSet<(GroupKey, MemberId)>,
    /// Users and groups that the batch has deleted.
    gone: HashSet<MemberKey>,
}

impl<'a> GroupsState<'a> {
    pub(super) fn new(before: &'a KnownGroups) -> Self {
        Self {
            before,
            groups: before.groups.clone(),
            names: before.names.clone(),
            memberships: before.memberships.clone(),
            unknown: BTreeSet::new(),
            touched: Vec::new(),
            changed: BTreeSet::new(),
            gone: HashSet::new(),
        }
    }

    pub(super) fn apply(
        &mut self,
        request: &Request,
        group: GroupId,
        change: &GroupChange,
        users: &HashMap<UserKey, User>,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Refusal> {
        let key = (request.company, group);
        let outcome = match change {
            GroupChange::Create(attributes, members) => self.create(key, attributes, members, users, now)?,
            GroupChange::Replace(attributes, members, condition) => {
                self.change(key, condition, members, users, now, |group| {
                    Ok((attributes.clone(), resource::changed(&group.attributes, attributes)))
                })?
            }
            GroupChange::Patch(operations, members, condition) => {
                self.change(key, condition, members, users, now, |group| {
                    let patched = patch::apply(schema::groups(), &group.attributes, operations)?;
                    Ok((patched.attributes.into(), patched.changed))
                })?
            }
            GroupChange::Delete(condition) => {
                let group = self.existing(key, condition)?;
                self.names.insert(name_key(&group), None);
                self.groups.remove(&key);
                self.touched.push(key);
                // Those that are known of; the others go with the group's row.
                self.remove(key, self.memberships.of_group(key));
                let left = self.leave((key.0, MemberId::from_uuid(key.1.as_uuid())), now);
                GroupOutcome::Deleted { group, left }
            }
        };
        Ok(Outcome::Group(outcome))
    }

    fn create(
        &mut self,
        key: GroupKey,
        attributes: &Canonical,
        members: &MembersChange,
        users: &HashMap<UserKey, User>,
        now: DateTime<Utc>,
    ) -> Result<GroupOutcome, Refusal> {
        if self.groups.contains_key(&key) {
            return Err(Refusal::IdTaken);
        }
        let group = Group {
            company: key.0,
            id: key.1,
            version: 1,
            created_at: now,
            last_modified_at: now,
            attributes: attributes.clone(),
        };
        let candidates = self.candidates(key, &members.added, users)?;
        self.take_name(&group)?;
        let added = self.add(key, candidates);
        self.put(group.clone());
        Ok(GroupOutcome::Created { group, added })
    }

    fn change(
        &mut self,
        key: GroupKey,
        condition: &Condition,
        members: &MembersChange,
        users: &HashMap<UserKey, User>,
        now: DateTime<Utc>,
        transform: impl FnOnce(&Group) -> Result<(Canonical, Vec<String>), ScimError>,
    ) -> Result<GroupOutcome, Refusal> {
        let before = self.existing(key, condition)?;
        let (attributes, changed) = transform(&before).map_err(Refusal::Invalid)?;
        // Everything that can be refused is asked before anything is changed: a request is applied whole or not at all.
        let candidates = self.candidates(key, &members.added, users)?;
        let mut after = Group { attributes, ..before.clone() };
        if name_key(&after) != name_key(&before) {
            self.take_name(&after)?;
            self.names.insert(name_key(&before), None);
        }
        let removed = if members.clear {
            let stays: HashSet<_> = members.added.iter().collect();
            let present = self.memberships.of_group(key);
            self.remove(key, present.into_iter().filter(|member| !stays.contains(member)))
        } else {
            self.remove(key, members.removed.iter().copied())
        };
        let added = self.add(key, candidates);
        if changed.is_empty() && added.is_empty() && removed.is_empty() {
            return Ok(GroupOutcome::Unchanged(before));
        }
        after.version += 1;
        after.last_modified_at = now;
        self.put(after.clone());
        Ok(GroupOutcome::Updated { before, group: after, changed, added, removed })
    }

    /// Takes somebody who was deleted out of every group; what the groups are told.
    pub(super) fn leave(&mut self, member: MemberKey, now: DateTime<Utc>) -> Vec<AtVersion> {
        self.gone.insert(member);
        let mut left = Vec::new();
        for group in self.memberships.of_member(member) {
            let key = (member.0, group);
            self.remove(key, std::iter::once(member.1));
            if let Some(mut group) = self.groups.get(&key).cloned() {
                group.version += 1;
                group.last_modified_at = now;
                left.push(AtVersion { group: group.id, version: group.version });
                self.put(group);
            }
        }
        left
    }

    /// Puts somebody who came back into those of these groups that still exist; what the groups are told.
    pub(super) fn join(
        &mut self,
        company: CompanyId,
        member: Member,
        groups: &[GroupId],
        now: DateTime<Utc>,
    ) -> Vec<AtVersion> {
        self.gone.remove(&(company, member.id));
        let mut joined = Vec::new();
        for group in groups {
            let key = (company, *group);
            let Some(mut group) = self.groups.get(&key).cloned() else { continue };
            if self.add(key, vec![member]).is_empty() {
                continue;
            }
            group.version += 1;
            group.last_modified_at = now;
            joined.push(AtVersion { group: group.id, version: group.version });
            self.put(group);
        }
        joined
    }

    /// What each of these is, unless one of them does not exist: membership that is silently dropped is drift that
    /// nobody sees (entra-wire bug 17). Disabled users are members like others.
    fn candidates(
        &self,
        group: GroupKey,
        ids: &[MemberId],
        users: &HashMap<UserKey, User>,
    ) -> Result<Vec<Member>, Refusal> {
        let mut members = Vec::with_capacity(ids.len());
        let mut missing = Vec::new();
        for &id in ids {
            match self.is_group((group.0, id), users) {
                _ if id.as_uuid() == group.1.as_uuid() => return Err(Refusal::OwnMember),
                Some(is_group) => members.push(Member { id, is_group }),
                None => missing.push(id),
            }
        }
        if missing.is_empty() {
            return Ok(members);
        }
        let others = missing.len().saturating_sub(NAMED_IN_A_REFUSAL);
        missing.truncate(NAMED_IN_A_REFUSAL);
        Err(Refusal::NoSuchMembers { named: missing, others })
    }

    /// Whether somebody who exists at this point of the batch is a group.
    fn is_group(&self, (company, id): MemberKey, users: &HashMap<UserKey, User>) -> Option<bool> {
        if self.groups.contains_key(&(company, GroupId::from_uuid(id.as_uuid()))) {
            return Some(true);
        }
        if users.contains_key(&(company, UserId::from_uuid(id.as_uuid()))) {
            return Some(false);
        }
        if self.gone.contains(&(company, id)) {
            return None;
        }
        self.before.candidates.get(&(company, id)).copied()
    }

    fn add(&mut self, group: GroupKey, members: Vec<Member>) -> Vec<Member> {
        let mut added = Vec::new();
        for member in members {
            if !self.memberships.contains(group, member.id) {
                self.memberships.insert(group, member);
                self.changed.insert((group, member.id));
                added.push(member);
            }
        }
        added
    }

    fn remove(&mut self, group: GroupKey, members: impl IntoIterator<Item = MemberId>) -> Vec<Member> {
        let mut removed = Vec::new();
        for member in members {
            if let Some(member) = self.memberships.remove(group, member) {
                self.changed.insert((group, member.id));
                removed.push(member);
            }
        }
        removed
    }

    fn existing(&self, key: GroupKey, condition: &Condition) -> Result<Group, Refusal> {
        let group = self.groups.get(&key).ok_or(Refusal::NoSuchGroup)?;
        if condition.holds(group.version) {
            Ok(group.clone())
        } else {
            Err(Refusal::PreconditionFailed { current: group.version })
        }
    }

    /// As for users: a name nobody looked up yet is noted and taken for free, and the whole decision is made again.
    fn take_name(&mut self, group: &Group) -> Result<(), Refusal> {
        let key = name_key(group);
        match self.names.get(&key) {
            Some(Some(holder)) if *holder != group.id => return Err(Refusal::GroupNameTaken),
            Some(_) => {}
            None => {
                self.unknown.insert(key.clone());
            }
        }
        self.names.insert(key, Some(group.id));
        Ok(())
    }

    fn put(&mut self, group: Group) {
        self.touched.push(group.key());
        self.groups.insert(group.key(), group);
    }

    /// What the batch amounts to, one write per group and per membership.
    pub(super) fn net(self) -> GroupsDecision {
        let mut decision = GroupsDecision::default();
        let mut seen = BTreeSet::new();
        for key in &self.touched {
            if !seen.insert(*key) {
                continue;
            }
            match (self.before.groups.contains_key(key), self.groups.get(key)) {
                (_, Some(group)) => decision.writes.push(group.clone()),
                (true, None) => decision.deletes.push(*key),
                (false, None) => {}
            }
        }
        for (group, id) in self.changed {
            // Whoever was in a group that is deleted goes with it.
            if !self.groups.contains_key(&group) {
                continue;
            }
            match (self.before.memberships.contains(group, id), self.memberships.by_group.get(&(group, id))) {
                (false, Some(&is_group)) => decision.added.push((group, Member { id, is_group })),
                (true, None) => decision.removed.push((group, id)),
                (true, Some(_)) | (false, None) => {}
            }
        }
        decision.memberships = self.memberships;
        decision.groups = self.groups;
        decision
    }
}

fn name_key(group: &Group) -> NameKey {
    (group.company, fold(group.display_name()))
}

/// The name that a request asks for, when it can be told without applying it.
pub(crate) fn wanted_name(company: CompanyId, change: &GroupChange) -> Option<NameKey> {
    let name = match change {
        GroupChange::Create(attributes, _) | GroupChange::Replace(attributes, ..) => {
            attributes.get("displayName")?.as_str()?
        }
        GroupChange::Patch(..) | GroupChange::Delete(_) => return None,
    };
    Some((company, fold(name)))
}
