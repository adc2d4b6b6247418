//! What single sign-on withstands: whoever begins without ending, and what changes while somebody is under way.

use crate::{
    harness::{NOW, Said},
    single_sign_on::{Company, USER, bring},
};

#[tokio::test(flavor = "multi_thread")]
async fn whoever_begins_and_never_ends_stops_themselves_alone() {
    let company = Company::start().await;
    let (office, mut elsewhere) = (company.world.browser(), company.world.browser());
    elsewhere.address = "203.0.113.9".to_owned();
    let begin = async |browser: &crate::harness::Browser| {
        browser.post("/login", &[("user", USER), ("return", "/")]).await
    };
    for number in 0..100 {
        assert_eq!(begin(&office).await.status, 200, "{number}");
    }
    let refused = begin(&office).await;
    assert_eq!(refused.status, 429);
    assert!(!refused.header("retry-after").is_empty(), "{}", refused.body);
    assert_eq!(begin(&elsewhere).await.status, 200, "from another network");
    let page = company.anna.post("/settings/single-sign-on/test", &[]).await;
    assert_eq!(page.status, 200, "whoever is signed in does not wait: {}", page.body);
    company.world.clock.advance(std::time::Duration::from_secs(16 * 60));
    assert_eq!(begin(&office).await.status, 200, "when all of them are too old");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_signs_in_as_often_as_it_likes() {
    let company = Company::start().await;
    for number in 0..101 {
        let answer = company.sign_in(&company.world.browser()).await;
        assert_eq!(answer.status, 303, "{number}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_begin_leaves_room_for_networks_that_are_known_and_for_other_purposes() {
    let company = Company::start().await;
    let (mut megan, mut stranger) = (company.world.browser(), company.world.browser());
    megan.address = "203.0.113.1".to_owned();
    stranger.address = "203.0.113.2".to_owned();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    let waiting = format!(
        "INSERT INTO console.sign_in_requests
         SELECT '{}', gen_random_uuid(), n::text, '', 'sign_in', '', '/', to_timestamp({NOW} + 900), n::text
         FROM generate_series(1, 10000) n",
        company.world.contoso.id
    );
    let server = backing_servers::postgres::Server::shared().unwrap();
    server.sql(&company.world.database.name, &waiting).unwrap();
    let refused = stranger.post("/login", &[("user", USER)]).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    let (request, relay_state) = company.begin(&megan, "/").await;
    let said = Said { request: Some(request), ..company.said() };
    assert_eq!(bring(&megan, &company.provider.response(&said), &relay_state).await.status, 303);
    let page = company.anna.post("/settings/single-sign-on/test", &[]).await;
    assert_eq!(page.status, 200, "tests have a room of their own: {}", page.body);
}
