//! What callers are told when something behind the gateway is away, and what is left behind.

use std::{io::Write as _, net::TcpStream};

use bus_contract::provisioning::refused::Reason;
use reqwest::Method;
use serde_json::json;
use typed_ids::{CompanyId, TokenId};

use crate::{
    directory::Mood,
    harness::{Answer, NOW, Oddities, World, eventually},
};

const SOON: &[(&str, &str)] =
    &[("TIMECLOCK_OUTCOME_TIMEOUT_MS", "300"), ("TIMECLOCK_QUERY_TIMEOUT_MS", "300")];
/// Longer than any of these tests waits.
const LATE: &[(&str, &str)] = &[
    ("TIMECLOCK_OUTCOME_TIMEOUT_MS", "120000"),
    ("TIMECLOCK_QUERY_TIMEOUT_MS", "120000"),
    ("TIMECLOCK_MAX_IN_FLIGHT", "1"),
];

async fn impatient() -> World {
    World::with(Oddities { settings: SOON, ..Oddities::default() }).await
}

async fn create(world: &World) -> Answer {
    world.send(Method::POST, "/scim/Users", json!({ "userName": "adele" })).await
}

fn waiting(world: &World) -> f64 {
    world.metric("timeclock_gateway_outcomes_waiting")
}

#[tokio::test]
async fn without_an_outcome_the_caller_learns_that_the_request_is_stored() {
    let world = impatient().await;
    world.directory.set_mood(Mood::Silent);

    let answer = create(&world).await;

    answer.is_error(503);
    assert!(answer.detail().contains("is stored and will be applied"), "{answer:?}");
    let (_, request) = world.directory.requests().pop().unwrap();
    assert!(answer.detail().contains(&request.request_id), "{answer:?}");
    assert_eq!(answer.header("x-request-id"), Some(request.request_id.as_str()));
    assert!(
        (world.metric("timeclock_gateway_outcome_timeouts_total{stored=\"yes\"}") - 1.0).abs() < f64::EPSILON
    );
    assert!(waiting(&world).abs() < f64::EPSILON);
}

#[tokio::test]
async fn without_a_stream_the_caller_learns_at_once_that_nothing_was_changed() {
    let world = World::with(Oddities { no_stream: true, settings: LATE, ..Oddities::default() }).await;
    // Nobody listens to requests at all, as when the directory has never been started.
    world.directory.stop_listening().await;

    let answer = create(&world).await;

    answer.is_error(503);
    assert!(answer.detail().contains("nothing was changed"), "{answer:?}");
}

#[tokio::test]
async fn the_permissions_that_are_deployed_are_enough() {
    let world = World::with(Oddities { deployed: true, settings: SOON, ..Oddities::default() }).await;
    assert_eq!(world.get("/scim/Users?filter=userName+eq+%22a%22").await.body["totalResults"], 0);
    assert_eq!(world.get("/scim/Users?filter=title+eq+%22a%22").await.body["totalResults"], 0);

    // The directory's own permissions keep the tests' one from listening to requests, so no outcome comes. That the
    // request is known to be stored shows that it could be published and that its inbox could be listened to.
    let answer = create(&world).await;
    answer.is_error(503);
    assert!(answer.detail().contains("is stored and will be applied"), "{answer:?}");
}

#[tokio::test]
async fn an_outcome_that_cannot_be_read_is_no_outcome() {
    let world = impatient().await;
    world.directory.set_mood(Mood::Babbling);
    create(&world).await.is_error(503);
    eventually("it was noticed", async || world.metric("timeclock_gateway_outcomes_unexpected_total") > 0.0)
        .await;
}

#[tokio::test]
async fn a_refusal_has_the_status_of_its_reason() {
    let world = World::start().await;
    for (reason, status) in [
        (Reason::Invalid, 400),
        (Reason::NotFound, 404),
        (Reason::Conflict, 409),
        (Reason::PreconditionFailed, 412),
        (Reason::Unspecified, 500),
    ] {
        world.directory.set_mood(Mood::Refusing(reason));
        create(&world).await.is_error(status);
    }
}

#[tokio::test]
async fn a_directory_that_does_not_answer_questions_is_a_503() {
    let world = impatient().await;
    let id = world.user("adele").await;
    for mood in [Mood::Silent, Mood::Unavailable] {
        world.directory.set_mood(mood);
        for path in [
            format!("/scim/Users/{id}"),
            "/scim/Users".to_owned(),
            "/scim/Users?filter=userName+eq+%22a%22".to_owned(),
        ] {
            world.get(&path).await.is_error(503);
        }
    }
    world.directory.set_mood(Mood::Babbling);
    world.get("/scim/Users").await.is_error(500);
}

