//! What is true in Entra? The people and groups of one customer, and what has changed since the last cycle.
//!
//! A scenario changes the tenant (hire, rename, disable …) and then lets the [`Emulator`](crate::Emulator) run a
//! cycle, which reads the changes the way Entra's delta query does: which objects, not which attributes.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;
use uuid::Uuid;

use crate::people::{self, People};

/// The immutable id of a user or group in Entra.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ObjectId(pub Uuid);

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// Whether a person may sign in. Everything but `Enabled` makes Entra send `active` false, never DELETE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Account {
    /// Assigned, enabled, present.
    Enabled,
    /// `accountEnabled` is false.
    Disabled,
    /// In the recycle bin for 30 days; the sign-in name is free for someone else.
    SoftDeleted,
}

/// One user object, with the source attributes of the default mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are Entra's own attribute names")]
pub struct Person {
    pub object_id: ObjectId,
    pub account: Account,
    pub user_principal_name: String,
    pub display_name: String,
    pub given_name: Option<String>,
    pub surname: Option<String>,
    pub mail: Option<String>,
    pub mail_nickname: Option<String>,
    pub job_title: Option<String>,
    pub department: Option<String>,
    pub employee_id: Option<String>,
    pub preferred_language: Option<String>,
    pub office: Option<String>,
    pub street_address: Option<String>,
    pub city: Option<String>,
    pub state: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
    pub telephone_number: Option<String>,
    pub mobile: Option<String>,
    pub fax: Option<String>,
    pub manager: Option<ObjectId>,
}

/// One security group that is assigned to the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its id; sent as `externalId`.
    pub object_id: ObjectId,
    /// Its name; the matching attribute.
    pub display_name: String,
    /// The people who are direct members.
    pub members: BTreeSet<ObjectId>,
}

/// What to generate.
#[derive(Debug, Clone)]
pub struct Generation {
    /// How many people.
    pub users: usize,
    /// How many groups. The first holds everybody, each other one about a fifth.
    pub groups: usize,
    /// The same seed gives the same tenant.
    pub seed: u64,
    /// The domain of sign-in names, for example `contoso.com`.
    pub domain: String,
}

/// What a delta query returns: objects that are new or changed, and those that are gone for good.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) people: BTreeSet<ObjectId>,
    pub(crate) groups: BTreeSet<ObjectId>,
    pub(crate) purged_people: BTreeSet<ObjectId>,
    pub(crate) purged_groups: BTreeSet<ObjectId>,
}

/// The source of truth of one customer.
///
/// Objects keep the order in which they were created, so that runs can be repeated exactly.
#[derive(Debug)]
pub struct Tenant {
    domain: String,
    random: StdRng,
    dealer: People,
    people: BTreeMap<u64, Person>,
    groups: BTreeMap<u64, Group>,
    positions: BTreeMap<ObjectId, u64>,
    next_position: u64,
    delta: Delta,
}

impl Tenant {
    /// A company without people.
    #[must_use]
    pub fn empty(domain: &str, seed: u64) -> Self {
        Self {
            domain: domain.to_owned(),
            random: StdRng::seed_from_u64(seed),
            dealer: People::at(domain),
            people: BTreeMap::new(),
            groups: BTreeMap::new(),
            positions: BTreeMap::new(),
            next_position: 0,
            delta: Delta::default(),
        }
    }

    /// A company with generated people whose managers form a tree, and groups of them.
    #[must_use]
    pub fn generate(generation: &Generation) -> Self {
        let mut tenant = Self::empty(&generation.domain, generation.seed);
        let mut hired = Vec::with_capacity(generation.users);
        for position in 0..generation.users {
            let mut person = tenant.dealer.next(&mut tenant.random);
            person.manager = people::manager_position(position).and_then(|at| hired.get(at).copied());
            hired.push(tenant.add(person));
        }
        for number in 0..generation.groups {
            let members = hired
                .iter()
                .enumerate()
                .filter(|(at, _)| {
                    number == 0 || at % generation.groups == number || tenant.random.random_bool(0.2)
                })
                .map(|(_, id)| *id)
                .collect();
            let name =
                format!("{} #{} ({})", people::department(&mut tenant.random), number + 1, tenant.domain);
            tenant.create_group(&name, members);
        }
        tenant
    }

