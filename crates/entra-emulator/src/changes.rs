//! What happens in a company between two cycles? Seeded changes of every kind that Entra sends.

use rand::{Rng, SeedableRng, rngs::StdRng, seq::IteratorRandom};

use crate::{
    people,
    tenant::{Account, ObjectId, Person, Tenant},
};

/// The kinds of change that are dealt out in turn.
type Change = fn(&mut Turnover, &mut Tenant) -> bool;

/// Returns come before departures, so that nobody leaves and returns within one cycle unnoticed.
const KINDS: [Change; 11] = [
    Turnover::rename,
    Turnover::rename_in_case_only,
    Turnover::change_department,
    Turnover::change_phone,
    Turnover::change_manager,
    Turnover::enable_again,
    Turnover::hire_again,
    Turnover::disable,
    Turnover::soft_delete,
    Turnover::hard_delete,
    Turnover::hire,
];

/// Lives through a company's changes; remembers who left, so that they can come back.
#[derive(Debug)]
pub struct Turnover {
    random: StdRng,
    /// The share of people that a round changes, in percent.
    percent: usize,
    /// People who left in this round.
    leaving: Vec<Person>,
    /// People who left in earlier rounds and may be hired again.
    former: Vec<Person>,
}

impl Turnover {
    /// Changes about `percent` of the people per round, and at least one of each kind that is possible.
    #[must_use]
    pub fn new(seed: u64, percent: usize) -> Self {
        let random = StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(7));
        Self { random, percent, leaving: Vec::new(), former: Vec::new() }
    }

    /// One round; returns how many changes were made.
    pub fn round(&mut self, tenant: &mut Tenant) -> usize {
        let wanted = (tenant.people().count() * self.percent / 100).max(KINDS.len());
        self.former.append(&mut self.leaving);
        let mut made = 0;
        for kind in KINDS.iter().cycle().take(wanted) {
            made += usize::from(kind(self, tenant));
        }
        if let Some(group) = tenant.groups().choose(&mut self.random).map(|group| group.object_id) {
            made += usize::from(self.change_group(tenant, group));
        }
        made
    }

    fn someone(&mut self, tenant: &Tenant, account: Account) -> Option<ObjectId> {
        // The head of the company stays, so that the managers remain one tree.
        let candidates = tenant.people().skip(1).filter(|person| person.account == account);
        candidates.choose(&mut self.random).map(|person| person.object_id)
    }

    fn rename(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        let (surname, ascii) = people::surname(&mut self.random);
        // The number keeps the new sign-in name free.
        let user_name = format!("{ascii}.{}", self.random.random_range(1_000_000..9_999_999));
        tenant.rename(id, surname, &user_name)
    }

    fn rename_in_case_only(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        tenant.edit(id, |person| {
            let (name, domain) = person.user_principal_name.split_once('@').unwrap_or_default();
            let upper = name.to_uppercase();
            let other = if name == upper { name.to_lowercase() } else { upper };
            person.user_principal_name = format!("{other}@{domain}");
        })
    }

    fn change_department(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        let department = people::department(&mut self.random);
        tenant.edit(id, |person| person.department = Some(department))
    }

    /// A number for whoever had none is an Add, another number is a Replace.
    fn change_phone(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        let number = people::phone("+49 30 555", &mut self.random);
        tenant.edit(id, |person| person.mobile = Some(number))
    }

    fn change_manager(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        // To the head of the company: whoever it is, that makes no ring.
        let head = tenant.people().next().map(|person| person.object_id);
        tenant.set_manager(id, head)
    }

    fn disable(&mut self, tenant: &mut Tenant) -> bool {
        self.someone(tenant, Account::Enabled).is_some_and(|id| tenant.disable(id))
    }

    fn soft_delete(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        self.leaving.extend(tenant.person(id).cloned());
        tenant.soft_delete(id)
    }

    /// The reports of whoever leaves go to the next manager above.
    fn hard_delete(&mut self, tenant: &mut Tenant) -> bool {
        let Some(id) = self.someone(tenant, Account::Enabled) else { return false };
        let reports: Vec<_> =
            tenant.people().filter(|p| p.manager == Some(id)).map(|p| p.object_id).collect();
        let Some(person) = tenant.delete(id) else { return false };
        for report in reports {
            tenant.set_manager(report, person.manager);
        }
        self.leaving.push(person);
        true
    }

    fn enable_again(&mut self, tenant: &mut Tenant) -> bool {
        self.someone(tenant, Account::Disabled).is_some_and(|id| tenant.enable(id))
    }

    /// Someone who was deleted and someone from the recycle bin come back: the old sign-in name, a new object.
    fn hire_again(&mut self, tenant: &mut Tenant) -> bool {
        let returning = self.former.len().min(2);
        for person in self.former.drain(..returning) {
            tenant.rehire(&person);
        }
        returning > 0
    }

    fn hire(&mut self, tenant: &mut Tenant) -> bool {
        let head = tenant.people().next().map(|person| person.object_id);
        let id = tenant.hire();
        tenant.set_manager(id, head)
    }

    fn change_group(&mut self, tenant: &mut Tenant, group: ObjectId) -> bool {
        let newcomer = tenant.people().filter(|p| p.account == Account::Enabled).last().map(|p| p.object_id);
        let suffix = self.random.random_range(100..1_000);
        tenant.edit_group(group, |group| {
            group.display_name = format!("{} {suffix}", group.display_name);
            group.members.pop_first();
            group.members.extend(newcomer);
        })
    }
}