#[tokio::test]
async fn without_nats_known_tokens_are_still_known_and_everything_recovers() {
    let world = impatient().await;
    world.user("adele").await;
    world.nats.kill_9().unwrap();

    eventually("the loss is noticed", async || !world.process.health.readiness().await.ready).await;
    create(&world).await.is_error(503);
    world.get("/scim/Users").await.is_error(503);
    Answer::of(world.anonymous(Method::GET, "/scim/Users")).await.is_error(401);

    world.nats.restart().unwrap();
    world.until_ready().await;
    eventually("changes work again", async || {
        world.send(Method::POST, "/scim/Users", json!({ "userName": "lee" })).await.status == 201
    })
    .await;
}

#[tokio::test]
async fn a_caller_that_leaves_leaves_nothing_behind() {
    let world = impatient().await;
    world.directory.set_mood(Mood::Silent);
    let body = json!({ "userName": "adele" }).to_string();
    let request = world.request(Method::POST, "/scim/Users").body(body).send();
    tokio::select! {
        answer = request => panic!("answered: {answer:?}"),
        () = eventually("the outcome is awaited", async || waiting(&world) > 0.0) => {}
    }

    eventually("nobody waits any more", async || waiting(&world).abs() < f64::EPSILON).await;
    let in_flight = async || world.metric("timeclock_http_requests_in_flight").abs() < f64::EPSILON;
    eventually("its place is free again", in_flight).await;
}

#[tokio::test]
async fn beyond_the_limit_callers_are_asked_to_come_back() {
    let world = World::with(Oddities { settings: LATE, ..Oddities::default() }).await;
    world.directory.set_mood(Mood::Silent);
    let body = json!({ "userName": "adele" }).to_string();
    let request = world.request(Method::POST, "/scim/Users").body(body).send();
    let refused = async {
        eventually("the only place is taken", async || waiting(&world) > 0.0).await;
        let other = world.signer.token(CompanyId::mint(), TokenId::mint(), NOW + 3_600);
        Answer::of(world.anonymous(Method::GET, "/scim/Users").bearer_auth(other)).await
    };
    tokio::select! {
        answer = request => panic!("answered: {answer:?}"),
        answer = refused => {
            answer.is_error(503);
            assert!(answer.detail().contains("Too many requests"), "{answer:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_takes_its_share_keeps_nobody_else_out() {
    let world = World::with(Oddities { settings: LATE, ..Oddities::default() }).await;
    let begin = || {
        let mut slow = TcpStream::connect(world.address).unwrap();
        write!(
            slow,
            "POST /scim/Users HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 99\r\n\r\n{{",
            world.token
        )
        .unwrap();
        slow
    };
    let mut slow = begin();
    eventually("the share is taken", async || {
        let taken = world.get("/scim/Users").await.status == 429;
        if !taken {
            // Perhaps it was the question that had the share when the slow request came.
            slow = begin();
        }
        taken
    })
    .await;
    let refused = world.get("/scim/Users").await;
    refused.is_error(429);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    let other = world.signer.token(CompanyId::mint(), TokenId::mint(), NOW + 3_600);
    let request = world.anonymous(Method::GET, "/scim/Users").bearer_auth(other);
    assert_eq!(Answer::of(request).await.status, 200);

    drop(slow);
    eventually("the share is free again", async || world.get("/scim/Users").await.status == 200).await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished_and_reported_before_the_process_ends() {
    let world = World::with(Oddities { settings: LATE, calls: true, ..Oddities::default() }).await;
    world.directory.set_mood(Mood::Silent);
    let body = json!({ "userName": "adele" }).to_string();
    let request = world.request(Method::POST, "/scim/Users").body(body).send();
    let stopped = async {
        eventually("the outcome is awaited", async || !world.directory.requests().is_empty()).await;
        let stopping = world.process.tasks.stop();
        let answered = async {
            eventually("the listener is closed", async || {
                tokio::net::TcpStream::connect(world.address).await.is_err()
            })
            .await;
            world.directory.set_mood(Mood::Working);
            world.directory.answer_again(&world.bus).await;
        };
        tokio::join!(stopping, answered);
    };
    let (answer, ()) = tokio::join!(request, stopped);
    assert_eq!(Answer::read(answer.unwrap()).await.status, 201);
    assert!((world.metric("timeclock_gateway_calls_reported_total") - 1.0).abs() < f64::EPSILON);
}
