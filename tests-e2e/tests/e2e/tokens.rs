//! What becomes of a company's token is felt by the gateway, without a restart.

use std::time::Duration;

use tests_e2e::{Scim, World, eventually, eventually::when};

/// Asks until the answer has this status; how long that took.
async fn answers(scim: &Scim, status: u16) -> Duration {
    let ask = async || scim.get("/Users?count=0").await;
    eventually(&format!("the gateway answers {status}"), ask, |answer| when(answer.status == status)).await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_is_refused_and_the_others_are_not() {
    let world = World::shared();
    let operator = world.operator();
    let leaked = operator.issue("30d");
    let with_leaked = world.scim.with_token(&leaked.secret);
    answers(&with_leaked, 200).await;

    operator.revoke(&leaked.id);
    let delay = answers(&with_leaked, 401).await;
    println!("a revocation was felt {delay:?} after the operator's command had ended");

    let refusal = with_leaked.get("/Users").await;
    refusal.expect_error(401);
    assert!(refusal.header("www-authenticate").unwrap().contains("error=\"invalid_token\""), "{refusal:?}");
    assert!(refusal.json()["detail"].as_str().unwrap().contains("revoked"), "{refusal:?}");
    assert_eq!(world.scim.get("/Users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn during_a_rotation_both_tokens_work_and_afterwards_only_the_new_one() {
    let world = World::shared();
    let operator = world.operator();
    let new = world.scim.with_token(&operator.rotate("2d").secret);
    answers(&new, 200).await;
    for _request in 0..20 {
        assert_eq!((world.scim.get("/Users").await.status, new.get("/Users").await.status), (200, 200));
    }
    let mut states: Vec<_> = operator.tokens().iter().map(|token| token["state"].to_string()).collect();
    states.sort();
    assert_eq!(states, ["\"active\"", "\"retiring\""]);

    // The next rotation leaves no overlap: both earlier tokens end at once.
    let newest = world.scim.with_token(&operator.rotate("0s").secret);
    let delay = answers(&new, 401).await;
    println!("a rotation without overlap was felt after {delay:?}");
    answers(&world.scim, 401).await;
    assert_eq!(newest.get("/Users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_overlap_is_felt_without_anybody_doing_anything() {
    let world = World::shared();
    let new = world.scim.with_token(&world.operator().rotate("2s").secret);
    answers(&world.scim, 401).await;
    assert_eq!(new.get("/Users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_one_line_that_fits_into_entras_field_and_names_no_one() {
    let world = World::shared();
    let secret = &world.company.scim_token;
    assert!(secret.len() < 1_000, "{} characters", secret.len());
    assert!(secret.bytes().all(|byte| byte.is_ascii_graphic()));
    assert!(!secret.contains(&world.company.name));
}
