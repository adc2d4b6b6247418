//! What the callers are told of a batch, and the log.

use std::collections::{BTreeSet, HashMap};

use bus_contract::{
    directory::{DirectGroup, Manager, UserRecord},
    provisioning::{self, Applied as AppliedResult, Refused, outcome::Result as OutcomeResult},
};
use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, MemberId, UserId};

use super::{
    changes::{self, Owner},
    decide::{
        Decision, Known, Outcome,
        groups::{GroupKey, GroupOutcome},
    },
    refuse,
    request::{Change, Request},
};
use crate::{
    group::Group,
    prefix::shown_groups,
    store::{self, log::Line},
    user::User,
};

/// Everything that is shown of users beside their own attributes, as it is after the batch.
pub(crate) struct Around<'a> {
    managers: HashMap<(CompanyId, UserId), Manager>,
    group_names: &'a HashMap<GroupKey, String>,
    decision: &'a Decision,
}

impl<'a> Around<'a> {
    pub(super) fn look(
        conn: &mut PgConnection,
        companies: &[CompanyId],
        known: &Known,
        group_names: &'a HashMap<GroupKey, String>,
        decision: &'a Decision,
    ) -> QueryResult<Self> {
        Ok(Self { managers: managers(conn, companies, known, decision)?, group_names, decision })
    }

    /// A user as the bus carries it.
    pub(crate) fn record(&self, user: &User) -> UserRecord {
        let manager = user.manager().and_then(|manager| self.managers.get(&(user.company, manager)).cloned());
        let member = (user.company, MemberId::from_uuid(user.id.as_uuid()));
        let groups = self.decision.groups.memberships.of_member(member).into_iter().map(|group| {
            let key = (user.company, group);
            let name = self.decision.groups.groups.get(&key).map(|group| group.display_name());
            let name = name.or_else(|| self.group_names.get(&key).map(String::as_str));
            DirectGroup { group_id: group.to_string(), display_name: name.unwrap_or_default().to_owned() }
        });
        UserRecord { groups: shown_groups(groups), ..user.to_record(manager) }
    }

    pub(super) fn result(&self, outcome: &Outcome) -> OutcomeResult {
        let mut applied = AppliedResult { changed: true, ..AppliedResult::default() };
        match outcome {
            Outcome::Refused(refusal) => return OutcomeResult::Refused(refuse::to_wire(refusal)),
            Outcome::Created(user)
            | Outcome::Updated { after: user, .. }
            | Outcome::Restored { user, .. } => applied.user = Some(self.record(user)),
            Outcome::Unchanged(user) => {
                applied.user = Some(self.record(user));
                applied.changed = false;
            }
            Outcome::Group(GroupOutcome::Created { group, .. } | GroupOutcome::Updated { group, .. }) => {
                applied.group = Some(group.to_record());
            }
            Outcome::Group(GroupOutcome::Unchanged(group)) => {
                applied.group = Some(group.to_record());
                applied.changed = false;
            }
            Outcome::Deleted { .. } | Outcome::Group(GroupOutcome::Deleted { .. }) => {}
        }
        OutcomeResult::Applied(applied)
    }
}

/// The managers that the answers name and that exist after the batch.
fn managers(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    known: &Known,
    decision: &Decision,
) -> QueryResult<HashMap<(CompanyId, UserId), Manager>> {
    let wanted: BTreeSet<_> = decision
        .outcomes
        .iter()
        .filter_map(|outcome| shown(outcome).and_then(|user| Some((user.company, user.manager()?))))
        .collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let gone: BTreeSet<_> = decision.deletes.iter().collect();
    let written = decision.inserts.iter().chain(&decision.updates).map(|user| (user.key(), user));
    // What is written replaces what was known.
    let in_hand: HashMap<_, _> = known.users.iter().map(|(key, user)| (*key, user)).chain(written).collect();
    let mut managers = HashMap::new();
    let mut elsewhere = Vec::new();
    for key in wanted {
        match in_hand.get(&key) {
            _ if gone.contains(&key) => {}
            Some(user) => {
                managers.insert(key, manager(key.1, user.display_name()));
            }
            None => elsewhere.push(key),
        }
    }
    let found = store::users::display_names(conn, companies, &elsewhere)?;
    managers.extend(found.into_iter().map(|(key, name)| (key, manager(key.1, name.as_deref()))));
    Ok(managers)
}

