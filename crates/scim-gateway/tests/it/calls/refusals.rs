//! What is told of calls that were not granted, and of whom nothing is.

use bus_contract::{directory::call::Answer as Said, provisioning::refused::Reason};
use reqwest::Method;
use serde_json::{Value, json};
use typed_ids::TokenId;

use super::{NOBODY, SOON, Told, gist, gists, patch};
use crate::{
    directory::Mood,
    harness::{Answer, NOW, Oddities, eventually},
    tokens::Signer,
};

#[tokio::test]
async fn a_refusal_of_the_gateway_is_told_with_its_words() {
    let mut told = Told::start().await;
    let world = &told.world;
    world.send(Method::POST, "/scim/Users", json!({ "active": true })).await.is_error(400);
    world.get(&format!("/scim/Users/{NOBODY}")).await.is_error(404);
    world.delete("/scim/Users/not-an-id").await.is_error(404);
    world.delete("/scim/Groups").await.is_error(405);
    world.get("/scim/Me").await.is_error(501);
    world.get("/scim/Users?filter=userName+eq").await.is_error(400);

    let calls = told.calls().await;

    assert_eq!(
        gists(&calls),
        [
            ("create", Said::Refused, 400),
            ("read", Said::Refused, 404),
            ("delete", Said::Refused, 404),
            ("other", Said::Refused, 405),
            ("other", Said::Failed, 501),
            ("search", Said::Refused, 400),
        ]
    );
    assert!(calls.iter().all(|call| !call.is_decided && !call.detail.is_empty()), "{calls:?}");
    assert_eq!(calls[0].scim_type, "invalidValue");
    assert_eq!(calls[0].detail, "'userName' is required and must not be blank");
    assert_eq!(calls[1].user_id, NOBODY);
    assert_eq!(calls[2].user_id, "", "nobody can have this id");
    assert_eq!(calls[5].scim_type, "invalidFilter");
}

#[tokio::test]
async fn who_is_refused_for_another_attribute_is_told_by_name() {
    let mut told = Told::start().await;
    let world = &told.world;
    let long = "n".repeat(600);
    let body = json!({ "USERNAME": "adele", "displayName": long });
    world.send(Method::POST, "/scim/Users", body.clone()).await.is_error(400);
    world.send(Method::PUT, &format!("/scim/Users/{NOBODY}"), body.clone()).await.is_error(400);
    let group = json!({ "displayName": "Payroll", "externalId": long });
    world.send(Method::POST, "/scim/Groups", group).await.is_error(400);
    let operation = json!({ "method": "POST", "path": "/Users", "bulkId": "1", "data": body });
    let request = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation] });
    assert_eq!(world.send(Method::POST, "/scim/Bulk", request).await.status, 200);

    let calls = told.calls().await;

    let names: Vec<_> = calls.iter().map(|call| (call.status, call.target_name.as_str())).collect();
    assert_eq!(names, [(400, "adele"), (400, "adele"), (400, "Payroll"), (400, "adele")]);
}

#[tokio::test]
async fn a_refusal_of_the_directory_is_told_as_decided_and_in_no_words() {
    let mut told = Told::start().await;
    let world = &told.world;
    world.user("adele").await;
    world.send(Method::POST, "/scim/Users", json!({ "userName": "Adele" })).await.is_error(409);
    world.send(Method::PATCH, &format!("/scim/Users/{NOBODY}"), patch("title", "x")).await.is_error(404);
    world.directory.set_mood(Mood::Refusing(Reason::PreconditionFailed));
    world.delete(&format!("/scim/Groups/{NOBODY}")).await.is_error(412);

    let calls = told.calls().await;

    assert_eq!(
        gists(&calls[1..]),
        [("create", Said::Refused, 409), ("update", Said::Refused, 404), ("delete", Said::Refused, 412)]
    );
    assert!(calls[1..].iter().all(|call| call.is_decided && call.detail.is_empty()), "{calls:?}");
    let [conflict, unknown, other] = &calls[1..] else { panic!("{calls:?}") };
    assert_eq!((conflict.scim_type.as_str(), conflict.target_name.as_str()), ("uniqueness", "Adele"));
    assert_eq!(conflict.user_id, "", "nobody came to be");
    assert_eq!(unknown.user_id, NOBODY);
    assert_eq!(other.group_id, NOBODY);
}

