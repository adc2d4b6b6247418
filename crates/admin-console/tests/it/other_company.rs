//! An administrator of one company asks every route for what belongs to another.

use std::collections::BTreeSet;

use admin_console::{Verb, route_table};
use bus_contract::{
    console::Role,
    directory::{
        self, DecideBrake, ListLog, ListLogReply, ListRemovals, ListRemovalsReply, LookUpGroup,
        LookUpGroupReply, LookUpUser, LookUpUserReply, reply::Result as Told,
    },
    subject::{self, LIST_COMPANIES},
    token::{
        self, AddClientSecret, Failure, RevealToken, RevokeClient, RevokeClientSecret, RevokeToken,
        SecretToken, failure::Reason, reply::Result as TokenTold,
    },
};

use crate::{
    administrators::{acts, ids},
    harness::{Browser, Seen, World},
    sample::{self, BRAKE, CLIENT, GROUP, PERSON, REQUEST, TOKEN, tokens_told, told},
};

/// What everybody and everything at Contoso is called.
const THEIR_NAME: &str = "Zacharias Contosino";
const THEIR_SECRET: &str = "tc365_what-only-contoso-may-see";
const THEIR_CLIENT_SECRET: &str = "019b0000-0000-7000-8000-000000000031";

/// What Contoso has in the console itself.
struct Theirs {
    company: String,
    administrator: String,
    invited: String,
    session: String,
    email: &'static str,
}

/// Two companies that live, and of which Fabrikam's services know nothing that is Contoso's.
fn two_lives(world: &World) {
    let services = &world.services;
    services.speak_of(world.contoso.id);
    sample::lives(world, THEIR_NAME);
    services.answer(subject::REVEAL_TOKEN, |_: RevealToken| {
        let token = Some(sample::token());
        tokens_told(TokenTold::SecretToken(SecretToken { token, secret: THEIR_SECRET.into() }))
    });
    services.speak_of(world.fabrikam.id);
    sample::lives(world, "Bruno Fabrikant");
    services.answer(subject::LOOK_UP_USER, |_: LookUpUser| {
        told(Told::LookUpUser(LookUpUserReply { users: Vec::new() }))
    });
    services.answer(subject::LOOK_UP_GROUP, |_: LookUpGroup| {
        told(Told::LookUpGroup(LookUpGroupReply { groups: Vec::new() }))
    });
    services.answer(subject::LIST_LOG, |asked: ListLog| {
        let is_narrow = !(asked.request_id + &asked.user_id + &asked.group_id).is_empty();
        let entries = if is_narrow { Vec::new() } else { sample::log("Bruno Fabrikant") };
        told(Told::ListLog(ListLogReply { entries, has_more: false }))
    });
    services.answer(subject::LIST_REMOVALS, |_: ListRemovals| {
        told(Told::ListRemovals(ListRemovalsReply::default()))
    });
    services.answer(subject::DECIDE_BRAKE, |_: DecideBrake| {
        let reason = directory::failure::Reason::Invalid.into();
        let detail = "there is no such mass removal in this company".into();
        told(Told::Failure(directory::Failure { reason, scim_type: String::new(), detail }))
    });
    services.answer(subject::REVEAL_TOKEN, |_: RevealToken| unknown());
    services.answer(subject::REVOKE_TOKEN, |_: RevokeToken| unknown());
    services.answer(subject::ADD_CLIENT_SECRET, |_: AddClientSecret| unknown());
    services.answer(subject::REVOKE_CLIENT_SECRET, |_: RevokeClientSecret| unknown());
    services.answer(subject::REVOKE_CLIENT, |_: RevokeClient| unknown());
}

fn unknown() -> token::Reply {
    tokens_told(TokenTold::Failure(Failure { reason: Reason::NotFound.into(), detail: "unknown".into() }))
}

/// Contoso's administrator, somebody whom they invited, and the session that they have.
async fn theirs(world: &World, browser: &Browser) -> Theirs {
    let invited = world.invite(world.contoso.id, "new@contoso.example", Role::Auditor).await;
    let account = browser.get("/account").await.body;
    let sessions = account.split("/account/sessions/").skip(1).filter_map(|rest| rest.get(..36));
    Theirs {
        company: world.contoso.id.to_string(),
        administrator: ids(world, world.contoso.id).await.remove(0).1,
        invited: invited.administrator.unwrap().administrator_id,
        session: sessions.into_iter().find(|id| !id.contains('"')).unwrap().to_owned(),
        email: world.contoso.email,
    }
}

