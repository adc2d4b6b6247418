//! Attributes that a company declares for its users.

use bus_contract::{
    Message as _,
    directory::{
        DeclareSchema, Failure, ListSchemas, Order, RemoveSchema, failure::Reason as Why, look_up_user::Key,
        reply,
    },
    provisioning::{patch_operation::Op, refused::Reason},
    stream::SCHEMAS,
    subject::{DECLARE_SCHEMA, LIST_SCHEMAS, REMOVE_SCHEMA},
};
use bus_jetstream::Bus;
use serde_json::{Value, json};
use typed_ids::CompanyId;

use crate::harness::{Caller, DEADLINE, World, applied, attributes, eventually, olga, refusal};

const URN: &str = "urn:contoso:scim:2.0:User";

fn document(attributes: &Value) -> String {
    json!({"id": URN, "name": "Contoso", "description": "Ours", "attributes": attributes}).to_string()
}

fn ours() -> Value {
    json!([
        {"name": "badge", "type": "string", "caseExact": true},
        {"name": "sites", "type": "string", "multiValued": true},
        {"name": "floor", "type": "integer"},
        {"name": "since", "type": "dateTime"},
        {"name": "remote", "type": "boolean"},
        {"name": "rooms", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "string"}, {"name": "number", "type": "integer"}, {"name": "since", "type": "dateTime"},
        ]},
    ])
}

struct Operator(Bus);

impl Operator {
    async fn ask(&self, subject: &'static str, payload: Vec<u8>) -> reply::Result {
        let answer = self.0.ask(subject, payload, DEADLINE).await.unwrap();
        bus_contract::directory::Reply::decode(answer).unwrap().result.unwrap()
    }

