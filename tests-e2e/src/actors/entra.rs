//! Entra's provisioning job for one company, played by `entra-emulator`.

use entra_emulator::{Action, Credential, Cycle, Dialect, Emulator, ObjectId, Settings, Tenant};

use super::scim::Scim;

/// A tenant in Entra and its provisioning job.
pub struct Entra {
    /// The people in Entra.
    pub tenant: Tenant,
    /// The job.
    pub job: Emulator,
}

impl Entra {
    /// A job for this tenant, in Entra's default dialect unless `change` says otherwise.
    ///
    /// # Panics
    /// When the settings cannot be used.
    #[must_use]
    pub fn new(url: &str, token: &str, tenant: Tenant, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::new(url, token.to_owned());
        change(&mut settings);
        Self { tenant, job: Emulator::new(settings).expect("settings of the emulator") }
    }

    /// A job for this tenant with this credential.
    ///
    /// # Panics
    /// When the credential cannot be used.
    #[must_use]
    pub fn by(url: &str, credential: Credential, tenant: Tenant) -> Self {
        let settings = Settings::with_credential(url, credential);
        Self { tenant, job: Emulator::new(settings).expect("settings of the emulator") }
    }

    /// Runs a cycle that must succeed: everything sent, everything read back as it was sent.
    ///
    /// # Panics
    /// When something failed, with the failures.
    pub async fn cycle(&mut self) -> Cycle {
        let cycle = self.job.run_cycle(&mut self.tenant).await;
        let failures: Vec<_> = cycle.failures().map(|(entry, failure)| (entry, &failure.reason)).collect();
        assert!(cycle.succeeded(), "{:#?}\n{failures:#?}", cycle.quarantine);
        cycle
    }

    /// Runs a cycle for everybody anew, and demands that there is nothing to send: everybody is found as Entra wants
    /// them, so Entra would not send the same PATCH for ever.
    ///
    /// # Panics
    /// When something was sent.
    pub async fn has_nothing_left_to_say(&mut self) {
        self.job.restart();
        let cycle = self.cycle().await;
        for action in [Action::Create, Action::Update, Action::Disable, Action::Enable, Action::Manager] {
            assert_eq!(cycle.succeeded_users(action), 0, "{action}: {:#?}", cycle.entries);
        }
    }

    /// A person's account as the service shows it.
    ///
    /// # Panics
    /// When the person has none.
    pub async fn account(&self, person: ObjectId, scim: &Scim) -> serde_json::Value {
        scim.get(&format!("/Users/{}", self.account_id(person))).await.expect(200)
    }

    /// The id of a person's account.
    ///
    /// # Panics
    /// When the person has none.
    #[must_use]
    pub fn account_id(&self, person: ObjectId) -> String {
        self.job.user_id(person).expect("the person has no account").to_owned()
    }

    /// The ids of those people's accounts who have one, in order.
    #[must_use]
    pub fn account_ids<'p>(&self, people: impl IntoIterator<Item = &'p ObjectId>) -> Vec<String> {
        let ids = people.into_iter().filter_map(|&person| self.job.user_id(person));
        let mut ids: Vec<_> = ids.map(str::to_owned).collect();
        ids.sort();
        ids
    }

    /// The ids of a group's members as the service shows them, in order.
    ///
    /// # Panics
    /// When the group is not there.
    pub async fn members(&self, group: ObjectId, scim: &Scim) -> Vec<String> {
        scim.members(self.job.group_id(group).expect("the group is not there")).await
    }
}

/// Both dialects, for scenarios that must hold in each.
pub const DIALECTS: [Dialect; 2] = [Dialect::Default, Dialect::AadOptScim062020];
