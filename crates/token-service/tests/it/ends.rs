//! `POST /oauth2/revoke`: whose token ends, and whose does not (RFC 7009).

use bus_contract::token::SecretClient;
use typed_ids::CredentialId;

use crate::harness::{
    NOW, World,
    web::{self, Response, post, post_to},
};

const PATH: &str = "/oauth2/revoke";

fn proof(made: &SecretClient) -> [(&'static str, &str); 2] {
    [("client_id", &made.client.as_ref().unwrap().client_id), ("client_secret", &made.secret)]
}

fn token_of(world: &World, made: &SecretClient) -> String {
    let [id, secret] = proof(made);
    post(world.http, "", &[("grant_type", "client_credentials"), id, secret]).access_token()
}

fn end(world: &World, made: &SecretClient, token: &str) -> Response {
    let [id, secret] = proof(made);
    let hint = ("token_type_hint", "access_token");
    post_to(world.http, PATH, "", &[id, secret, ("token", token), hint])
}

/// Whether a gateway that follows the bucket refuses the token.
async fn is_refused(world: &World, token: &str) -> bool {
    let (keys, ends) = world.published().await.unwrap();
    let principal = keys.verify(token, NOW).unwrap();
    let id = principal.token_id.to_string();
    ends.iter().any(|(ended, _)| *ended == id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_ends_one_token_of_its_own_and_keeps_the_others() {
    let world = World::start().await;
    let made = world.client(None).await;
    let (ended, kept) = (token_of(&world, &made), token_of(&world, &made));
    // The second time it has ended already, which is as good.
    for _ in 0..2 {
        let response = end(&world, &made, &ended);
        assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")));
    }
    assert!(is_refused(&world, &ended).await);
    assert!(!is_refused(&world, &kept).await);
    assert_ne!(token_of(&world, &made), kept, "the client itself goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_ends_token_after_token_is_held_back_and_others_are_not() {
    let world = World::start().await;
    let (made, other) = (world.client(None).await, world.client(None).await);
    for _ in 0..5 {
        let token = token_of(&world, &made);
        assert_eq!(end(&world, &made, &token).status, 200);
    }
    let sixth = token_of(&world, &made);
    let refused = end(&world, &made, &sixth);
    assert_eq!(refused.error(), (429, "temporarily_unavailable".into()), "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(!is_refused(&world, &sixth).await);
    assert_eq!(end(&world, &other, &token_of(&world, &other)).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_what_was_given_to_another() {
    let world = World::start().await;
    let (made, other) = (world.client(None).await, world.client(None).await);
    let of_other = token_of(&world, &other);
    let secret = world.issue(None).await.secret;
    for token in [&of_other, &secret] {
        let response = end(&world, &made, token);
        assert_eq!(response.error(), (400, "unauthorized_client".into()), "{response:?}");
        assert!(!is_refused(&world, token).await);
    }
    let [id, _] = proof(&other);
    let guessed = post_to(world.http, PATH, "", &[id, ("client_secret", "tc365_cs_x"), ("token", &of_other)]);
    assert_eq!(guessed.error(), (401, "invalid_client".into()));
    assert!(!is_refused(&world, &of_other).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_any_more_needs_no_end() {
    let world = World::start().await;
    let made = world.client(None).await;
    let token = token_of(&world, &made);
    let (cut, _) = token.split_at(token.len() - 1);
    for nothing in ["x", cut, &CredentialId::mint().to_string(), &"x".repeat(5_000)] {
        assert_eq!(end(&world, &made, nothing).status, 200, "{nothing}");
    }
    assert!(!is_refused(&world, &token).await);
    let [id, secret] = proof(&made);
    let response = post_to(world.http, PATH, "", &[id, secret]);
    assert_eq!(response.error(), (400, "invalid_request".into()));
    assert!(response.description().contains("token is missing"), "{response:?}");
    let response = web::send(world.http, &format!("GET {PATH} HTTP/1.1"), "");
    assert_eq!((response.error(), response.header("allow")), ((405, "invalid_request".into()), Some("POST")));
}
