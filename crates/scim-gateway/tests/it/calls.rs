//! What the directory is told of calls: each that is answered to a company, once, and nothing that could hurt.

mod losses;
mod refusals;

use std::{collections::HashSet, time::Duration};

use bus_contract::{
    Message as _,
    directory::{Call, CallBatch, call::Answer as Said},
    headers::MESSAGE_ID,
    subject,
};
use bus_jetstream::request::Subscription;
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};
use typed_ids::{CompanyId, CredentialId, RequestId, TokenId};

use crate::harness::{Answer, NOW, Oddities, World};

const SOON: &[(&str, &str)] =
    &[("TIMECLOCK_OUTCOME_TIMEOUT_MS", "300"), ("TIMECLOCK_QUERY_TIMEOUT_MS", "300")];
/// No user or group has this id.
const NOBODY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const DEADLINE: Duration = Duration::from_secs(20);

/// A world with the stream, and whoever listens to what is sent to it.
struct Told {
    world: World,
    arriving: Subscription,
}

impl Told {
    async fn start() -> Self {
        Self::with(Oddities::default()).await
    }

    async fn with(oddities: Oddities) -> Self {
        let world = World::with(Oddities { calls: true, ..oddities }).await;
        let arriving = world.bus.subscribe("calls.v1.>").await.unwrap();
        world.bus.ping().await.unwrap();
        Self { world, arriving }
    }

    async fn next_batch(&mut self) -> CallBatch {
        let next = tokio::time::timeout(DEADLINE, self.arriving.next()).await;
        let incoming = next.unwrap().unwrap();
        let batch = CallBatch::decode(incoming.payload.clone()).unwrap();
        assert_eq!(incoming.subject.as_str(), subject::calls(batch.company_id.parse().unwrap()));
        assert_eq!(incoming.headers.get(MESSAGE_ID), Some(batch.batch_id.as_str()));
        batch
    }

    /// What has been told of the world's company since this was asked last.
    async fn calls(&mut self) -> Vec<Call> {
        // Calls are told in the order of their answers, so whatever is told at all has been told before this one.
        let last = RequestId::mint().to_string();
        self.world.get(&format!("/scim/Schemas/{last}")).await.is_error(404);
        let mut calls = Vec::new();
        loop {
            let batch = self.next_batch().await;
            assert_eq!(batch.company_id, self.world.company.to_string());
            for call in batch.calls {
                if call.detail.contains(&last) {
                    return calls;
                }
                calls.push(call);
            }
        }
    }

    async fn only_call(&mut self) -> Call {
        let mut calls = self.calls().await;
        assert_eq!(calls.len(), 1, "{calls:#?}");
        calls.remove(0)
    }
}

/// What a call came to: its verb, answer and status.
fn gist(call: &Call) -> (&str, Said, u32) {
    (call.verb.as_str(), call.answer(), call.status)
}

fn gists(calls: &[Call]) -> Vec<(&str, Said, u32)> {
    calls.iter().map(gist).collect()
}

fn patch(path: &str, value: impl Into<Value>) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{ "op": "Replace", "path": path, "value": value.into() }] })
}

#[tokio::test]
async fn each_change_of_a_user_is_told_once_with_what_it_came_to() {
    let mut told = Told::start().await;
    let world = &told.world;
    let id = world.user("adele").await;
    let user = format!("/scim/Users/{id}");
    for body in
        [patch("title", "Clerk"), patch("title", "Clerk"), patch("active", "False"), patch("active", "True")]
    {
        assert_eq!(world.send(Method::PATCH, &user, body).await.status, 200);
    }
    assert_eq!(world.send(Method::PUT, &user, json!({ "userName": "Adele.V" })).await.status, 200);
    assert_eq!(world.delete(&user).await.status, 204);
    let on_the_bus: Vec<_> =
        world.directory.requests().into_iter().map(|(_, request)| request.request_id).collect();

    let calls = told.calls().await;

    assert_eq!(
        gists(&calls),
        [
            ("create", Said::Created, 201),
            ("update", Said::Updated, 200),
            ("update", Said::Unchanged, 200),
            ("deactivate", Said::Updated, 200),
            ("reactivate", Said::Updated, 200),
            ("replace", Said::Updated, 200),
            ("delete", Said::Deleted, 204),
        ]
    );
    for call in &calls {
        assert_eq!((call.user_id.as_str(), call.group_id.as_str()), (id.as_str(), ""), "{call:?}");
        assert!(call.is_decided && call.detail.is_empty() && call.scim_type.is_empty(), "{call:?}");
        assert_eq!(call.answered_at.unwrap().seconds, i64::try_from(NOW).unwrap());
        assert!(call.duration_us > 0, "{call:?}");
        assert_eq!(call.address, "127.0.0.1");
    }
    let names: Vec<_> = calls.iter().map(|call| call.target_name.as_str()).collect();
    assert_eq!(names, ["adele", "", "", "", "", "Adele.V", ""]);
    let ids: Vec<_> = calls.iter().map(|call| call.request_id.clone()).collect();
    assert_eq!(ids, on_the_bus, "the directory's log has the same ids");
}

