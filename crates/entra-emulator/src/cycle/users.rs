//! What is sent for one person? Match, create, read, diff, patch, delete.

use futures_util::FutureExt;

use crate::{
    deserialise::{self, Expected, Resource},
    emulator::{Emulator, UserLink, readable},
    mapping::{Change, Target},
    outcome::{Action, Failure, Outcome, Skip},
    tenant::{Account, Delta, ObjectId, Person, Tenant},
    wire::{self, Purpose, Request},
};

use super::{Run, is_unfinished, user_entry};

/// What became of a person, and the link to keep.
struct Provisioned {
    action: Action,
    outcome: Outcome,
    link: Option<UserLink>,
}

impl Emulator {
    pub(super) async fn run_users(&mut self, tenant: &Tenant, delta: &Delta, run: &mut Run) {
        self.run_purges(delta, run).await;
        let due: Vec<_> = tenant.people().filter(|person| delta.people.contains(&person.object_id)).collect();
        let (staying, leaving): (Vec<_>, Vec<_>) =
            due.into_iter().partition(|person| person.account == Account::Enabled);
        let (changed, new): (Vec<_>, Vec<_>) =
            staying.into_iter().partition(|person| self.users.get(person.object_id).is_some());
        for (phase, people) in [("leavers", leaving), ("changes", changed), ("users", new)] {
            self.run_people(phase, people, run).await;
        }
    }

    async fn run_purges(&mut self, delta: &Delta, run: &mut Run) {
        let mut linked = Vec::new();
        for id in &delta.purged_people {
            match self.users.get(*id) {
                Some(link) => linked.push((*id, link.clone())),
                None => {
                    let outcome = Outcome::Skipped(Skip::NotProvisioned);
                    run.entries.push(user_entry(*id, "", Action::Delete, outcome));
                }
            }
        }
        let results = self
            .for_each("deletions", linked, |job, (id, link): (ObjectId, UserLink)| {
                async move { (id, job.purge(&link).await, link) }.boxed()
            })
            .await;
        for (id, outcome, link) in results {
            run.users += 1;
            if is_unfinished(&outcome) {
                run.escrow.purged_people.insert(id);
            } else {
                self.unlink_user(id);
                run.deleted.push((id, link.clone()));
            }
            run.entries.push(user_entry(id, &link.name, Action::Delete, outcome));
        }
    }

    async fn purge(&self, link: &UserLink) -> Outcome {
        if self.is_stopped() {
            return Outcome::Skipped(Skip::Quarantined);
        }
        self.delete(wire::delete_user(&link.target_id)).await
    }

    /// DELETE; that it is gone already is as good.
    pub(super) async fn delete(&self, request: Request) -> Outcome {
        match self.must_succeed(request).await {
            Err(failure) if failure.status() != Some(404) => Outcome::Failure(failure),
            Ok(_) | Err(_) => Outcome::Success,
        }
    }

    async fn run_people(&mut self, phase: &'static str, people: Vec<&Person>, run: &mut Run) {
        let results = self
            .for_each(phase, people, |job, person| {
                async move { (person, job.provision(person).await) }.boxed()
            })
            .await;
        for (person, provisioned) in results {
            run.users += 1;
            if is_unfinished(&provisioned.outcome) {
                run.escrow.people.insert(person.object_id);
            }
            if let Some(link) = provisioned.link {
                self.link_user(person.object_id, link);
            }
            let name = &person.user_principal_name;
            run.entries.push(user_entry(person.object_id, name, provisioned.action, provisioned.outcome));
        }
    }

    async fn provision(&self, person: &Person) -> Provisioned {
        let link = self.users.get(person.object_id);
        // What a failure before the decision is counted as.
        let mut action = match (link.is_some(), person.account) {
            (false, _) => Action::Create,
            (true, Account::Enabled) => Action::Update,
            (true, Account::Disabled | Account::SoftDeleted) => Action::Disable,
        };
        if self.is_stopped() {
            return Provisioned { action, outcome: Outcome::Skipped(Skip::Quarantined), link: None };
        }
        match self.export(person, link, &mut action).await {
            Ok((outcome, link)) => Provisioned { action, outcome, link },
            Err(failure) => Provisioned { action, outcome: Outcome::Failure(failure), link: None },
        }
    }