fn manager(id: UserId, name: Option<&str>) -> Manager {
    Manager { user_id: id.to_string(), display_name: name.unwrap_or_default().to_owned() }
}

/// The user that the answer shows.
fn shown(outcome: &Outcome) -> Option<&User> {
    match outcome {
        Outcome::Created(user)
        | Outcome::Unchanged(user)
        | Outcome::Updated { after: user, .. }
        | Outcome::Restored { user, .. } => Some(user),
        Outcome::Deleted { .. } | Outcome::Group(_) | Outcome::Refused(_) => None,
    }
}

pub(super) fn told(request: &Request, result: OutcomeResult) -> provisioning::Outcome {
    provisioning::Outcome { request_id: request.id.to_string(), repeated: false, result: Some(result) }
}

pub(super) fn line<'a>(
    request: &'a Request,
    outcome: &'a Outcome,
    result: &OutcomeResult,
    known: &'a Known,
) -> Line<'a> {
    let line = Line {
        request,
        outcome: word(outcome),
        refusal: None,
        target_name: None,
        changes: None,
        members_added: 0,
        members_removed: 0,
    };
    match outcome {
        Outcome::Created(user)
        | Outcome::Unchanged(user)
        | Outcome::Deleted { user, .. }
        | Outcome::Restored { user, .. } => Line { target_name: Some(user.user_name()), ..line },
        Outcome::Updated { before, after, changed } => Line {
            target_name: Some(after.user_name()),
            changes: changes::text(Owner::User, &before.attributes, &after.attributes, changed),
            ..line
        },
        Outcome::Group(outcome) => match outcome {
            GroupOutcome::Created { group, added } => {
                Line { target_name: Some(group.display_name()), members_added: added.len(), ..line }
            }
            GroupOutcome::Updated { before, group, changed, added, removed } => Line {
                target_name: Some(group.display_name()),
                changes: changes::text(Owner::Group, &before.attributes, &group.attributes, changed),
                members_added: added.len(),
                members_removed: removed.len(),
                ..line
            },
            GroupOutcome::Unchanged(group) | GroupOutcome::Deleted { group, .. } => {
                Line { target_name: Some(group.display_name()), ..line }
            }
        },
        Outcome::Refused(_) => {
            let refusal = match result {
                OutcomeResult::Refused(refused) => Some(refused.clone()),
                OutcomeResult::Applied(_) => None,
            };
            Line { refusal, target_name: request.named().or_else(|| known_name(request, known)), ..line }
        }
    }
}

/// As the table's check constraint spells it.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Created(_) | Outcome::Restored { .. } | Outcome::Group(GroupOutcome::Created { .. }) => {
            "created"
        }
        Outcome::Updated { .. } | Outcome::Group(GroupOutcome::Updated { .. }) => "updated",
        Outcome::Unchanged(_) | Outcome::Group(GroupOutcome::Unchanged(_)) => "unchanged",
        Outcome::Deleted { .. } | Outcome::Group(GroupOutcome::Deleted { .. }) => "deleted",
        Outcome::Refused(_) => "refused",
    }
}

/// What somebody was called before the batch.
fn known_name<'a>(request: &Request, known: &'a Known) -> Option<&'a str> {
    match request.change {
        Change::User(user, _) => {
            let key = (request.company, user);
            let present = known.users.get(&key).map(User::user_name);
            present.or_else(|| known.removed.people.get(&key).map(|removed| removed.user_name.as_str()))
        }
        Change::Group(group, _) => {
            known.groups.groups.get(&(request.company, group)).map(Group::display_name)
        }
    }
}

/// The line of a request that can never be stored. Nothing of what it says is in it.
pub(super) fn refused_line(request: &Request, refusal: Refused) -> Line<'_> {
    Line {
        request,
        outcome: "refused",
        refusal: Some(refusal),
        target_name: None,
        changes: None,
        members_added: 0,
        members_removed: 0,
    }
}
