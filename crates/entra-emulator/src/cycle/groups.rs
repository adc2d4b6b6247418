//! What is sent for a group? Match, create or rename, then members as differences from what was sent before.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::FutureExt;

use crate::{
    deserialise::{self, Expected},
    emulator::{Emulator, GroupLink, readable},
    outcome::{Action, Failure, Outcome, Skip},
    tenant::{Delta, Group, ObjectId, Tenant},
    wire,
};

use super::{Run, group_entry, is_unfinished};

/// One membership that has to change in the target, as the target's id of the user.
enum Membership {
    Joins(ObjectId, String),
    Leaves(ObjectId, String),
}

impl Emulator {
    pub(super) fn groups_are_due(&self, tenant: &Tenant, delta: &Delta) -> bool {
        tenant.groups().next().is_some() || !delta.purged_groups.is_empty()
    }

    pub(super) async fn run_groups(
        &mut self,
        tenant: &Tenant,
        delta: &Delta,
        probe: Result<(), Failure>,
        run: &mut Run,
    ) {
        let due: Vec<_> = tenant.groups().filter(|group| delta.groups.contains(&group.object_id)).collect();
        if let Err(failure) = probe {
            self.fail_groups(&due, delta, &failure, run);
            return;
        }
        self.run_group_objects(due.clone(), run).await;
        self.run_members(&due, run).await;
        self.run_group_purges(delta, run).await;
    }

    /// Without groups in the target, everything that is due for them fails for the reason that the probe gave.
    fn fail_groups(&self, due: &[&Group], delta: &Delta, failure: &Failure, run: &mut Run) {
        let mut fail = |id, name: &str, action| {
            run.entries.push(group_entry(id, name, action, Outcome::Failure(failure.clone())));
        };
        for group in due {
            fail(group.object_id, &group.display_name, Action::Create);
        }
        for (id, link) in delta.purged_groups.iter().filter_map(|id| Some((*id, self.groups.get(id)?))) {
            fail(id, &link.name, Action::Delete);
        }
        run.escrow.groups.extend(due.iter().map(|group| group.object_id));
        run.escrow.purged_groups.extend(&delta.purged_groups);
    }

    async fn run_group_objects(&mut self, due: Vec<&Group>, run: &mut Run) {
        let results = self
            .for_each("groups", due, |job, group| {
                async move { (group, job.provision_group(group).await) }.boxed()
            })
            .await;
        for (group, (action, outcome, target_id)) in results {
            if is_unfinished(&outcome) {
                run.escrow.groups.insert(group.object_id);
            }
            if let Some(target_id) = target_id {
                let name = group.display_name.clone();
                // A group that was found again under another id has none of the members that were sent.
                let members = match self.groups.remove(&group.object_id) {
                    Some(former) if former.target_id == target_id => former.members,
                    Some(_) | None => BTreeMap::new(),
                };
                self.groups.insert(group.object_id, GroupLink { target_id, name, members });
            }
            run.entries.push(group_entry(group.object_id, &group.display_name, action, outcome));
        }
    }

    async fn provision_group(&self, group: &Group) -> (Action, Outcome, Option<String>) {
        let link = self.groups.get(&group.object_id);
        let mut action = if link.is_some() { Action::Update } else { Action::Create };
        if self.is_stopped() {
            return (action, Outcome::Skipped(Skip::Quarantined), None);
        }
        match self.export_group(group, link, &mut action).await {
            Ok((outcome, target_id)) => (action, outcome, Some(target_id)),
            Err(failure) => (action, Outcome::Failure(failure), None),
        }
    }

    async fn export_group(
        &self,
        group: &Group,
        link: Option<&GroupLink>,
        action: &mut Action,
    ) -> Result<(Outcome, String), Failure> {
        if let Some(link) = link
            && let Some(outcome) = self.update_group(group, &link.target_id).await?
        {
            return Ok((outcome, link.target_id.clone()));
        }
        *action = Action::Create;
        let found = self.find(wire::match_group(&group.display_name), Expected::Group).await?;
        if let Some(id) = found
            && let Some(outcome) = self.update_group(group, &id).await?
        {
            *action = if matches!(outcome, Outcome::Success) { Action::Update } else { Action::Link };
            return Ok((Outcome::Success, id));
        }
        let exchange = self.must_succeed(wire::create_group(group)).await?;
        let created = readable(&exchange, deserialise::resource(&exchange, Expected::Group))?;
        Ok((Outcome::Success, created.id))
    }