#[tokio::test]
async fn each_change_of_a_group_is_told_once_with_what_it_came_to() {
    let mut told = Told::start().await;
    let world = &told.world;
    let user = world.user("adele").await;
    let created = world.send(Method::POST, "/scim/Groups", json!({ "displayName": "Payroll" })).await;
    let id = created.body["id"].as_str().unwrap().to_owned();
    let group = format!("/scim/Groups/{id}");
    for body in [patch("members", json!([{ "value": user }])), patch("members", json!([{ "value": user }]))] {
        assert_eq!(world.send(Method::PATCH, &group, body).await.status, 204);
    }
    assert_eq!(world.send(Method::PUT, &group, json!({ "displayName": "Wages" })).await.status, 200);
    assert_eq!(world.delete(&group).await.status, 204);

    let calls = told.calls().await;

    assert_eq!(
        gists(&calls[1..]),
        [
            ("create", Said::Created, 201),
            ("update", Said::Updated, 204),
            ("update", Said::Unchanged, 204),
            ("replace", Said::Updated, 200),
            ("delete", Said::Deleted, 204),
        ]
    );
    for call in &calls[1..] {
        assert_eq!((call.user_id.as_str(), call.group_id.as_str()), ("", id.as_str()), "{call:?}");
    }
    let names: Vec<_> = calls[1..].iter().map(|call| call.target_name.as_str()).collect();
    assert_eq!(names, ["Payroll", "", "", "Wages", ""]);
}

#[tokio::test]
async fn each_read_is_told_once_with_whom_it_found() {
    let mut told = Told::start().await;
    let id = told.world.user("Adele.V").await;
    told.world.user("lee").await;
    told.calls().await;
    let world = &told.world;
    for path in [
        &format!("/scim/Users/{id}"),
        "/scim/Users?filter=userName+eq+%22ADELE.v%22",
        "/scim/Users?filter=userName+eq+%22nobody%22",
        "/scim/Users?filter=externalId+eq+%22ext-Adele.V%22",
        "/scim/Users",
        "/scim/Users?count=1&cursor",
        "/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22Payroll%22",
        "/scim/Schemas",
        "/scim/ServiceProviderConfig",
    ] {
        assert_eq!(world.get(path).await.status, 200, "{path}");
    }
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName eq \"lee\"" });
    for path in ["/scim/Users/.search", "/scim/.search"] {
        assert_eq!(world.send(Method::POST, path, &search).await.status, 200, "{path}");
    }

    let calls = told.calls().await;

    let told_of: Vec<_> =
        calls.iter().map(|call| (gist(call), !call.user_id.is_empty(), call.target_name.as_str())).collect();
    assert_eq!(
        told_of,
        [
            (("read", Said::Found, 200), true, ""),
            (("read", Said::Found, 200), true, "ADELE.v"),
            (("search", Said::NothingFound, 200), false, "nobody"),
            (("read", Said::Found, 200), true, ""),
            (("search", Said::Found, 200), false, ""),
            (("search", Said::Found, 200), false, ""),
            (("search", Said::NothingFound, 200), false, "Payroll"),
            (("discover", Said::Found, 200), false, ""),
            (("discover", Said::Found, 200), false, ""),
            (("read", Said::Found, 200), true, "lee"),
            (("search", Said::Found, 200), false, ""),
        ]
    );
    assert_eq!(calls[1].user_id, id);
    assert!(calls.iter().all(|call| !call.is_decided && call.group_id.is_empty()));
    let ids: HashSet<_> = calls.iter().map(|call| &call.request_id).collect();
    assert_eq!(ids.len(), calls.len());
}

