//! What a cookie stands for, and until when.

use std::time::Duration;

use admin_console::{Access, Shape, Verb, route_table};
use bus_contract::console::Role;

use crate::{
    harness::{PASSWORD, World},
    sample,
};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_has_a_session_that_nobody_could_have_planted() {
    let (world, browser) = World::start_signed_in().await;
    let first = browser.session().unwrap();
    let answer = browser.sign_in(world.contoso.email).await;
    assert_eq!((answer.status, answer.location()), (303, "/"));
    assert_ne!(browser.session().unwrap(), first);
    let planted = world.browser();
    let value = "A".repeat(43);
    planted.set_session(&value);
    planted.sign_in(world.contoso.email).await;
    assert_ne!(planted.session().unwrap(), value);
    let attacker = world.browser();
    attacker.set_session(&value);
    assert_eq!(attacker.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cookie_is_for_us_alone() {
    let (world, _browser) = World::start_signed_in().await;
    let answer = world.browser().sign_in(world.contoso.email).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Path=/"));
    assert!(!cookie.contains("Domain"), "{cookie}");
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_tls_the_cookie_is_secure_and_bound_to_the_host() {
    let world = World::start_with(&[("TIMECLOCK_CONSOLE_URL", "https://live.example")]).await;
    let invited = world.invite(world.contoso.id, world.contoso.email, Role::Administrator).await;
    let path = invited.link.strip_prefix("https://live.example").unwrap();
    let fields = [("name", "Anna"), ("password", PASSWORD)];
    let answer = world.browser().post_from(path, &fields, &[("origin", "https://live.example")]).await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-session=") && cookie.contains("Secure"), "{cookie}");
    assert!(!answer.header("strict-transport-security").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_cookie_is_worth_nothing_after_signing_out() {
    let (world, browser) = World::start_signed_in().await;
    let thief = world.browser();
    thief.set_session(&browser.session().unwrap());
    assert_eq!(thief.get("/account").await.status, 200);
    assert_eq!(browser.post("/sign-out", &[]).await.location(), "/login?done=signed-out");
    assert_eq!(browser.session(), None);
    assert_eq!(thief.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_cookie_is_nobody_s() {
    let (world, browser) = World::start_signed_in().await;
    let good = browser.session().unwrap();
    let other = world.browser();
    let (first, rest) = good.split_at(1);
    let flipped = format!("{}{rest}", if first == "A" { "B" } else { "A" });
    for bad in [flipped.as_str(), rest, &format!("{good}A"), "", "' OR 1=1 --", &good.to_lowercase()] {
        other.set_session(bad);
        assert_eq!(other.get("/account").await.status, 303, "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_nobody_was_there_for_half_an_hour() {
    let (world, browser) = World::start_signed_in().await;
    for _ in 0..3 {
        world.clock.advance(29 * MINUTE);
        assert_eq!(browser.get("/account").await.status, 200);
    }
    world.clock.advance(31 * MINUTE);
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_refreshes_itself_keeps_no_session() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    world.clock.advance(29 * MINUTE);
    let parts = route_table().filter(|(verb, path, access, shape)| {
        (*verb, *access, *shape) == (Verb::Get, Access::SignedIn, Shape::Part)
            && !["/live", "/provisioning/requests/{id}/receipt"].contains(path)
    });
    for (_, path, ..) in parts {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let refreshed = browser.request(reqwest::Method::GET, "/provisioning").header("hx-request", "true");
    assert_eq!(refreshed.send().await.unwrap().status(), 200, "its lines are a part of the page");
    let stream = browser.request(reqwest::Method::GET, "/live").send().await.unwrap();
    assert_eq!(stream.status(), 200);
    world.clock.advance(2 * MINUTE);
    assert_eq!(browser.get("/account").await.status, 303, "nobody was there for 31 minutes");
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_in_again_ends_what_the_browser_had_before() {
    let (world, browser) = World::start_signed_in().await;
    let thief = world.browser();
    thief.set_session(&browser.session().unwrap());
    assert_eq!(browser.post("/sign-in", &[("email", "x"), ("password", "y")]).await.status, 422);
    assert_eq!(thief.get("/account").await.status, 200, "a failure ends nothing");
    let other = world.administrator(&world.fabrikam.clone()).await;
    assert_eq!(browser.sign_in(world.fabrikam.email).await.status, 303);
    assert_eq!(thief.get("/account").await.status, 303);
    assert_eq!(other.get("/account").await.status, 200, "another browser goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_twelve_hours_whoever_is_there() {
    let (world, browser) = World::start_signed_in().await;
    for _ in 0..24 {
        assert_eq!(browser.get("/account").await.status, 200);
        world.clock.advance(29 * MINUTE);
    }
    world.clock.advance(25 * MINUTE);
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_where_they_are_signed_in_and_end_it() {
    let (world, browser) = World::start_signed_in().await;
    let elsewhere = world.browser();
    elsewhere.sign_in(world.contoso.email).await;
    let page = browser.get("/account").await.body;
    let ends: Vec<_> =
        page.split("/account/sessions/").skip(1).filter_map(|rest| rest.split_once("/end")).collect();
    let ids: std::collections::BTreeSet<_> =
        ends.iter().map(|(id, _)| *id).filter(|id| id.len() == 36).collect();
    assert_eq!(ids.len(), 2, "{page}");
    assert_eq!(browser.post("/account/sessions/end-others", &[]).await.status, 303);
    assert_eq!(elsewhere.get("/account").await.status, 303);
    assert_eq!(browser.get("/account").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_ends_the_session_of_another_company() {
    let (world, browser) = World::start_signed_in().await;
    let other = world.administrator(&world.fabrikam.clone()).await;
    let page = other.get("/account").await.body;
    let id = page
        .split("/account/sessions/")
        .skip(1)
        .filter_map(|rest| rest.get(..36))
        .find(|id| !id.contains('"'))
        .unwrap();
    assert_eq!(browser.post(&format!("/account/sessions/{id}/end"), &[]).await.status, 404);
    assert_eq!(other.get("/account").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_password_ends_every_other_session() {
    let (world, browser) = World::start_signed_in().await;
    let elsewhere = world.browser();
    elsewhere.sign_in(world.contoso.email).await;
    let before = browser.session().unwrap();
    let new = "another horse battery staple";
    let wrong = browser.post("/account/password", &[("current", "not it at all"), ("new", new)]).await;
    assert_eq!(wrong.status, 422);
    let answer = browser.post("/account/password", &[("current", PASSWORD), ("new", new)]).await;
    assert_eq!((answer.status, answer.location()), (303, "/account?done=password"));
    assert_ne!(browser.session().unwrap(), before);
    assert_eq!(browser.get("/account").await.status, 200);
    assert_eq!(elsewhere.get("/account").await.status, 303);
    assert_eq!(world.browser().sign_in(world.contoso.email).await.status, 422, "the old password");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_protected_asks_for_the_password_again_after_ten_minutes() {
    let (world, browser) = World::start_signed_in().await;
    let path = "/settings/company/tokens/0198c0de-0000-7000-8000-000000000000/reveal";
    world.clock.advance(11 * MINUTE);
    let origin = browser.origin();
    let token = browser.csrf_token().unwrap();
    let referrer = format!("{origin}/settings/company?tab=1");
    let headers = [("origin", origin.as_str()), ("referer", referrer.as_str())];
    let answer = browser.post_from(path, &[("csrf_token", &token)], &headers).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.location(), "/confirm-password?return=/settings/company%3Ftab%3D1%26confirmed%3Dyes");
    let wrong =
        browser.post("/confirm-password", &[("password", "not it at all"), ("return", "/people")]).await;
    assert_eq!(wrong.status, 422);
    let right = browser.post("/confirm-password", &[("password", PASSWORD), ("return", "/people")]).await;
    assert_eq!((right.status, right.location()), (303, "/people"));
    let answer = browser.post(path, &[]).await;
    assert!(!answer.location().starts_with("/confirm-password"), "{}", answer.location());
}
