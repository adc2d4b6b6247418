//! Who reports to whom? Managers, each in a PATCH of its own after all users.

use futures_util::FutureExt;

use crate::{
    emulator::Emulator,
    outcome::{Action, Outcome, Skip},
    tenant::{Account, Delta, ObjectId, Tenant},
    wire::Request,
};

use super::{Run, is_unfinished, user_entry};

/// A manager reference that differs from what the target was seen to have.
struct Reference {
    person: ObjectId,
    name: String,
    desired: Option<String>,
    request: Request,
}

impl Emulator {
    pub(super) async fn run_managers(&mut self, tenant: &Tenant, delta: &Delta, run: &mut Run) {
        let mut references = Vec::new();
        let due = tenant.people().filter(|person| delta.people.contains(&person.object_id));
        for person in due.filter(|person| person.account == Account::Enabled) {
            let Some(link) = self.users.get(person.object_id) else { continue };
            if run.escrow.people.contains(&person.object_id) {
                continue;
            }
            let desired = match person.manager.map(|id| (id, self.users.get(id))) {
                None => None,
                Some((_, Some(manager))) => Some(manager.target_id.clone()),
                Some((manager, None)) => {
                    // A manager that failed comes again and so does the reference; one out of scope does not.
                    if run.escrow.people.contains(&manager) {
                        run.escrow.people.insert(person.object_id);
                    }
                    let outcome = Outcome::Skipped(Skip::UnableToResolveReferenceAttributeValue);
                    run.entries.push(user_entry(person.object_id, &link.name, Action::Manager, outcome));
                    continue;
                }
            };
            if desired == link.manager {
                continue;
            }
            let request = match &desired {
                Some(manager) => {
                    Some(self.wording.set_manager(&link.target_id, manager, link.manager.is_some()))
                }
                None => self.wording.remove_manager(&link.target_id),
            };
            let (person, name) = (person.object_id, link.name.clone());
            references.extend(request.map(|request| Reference { person, name, desired, request }));
        }
        self.send_references(references, run).await;
    }

    async fn send_references(&mut self, references: Vec<Reference>, run: &mut Run) {
        let results = self
            .for_each("managers", references, |job, reference: Reference| {
                async move {
                    let outcome = job.send_reference(reference.request.clone()).await;
                    (reference, outcome)
                }
                .boxed()
            })
            .await;
        for (reference, outcome) in results {
            if is_unfinished(&outcome) {
                run.escrow.people.insert(reference.person);
            } else {
                self.users.set_manager(reference.person, reference.desired);
            }
            run.entries.push(user_entry(reference.person, &reference.name, Action::Manager, outcome));
        }
    }

    async fn send_reference(&self, request: Request) -> Outcome {
        if self.is_stopped() {
            return Outcome::Skipped(Skip::Quarantined);
        }
        match self.patch_user(request).await {
            Ok(()) => Outcome::Success,
            Err(failure) => Outcome::Failure(failure),
        }
    }
}