#[tokio::test]
async fn entra_s_probes_are_told_apart_from_searches() {
    let mut told = Told::start().await;
    let world = &told.world;
    const GUID: &str = "f3a1c1de-3c07-4a52-9a20-0d7b5c2a9d10";
    let capitals = GUID.to_uppercase();
    for path in [
        format!("/scim/Users?filter=userName+eq+%22{GUID}%22"),
        format!("/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22{capitals}%22"),
        // An object id is what externalId is often matched by, so this is a search for somebody.
        format!("/scim/Users?filter=externalId+eq+%22{GUID}%22"),
        format!("/scim/Users?filter=userName+eq+%22{}%22", GUID.replace('-', "")),
    ] {
        assert_eq!(world.get(&path).await.body["totalResults"], 0, "{path}");
    }
    world.user(GUID).await;
    world.get(&format!("/scim/Users?filter=userName+eq+%22{GUID}%22")).await;

    let calls = told.calls().await;

    let verbs: Vec<_> = calls.iter().map(|call| call.verb.as_str()).collect();
    assert_eq!(verbs, ["test", "test", "search", "search", "create", "read"]);
    assert_eq!(calls[0].target_name, GUID);
}

#[tokio::test]
async fn a_call_names_the_client_that_made_it() {
    let mut told = Told::start().await;
    let world = &told.world;
    let client = CredentialId::from(TokenId::mint());
    let token = world.signer.token_of(Some(client), world.company, TokenId::mint(), NOW + 60);
    let body = json!({ "userName": "adele" }).to_string();
    let answer = Answer::of(world.anonymous(Method::POST, "/scim/Users").bearer_auth(token).body(body)).await;
    assert_eq!(answer.status, 201);
    let (_, request) = world.directory.requests().pop().unwrap();
    assert_eq!(request.token_id, client.to_string());

    assert_eq!(told.only_call().await.credential_id, client.to_string());
}

#[tokio::test]
async fn each_operation_of_a_bulk_request_is_a_call_of_its_own() {
    let mut told = Told::start().await;
    let world = &told.world;
    let request = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "adele" } },
            { "method": "POST", "path": "/Groups", "bulkId": "g",
              "data": { "displayName": "Payroll", "members": [{ "value": "bulkId:a" }] } },
            { "method": "DELETE", "path": format!("/Users/{NOBODY}") },
            { "method": "POST", "path": "/Users", "bulkId": "b", "data": { "active": true } },
            { "method": "PUT", "path": "/Elsewhere/1", "data": {} },
        ]
    });
    let results = world.send(Method::POST, "/scim/Bulk", request).await;
    assert_eq!(results.status, 200, "{results:?}");
    let mut on_the_bus: Vec<_> =
        world.directory.requests().into_iter().map(|(_, request)| request.request_id).collect();

    let mut calls = told.calls().await;

    calls.sort_by_key(|call| (call.verb.clone(), call.status, call.target_name.clone()));
    assert_eq!(
        gists(&calls),
        [
            ("create", Said::Created, 201),
            ("create", Said::Created, 201),
            ("create", Said::Refused, 400),
            ("delete", Said::Refused, 404),
            ("replace", Said::Refused, 404),
        ],
        "{calls:#?}"
    );
    let [group, user, invalid, unknown, elsewhere] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((group.target_name.as_str(), user.target_name.as_str()), ("Payroll", "adele"));
    assert!(!group.group_id.is_empty() && !user.user_id.is_empty(), "{calls:?}");
    assert_eq!(unknown.user_id, NOBODY);
    assert!(!invalid.is_decided && !elsewhere.is_decided, "{calls:?}");
    let mut decided: Vec<_> =
        calls.iter().filter(|call| call.is_decided).map(|call| call.request_id.clone()).collect();
    decided.sort();
    on_the_bus.sort();
    assert_eq!(decided, on_the_bus);
    let ids: HashSet<_> = calls.iter().map(|call| &call.request_id).collect();
    assert_eq!(ids.len(), calls.len());
}

