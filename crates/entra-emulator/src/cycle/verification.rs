//! Did it arrive? Everything linked is read back and compared: by id and by filter, attribute by attribute.
//!
//! Entra does not do this. It finds out more slowly: a value that does not come back as it was sent is sent again in
//! every cycle.

use std::{collections::BTreeSet, sync::Arc};

use futures_util::FutureExt;

use crate::{
    deserialise::{self, Expected, Resource},
    emulator::{Emulator, GroupLink, UserLink, readable},
    exchange::Exchange,
    mapping::Target,
    outcome::{Action, Failure, Outcome},
    tenant::{Account, Group, ObjectId, Person, Tenant},
    wire::{self, Purpose},
};

use super::{Run, group_entry, user_entry};

impl Emulator {
    /// Verifies what did not fail already: one cause is reported once.
    pub(super) async fn run_verification(&mut self, tenant: &Tenant, run: &mut Run) {
        let people: Vec<_> = tenant
            .people()
            .filter(|person| !run.escrow.people.contains(&person.object_id))
            .filter_map(|person| Some((person, self.users.get(person.object_id)?)))
            .collect();
        let verified = self
            .for_each("verification", people, |job, (person, link)| {
                async move {
                    let outcome = verdict(job.verify_user(person, link).await);
                    user_entry(person.object_id, &link.name, Action::Verify, outcome)
                }
                .boxed()
            })
            .await;
        run.entries.extend(verified);
        self.verify_deletions(run).await;
        self.verify_groups(tenant, run).await;
    }

    async fn verify_deletions(&self, run: &mut Run) {
        let deleted = std::mem::take(&mut run.deleted);
        let verified = self
            .for_each("verification of deletions", deleted, |job, (id, link): (ObjectId, UserLink)| {
                async move {
                    let outcome = verdict(job.verify_absence(&link).await);
                    user_entry(id, &link.name, Action::Verify, outcome)
                }
                .boxed()
            })
            .await;
        run.entries.extend(verified);
    }

    async fn verify_groups(&self, tenant: &Tenant, run: &mut Run) {
        let groups: Vec<_> = tenant
            .groups()
            .filter(|group| !run.escrow.groups.contains(&group.object_id))
            .filter_map(|group| Some((group, self.groups.get(&group.object_id)?)))
            .collect();
        let verified = self
            .for_each("verification of groups", groups, |job, (group, link)| {
                async move {
                    let outcome = verdict(job.verify_group(group, link).await);
                    group_entry(group.object_id, &link.name, Action::Verify, outcome)
                }
                .boxed()
            })
            .await;
        run.entries.extend(verified);
    }

    async fn verify_user(&self, person: &Person, link: &UserLink) -> Result<(), Failure> {
        let exchange = self.must_succeed(wire::read_user(Purpose::Verify, &link.target_id)).await?;
        let by_id = readable(&exchange, deserialise::resource(&exchange, Expected::User))?;
        self.compare(person, link, &exchange, &by_id)?;
        let by_name = wire::match_user(Purpose::Verify, &person.user_principal_name);
        let exchange = self.must_succeed(by_name).await?;
        match readable(&exchange, deserialise::list(&exchange, Expected::User))?.as_slice() {
            [one] => self.compare(person, link, &exchange, one),
            others => {
                let reason = format!("the filter for its userName returns {} users", others.len());
                Err(Failure::differs(&exchange, reason))
            }
        }
    }

    fn compare(
        &self,
        person: &Person,
        link: &UserLink,
        exchange: &Arc<Exchange>,
        resource: &Resource,
    ) -> Result<(), Failure> {
        if resource.id != link.target_id {
            let reason = format!("its id is {:?} but {:?} was linked", resource.id, link.target_id);
            return Err(Failure::differs(exchange, reason));
        }
        let mut wrong: Vec<_> = self
            .wording
            .mapping
            .differences(person, &resource.attributes)
            .iter()
            .map(|change| {
                let current =
                    change.current.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
                format!("{} is {current}, not {}", change.target, change.desired)
            })
            .collect();
        if let Some(expected) = self.expected_manager(person) {
            let manager = Target::Enterprise("manager").read(&resource.attributes);
            let actual = manager.and_then(|manager| manager.get("value")?.as_str());
            if actual != Some(expected) {
                wrong.push(format!("manager is {}, not {expected:?}", actual.unwrap_or("nothing")));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        let reason = format!("{}. Entra would PATCH this again in every cycle.", wrong.join("; "));
        Err(Failure::differs(exchange, reason))
    }

    /// The manager that the target must show: the one that was sent.
    fn expected_manager(&self, person: &Person) -> Option<&str> {
        let manager = person.manager.filter(|_| person.account == Account::Enabled)?;
        let manager = &self.users.get(manager)?.target_id;
        (self.users.get(person.object_id)?.manager.as_ref() == Some(manager)).then_some(manager)
    }

    /// RFC 7644 §3.6: after DELETE, 404 by id and absent from queries.
    async fn verify_absence(&self, link: &UserLink) -> Result<(), Failure> {
        let exchange = self.client.send(wire::read_user(Purpose::Verify, &link.target_id)).await;
        match exchange.status() {
            Some(404) => {}
            Some(200..=299) => {
                return Err(Failure::differs(&exchange, "it was deleted but can still be read".to_owned()));
            }
            _ => return Err(Failure::refused(&exchange)),
        }
        let exchange = self.must_succeed(wire::match_user(Purpose::Verify, &link.name)).await?;
        let found = readable(&exchange, deserialise::list(&exchange, Expected::User))?;
        if found.iter().any(|resource| resource.id == link.target_id) {
            return Err(Failure::differs(
                &exchange,
                "it was deleted but is still found by its userName".to_owned(),
            ));
        }
        Ok(())
    }

    async fn verify_group(&self, group: &Group, link: &GroupLink) -> Result<(), Failure> {
        let exchange = self.must_succeed(wire::read_group_with_members(&link.target_id)).await?;
        let resource = readable(&exchange, deserialise::resource(&exchange, Expected::Group))?;
        let name = resource.attributes.get("displayName").and_then(|name| name.as_str());
        if name != Some(&group.display_name) {
            let reason = format!("displayName is {name:?}, not {:?}", group.display_name);
            return Err(Failure::differs(&exchange, reason));
        }
        let members = resource.attributes.get("members").and_then(|members| members.as_array());
        let actual: BTreeSet<_> =
            members.into_iter().flatten().filter_map(|member| member.get("value")?.as_str()).collect();
        let expected: BTreeSet<_> = link.members.values().map(String::as_str).collect();
        let missing = expected.difference(&actual).count();
        let surplus = actual.difference(&expected).count();
        if missing + surplus == 0 {
            return Ok(());
        }
        let reason =
            format!("of {} members {missing} are missing, and {surplus} should not be there", expected.len());
        Err(Failure::differs(&exchange, reason))
    }
}

fn verdict(result: Result<(), Failure>) -> Outcome {
    match result {
        Ok(()) => Outcome::Success,
        Err(failure) => Outcome::Failure(failure),
    }
}