#[tokio::test]
async fn a_failure_of_ours_is_told_as_undecided() {
    let mut told = Told::with(Oddities { settings: SOON, ..Oddities::default() }).await;
    let world = &told.world;
    world.directory.set_mood(Mood::Silent);
    world.send(Method::POST, "/scim/Users", json!({ "userName": "adele" })).await.is_error(503);
    world.get("/scim/Users").await.is_error(503);

    let calls = told.calls().await;

    assert_eq!(gists(&calls), [("create", Said::Failed, 503), ("search", Said::Failed, 503)]);
    assert!(calls.iter().all(|call| !call.is_decided), "{calls:?}");
    assert!(calls[0].detail.contains("is stored and will be applied"), "{calls:?}");
    assert_eq!(calls[0].target_name, "adele");
}

#[tokio::test]
async fn of_strangers_nothing_is_told() {
    let mut told = Told::start().await;
    let world = &told.world;
    let foreign = Signer::new().token(world.company, TokenId::mint(), NOW + 60);
    let early = world.signer.token(world.company, TokenId::mint(), NOW - 1);
    for path in ["/scim/Users", "/scim/Nothing"] {
        Answer::of(world.anonymous(Method::GET, path)).await;
        for token in [foreign.as_str(), "tc365_a.b.c"] {
            Answer::of(world.anonymous(Method::GET, path).bearer_auth(token)).await;
        }
    }
    // No company is known where no token is looked at.
    Answer::of(world.anonymous(Method::GET, "/scim/Nothing").bearer_auth(early)).await.is_error(404);
    assert_eq!(told.calls().await, []);
}

#[tokio::test]
async fn a_credential_that_has_ended_is_told_of() {
    let mut told = Told::start().await;
    let world = &told.world;
    let [expired, revoked, client] = [(); 3].map(|()| TokenId::mint());
    let tokens = [
        world.signer.token(world.company, expired, NOW - 1),
        world.signer.token(world.company, revoked, NOW + 3_600),
        world.signer.token_of(Some(client.into()), world.company, TokenId::mint(), NOW + 3_600),
    ];
    world.revoke(revoked, NOW).await;
    world.revoke(client, NOW).await;
    eventually("the ends are known", async || world.metric("timeclock_gateway_revocations") > 1.0).await;
    for token in &tokens {
        let request = world.anonymous(Method::POST, "/scim/Users").bearer_auth(token);
        Answer::of(request.body(json!({ "userName": "adele" }).to_string())).await.is_error(401);
    }

    let calls = told.calls().await;

    assert_eq!(gists(&calls), [("create", Said::Unauthenticated, 401); 3]);
    let credentials: Vec<_> = calls.iter().map(|call| call.credential_id.as_str()).collect();
    assert_eq!(credentials, [expired, revoked, client].map(|id| id.to_string()));
    assert!(calls[0].detail.contains("expired") && calls[1].detail.contains("revoked"), "{calls:?}");
}

#[tokio::test]
async fn a_bulk_request_that_is_refused_as_a_whole_is_one_call() {
    let mut told = Told::start().await;
    told.world.send(Method::POST, "/scim/Bulk", json!({ "Operations": 1 })).await.is_error(400);
    assert_eq!(gist(&told.only_call().await), ("bulk", Said::Refused, 400));
}

/// A value that is in every one of [`bodies`].
const MARKER: &str = "Geheimnis-4711";

