//! Which facts a change is, for the outbox.

use bus_contract::{
    Message,
    directory::{
        Fact, GroupCreated, GroupDeleted, GroupUpdated, MemberReference, MembersAdded, MembersRemoved,
        OutboxFact, UserCreated, UserDeactivated, UserDeleted, UserReactivated, UserUpdated,
        fact::Event as Body,
    },
    subject::{self, Event},
};
use chrono::{DateTime, Utc};
use service_runtime::trace::{TRACEPARENT, Trace};
use typed_ids::{CompanyId, GroupId, MemberId};

use crate::{
    apply::{
        decide::{
            Outcome,
            groups::{AtVersion, GroupOutcome, Member},
        },
        request::Request,
        tell::Around,
    },
    group::Group,
    time::to_timestamp,
};

/// Members that one fact names, so that it fits on the bus.
const MEMBERS_PER_FACT: usize = 1_000;

/// The facts that this outcome is, in the order in which they are announced; none for what changed nothing.
pub(crate) fn facts(
    request: &Request,
    outcome: &Outcome,
    around: &Around<'_>,
    trace: &Trace,
    accepted_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<OutboxFact> {
    let (mut traceparent, mut tracestate) = (String::new(), String::new());
    trace.send(|name, value| match name {
        TRACEPARENT => value.clone_into(&mut traceparent),
        _ => value.clone_into(&mut tracestate),
    });
    let said = said(request, outcome, around).into_iter().enumerate();
    said.map(|(place, (subject, body))| {
        let fact_id = format!("{}.{place}", request.id);
        let fact = Fact {
            fact_id: fact_id.clone(),
            request_id: request.id.to_string(),
            company_id: request.company.to_string(),
            occurred_at: Some(to_timestamp(now)),
            // Said when it is announced.
            history_id: String::new(),
            requested_at: Some(to_timestamp(request.accepted_at)),
            event: Some(body),
        };
        OutboxFact {
            subject,
            fact_id,
            fact: fact.encode_to_vec(),
            traceparent: traceparent.clone(),
            tracestate: tracestate.clone(),
            accepted_at: Some(to_timestamp(accepted_at)),
        }
    })
    .collect()
}

/// Subjects and what is said there.
fn said(request: &Request, outcome: &Outcome, around: &Around<'_>) -> Vec<(String, Body)> {
    let company = request.company;
    let about_user = |event, body| {
        let subject = request.user().map(|user| subject::user_fact(company, user, event));
        subject.map(|subject| vec![(subject, body)]).unwrap_or_default()
    };
    match outcome {
        Outcome::Created(user) => {
            about_user(Event::Created, Body::UserCreated(UserCreated { user: Some(around.record(user)) }))
        }
        Outcome::Updated { before, after, changed } => {
            let user = Some(around.record(after));
            let changed_attributes = changed.clone();
            match (before.is_active(), after.is_active()) {
                (true, false) => about_user(
                    Event::Deactivated,
                    Body::UserDeactivated(UserDeactivated { user, changed_attributes }),
                ),
                (false, true) => about_user(
                    Event::Reactivated,
                    Body::UserReactivated(UserReactivated { user, changed_attributes }),
                ),
                _ => about_user(Event::Updated, Body::UserUpdated(UserUpdated { user, changed_attributes })),
            }
        }
        Outcome::Deleted { user, left } => {
            let deleted = UserDeleted { user_id: user.id.to_string(), version: user.version };
            let member = Member { id: MemberId::from_uuid(user.id.as_uuid()), is_group: false };
            let mut facts = about_user(Event::Deleted, Body::UserDeleted(deleted));
            facts.extend(left.iter().map(|left| has_left(company, member, left)));
            facts
        }
        Outcome::Restored { user, joined } => {
            let member = Member { id: MemberId::from_uuid(user.id.as_uuid()), is_group: false };
            let created = Body::UserCreated(UserCreated { user: Some(around.record(user)) });
            let mut facts = about_user(Event::Created, created);
            facts.extend(joined.iter().map(|joined| {
                let body = MembersAdded {
                    group_id: joined.group.to_string(),
                    version: joined.version,
                    members: vec![reference(&member)],
                };
                (subject::group_fact(company, joined.group, Event::MembersAdded), Body::MembersAdded(body))
            }));
            facts
        }
        Outcome::Group(outcome) => said_of_group(company, outcome),
        Outcome::Unchanged(_) | Outcome::Refused(_) => vec![],
    }
}

fn said_of_group(company: CompanyId, outcome: &GroupOutcome) -> Vec<(String, Body)> {
    match outcome {
        GroupOutcome::Created { group, added } => {
            let created = Body::GroupCreated(GroupCreated { group: Some(group.to_record()) });
            let mut facts = vec![(subject::group_fact(company, group.id, Event::Created), created)];
            facts.extend(members_added(group, added));
            facts
        }
        GroupOutcome::Updated { group, changed, added, removed, .. } => {
            let mut facts = Vec::new();
            if !changed.is_empty() {
                let updated =
                    GroupUpdated { group: Some(group.to_record()), changed_attributes: changed.clone() };
                let subject = subject::group_fact(company, group.id, Event::Updated);
                facts.push((subject, Body::GroupUpdated(updated)));
            }
            // Who is replaced goes before who comes.
            facts.extend(
                removed
                    .chunks(MEMBERS_PER_FACT)
                    .map(|removed| members_removed(company, group.id, group.version, removed)),
            );
            facts.extend(members_added(group, added));
            facts
        }
        GroupOutcome::Deleted { group, left } => {
            let deleted = GroupDeleted { group_id: group.id.to_string(), version: group.version };
            let subject = subject::group_fact(company, group.id, Event::Deleted);
            let member = Member { id: MemberId::from_uuid(group.id.as_uuid()), is_group: true };
            let mut facts = vec![(subject, Body::GroupDeleted(deleted))];
            facts.extend(left.iter().map(|left| has_left(company, member, left)));
            facts
        }
        GroupOutcome::Unchanged(_) => vec![],
    }
}

fn members_added<'a>(group: &'a Group, added: &'a [Member]) -> impl Iterator<Item = (String, Body)> + 'a {
    added.chunks(MEMBERS_PER_FACT).map(|added| {
        let body = MembersAdded {
            group_id: group.id.to_string(),
            version: group.version,
            members: added.iter().map(reference).collect(),
        };
        (subject::group_fact(group.company, group.id, Event::MembersAdded), Body::MembersAdded(body))
    })
}

fn members_removed(company: CompanyId, group: GroupId, version: i64, removed: &[Member]) -> (String, Body) {
    let members = removed.iter().map(reference).collect();
    let body = MembersRemoved { group_id: group.to_string(), version, members };
    (subject::group_fact(company, group, Event::MembersRemoved), Body::MembersRemoved(body))
}

fn has_left(company: CompanyId, member: Member, left: &AtVersion) -> (String, Body) {
    members_removed(company, left.group, left.version, &[member])
}

fn reference(member: &Member) -> MemberReference {
    MemberReference { member_id: member.id.to_string(), is_group: member.is_group }
}