    /// Hires a generated person.
    pub fn hire(&mut self) -> ObjectId {
        let person = self.dealer.next(&mut self.random);
        self.add(person)
    }

    /// Hires a person with this name; the sign-in name is `user_name` or `user_name@domain`.
    pub fn hire_named(&mut self, given: &str, surname: &str, user_name: &str) -> ObjectId {
        let upn = if user_name.contains('@') {
            user_name.to_owned()
        } else {
            format!("{user_name}@{}", self.domain)
        };
        let nickname = upn.split('@').next().unwrap_or_default().to_owned();
        self.dealer.reserve(&nickname);
        let person = Person {
            display_name: format!("{given} {surname}"),
            given_name: Some(given.to_owned()),
            surname: Some(surname.to_owned()),
            mail: Some(upn.clone()),
            mail_nickname: Some(nickname),
            user_principal_name: upn,
            ..self.dealer.next(&mut self.random)
        };
        self.add(person)
    }

    /// Adds a person as described.
    pub fn add(&mut self, person: Person) -> ObjectId {
        let id = person.object_id;
        let position = self.take_position(id);
        self.people.insert(position, person);
        self.delta.people.insert(id);
        id
    }

    /// Changes a person in any way; `false` when there is no such person.
    pub fn edit(&mut self, id: ObjectId, change: impl FnOnce(&mut Person)) -> bool {
        let Some(person) = self.positions.get(&id).and_then(|at| self.people.get_mut(at)) else {
            return false;
        };
        change(person);
        person.object_id = id;
        self.delta.people.insert(id);
        true
    }

    /// Gives a person a new family name and everything that follows from it: display name, sign-in name, mail.
    pub fn rename(&mut self, id: ObjectId, surname: &str, user_name: &str) -> bool {
        let upn = format!("{user_name}@{}", self.domain);
        self.edit(id, |person| {
            person.display_name = format!("{} {surname}", person.given_name.as_deref().unwrap_or_default());
            person.surname = Some(surname.to_owned());
            person.mail = Some(upn.clone());
            person.mail_nickname = Some(user_name.to_owned());
            person.user_principal_name = upn;
        })
    }

    /// Sets or clears a person's manager.
    pub fn set_manager(&mut self, id: ObjectId, manager: Option<ObjectId>) -> bool {
        self.edit(id, |person| person.manager = manager)
    }

    /// Blocks sign-in.
    pub fn disable(&mut self, id: ObjectId) -> bool {
        self.edit(id, |person| person.account = Account::Disabled)
    }

    /// Allows sign-in again, also for a person restored from the recycle bin.
    pub fn enable(&mut self, id: ObjectId) -> bool {
        self.edit(id, |person| person.account = Account::Enabled)
    }

    /// Moves a person to the recycle bin: Entra sends `active` false.
    pub fn soft_delete(&mut self, id: ObjectId) -> bool {
        self.edit(id, |person| person.account = Account::SoftDeleted)
    }

    /// Deletes a person for good: Entra sends DELETE. References to the person disappear with it.
    pub fn delete(&mut self, id: ObjectId) -> Option<Person> {
        let person = self.people.remove(&self.positions.remove(&id)?)?;
        self.delta.people.remove(&id);
        self.delta.purged_people.insert(id);
        for report in self.people.values_mut().filter(|report| report.manager == Some(id)) {
            report.manager = None;
        }
        for group in self.groups.values_mut() {
            group.members.remove(&id);
        }
        Some(person)
    }

    /// Hires someone again who was deleted or is in the recycle bin: same sign-in name, new object id.
    pub fn rehire(&mut self, former: &Person) -> ObjectId {
        let object_id = people::object_id(&mut self.random);
        let manager = former.manager.filter(|id| self.person(*id).is_some());
        self.add(Person { object_id, account: Account::Enabled, manager, ..former.clone() })
    }