/// Bodies that are refused, nearly all of them, each for another reason.
fn bodies(user: &str, group: &str) -> Vec<(Method, String, String)> {
    let operation = |operation: Value| json!({ "Operations": [operation] }).to_string();
    let all = [
        (Method::POST, "/scim/Users", format!("{{\"userName\": \"a\", \"title\": \"{MARKER}\"")),
        (Method::POST, "/scim/Users", format!("{{\"userName\": \"a\", \"title\": {MARKER}}}")),
        (Method::POST, "/scim/Users", json!(MARKER).to_string()),
        (Method::POST, "/scim/Users", json!({ "userName": "a", "active": MARKER }).to_string()),
        (Method::POST, "/scim/Users", json!({ "userName": "a", "name": MARKER }).to_string()),
        (Method::POST, "/scim/Users", json!({ "userName": "a", "emails": [[MARKER]] }).to_string()),
        (Method::POST, "/scim/Users", json!({ "title": MARKER }).to_string()),
        (Method::POST, "/scim/Users", json!({ "userName": "adele", "title": MARKER }).to_string()),
        (Method::PUT, user, json!({ "title": MARKER }).to_string()),
        (Method::PATCH, user, operation(json!({ "op": MARKER, "path": "title", "value": MARKER }))),
        (Method::PATCH, user, operation(json!({ "op": "add", "path": "active", "value": MARKER }))),
        (Method::PATCH, user, operation(json!({ "op": "add", "path": "title", "value": { "x": MARKER } }))),
        (Method::PATCH, user, operation(json!({ "op": "add", "value": MARKER }))),
        (
            Method::PATCH,
            user,
            operation(json!({ "op": "remove", "path": format!("emails[type eq \"{MARKER}\"") })),
        ),
        (
            Method::PATCH,
            user,
            operation(json!({ "op": "add", "path": format!("emails[{MARKER} eq 1].x"), "value": 1 })),
        ),
        (Method::PATCH, user, operation(json!({ "op": "add", "path": "title", "value": MARKER }))),
        (
            Method::POST,
            "/scim/Groups",
            json!({ "displayName": "x", "members": [{ "value": MARKER }] }).to_string(),
        ),
        (
            Method::PATCH,
            group,
            operation(json!({ "op": "add", "path": "members", "value": [{ "value": MARKER }] })),
        ),
        (Method::PATCH, group, operation(json!({ "op": "add", "path": "members", "value": [[MARKER]] }))),
        (Method::POST, "/scim/Bulk", json!({ "Operations": MARKER }).to_string()),
        (Method::POST, "/scim/Bulk", operation(json!({ "method": MARKER, "path": "/Users" }))),
        (Method::POST, "/scim/Bulk", operation(json!({ "method": "PUT", "path": MARKER, "data": {} }))),
        (
            Method::POST,
            "/scim/Bulk",
            operation(json!({ "method": "POST", "bulkId": "b", "path": "/Users",
            "data": { "userName": format!("bulkId:{MARKER}") } })),
        ),
        (
            Method::POST,
            "/scim/Users/.search",
            json!({ "filter": format!("userName eq {MARKER} and") }).to_string(),
        ),
        (Method::POST, "/scim/Users/.search", json!({ "count": MARKER }).to_string()),
        (Method::POST, "/scim/Users/.search", json!({ "sortBy": "title", "sortOrder": MARKER }).to_string()),
    ];
    all.into_iter().map(|(method, path, body)| (method, path.to_owned(), body)).collect()
}

#[tokio::test]
async fn no_value_of_a_body_is_told() {
    let mut told = Told::with(Oddities { settings: SOON, ..Oddities::default() }).await;
    let world = &told.world;
    let id = world.user("adele").await;
    let group = world.send(Method::POST, "/scim/Groups", json!({ "displayName": "Payroll" })).await;
    let group = format!("/scim/Groups/{}", group.body["id"].as_str().unwrap());
    let user = format!("/scim/Users/{id}");
    let bodies = bodies(&user, &group);
    let sent = bodies.len();
    for (method, path, body) in bodies {
        let answer = world.send(method, &path, &body).await;
        assert!(answer.status < 500, "{path} {body} {answer:?}");
    }

    let calls = told.calls().await;

    assert_eq!(calls.len(), 2 + sent, "{calls:#?}");
    for call in &calls {
        assert!(!format!("{call:?}").contains(MARKER), "{call:#?}");
    }
    assert!(calls.iter().filter(|call| call.answer() == Said::Refused).count() > 20, "{calls:#?}");
}
