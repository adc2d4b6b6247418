//! Trying to be somebody.

use std::time::Duration;

use bus_contract::console::Role;

use crate::harness::{PASSWORD, Seen, World};

const WRONG: &str = "a wrong horse battery staple";

/// What an answer says beyond what is its own: the nonce, and the address that was typed.
fn anonymous(answer: &Seen, email: &str) -> String {
    let nonce = answer.header("content-security-policy").split("nonce-").nth(1).unwrap();
    let nonce = nonce.split('\'').next().unwrap();
    answer.body.replace(nonce, "").replace(email, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_learns_whether_an_account_exists() {
    let (world, _) = World::start_signed_in().await;
    world.invite(world.contoso.id, "invited@contoso.example", Role::Auditor).await;
    let mut answers = Vec::new();
    for email in [world.contoso.email, "nobody@contoso.example", "invited@contoso.example", ""] {
        let hashes = world.count("timeclock_console_password_hashes_total", "");
        let answer = world.browser().post("/sign-in", &[("email", email), ("password", WRONG)]).await;
        assert_eq!(answer.status, 422);
        assert_eq!(
            world.count("timeclock_console_password_hashes_total", "") - hashes,
            1,
            "{email}: the same work"
        );
        if !email.is_empty() {
            answers.push(anonymous(&answer, email));
        }
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_cannot_be_one_is_nobodys() {
    let world = World::start().await;
    let long = "e".repeat(10_000);
    for email in ["\0", "anna@contoso.example\0", "a\r\nb", &long] {
        let answer = world.browser().post("/sign-in", &[("email", email), ("password", WRONG)]).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_the_same_in_whatever_case_it_is_typed() {
    let (world, _) = World::start_signed_in().await;
    assert_eq!(world.browser().sign_in(" ANNA@Contoso.example ").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_tried_ever_more_slowly_from_one_address() {
    let (world, browser) = World::start_signed_in().await;
    let attempt = async |password: &'static str| {
        browser.post("/sign-in", &[("email", world.contoso.email), ("password", password)]).await
    };
    for _ in 0..5 {
        assert_eq!(attempt(WRONG).await.status, 422);
    }
    let hashes = world.count("timeclock_console_password_hashes_total", "");
    let answer = attempt(PASSWORD).await;
    assert_eq!(answer.status, 429, "also with the right password");
    assert_eq!(answer.header("retry-after"), "2");
    assert!(answer.body.contains("Try again in 2 seconds"), "{}", answer.body);
    assert_eq!(world.count("timeclock_console_password_hashes_total", ""), hashes, "nothing was hashed");
    for seconds in [1, 2, 4] {
        world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(attempt(WRONG).await.status, 422, "after {seconds} s");
        assert_eq!(attempt(WRONG).await.status, 429, "the next wait is longer");
    }
    world.clock.advance(Duration::from_secs(8));
    assert_eq!(attempt(PASSWORD).await.status, 303);
    assert_eq!(attempt(WRONG).await.status, 422, "counting begins anew");
    assert_eq!(attempt(WRONG).await.status, 422);
    assert!(world.count("timeclock_console_throttled_total", "") >= 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_from_everywhere_are_slowed_down_and_the_owner_is_not() {
    let (world, anna) = World::start_signed_in().await;
    assert_eq!(anna.sign_in(world.contoso.email).await.status, 303, "from where she always does");
    let mut stranger = world.browser();
    let mut attempts = 0;
    let mut attempt = async |password: &'static str| {
        attempts += 1;
        stranger.address = format!("203.0.113.{attempts}");
        stranger.post("/sign-in", &[("email", world.contoso.email), ("password", password)]).await.status
    };
    for _ in 0..20 {
        assert_eq!(attempt(WRONG).await, 422);
    }
    assert_eq!(attempt(PASSWORD).await, 429, "also with the right password");
    assert_eq!(anna.sign_in(world.contoso.email).await.status, 303);
    assert_eq!(attempt(WRONG).await, 429, "her success forgives strangers nothing");
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    for _ in 0..20 {
        assert_eq!(attempt(WRONG).await, 422, "a day later they begin anew");
    }
    assert_eq!(anna.sign_in(world.contoso.email).await.status, 429, "nobody knows where she was a month ago");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_does_not_exist_is_throttled_alike() {
    let world = World::start().await;
    let attempt = async || {
        world
            .browser()
            .post("/sign-in", &[("email", "nobody@contoso.example"), ("password", WRONG)])
            .await
            .status
    };
    for _ in 0..5 {
        assert_eq!(attempt().await, 422);
    }
    assert_eq!(attempt().await, 429);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_slowed_down_whichever_accounts_it_tries() {
    let (world, _) = World::start_signed_in().await;
    let mut browser = world.browser();
    browser.address = "2001:db8::1".to_owned();
    for number in 0..20 {
        let email = format!("somebody{number}@contoso.example");
        assert_eq!(browser.post("/sign-in", &[("email", &email), ("password", WRONG)]).await.status, 422);
    }
    browser.address = "2001:db8::2".to_owned();
    assert_eq!(browser.sign_in(world.contoso.email).await.status, 429, "its neighbour is the same caller");
    browser.address = "2001:db8:1::1".to_owned();
    assert_eq!(browser.sign_in(world.contoso.email).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn attempts_at_the_same_time_do_not_all_go_first() {
    let (world, _) = World::start_signed_in().await;
    let attempts = (0..12).map(|_| {
        let browser = world.browser();
        let email = world.contoso.email;
        async move { browser.post("/sign-in", &[("email", email), ("password", WRONG)]).await.status }
    });
    let statuses = futures_util::future::join_all(attempts).await;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 5, "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_leads_to_pages_of_ours_alone() {
    let (world, _) = World::start_signed_in().await;
    let browser = world.browser();
    let first = browser.get("/people?search=anna").await;
    assert_eq!(first.location(), "/login?return=/people%3Fsearch%3Danna");
    let form = browser.get(first.location()).await;
    assert!(form.body.contains("href=\"/sign-in?return=/people%3Fsearch%3Danna\""), "{}", form.body);
    assert!(form.body.contains("value=\"/people?search=anna\""), "{}", form.body);
    for (wanted, got) in [
        ("/people?search=anna", "/people?search=anna"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let fields = [("email", world.contoso.email), ("password", PASSWORD), ("return", wanted)];
        assert_eq!(world.browser().post("/sign-in", &fields).await.location(), got, "{wanted}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_typed_comes_back_as_text() {
    let world = World::start().await;
    let email = "\"><script>alert(1)</script>@x";
    let answer = world.browser().post("/sign-in", &[("email", email), ("password", WRONG)]).await;
    assert!(!answer.body.contains("<script>alert"), "{}", answer.body);
}