    /// Creates a group.
    pub fn create_group(&mut self, display_name: &str, members: BTreeSet<ObjectId>) -> ObjectId {
        let object_id = people::object_id(&mut self.random);
        let position = self.take_position(object_id);
        self.groups.insert(position, Group { object_id, display_name: display_name.to_owned(), members });
        self.delta.groups.insert(object_id);
        object_id
    }

    /// Changes a group's name or members; `false` when there is no such group.
    pub fn edit_group(&mut self, id: ObjectId, change: impl FnOnce(&mut Group)) -> bool {
        let Some(group) = self.positions.get(&id).and_then(|at| self.groups.get_mut(at)) else {
            return false;
        };
        change(group);
        group.object_id = id;
        self.delta.groups.insert(id);
        true
    }

    /// Deletes a group: Entra sends DELETE.
    pub fn delete_group(&mut self, id: ObjectId) -> Option<Group> {
        let group = self.groups.remove(&self.positions.remove(&id)?)?;
        self.delta.groups.remove(&id);
        self.delta.purged_groups.insert(id);
        Some(group)
    }

    /// The person with this object id, unless deleted.
    #[must_use]
    pub fn person(&self, id: ObjectId) -> Option<&Person> {
        self.people.get(self.positions.get(&id)?)
    }

    /// The group with this object id, unless deleted.
    #[must_use]
    pub fn group(&self, id: ObjectId) -> Option<&Group> {
        self.groups.get(self.positions.get(&id)?)
    }

    /// Everybody who is not deleted, in the order in which they came.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// All groups, in the order in which they were created.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    /// The domain of sign-in names.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What changed since this was last asked: the delta query, and its new watermark.
    pub(crate) fn take_delta(&mut self) -> Delta {
        std::mem::take(&mut self.delta)
    }

    fn take_position(&mut self, id: ObjectId) -> u64 {
        self.next_position += 1;
        self.positions.insert(id, self.next_position);
        self.next_position
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Tenant {
        fn hire_and_read(&mut self) -> Person {
            let id = self.hire();
            self.person(id).unwrap().clone()
        }
    }

    #[test]
    fn a_change_is_reported_once_and_a_deletion_supersedes_it() {
        let mut tenant = Tenant::empty("contoso.com", 1);
        let anna = tenant.hire_named("Anna", "Berg", "anna.berg");
        assert_eq!(tenant.take_delta().people, BTreeSet::from([anna]));
        assert_eq!(tenant.take_delta(), Delta::default());
        tenant.rename(anna, "Lind", "anna.lind");
        tenant.delete(anna);
        let delta = tenant.take_delta();
        assert!(delta.people.is_empty());
        assert_eq!(delta.purged_people, BTreeSet::from([anna]));
    }

    #[test]
    fn a_rehired_person_keeps_the_name_and_gets_a_new_object_id() {
        let mut tenant = Tenant::empty("contoso.com", 1);
        let first = tenant.hire_named("Anna", "Berg", "anna.berg");
        let former = tenant.delete(first).unwrap();
        let second = tenant.rehire(&former);
        assert_ne!(first, second);
        assert_eq!(tenant.person(second).unwrap().user_principal_name, "anna.berg@contoso.com");
    }

    #[test]
    fn nobody_is_dealt_the_name_of_someone_hired_by_name() {
        let mut elsewhere = Tenant::empty("contoso.com", 1);
        elsewhere.hire();
        let dealt = elsewhere.hire_and_read();
        let mut tenant = Tenant::empty("contoso.com", 1);
        tenant.hire_named("Somebody", "Else", dealt.mail_nickname.as_deref().unwrap());
        assert_ne!(tenant.hire_and_read().user_principal_name, dealt.user_principal_name);
    }

    #[test]
    fn the_same_seed_generates_the_same_tenant() {
        let generation = Generation { users: 60, groups: 3, seed: 5, domain: "contoso.com".into() };
        let (a, b) = (Tenant::generate(&generation), Tenant::generate(&generation));
        assert!(a.people().eq(b.people()) && a.groups().eq(b.groups()));
        assert_eq!(a.groups().next().unwrap().members.len(), 60);
    }
}