#[tokio::test]
async fn the_caller_s_address_is_its_own_behind_as_many_proxies_as_there_are() {
    for (proxies, expected) in
        [("0", "127.0.0.1"), ("1", "2001:db8::7"), ("2", "198.51.100.7"), ("3", "127.0.0.1")]
    {
        let settings: &[_] = Box::leak(Box::new([("TIMECLOCK_TRUSTED_PROXIES", proxies)]));
        let mut told = Told::with(Oddities { settings, ..Oddities::default() }).await;
        let request = told.world.request(Method::GET, "/scim/Users");
        let forwarded = "198.51.100.7, [2001:db8::7]:4711";
        assert_eq!(Answer::of(request.header("x-forwarded-for", forwarded)).await.status, 200);
        assert_eq!(told.only_call().await.address, expected, "{proxies} proxies");
    }
}

#[tokio::test]
async fn a_long_name_is_told_by_its_beginning() {
    let mut told = Told::start().await;
    told.world.user(&"ü".repeat(300)).await;
    assert_eq!(told.only_call().await.target_name, "ü".repeat(200));
}

#[tokio::test]
async fn companies_are_told_of_apart() {
    let mut told = Told::start().await;
    let world = &told.world;
    let other = CompanyId::mint();
    let token = world.signer.token(other, TokenId::mint(), NOW + 60);
    for _ in 0..3 {
        assert_eq!(world.get("/scim/Users").await.status, 200);
        let request = world.anonymous(Method::GET, "/scim/Users").bearer_auth(&token);
        assert_eq!(Answer::of(request).await.status, 200);
    }
    let mut count = [0, 0];
    while count != [3, 3] {
        let batch = told.next_batch().await;
        let whose = usize::from(batch.company_id == other.to_string());
        count[whose] += batch.calls.len();
    }
}

#[tokio::test]
async fn of_a_flood_of_tests_the_end_is_counted_as_searches() {
    let mut told = Told::start().await;
    let world = &told.world;
    let path = format!("/scim/Users?filter=userName+eq+%22{NOBODY}%22");
    let test = async |_| assert_eq!(world.get(&path).await.status, 200);
    stream::iter(0..1_010).for_each_concurrent(16, test).await;

    let calls = told.calls().await;

    let (tests, others): (Vec<_>, Vec<_>) = calls.iter().partition(|call| call.verb == "test");
    assert_eq!((tests.len(), others.len()), (1_000, 10));
    assert!(others.iter().all(|call| gist(call) == ("search", Said::NothingFound, 200)), "{others:?}");
    assert!(others.iter().all(|call| call.target_name.is_empty()), "{others:?}");
}

#[tokio::test]
async fn of_a_flood_with_a_credential_that_has_ended_the_end_is_not_told() {
    let mut told = Told::start().await;
    let world = &told.world;
    let ended = world.signer.token(world.company, TokenId::mint(), NOW - 1);
    let refused = async |_| {
        let request = world.anonymous(Method::GET, "/scim/Users").bearer_auth(&ended);
        Answer::of(request).await.is_error(401);
    };
    stream::iter(0..150).for_each_concurrent(16, refused).await;

    assert_eq!(gists(&told.calls().await), [("search", Said::Unauthenticated, 401); 100]);
    let dropped = told.world.metric("timeclock_gateway_calls_dropped_total{reason=\"flood\"}");
    assert!((dropped - 50.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn of_a_flood_of_reads_the_end_is_counted_and_names_nobody() {
    let mut told = Told::start().await;
    let id = told.world.user("adele").await;
    let path = format!("/scim/Users/{id}");
    let world = &told.world;
    // The clock stands still, so what may be told at once is all that may be told.
    stream::iter(0..1_100)
        .for_each_concurrent(16, async |_| assert_eq!(world.get(&path).await.status, 200))
        .await;

    let calls = told.calls().await;

    assert_eq!(calls.len(), 1 + 1_100);
    let reads = calls.iter().filter(|call| call.verb == "read");
    let (named, nameless): (Vec<_>, Vec<_>) = reads.partition(|call| call.user_id == id);
    assert_eq!((named.len(), nameless.len()), (1_000, 100));
    assert!(nameless.iter().all(|call| call.user_id.is_empty() && gist(call) == ("read", Said::Found, 200)));
}