    async fn export(
        &self,
        person: &Person,
        link: Option<&UserLink>,
        action: &mut Action,
    ) -> Result<(Outcome, Option<UserLink>), Failure> {
        if let Some(link) = link
            && let Some((_, resource)) = self.read_user(&link.target_id).await?
        {
            return self.update(person, resource, action).await;
        }
        // Not linked, or the linked user is gone from the target: match again, then create.
        *action = Action::Create;
        if person.account != Account::Enabled {
            return Ok((Outcome::Skipped(Skip::NotEffectivelyEntitled), None));
        }
        let by_name = wire::match_user(Purpose::Match, &person.user_principal_name);
        let Some(id) = self.find(by_name, Expected::User).await? else { return self.create(person).await };
        *action = Action::Link;
        match self.read_user(&id).await? {
            Some((_, resource)) => {
                let (outcome, link) = self.update(person, resource, action).await?;
                let is_redundant = matches!(outcome, Outcome::Skipped(Skip::RedundantExport));
                *action = if is_redundant { Action::Link } else { *action };
                Ok((if is_redundant { Outcome::Success } else { outcome }, link))
            }
            None => {
                *action = Action::Create;
                self.create(person).await
            }
        }
    }

    async fn create(&self, person: &Person) -> Result<(Outcome, Option<UserLink>), Failure> {
        let exchange = self.must_succeed(self.wording.create_user(person)).await?;
        let resource = readable(&exchange, deserialise::resource(&exchange, Expected::User))?;
        Ok((Outcome::Success, Some(link_to(person, &resource))))
    }

    /// Sends what differs from what was read, and nothing else.
    async fn update(
        &self,
        person: &Person,
        resource: Resource,
        action: &mut Action,
    ) -> Result<(Outcome, Option<UserLink>), Failure> {
        let changes = self.wording.mapping.differences(person, &resource.attributes);
        *action = name_of(&changes);
        let link = Some(link_to(person, &resource));
        if changes.is_empty() {
            return Ok((Outcome::Skipped(Skip::RedundantExport), link));
        }
        self.patch_user(self.wording.update_user(&resource.id, &changes)).await?;
        Ok((Outcome::Success, link))
    }

    /// A 204 is as good as a 200, but a 200 has to be readable.
    pub(super) async fn patch_user(&self, request: Request) -> Result<(), Failure> {
        let exchange = self.must_succeed(request).await?;
        if exchange.status() != Some(204) {
            readable(&exchange, deserialise::resource(&exchange, Expected::User))?;
        }
        Ok(())
    }

    async fn read_user(
        &self,
        id: &str,
    ) -> Result<Option<(std::sync::Arc<crate::exchange::Exchange>, Resource)>, Failure> {
        self.read(wire::read_user(Purpose::Read, id), Expected::User).await
    }
}

fn link_to(person: &Person, resource: &Resource) -> UserLink {
    let manager = Target::Enterprise("manager").read(&resource.attributes);
    let manager = manager.and_then(|manager| manager.get("value")?.as_str()).filter(|id| !id.is_empty());
    UserLink {
        target_id: resource.id.clone(),
        name: person.user_principal_name.clone(),
        manager: manager.map(str::to_owned),
    }
}

/// A PATCH that moves `active` is a disable or an enable, whatever else it carries.
fn name_of(changes: &[Change]) -> Action {
    let active = changes.iter().find(|change| change.target == Target::Plain("active"));
    match active.and_then(|change| change.desired.as_bool()) {
        Some(true) => Action::Enable,
        Some(false) => Action::Disable,
        None => Action::Update,
    }
}