    /// Renames the group where its name differs; `None` when the target no longer has it.
    async fn update_group(&self, group: &Group, id: &str) -> Result<Option<Outcome>, Failure> {
        let Some((_, resource)) = self.read(wire::read_group(id), Expected::Group).await? else {
            return Ok(None);
        };
        if resource.attributes.get("displayName").and_then(|name| name.as_str()) == Some(&group.display_name)
        {
            return Ok(Some(Outcome::Skipped(Skip::RedundantExport)));
        }
        self.patch_group(self.wording.rename_group(id, &group.display_name)).await?;
        Ok(Some(Outcome::Success))
    }

    async fn run_members(&mut self, due: &[&Group], run: &mut Run) {
        let mut work = Vec::new();
        for group in due {
            if run.escrow.groups.contains(&group.object_id) {
                continue;
            }
            if group.members.iter().any(|member| run.escrow.people.contains(member)) {
                run.escrow.groups.insert(group.object_id);
            }
            let Some(link) = self.groups.get(&group.object_id) else { continue };
            let changes = self.membership_changes(group, link);
            if !changes.is_empty() {
                work.push((*group, link.target_id.clone(), changes));
            }
        }
        let results = self
            .for_each("members", work, |job, (group, id, changes): (_, String, Vec<Membership>)| {
                async move {
                    let (sent, outcome) = job.send_memberships(&id, changes).await;
                    (group, sent, outcome)
                }
                .boxed()
            })
            .await;
        for (group, sent, outcome) in results {
            if is_unfinished(&outcome) {
                run.escrow.groups.insert(group.object_id);
            }
            if let Some(link) = self.groups.get_mut(&group.object_id) {
                for membership in sent {
                    match membership {
                        Membership::Joins(member, id) => drop(link.members.insert(member, id)),
                        Membership::Leaves(member, _) => drop(link.members.remove(&member)),
                    }
                }
            }
            run.entries.push(group_entry(group.object_id, &group.display_name, Action::Members, outcome));
        }
    }

    /// Who joins and who leaves. A member that is not provisioned is left out, and nobody leaves whose account
    /// another member has taken over.
    fn membership_changes(&self, group: &Group, link: &GroupLink) -> Vec<Membership> {
        let present: BTreeMap<_, _> = group
            .members
            .iter()
            .filter_map(|id| Some((*id, self.users.get(*id)?.target_id.clone())))
            .collect();
        let kept: BTreeSet<_> = present.values().collect();
        let leaving: Vec<_> = link
            .members
            .iter()
            .filter(|(member, id)| !group.members.contains(member) && !kept.contains(id))
            .map(|(member, id)| Membership::Leaves(*member, id.clone()))
            .collect();
        let joining = present.into_iter().filter(|(member, id)| link.members.get(member) != Some(id));
        joining.map(|(member, id)| Membership::Joins(member, id)).chain(leaving).collect()
    }

    /// Sends the changes, so many in a PATCH as the settings allow; returns what was accepted before the first failure.
    async fn send_memberships(&self, id: &str, changes: Vec<Membership>) -> (Vec<Membership>, Outcome) {
        let mut sent = Vec::new();
        let mut remaining = changes.into_iter().peekable();
        while remaining.peek().is_some() {
            if self.is_stopped() {
                return (sent, Outcome::Skipped(Skip::Quarantined));
            }
            let chunk: Vec<_> = remaining.by_ref().take(self.settings.member_chunk.max(1)).collect();
            let (mut joining, mut leaving) = (Vec::new(), Vec::new());
            for membership in &chunk {
                match membership {
                    Membership::Joins(_, id) => joining.push(id.clone()),
                    Membership::Leaves(_, id) => leaving.push(id.clone()),
                }
            }
            if let Err(failure) = self.patch_group(self.wording.change_members(id, &joining, &leaving)).await
            {
                return (sent, Outcome::Failure(failure));
            }
            sent.extend(chunk);
        }
        (sent, Outcome::Success)
    }

    async fn run_group_purges(&mut self, delta: &Delta, run: &mut Run) {
        for id in &delta.purged_groups {
            let Some(link) = self.groups.get(id) else { continue };
            let outcome = if self.is_stopped() {
                Outcome::Skipped(Skip::Quarantined)
            } else {
                self.delete(wire::delete_group(&link.target_id)).await
            };
            run.entries.push(group_entry(*id, &link.name, Action::Delete, outcome.clone()));
            if is_unfinished(&outcome) {
                run.escrow.purged_groups.insert(*id);
            } else {
                self.groups.remove(id);
            }
        }
    }

    async fn patch_group(&self, request: wire::Request) -> Result<(), Failure> {
        let exchange = self.must_succeed(request).await?;
        if exchange.status() != Some(204) {
            readable(&exchange, deserialise::resource(&exchange, Expected::Group))?;
        }
        Ok(())
    }
}
