//! The audit log: every act, who did it, and nothing that changes it afterwards.

use bus_contract::{
    audit::{Actor, ListEvents, actor::Kind},
    subject::{ADD_CLIENT_SECRET, ISSUE_TOKEN, LIST_TOKEN_EVENTS, REVOKE_CLIENT, REVOKE_CLIENT_SECRET},
    token::{IssueToken, create_client::Authentication, failure::Reason, reply::Result as Answer},
};
use typed_ids::CompanyId;

use crate::{
    clients::{add_secret, client, federation, revoke, revoke_secret},
    harness::{World, actor, failed, secret_client, url},
    isolation::sql_as,
};

fn page(company: CompanyId, before: &str, limit: u32) -> ListEvents {
    ListEvents { company_id: company.to_string(), before_event_id: before.to_owned(), limit }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_is_an_event_with_its_actor_the_newest_first() {
    let world = World::start().await;
    let token = world.issue(None).await.token.unwrap();
    assert_eq!(token.created_by, "anna@contoso.com");
    world.reveal(&token.token_id).await;
    let successor = world.rotate(Some(3600)).await.token.unwrap().token_id;
    world.revoke(&token.token_id).await;
    // Again: nothing happens, so nothing is written.
    world.revoke(&token.token_id).await;
    let made = world.client(None).await;
    let id = made.client.unwrap().client_id;
    let second = secret_client(world.ask(ADD_CLIENT_SECRET, add_secret(world.company, &id)).await);
    client(world.ask(REVOKE_CLIENT_SECRET, revoke_secret(world.company, &id, &second.secret_id)).await);
    client(world.ask(REVOKE_CLIENT, revoke(world.company, &id)).await);
    let federated = world.create_client(Authentication::Federation(federation())).await;
    let federated = federated.client.unwrap().client_id;

    let events = world.events().await;
    let acts: Vec<_> = events.iter().rev().map(|event| (event.act.as_str(), event.target.as_str())).collect();
    let expected = [
        ("token.issued", token.token_id.as_str()),
        ("token.revealed", &token.token_id),
        ("token.issued", &successor),
        ("token.retiring", &token.token_id),
        ("token.revoked", &token.token_id),
        ("client.created", &id),
        ("client.secret_added", &id),
        ("client.secret_added", &id),
        ("client.secret_revoked", &id),
        ("client.revoked", &id),
        ("client.created", &federated),
    ];
    assert_eq!(acts, expected);
    for event in &events {
        assert_eq!(event.actor, actor(), "{event:?}");
        assert_eq!(event.company_id, world.company.to_string());
        assert!(!event.note.contains(&made.secret) && !event.note.contains(&second.secret), "{event:?}");
    }
    assert!(events.is_sorted_by(|newer, older| newer.event_id > older.event_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_without_a_gap() {
    let world = World::start().await;
    for _ in 0..5 {
        world.issue(None).await;
    }
    let all = world.events().await;
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let Answer::Events(reply) = world.ask(LIST_TOKEN_EVENTS, page(world.company, &before, 2)).await
        else {
            panic!("no page")
        };
        let Some(last) = reply.events.last() else { break };
        before = last.event_id.clone();
        assert!(reply.events.len() <= 2);
        seen.extend(reply.events);
    }
    assert_eq!(seen, all);
    let Answer::Events(of_another) = world.ask(LIST_TOKEN_EVENTS, page(CompanyId::mint(), "", 200)).await
    else {
        panic!("no page")
    };
    assert!(of_another.events.is_empty());
    for (before, limit) in [("", 0), ("", 201), ("yesterday", 10)] {
        let refused = failed(world.ask(LIST_TOKEN_EVENTS, page(world.company, before, limit)).await);
        assert_eq!(refused, Reason::Invalid, "{before:?} {limit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_without_an_actor_or_with_one_that_cannot_be_is_not_done() {
    let world = World::start().await;
    let name = |name: &str| Some(Actor { name: name.to_owned(), ..actor().unwrap() });
    let address = |address: &str| Some(Actor { address: address.to_owned(), ..actor().unwrap() });
    let nobody = Some(Actor { kind: Kind::Unspecified.into(), ..actor().unwrap() });
    for actor in [
        None,
        nobody,
        name(""),
        name(&"é".repeat(255)),
        name("two\nlines"),
        address("example.com"),
        address("192.0.2.7\r"),
    ] {
        let ask = IssueToken {
            company_id: world.company.to_string(),
            description: String::new(),
            lifetime_seconds: None,
            actor: actor.clone(),
        };
        assert_eq!(failed(world.ask(ISSUE_TOKEN, ask).await), Reason::Invalid, "{actor:?}");
    }
    assert!(world.list().await.is_empty() && world.events().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_cannot_be_unwritten_by_the_service() {
    let world = World::start().await;
    world.issue(None).await;
    let company = format!("SET timeclock.company_id = '{}'", world.company);
    for change in
        ["UPDATE token_events SET note = 'never'", "DELETE FROM token_events", "TRUNCATE token_events"]
    {
        let error = sql_as(&url(&world.database, "service"), &format!("{company}; {change}")).unwrap_err();
        assert!(error.contains("permission denied"), "{change}: {error}");
    }
    assert_eq!(world.events().await.len(), 1);
}
