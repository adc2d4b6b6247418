//! What a cookie stands for, and until when.

use crate::harness::World;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_has_a_new_session() {
    let (world, browser) = World::start_signed_in().await;
    let first = browser.session().unwrap();
    let answer = browser.sign_in(world.contoso.email).await;
    assert_eq!((answer.status, answer.location()), (303, "/"));
    assert_ne!(browser.session().unwrap(), first);
}
