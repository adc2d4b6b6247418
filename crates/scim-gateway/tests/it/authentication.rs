//! Who is let in, and what the others are told.

use std::time::Duration;

use bus_contract::stream::{KEY_PREFIX, TOKENS};
use reqwest::Method;
use typed_ids::{CompanyId, CredentialId, TokenId};

use crate::{
    harness::{Answer, NOW, Oddities, World, eventually},
    tokens::Signer,
};

const PATH: &str = "/scim/Users";

impl World {
    async fn with_header(&self, authorization: &str) -> Answer {
        Answer::of(self.anonymous(Method::GET, PATH).header("authorization", authorization)).await
    }

    async fn with_token(&self, token: &str) -> Answer {
        self.with_header(&format!("Bearer {token}")).await
    }

    fn refusals(&self, reason: &str) -> f64 {
        self.metric(&format!("timeclock_gateway_auth_total{{result=\"{reason}\"}}"))
    }
}

#[track_caller]
fn is_refused(answer: &Answer, challenge: &str, says: &str) {
    answer.is_error(401);
    assert_eq!(answer.header("www-authenticate"), Some(challenge), "{answer:?}");
    assert!(answer.detail().contains(says), "{answer:?}");
    assert!(answer.detail().contains("Settings > Company profile > General"), "{answer:?}");
}

const NO_TOKEN: &str = "Bearer realm=\"scim\"";
const BAD_TOKEN: &str = "Bearer realm=\"scim\", error=\"invalid_token\"";