/// A route's path with these in the places of its parameters.
fn path(pattern: &str, ids: &[&str]) -> String {
    let mut ids = ids.iter();
    let segments = pattern.split('/').map(|segment| {
        if segment.starts_with('{') { *ids.next().expect("an id for each parameter") } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// How somebody at Fabrikam would look for what is Contoso's, and the status that they get; `None` for the stream, to which
/// `live.rs` listens. Whoever adds a route says here how it is attacked.
fn look(pattern: &str, theirs: &Theirs) -> Option<(String, u16)> {
    let (ids, status) = match pattern {
        "/live" => return None,
        "/assets/{name}" => (vec!["..%2f..%2fCargo.toml"], 404),
        "/invitation/{token}" => (vec![theirs.invited.as_str()], 410),
        "/people/{id}" => (vec![PERSON], 404),
        "/groups/{id}" => (vec![GROUP], 404),
        "/provisioning/requests/{id}" | "/provisioning/requests/{id}/receipt" => (vec![REQUEST], 404),
        "/saml/logout" => (vec![], 303),
        // Without a state that leads to a request, and where the installation has no certificate.
        "/oidc/callback/{company}" => (vec![theirs.company.as_str()], 403),
        "/oidc/certificate" => (vec![], 404),
        "/settings/single-sign-on/tests/{id}" => (vec![PERSON], 404),
        "/provisioning/brakes/{id}" => (vec![BRAKE], 404),
        "/sign-in"
        | "/login"
        | "/saml/metadata"
        | "/settings/single-sign-on"
        | "/confirm-password"
        | "/account"
        | "/settings/administrators"
        | "/"
        | "/people"
        | "/groups"
        | "/provisioning"
        | "/provisioning/live"
        | "/provisioning/cycles"
        | "/provisioning/brakes"
        | "/provisioning/log.csv"
        | "/settings/company"
        | "/connect"
        | "/connect/steps"
        | "/audit"
        | "/audit.csv" => (vec![], 200),
        _ => panic!("GET {pattern}: say how somebody would look there for what is another company's"),
    };
    Some((path(pattern, &ids), status))
}

/// How somebody at Fabrikam would change what is Contoso's: ids, fields, and the status that they get.
fn change<'a>(pattern: &str, theirs: &'a Theirs) -> (String, Vec<(&'static str, &'a str)>, u16) {
    const NEW: &str = "another horse battery staple";
    let (ids, fields, status): (Vec<&str>, Vec<(&'static str, &str)>, u16) = match pattern {
        "/sign-in" => (vec![], vec![("email", theirs.email), ("password", "a wrong one")], 422),
        "/login" => (vec![], vec![("user", theirs.email)], 200),
        "/saml/login_check" => (vec![], vec![("SAMLResponse", "PGEvPg==")], 403),
        "/settings/single-sign-on" => {
            (vec![], vec![("way", "saml"), ("match_by", "external_id"), ("metadata", "<a/>")], 422)
        }
        "/settings/single-sign-on/refresh" | "/settings/single-sign-on/test" => (vec![], vec![], 404),
        "/settings/single-sign-on/only" => (vec![], vec![("is_only", "true")], 409),
        "/settings/administrators/{id}/break-glass" => {
            (vec![&theirs.administrator], vec![("is_break_glass", "true")], 404)
        }
        "/invitation/{token}" => (vec![&theirs.invited], vec![("name", "x"), ("password", NEW)], 410),
        "/confirm-password" => (vec![], vec![("password", "a wrong one")], 422),
        "/account/profile" => (vec![], vec![("name", "Bruno"), ("language", "en")], 303),
        "/account/password" => (vec![], vec![("current", "a wrong one"), ("new", NEW)], 422),
        "/account/sessions/{id}/end" => (vec![&theirs.session], vec![], 404),
        "/settings/administrators/invite" => {
            (vec![], vec![("email", theirs.email), ("role", "administrator")], 409)
        }
        "/settings/administrators/{id}/role"
        | "/settings/administrators/{id}/remove"
        | "/settings/administrators/{id}/sign-out" => {
            (vec![&theirs.administrator], vec![("role", "auditor")], 404)
        }
        "/people/{id}/sign-out" => (vec![PERSON], vec![], 404),
        "/language" => (vec![], vec![("language", "en")], 303),
        "/provisioning/brakes/rule" => (vec![], vec![("more_than", "10"), ("percent", "10")], 303),
        "/provisioning/brakes/{id}/undo" | "/provisioning/brakes/{id}/release" => {
            (vec![BRAKE], vec![("removed", "157")], 404)
        }
        "/settings/company/tokens/rotate" => (vec![], vec![("overlap", "0")], 303),
        "/settings/company/tokens/{token}/reveal" | "/settings/company/tokens/{token}/revoke" => {
            (vec![TOKEN], vec![], 404)
        }
        "/settings/company/clients" => (vec![], vec![("kind", "secret")], 200),
        "/settings/company/clients/{client}/secrets" | "/settings/company/clients/{client}/revoke" => {
            (vec![CLIENT], vec![], 404)
        }
        "/settings/company/clients/{client}/secrets/{secret}/revoke" => {
            (vec![CLIENT, THEIR_CLIENT_SECRET], vec![], 404)
        }
        "/account/notices" | "/account/sessions/end-others" | "/sign-out" | "/settings/company/tokens" => {
            (vec![], vec![], 303)
        }
        _ => panic!("POST {pattern}: say how somebody would change there what is another company's"),
    };
    (path(pattern, &ids), fields, status)
}

/// Looks, with Contoso's ids wherever a page may take one.
async fn get(browser: &Browser, path: &str, theirs: &Theirs) -> Seen {
    let company = &theirs.company;
    let ids = format!("company_id={company}&company={company}&after={PERSON}&members_after={PERSON}");
    browser.get(&format!("{path}?{ids}&before={REQUEST}&search=%20")).await
}

/// Changes, with Contoso's ids wherever a form may take one.
async fn post(browser: &Browser, path: &str, fields: &[(&str, &str)], theirs: &Theirs) -> Seen {
    let company = theirs.company.as_str();
    let ids =
        [("company_id", company), ("company", company), ("administrator_id", theirs.administrator.as_str())];
    browser.post(path, &[fields, &ids].concat()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_shows_or_changes_anything_of_another_company() {
    // Who is told what by mail looks at all companies; that is not what is watched here.
    let world = World::start_with(&[("TIMECLOCK_NOTICES_INTERVAL_MS", "3600000")]).await;
    two_lives(&world);
    let anna = world.administrator(&world.contoso.clone()).await;
    let theirs = theirs(&world, &anna).await;
    assert!(anna.get("/people").await.body.contains(THEIR_NAME), "they are there to be seen");
    let bruno = world.administrator(&world.fabrikam.clone()).await;
    let (before, were) = (acts(&world, world.contoso.id).await, ids(&world, world.contoso.id).await);
    let asked_before = world.services.companies_asked().len();

    for (verb, pattern, ..) in route_table() {
        if bruno.session().is_none() {
            bruno.sign_in(world.fabrikam.email).await;
        }
        let (path, typed, seen, status) = match verb {
            Verb::Get => {
                let Some((path, status)) = look(pattern, &theirs) else { continue };
                let seen = get(&bruno, &path, &theirs).await;
                (path, Vec::new(), seen, status)
            }
            Verb::Post => {
                let (path, fields, status) = change(pattern, &theirs);
                let seen = post(&bruno, &path, &fields, &theirs).await;
                (path, fields, seen, status)
            }
        };
        assert_eq!(seen.status, status, "{verb:?} {path}: {}", seen.body);
        let was_typed = |text: &str| path.contains(text) || typed.iter().any(|(_, value)| *value == text);
        let hidden = [THEIR_NAME, THEIR_SECRET, &theirs.session, theirs.email, "new@contoso.example"];
        for text in hidden.into_iter().filter(|text| !was_typed(text)) {
            assert!(!seen.body.contains(text), "{verb:?} {path} shows {text}: {}", seen.body);
        }
    }

    let asked: BTreeSet<_> = world.services.companies_asked().into_iter().skip(asked_before).collect();
    let fabrikam = world.fabrikam.id.to_string();
    // Which history is the directory's own is no company's question, and no route's.
    let by_routes =
        asked.iter().filter(|(subject, company)| !(subject == LIST_COMPANIES && company.is_empty()));
    for (subject, company) in by_routes {
        assert_eq!(company, &fabrikam, "{subject} was asked about another company");
    }
    let subjects: BTreeSet<_> = asked.iter().map(|(subject, _)| subject.as_str()).collect();
    assert!(
        subjects.len() > 15 && subjects.contains(LIST_COMPANIES),
        "the services were asked: {subjects:?}"
    );
    assert_eq!(anna.get("/account").await.status, 200, "they are still signed in");
    assert_eq!(ids(&world, world.contoso.id).await, were);
    let failed = format!("session.sign_in_failed {0} by {0}", theirs.email);
    let after = acts(&world, world.contoso.id).await;
    assert_eq!(after, [before, vec![failed]].concat(), "one failed attempt is all that happened to them");
}