    async fn declare(&self, company: CompanyId, attributes: &Value) -> Result<bool, Failure> {
        let question = DeclareSchema {
            company_id: company.to_string(),
            document_json: document(attributes),
            actor: olga(),
        };
        match self.ask(DECLARE_SCHEMA, question.encode_to_vec()).await {
            reply::Result::DeclareSchema(declared) => Ok(declared.created),
            reply::Result::Failure(failure) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    async fn remove(&self, company: CompanyId) -> Result<bool, Failure> {
        let question =
            RemoveSchema { company_id: company.to_string(), urn: URN.to_uppercase(), actor: olga() };
        match self.ask(REMOVE_SCHEMA, question.encode_to_vec()).await {
            reply::Result::RemoveSchema(removed) => Ok(removed.removed),
            reply::Result::Failure(failure) => Err(failure),
            other => panic!("{other:?}"),
        }
    }

    async fn list(&self, company: CompanyId) -> Vec<String> {
        let question = ListSchemas { company_id: company.to_string() };
        match self.ask(LIST_SCHEMAS, question.encode_to_vec()).await {
            reply::Result::ListSchemas(list) => list.document_json,
            other => panic!("{other:?}"),
        }
    }
}

/// A company that exists, its operator and its caller.
async fn company(world: &World) -> (Operator, Caller) {
    let caller = world.caller().await;
    world.sql(&format!(
        "insert into companies (company_id, name, created_at) values ('{}', 'Contoso', now())",
        caller.company
    ));
    (Operator(world.bus("operator").await), caller)
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_attributes_are_patched_filtered_and_sorted_by_their_types() {
    let world = World::new();
    let _directory = world.directory().await;
    let (operator, mut caller) = company(&world).await;
    assert_eq!(operator.declare(caller.company, &ours()).await, Ok(true));
    let user = |number: i64| {
        json!({
            "userName": format!("user-{number}"),
            URN: {"badge": format!("B-{number}"), "sites": ["Berlin", format!("Site {number}")], "floor": number * 5,
                "since": format!("2026-01-0{}T00:00:00Z", number + 1), "remote": number == 1,
                "rooms": [{"number": number, "value": "k"}, {"number": 10 + number, "value": "l", "since": "0001-01-01T00:00:00+15:59"}]},
        })
    };
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(caller.hire(user(number)).await.user_id);
    }

    let patched = caller
        .patch(
            &ids[2],
            &[
                (Op::Replace, &format!("{URN}:floor"), json!(7)),
                (Op::Add, &format!("{URN}:sites"), json!(["Paris"])),
                (Op::Remove, &format!("{URN}:remote"), Value::Null),
            ],
        )
        .await;
    let shown = attributes(&applied(patched));
    assert_eq!(shown[URN]["floor"], 7);
    assert_eq!(shown[URN]["sites"], json!(["Berlin", "Site 2", "Paris"]));
    assert_eq!(shown[URN]["remote"], Value::Null);

    for (filter, expected) in [
        (format!("{URN}:badge eq \"B-1\""), vec![1]),
        (format!("{URN}:badge eq \"b-1\""), vec![]),
        (format!("{URN}:sites eq \"berlin\""), vec![0, 1, 2]),
        (format!("{URN}:sites co \"pari\""), vec![2]),
        (format!("{URN}:floor gt 5"), vec![2]),
        (format!("{URN}:floor le 5.0"), vec![0, 1]),
        (format!("{URN}:since lt \"2026-01-02T01:00:00+01:00\""), vec![0]),
        (format!("{URN}:rooms[number eq 11]"), vec![1]),
        (format!("{URN}:rooms.number ge 11"), vec![1, 2]),
        (format!("{URN}:rooms[number gt 10 and value eq \"k\"]"), vec![]),
        (format!("{URN}:rooms[number gt 1 and number lt 3 and not (since pr)]"), vec![2]),
        (format!("{URN}:rooms[since lt \"2026-01-01T00:00:00Z\" and number le 11]"), vec![0, 1]),
        (format!("schemas eq \"{URN}\" and userName ew \"1\""), vec![1]),
        (format!("schemas ne \"{URN}\""), vec![]),
        (format!("{URN}:remote eq true"), vec![1]),
        (format!("{URN}:remote ne true"), vec![0, 2]),
        (format!("{URN}:remote pr"), vec![0, 1]),
        (format!("not ({URN}:sites eq \"paris\") and {URN}:floor pr"), vec![0, 1]),
    ] {
        let found: Vec<_> =
            caller.search(&filter, 0, 10).await.1.into_iter().map(|user| user.user_id).collect();
        assert_eq!(found, expected.iter().map(|at: &usize| ids[*at].clone()).collect::<Vec<_>>(), "{filter}");
    }
    let order = Order { path: format!("{URN}:floor"), descending: true };
    let sorted = caller.page_of_users(Some(order), None, 10).await.users;
    let sorted: Vec<_> = sorted.iter().map(|user| &user.user_id).collect();
    assert_eq!(sorted, [&ids[2], &ids[1], &ids[0]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_belongs_to_one_company_and_is_published_for_the_gateways() {
    let world = World::new();
    let _directory = world.directory().await;
    let (operator, mut caller) = company(&world).await;
    let mut elsewhere = world.caller().await;
    operator.declare(caller.company, &ours()).await.unwrap();
    let gateway = world.bus("gateway").await;

    let entries = gateway.entries(&SCHEMAS).await.unwrap();
    let published: Value = serde_json::from_slice(&entries[&caller.company.to_string()]).unwrap();
    assert_eq!((entries.len(), &published[0]["id"]), (1, &json!(URN)));
    assert_eq!(operator.list(caller.company).await.len(), 1);
    assert_eq!(operator.list(elsewhere.company).await, Vec::<String>::new());
    let path = format!("{URN}:badge");
    let badge = [(Op::Replace, path.as_str(), json!("B-1"))];
    let hired = caller.hire(json!({"userName": "a"})).await.user_id;
    assert_eq!(attributes(&applied(caller.patch(&hired, &badge).await))[URN]["badge"], "B-1");
    // A gateway would not have sent this: to that company the path means nothing.
    let hired = elsewhere.hire(json!({"userName": "a"})).await.user_id;
    assert_eq!(refusal(elsewhere.patch(&hired, &badge).await).0, Reason::Invalid);
    assert_eq!(elsewhere.look_up(Key::UserId(hired)).await[0].version, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declaration_may_grow_and_is_removed_only_when_nobody_has_values() {
    let world = World::new();
    let _directory = world.directory().await;
    let (operator, mut caller) = company(&world).await;
    operator.declare(caller.company, &json!([{"name": "badge"}])).await.unwrap();
    let hired = caller.hire(json!({"userName": "a", URN: {"badge": "1"}})).await.user_id;

    let why = |failure: Result<bool, Failure>| failure.unwrap_err().reason();
    assert_eq!(
        why(operator.declare(caller.company, &json!([{"name": "badge", "type": "integer"}])).await),
        Why::Invalid
    );
    assert_eq!(why(operator.declare(caller.company, &json!([{"name": "floor"}])).await), Why::Invalid);
    assert_eq!(
        operator.declare(caller.company, &json!([{"name": "floor"}, {"name": "badge"}])).await,
        Ok(false)
    );
    assert_eq!(why(operator.remove(caller.company).await), Why::Invalid);
    caller.patch(&hired, &[(Op::Remove, URN, Value::Null)]).await;
    assert_eq!(operator.remove(caller.company).await, Ok(true));
    assert_eq!(operator.remove(caller.company).await, Ok(false));
    assert_eq!(world.bus("gateway").await.entries(&SCHEMAS).await.unwrap().len(), 0);
    let unknown = operator.declare(CompanyId::mint(), &ours()).await.unwrap_err();
    assert_eq!(unknown.detail, "there is no such company");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_lost_its_entries_gets_them_again() {
    let world = World::new();
    let directory = world.directory().await;
    let (operator, caller) = company(&world).await;
    operator.declare(caller.company, &ours()).await.unwrap();
    directory.kill_9();
    world.bus("directory").await.delete(&SCHEMAS, &caller.company.to_string()).await.unwrap();

    let _directory = world.directory().await;
    let gateway = world.bus("gateway").await;
    eventually("the schema is published again", async || {
        gateway.entries(&SCHEMAS).await.is_ok_and(|entries| entries.len() == 1)
    })
    .await;
}
