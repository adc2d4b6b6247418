//! A token from its issue to its end.

use std::time::Duration;

use bus_contract::{
    subject::{ISSUE_TOKEN, ROTATE_TOKEN},
    token::{IssueToken, RotateToken, failure::Reason, reply::Result as Answer, token::State},
};
use token_protocol::Refusal;
use typed_ids::{CompanyId, TokenId};

use crate::{
    harness::{NOW, World, actor, eventually, failed, secret, serve, url},
    isolation::sql_as,
};

const YEAR: u64 = 365 * 24 * 3600;

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_token_opens_the_company_s_directory_for_a_year() {
    let world = World::start().await;
    let issued = world.issue(None).await;
    let (keys, _) = world.published().await.unwrap();
    let principal = keys.verify(&issued.secret, NOW).unwrap();
    assert_eq!(principal.company, world.company);
    assert_eq!(principal.expires_at, NOW + YEAR);
    let token = issued.token.unwrap();
    assert_eq!(principal.token_id.to_string(), token.token_id);
    assert_eq!(token.state(), State::Active);
    assert_eq!(token.description, "Entra");
    assert!(issued.secret.len() < token_protocol::text::MAX_LENGTH);
    assert_eq!(keys.verify(&issued.secret, NOW + YEAR), Err(Refusal::Expired(principal)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revealed_token_is_the_same_text_and_no_table_holds_it() {
    let world = World::start().await;
    let issued = world.issue(None).await;
    let id = issued.token.unwrap().token_id;
    world.clock.advance(Duration::from_secs(1000));
    assert_eq!(secret(world.reveal(&id).await).secret, issued.secret);
    let server = backing_servers::postgres::Server::shared().unwrap();
    let dump = server
        .sql(&world.database.name, "SELECT row_to_json(t) FROM tokens.tokens t; SELECT row_to_json(e) FROM tokens.token_events e; SELECT row_to_json(k) FROM tokens.signing_keys k")
        .unwrap();
    let signature = issued.secret.rsplit_once('.').unwrap().1;
    assert!(dump.contains(&id) && !dump.contains(signature), "{dump}");
    assert!(dump.contains("token.issued") && dump.contains("token.revealed"), "{dump}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_tells_the_last_characters_of_tokens_that_work_and_of_no_others() {
    let world = World::start().await;
    let (kept, revoked) = (world.issue(None).await, world.issue(None).await);
    world.revoke(&revoked.token.unwrap().token_id).await;
    let kept_id = kept.token.unwrap().token_id;
    for token in world.list().await {
        let expected =
            if token.token_id == kept_id { kept.secret.get(kept.secret.len() - 4..).unwrap() } else { "" };
        assert_eq!(token.hint, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_published_before_the_answer() {
    let world = World::start().await;
    let id = world.issue(None).await.token.unwrap().token_id;
    world.clock.advance(Duration::from_secs(10));
    let Answer::Revoked(revoked) = world.revoke(&id).await else { panic!("not revoked") };
    assert_eq!(revoked.state(), State::Revoked);
    assert_eq!(world.revocations().await, [(id.clone(), (NOW + 10).to_string())]);
    // Again, later: nothing changes.
    world.clock.advance(Duration::from_secs(10));
    assert!(matches!(world.revoke(&id).await, Answer::Revoked(_)));
    assert_eq!(world.revocations().await, [(id.clone(), (NOW + 10).to_string())]);
    assert_eq!(failed(world.reveal(&id).await), Reason::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn rotation_lets_the_old_token_work_for_the_overlap() {
    let world = World::start().await;
    let old = world.issue(None).await.token.unwrap();
    let brief = world.issue(Some(60)).await.token.unwrap();
    let new = world.rotate(Some(3600)).await.token.unwrap();
    assert_eq!(world.revocations().await, [(old.token_id.clone(), (NOW + 3600).to_string())]);
    let state = |id: &str, tokens: &[bus_contract::token::Token]| {
        tokens.iter().find(|token| token.token_id == id).unwrap().state()
    };
    let tokens = world.list().await;
    assert_eq!(state(&old.token_id, &tokens), State::Retiring);
    assert_eq!(state(&brief.token_id, &tokens), State::Active, "it ends before the overlap by itself");
    assert_eq!(state(&new.token_id, &tokens), State::Active);
    world.clock.advance(Duration::from_secs(3600));
    let tokens = world.list().await;
    assert_eq!(state(&old.token_id, &tokens), State::Revoked);
    assert_eq!(state(&brief.token_id, &tokens), State::Expired);
    assert_eq!(state(&new.token_id, &tokens), State::Active);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_can_come_sooner_and_never_later() {
    let world = World::start().await;
    let old = world.issue(None).await.token.unwrap().token_id;
    world.rotate(Some(7200)).await;
    world.rotate(Some(3600)).await;
    let end =
        |revocations: Vec<(String, String)>| revocations.into_iter().find(|(id, _)| *id == old).unwrap().1;
    assert_eq!(end(world.revocations().await), (NOW + 3600).to_string());
    world.rotate(Some(7200)).await;
    assert_eq!(end(world.revocations().await), (NOW + 3600).to_string());
    assert!(matches!(world.revoke(&old).await, Answer::Revoked(_)));
    assert_eq!(end(world.revocations().await), NOW.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_during_another_s_overlap_keeps_two_tokens_at_work() {
    let world = World::start().await;
    world.issue(None).await;
    let second = world.rotate(None).await.token.unwrap().token_id;
    let third = world.rotate(None).await.token.unwrap().token_id;
    let states: Vec<_> =
        world.list().await.iter().map(|token| (token.token_id.clone(), token.state())).collect();
    assert!(states.contains(&(second, State::Retiring)), "{states:?}");
    assert!(states.contains(&(third, State::Active)), "{states:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_its_reason() {
    let world = World::start().await;
    let company_id = world.company.to_string();
    let issue = |company_id: String, description: &str, lifetime_seconds| IssueToken {
        company_id,
        description: description.to_owned(),
        lifetime_seconds,
        actor: actor(),
    };
    for (question, reason) in [
        (issue(CompanyId::mint().to_string(), "", None), Reason::NotFound),
        (issue("contoso".into(), "", None), Reason::Invalid),
        (issue(company_id.clone(), &"é".repeat(101), None), Reason::Invalid),
        (issue(company_id.clone(), "two\nlines", None), Reason::Invalid),
        (issue(company_id.clone(), "", Some(59)), Reason::Invalid),
        (issue(company_id.clone(), "", Some(u32::MAX)), Reason::Invalid),
    ] {
        assert_eq!(failed(world.ask(ISSUE_TOKEN, question.clone()).await), reason, "{question:?}");
    }
    let overlap = RotateToken {
        company_id,
        overlap_seconds: Some(91 * 24 * 3600),
        lifetime_seconds: None,
        actor: actor(),
    };
    assert_eq!(failed(world.ask(ROTATE_TOKEN, overlap).await), Reason::Invalid);
    let unknown = TokenId::mint().to_string();
    assert_eq!(failed(world.reveal(&unknown).await), Reason::NotFound);
    assert_eq!(failed(world.revoke(&unknown).await), Reason::NotFound);
    let garbage = world.bus.ask(ISSUE_TOKEN, vec![0xff; 10], Duration::from_secs(10)).await.unwrap();
    let reply: bus_contract::token::Reply = bus_contract::Message::decode(garbage).unwrap();
    assert_eq!(failed(reply.result.unwrap()), Reason::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_has_a_limited_number_of_live_tokens() {
    let world = World::start().await;
    for _ in 0..20 {
        world.issue(None).await;
    }
    let company_id = world.company.to_string();
    let one_more =
        IssueToken { company_id, description: String::new(), lifetime_seconds: None, actor: actor() };
    assert_eq!(failed(world.ask(ISSUE_TOKEN, one_more).await), Reason::Invalid);
    let oldest = world.list().await.pop().unwrap().token_id;
    world.revoke(&oldest).await;
    world.issue(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_cannot_sign_ends_nothing() {
    let world = World::start().await;
    world.issue(None).await;
    world.process.tasks.stop().await;
    let other = "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=";
    let process = serve(
        &world.nats.url(),
        &url(&world.database, "service"),
        std::net::SocketAddr::from(([127, 0, 0, 1], 0)),
        &world.clock,
        other,
    )
    .await;
    let ask = RotateToken {
        company_id: world.company.to_string(),
        overlap_seconds: Some(0),
        lifetime_seconds: None,
        actor: actor(),
    };
    let payload = bus_contract::Message::encode_to_vec(&ask);
    let answer = eventually("answered", || async {
        world.bus.ask(ROTATE_TOKEN, payload.clone(), Duration::from_secs(10)).await.ok()
    })
    .await;
    let reply: bus_contract::token::Reply = bus_contract::Message::decode(answer).unwrap();
    assert_eq!(failed(reply.result.unwrap()), Reason::Unavailable);
    let states: Vec<_> = world.list().await.iter().map(bus_contract::token::Token::state).collect();
    assert_eq!(states, [State::Active]);
    process.tasks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_cannot_be_published_yet_still_hands_over_the_successor() {
    let world = World::start().await;
    let old = world.issue(None).await.token.unwrap().token_id;
    // Rotating needs no DELETE, comparing the bucket does.
    sql_as(&url(&world.database, "owner"), "REVOKE DELETE ON revocations FROM token_service").unwrap();
    let successor = world.rotate(Some(3600)).await;
    assert_eq!(secret(world.reveal(&successor.token.unwrap().token_id).await).secret, successor.secret);
    assert_eq!(world.revocations().await, []);
    assert_eq!(
        failed(world.revoke(&old).await),
        Reason::Unavailable,
        "a revocation must not be taken for done"
    );
    sql_as(&url(&world.database, "owner"), "GRANT DELETE ON revocations TO token_service").unwrap();
    eventually("the end published", || async {
        (world.revocations().await == [(old.clone(), NOW.to_string())]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_at_the_same_time_leave_one_token_that_does_not_end() {
    let world = World::start().await;
    world.issue(None).await;
    futures_util::future::join_all((0..8).map(|_| world.rotate(Some(3600)))).await;
    let active = world.list().await.iter().filter(|token| token.state() == State::Active).count();
    assert_eq!(active, 1);
}
