//! Every route of the table: whom it answers, and what its answer carries.

use admin_console::{Access, Shape, Verb, route_table};
use reqwest::Method;

use crate::harness::{Browser, Seen, World};

/// A path with something in the place of its parameters.
fn path(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| {
        if segment.starts_with('{') { "0198c0de-0000-7000-8000-000000000000" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

async fn call(browser: &Browser, verb: Verb, pattern: &str) -> Seen {
    match verb {
        Verb::Get => browser.get(&path(pattern)).await,
        Verb::Post => browser.post(&path(pattern), &[]).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_only_public_routes_answer() {
    let world = World::start().await;
    for (verb, pattern, access, shape) in route_table() {
        let answer = call(&world.browser(), verb, pattern).await;
        match (access, shape) {
            (Access::Public | Access::FromElsewhere, _) => {
                assert_ne!(answer.status, 401, "{pattern}");
                assert!(!answer.location().starts_with("/login?return"), "{pattern}");
            }
            (_, Shape::Part) => assert_eq!(answer.status, 401, "{verb:?} {pattern}"),
            (_, Shape::Page) => {
                assert_eq!(answer.status, 303, "{verb:?} {pattern}");
                assert!(answer.location().starts_with("/login?return=/"), "{}", answer.location());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_change_works_without_its_token_or_from_elsewhere() {
    let (world, browser) = World::start_signed_in().await;
    let (token, origin) = (browser.csrf_token().unwrap(), browser.origin());
    let other = world.administrator(&world.fabrikam.clone()).await.csrf_token().unwrap();
    let (own, foreign) = (("origin", origin.as_str()), ("origin", "https://evil.example"));
    // What comes from elsewhere must prove itself; `single_sign_on` shows what proves nothing.
    let posts =
        route_table().filter(|(verb, _, access, _)| *verb == Verb::Post && *access != Access::FromElsewhere);
    for (_, pattern, access, _) in posts {
        let path = path(pattern);
        let refused = async |fields: &[(&str, &str)], headers: &[(&str, &str)]| {
            let answer = browser.post_from(&path, fields, headers).await;
            assert_eq!(answer.status, 403, "{pattern} {fields:?} {headers:?}");
        };
        let right = [("csrf_token", token.as_str())];
        refused(&right, &[]).await;
        refused(&right, &[foreign]).await;
        refused(&right, &[("origin", "null")]).await;
        for site in ["cross-site", "same-site", "none"] {
            refused(&right, &[own, ("sec-fetch-site", site)]).await;
        }
        if access != Access::Public {
            refused(&[], &[own]).await;
            refused(&[("csrf_token", "")], &[own]).await;
            refused(&[("csrf_token", &other)], &[own]).await;
            // What another site's form can be made to send without asking (Fetch §3.2.5), and what a script would.
            for kind in ["multipart/form-data; boundary=x", "text/plain", "application/json"] {
                let sent = browser.request(Method::POST, &path).header("content-type", kind);
                let part = "--x\r\ncontent-disposition: form-data; name=\"csrf_token\"\r\n\r\n";
                let sent = sent.header("origin", &origin).body(format!("{part}{other}\r\n--x--\r\n"));
                assert_eq!(browser.send(sent).await.status, 403, "{pattern} as {kind}");
            }
            let by_script = browser.request(Method::POST, &path).header("origin", "https://evil.example");
            let by_script = browser.send(by_script.header("x-csrf-token", &token)).await;
            assert_eq!(by_script.status, 403, "{pattern} by a script of another site");
            let by_script = browser.request(Method::POST, &path).header("origin", &origin);
            let by_script = browser.send(by_script.header("x-csrf-token", &other)).await;
            assert_eq!(by_script.status, 403, "{pattern} with another session's token in a header");
        }
    }
    assert_eq!(browser.get("/account").await.status, 200, "the session still stands");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_changes_nothing_but_what_is_their_own() {
    let world = World::start().await;
    let auditor = world.auditor().await;
    let posts = route_table().filter(|(verb, ..)| *verb == Verb::Post);
    let (own, others): (Vec<_>, Vec<_>) =
        posts.partition(|(_, _, access, _)| !matches!(access, Access::Administrator | Access::Fresh));
    for (verb, pattern, ..) in others {
        let answer = call(&auditor, verb, pattern).await;
        assert_eq!(answer.status, 403, "{pattern}");
    }
    let own: Vec<_> = own.into_iter().map(|(_, pattern, ..)| pattern).collect();
    let expected = [
        "/sign-in",
        "/login",
        "/saml/login_check",
        "/invitation/{token}",
        "/confirm-password",
        "/account/profile",
        "/account/notices",
        "/account/password",
        "/account/sessions/end-others",
        "/account/sessions/{id}/end",
        "/sign-out",
        "/language",
    ];
    assert_eq!(own, expected, "whatever is added here is open to auditors");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_its_security_headers() {
    let (world, browser) = World::start_signed_in().await;
    world.services.hurry();
    let mut nonces = std::collections::BTreeSet::new();
    for (verb, pattern, ..) in route_table() {
        for browser in [&world.browser(), &browser] {
            if pattern == "/sign-out" || (pattern == "/live" && browser.session().is_some()) {
                continue;
            }
            let answer = call(browser, verb, pattern).await;
            let policy = answer.header("content-security-policy").to_owned();
            assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{pattern}: {policy}");
            for rule in ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"] {
                assert!(policy.contains(rule), "{pattern}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{pattern}: {policy}");
            assert!(nonces.insert(policy), "{pattern}: a nonce is used twice");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{pattern}");
            assert_eq!(answer.header("referrer-policy"), "same-origin", "{pattern}");
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin", "{pattern}");
            assert!(!answer.header("permissions-policy").is_empty(), "{pattern}");
            assert!(answer.header("cache-control").contains("no-store"), "{pattern}");
            assert_eq!(answer.header("strict-transport-security"), "", "not over plain HTTP");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_a_page_in_the_visitor_s_language() {
    let (_world, browser) = World::start_signed_in().await;
    let french = |method, path: &str| browser.request(method, path).header("accept-language", "fr");
    let unknown = browser.send(french(Method::GET, "/nowhere")).await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.contains("<html lang=\"en\""), "they chose English when they accepted");
    browser.cookies.lock().unwrap().clear();
    let unknown = browser.send(french(Method::GET, "/nowhere")).await;
    assert!(unknown.body.contains("<html lang=\"fr\""), "{}", unknown.body);
    let method = browser.send(french(Method::DELETE, "/account")).await;
    assert_eq!(method.status, 405);
    assert!(method.body.contains("Demande "), "with a number to tell support: {}", method.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_large_is_refused() {
    let (_world, browser) = World::start_signed_in().await;
    let answer = browser.post("/account/profile", &[("name", &"a".repeat(70_000))]).await;
    assert_eq!(answer.status, 413);
    let answer = browser.post("/sign-in", &[("email", &"a".repeat(70_000)), ("password", "x")]).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_counted_by_the_template_of_their_route() {
    let world = World::start().await;
    let browser = world.browser();
    browser.get("/people/0198c0de-0000-7000-8000-000000000000").await;
    browser.get("/nobody/has/been/here").await;
    let told = service_runtime::metrics::text(&world.process.metrics).unwrap();
    for labels in
        [r#"method="GET",route="/people/{id}",status="303""#, r#"method="GET",route="other",status="404""#]
    {
        assert!(told.contains(&format!("timeclock_http_requests_total{{{labels}}} 1\n")), "{labels}: {told}");
    }
}
