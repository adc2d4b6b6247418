//! Who did what to a company is recorded with the act, and never changed.

use bus_contract::{
    Message,
    audit::Actor,
    directory::{self, CreateCompany, DeclareSchema, RemoveSchema, failure, reply},
    subject,
};
use serde_json::json;
use typed_ids::CompanyId;

use crate::{
    console::Console,
    harness::{DEADLINE, World, olga, postgres, url},
};

const URN: &str = "urn:contoso:scim:2.0:User";

async fn ask(world: &World, subject: &'static str, question: impl Message) -> reply::Result {
    let operator = world.bus("operator").await;
    let answer = operator.ask(subject, question.encode_to_vec(), DEADLINE).await.unwrap();
    directory::Reply::decode(answer).unwrap().result.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_is_recorded_with_who_did_it_and_listed_from_the_newest() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let company = CompanyId::mint();
    let company_id = company.to_string();
    let create = CreateCompany { company_id: company_id.clone(), name: "Contoso".to_owned(), actor: olga() };
    ask(&world, subject::CREATE_COMPANY, create.clone()).await;
    // It is there already: nothing was done.
    ask(&world, subject::CREATE_COMPANY, create).await;
    let document = json!({
        "id": URN, "name": "Contoso", "description": "Ours", "attributes": [{"name": "badge", "type": "string"}],
    });
    let declare =
        DeclareSchema { company_id: company_id.clone(), document_json: document.to_string(), actor: olga() };
    ask(&world, subject::DECLARE_SCHEMA, declare.clone()).await;
    ask(&world, subject::DECLARE_SCHEMA, declare).await;
    let remove = RemoveSchema { company_id, urn: URN.to_owned(), actor: olga() };
    ask(&world, subject::REMOVE_SCHEMA, remove.clone()).await;
    ask(&world, subject::REMOVE_SCHEMA, remove).await;

    let events = console.events(company, "", 200).await.events;
    let acts: Vec<_> = events.iter().map(|event| (event.act.as_str(), event.target.as_str())).collect();
    let created = company.to_string();
    let expected = [
        ("schema.removed", URN),
        ("schema.replaced", URN),
        ("schema.declared", URN),
        ("company.created", created.as_str()),
    ];
    assert_eq!(acts, expected);
    assert_eq!((&events[3].actor, events[3].note.as_str()), (&olga(), "Contoso"));
    let older = console.events(company, &events[1].event_id, 1).await.events;
    assert_eq!(older, events[2..3]);
    assert_eq!(console.events(CompanyId::mint(), "", 200).await.events, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_for_nobody_or_for_an_actor_that_cannot_be() {
    let world = World::new();
    let _directory = world.directory().await;
    let nameless = olga().map(|olga| Actor { name: String::new(), ..olga });
    for (actor, detail) in [(None, "its actor is missing"), (nameless, "1 to 254 characters")] {
        let create = CreateCompany { name: "Contoso".to_owned(), actor, ..CreateCompany::default() };
        match ask(&world, subject::CREATE_COMPANY, create).await {
            reply::Result::Failure(refused) => {
                assert_eq!(refused.reason(), failure::Reason::Invalid);
                assert!(refused.detail.contains(detail), "{}", refused.detail);
            }
            other => panic!("not refused: {other:?}"),
        }
    }
    assert_eq!(world.sql("select count(*) from companies").trim(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_can_neither_change_nor_delete_an_event() {
    let world = World::new();
    let _directory = world.directory().await;
    let company = CompanyId::mint();
    let create = CreateCompany { company_id: company.to_string(), name: "Contoso".to_owned(), actor: olga() };
    ask(&world, subject::CREATE_COMPANY, create).await;
    for statement in
        ["update company_events set act = 'nothing'", "delete from company_events", "truncate company_events"]
    {
        let script = format!(
            "\\connect \"{}\"\nset timeclock.companies = '{{{company}}}';\n{statement};",
            url(&world.database, "directory_service")
        );
        let error = format!("{:#}", postgres().sql(&world.database, &script).unwrap_err());
        assert!(error.contains("permission denied"), "{statement}: {error}");
    }
    assert_eq!(world.sql("select act from company_events").trim(), "company.created");
}
