//! Which fact a change is, for the outbox.

use bus_contract::{
    Message,
    directory::{
        Fact, Manager, OutboxFact, UserCreated, UserDeactivated, UserDeleted, UserReactivated, UserUpdated,
        fact,
    },
    subject::{self, Event},
};
use chrono::{DateTime, Utc};

use crate::{
    apply::{decide::Outcome, request::Request},
    time::to_timestamp,
};

/// The fact that this outcome is; nothing for what changed nothing.
pub(crate) fn fact(
    request: &Request,
    outcome: &Outcome,
    manager: Option<Manager>,
    traceparent: Option<&str>,
    now: DateTime<Utc>,
) -> Option<OutboxFact> {
    let (kind, event) = match outcome {
        Outcome::Created(user) => {
            (Event::Created, fact::Event::UserCreated(UserCreated { user: Some(user.to_record(manager)) }))
        }
        Outcome::Updated { before, after, changed } => {
            let user = Some(after.to_record(manager));
            let changed_attributes = changed.clone();
            match (before.is_active(), after.is_active()) {
                (true, false) => (
                    Event::Deactivated,
                    fact::Event::UserDeactivated(UserDeactivated { user, changed_attributes }),
                ),
                (false, true) => (
                    Event::Reactivated,
                    fact::Event::UserReactivated(UserReactivated { user, changed_attributes }),
                ),
                _ => (Event::Updated, fact::Event::UserUpdated(UserUpdated { user, changed_attributes })),
            }
        }
        Outcome::Deleted(user) => (
            Event::Deleted,
            fact::Event::UserDeleted(UserDeleted { user_id: user.id.to_string(), version: user.version }),
        ),
        Outcome::Unchanged(_) | Outcome::Refused(_) => return None,
    };
    // A request is about one resource and so is one fact; the suffix leaves room for requests about many.
    let fact_id = format!("{}.0", request.id);
    let fact = Fact {
        fact_id: fact_id.clone(),
        request_id: request.id.to_string(),
        company_id: request.company.to_string(),
        occurred_at: Some(to_timestamp(now)),
        event: Some(event),
    };
    Some(OutboxFact {
        subject: subject::user_fact(request.company, request.user, kind),
        fact_id,
        fact: fact.encode_to_vec(),
        traceparent: traceparent.unwrap_or_default().to_owned(),
    })
}