#[tokio::test]
async fn without_a_token_the_answer_says_where_to_find_one() {
    let world = World::start().await;
    is_refused(&Answer::of(world.anonymous(Method::GET, PATH)).await, NO_TOKEN, "No token");
    is_refused(&world.with_header("Basic dXNlcjpwYXNz").await, NO_TOKEN, "No token");
    is_refused(&world.with_header("Bearer").await, NO_TOKEN, "No token");
    assert!((world.refusals("missing") - 3.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn the_scheme_may_be_written_in_any_case() {
    let world = World::start().await;
    assert_eq!(world.with_header(&format!("bearer  {}", world.token)).await.status, 200);
}

#[tokio::test]
async fn a_garbled_token_is_told_apart_from_a_revoked_one() {
    let world = World::start().await;
    let (cut_off, _) = world.token.split_at(world.token.len() / 2);
    for token in ["x", "tc365_a.b.c", cut_off, &"a".repeat(5_000)] {
        is_refused(&world.with_token(token).await, BAD_TOKEN, "not copied whole");
    }
    assert!((world.refusals("garbled") - 4.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_token_of_another_service_is_unknown() {
    let world = World::start().await;
    let foreign = Signer::new().token(world.company, TokenId::mint(), NOW + 60);
    is_refused(&world.with_token(&foreign).await, BAD_TOKEN, "unknown or revoked");
    assert!((world.refusals("unknown") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_token_ends_at_its_expiry_also_when_it_was_verified_before() {
    let world = World::start().await;
    let token = world.signer.token(world.company, TokenId::mint(), NOW + 60);
    assert_eq!(world.with_token(&token).await.status, 200);
    world.clock.advance(Duration::from_secs(59));
    assert_eq!(world.with_token(&token).await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    is_refused(&world.with_token(&token).await, BAD_TOKEN, "expired");
    let never_seen = world.signer.token(world.company, TokenId::mint(), NOW + 60);
    is_refused(&world.with_token(&never_seen).await, BAD_TOKEN, "expired");
    assert!((world.refusals("expired") - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_revocation_is_felt_without_a_restart() {
    let world = World::start().await;
    let id = TokenId::mint();
    let token = world.signer.token(world.company, id, NOW + 3_600);
    assert_eq!(world.with_token(&token).await.status, 200);

    world.revoke(id, NOW).await;

    eventually("the revocation is felt", async || world.with_token(&token).await.status == 401).await;
    is_refused(&world.with_token(&token).await, BAD_TOKEN, "unknown or revoked");
    assert!(world.refusals("revoked") >= 2.0);
    assert_eq!(world.get(PATH).await.status, 200, "other tokens still work");
}

#[tokio::test]
async fn a_retired_token_works_until_its_end_comes() {
    let world = World::start().await;
    let id = TokenId::mint();
    let token = world.signer.token(world.company, id, NOW + 3_600);
    world.revoke(id, NOW + 100).await;
    eventually("the retirement is known", async || world.metric("timeclock_gateway_revocations") > 0.0).await;

    assert_eq!(world.with_token(&token).await.status, 200);
    world.clock.advance(Duration::from_secs(100));
    assert_eq!(world.with_token(&token).await.status, 401);
}

#[tokio::test]
async fn the_end_of_a_client_is_the_end_of_its_access_tokens() {
    let world = World::start().await;
    let [ended, other] = [(); 2].map(|()| CredentialId::from(TokenId::mint()));
    let token = |client| world.signer.token_of(Some(client), world.company, TokenId::mint(), NOW + 3_600);
    let [first, second, of_another] = [token(ended), token(ended), token(other)];
    for token in [&first, &second, &of_another] {
        assert_eq!(world.with_token(token).await.status, 200);
    }

    world.revoke(ended, NOW).await;

    eventually("the end is felt", async || world.with_token(&first).await.status == 401).await;
    is_refused(&world.with_token(&second).await, BAD_TOKEN, "unknown or revoked");
    assert_eq!(world.with_token(&of_another).await.status, 200);
}

#[tokio::test]
async fn one_access_token_of_a_client_can_be_revoked_alone() {
    let world = World::start().await;
    let (client, id) = (CredentialId::from(TokenId::mint()), TokenId::mint());
    let token = |id| world.signer.token_of(Some(client), world.company, id, NOW + 3_600);
    let (revoked, other) = (token(id), token(TokenId::mint()));

    world.revoke(id, NOW).await;

    eventually("the revocation is felt", async || world.with_token(&revoked).await.status == 401).await;
    assert_eq!(world.with_token(&other).await.status, 200);
}

#[tokio::test]
async fn a_revocation_is_not_put_off_by_an_older_word() {
    let world = World::start().await;
    let [early, marker] = [TokenId::mint(), TokenId::mint()];
    let token = world.signer.token(world.company, early, NOW + 3_600);
    world.revoke(early, NOW).await;
    world.revoke(early, NOW + 1_000).await;
    // Entries arrive in their order, so what came before this one is known with it.
    world.revoke(marker, NOW).await;
    let both = async || world.metric("timeclock_gateway_revocations") > 1.0;
    eventually("both revocations are known", both).await;

    assert_eq!(world.with_token(&token).await.status, 401);
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_no_key() {
    let world = World::with(Oddities { no_keys: true, ..Oddities::default() }).await;
    world.bus.put(&TOKENS, &format!("{KEY_PREFIX}broken"), "{}").await.unwrap();
    eventually("the key has arrived", async || world.metric("timeclock_gateway_verification_keys") > 0.0)
        .await;

    assert!(!world.process.health.readiness().await.ready);
    world.get(PATH).await.is_error(503);
}

#[tokio::test]
async fn a_key_that_is_withdrawn_verifies_nothing_any_more() {
    let world = World::start().await;
    Signer::new().publish(&world.bus).await;
    assert_eq!(world.get(PATH).await.status, 200);

    world.bus.delete(&TOKENS, &format!("{KEY_PREFIX}{}", world.signer.kid)).await.unwrap();

    eventually("the key is forgotten", async || world.get(PATH).await.status == 401).await;
}

#[tokio::test]
async fn a_company_sees_its_own_users_alone() {
    let world = World::start().await;
    let id = world.user("adele").await;
    let fabrikam = world.signer.token(CompanyId::mint(), TokenId::mint(), NOW + 60);
    let asked = |path: String| Answer::of(world.anonymous(Method::GET, &path).bearer_auth(&fabrikam));

    asked(format!("/scim/Users/{id}")).await.is_error(404);
    assert_eq!(asked("/scim/Users".to_owned()).await.body["totalResults"], 0);
    assert_eq!(asked("/scim/Users?filter=userName+eq+%22adele%22".to_owned()).await.body["totalResults"], 0);
}

#[tokio::test]
async fn before_the_keys_are_known_nobody_is_refused() {
    let world = World::with(Oddities { no_keys: true, ..Oddities::default() }).await;
    let readiness = world.process.health.readiness().await;
    assert!(!readiness.ready);
    assert_eq!(readiness.dependencies["token keys"], "no keys have arrived yet");
    world.get(PATH).await.is_error(503);
    Answer::of(world.anonymous(Method::GET, PATH)).await.is_error(503);

    world.signer.publish(&world.bus).await;

    world.until_ready().await;
    assert_eq!(world.get(PATH).await.status, 200);
}
