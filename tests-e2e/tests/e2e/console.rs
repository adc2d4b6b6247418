//! The console between two companies, and what it keeps to itself.

use std::collections::BTreeSet;

use local_stack::company::Company;
use serde_json::Value;
use tests_e2e::{
    World,
    actors::visitor::{Visitor, addresses},
    eventually,
    eventually::when,
    fault::SERVICES,
    observe,
};

/// Every page without an id in its address.
const PAGES: [&str; 16] = [
    "/",
    "/people",
    "/groups",
    "/provisioning",
    "/provisioning/live",
    "/provisioning/cycles",
    "/provisioning/brakes",
    "/provisioning/log.csv",
    "/settings/company",
    "/settings/administrators",
    "/settings/single-sign-on",
    "/connect",
    "/connect/steps",
    "/audit",
    "/audit.csv",
    "/account",
];

/// Where the pages of one thing each are.
const THINGS: [&str; 3] = ["/people/", "/groups/", "/provisioning/requests/"];

const NAME: &str = "Zbigniew Contosino";

/// Somebody and a group, a client, and somebody who is invited.
async fn live(world: &World, company: &Company, anna: &Visitor) {
    let scim = world.scim.with_token(&company.scim_token);
    let mut user = tests_e2e::actors::scim::user("zbigniew@contosino.example");
    user["displayName"] = NAME.into();
    scim.post("/Users", &user).await.expect(201);
    let group = serde_json::json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
        "displayName": "Contosino's group",
        "externalId": "contosino",
    });
    scim.post("/Groups", &group).await.expect(201);
    assert_eq!(anna.post("/settings/company/clients", &[("kind", "secret")]).await.status, 200);
    let invited = [("email", "invited@contosino.example"), ("role", "auditor")];
    assert_eq!(anna.post("/settings/administrators/invite", &invited).await.status, 200);
    let seen = |page: &tests_e2e::actors::visitor::Page| {
        when(addresses(&page.body, "href").iter().any(|path| path.starts_with("/provisioning/requests/")))
    };
    eventually("the log shows what was asked", async || anna.get("/provisioning").await, seen).await;
}

/// Every address with an id that somebody's pages offer them: to look at, and to change something.
async fn offered(visitor: &Visitor) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut links, mut actions) = (BTreeSet::new(), BTreeSet::new());
    let mut visit = async |page: &str| {
        let seen = visitor.get(page).await;
        assert_eq!(seen.status, 200, "{page}: {}", seen.body);
        links.extend(addresses(&seen.body, "href"));
        actions.extend(addresses(&seen.body, "action"));
        links.clone()
    };
    let mut found = BTreeSet::new();
    for page in PAGES {
        found = visit(page).await;
    }
    for folder in THINGS {
        let one = found.iter().find(|path| path.starts_with(folder));
        visit(one.unwrap_or_else(|| panic!("{folder}: {found:?}"))).await;
    }
    (links, actions)
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_companys_pages_offer_is_nothing_to_another_company() {
    let world = World::shared();
    let console = world.console_url();
    let (ours, theirs) = (world.company_with_administrator(), world.company_with_administrator());
    let anna = Visitor::signed_in(&console, &ours).await;
    live(&world, &ours, &anna).await;
    let (links, actions) = offered(&anna).await;
    for end in ["/reveal", "/revoke", "/secrets", "/role", "/remove", "/end"] {
        assert!(actions.iter().any(|path| path.ends_with(end)), "{end}: {actions:?}");
    }

    let bruno = Visitor::signed_in(&console, &theirs).await;
    for path in &links {
        let seen = bruno.get(path).await;
        assert_eq!(seen.status, 404, "{path}: {}", seen.body);
        assert!(!seen.body.to_lowercase().contains("contosino"), "{path}: {}", seen.body);
    }
    let fields = [("role", "auditor"), ("overlap", "0"), ("as", "text"), ("is_break_glass", "true")];
    for path in &actions {
        let seen = bruno.post(path, &fields).await;
        assert_eq!(seen.status, 404, "{path}: {}", seen.body);
        assert!(!seen.body.to_lowercase().contains("contosino"), "{path}: {}", seen.body);
    }
    for page in PAGES {
        let text = bruno.get(page).await.body.to_lowercase();
        assert!(!text.contains("contosino") && !text.contains(&ours.id), "{page}: {text}");
    }

    assert_eq!(offered(&anna).await, (links, actions), "nothing has changed for them");
    world.scim.with_token(&ours.scim_token).get("/Users").await.expect(200);
}

/// What stands between two texts.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before:?} in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("no {after:?} in {rest}")).0
}

/// Does everything that shows or makes a secret; the secrets.
async fn every_secret(world: &World, company: &Company, anna: &Visitor) -> Vec<String> {
    let console = world.console_url();
    let settings = anna.get("/settings/company").await.body;
    let reveal = addresses(&settings, "action").into_iter().find(|path| path.ends_with("/reveal")).unwrap();
    let token = anna.post(&reveal, &[("as", "text")]).await.body;
    assert_eq!(token, company.scim_token);
    assert_eq!(anna.post("/settings/company/tokens/rotate", &[("overlap", "3600")]).await.status, 303);
    let settings = anna.get("/settings/company").await.body;
    let reveal = addresses(&settings, "action").into_iter().filter(|path| path.ends_with("/reveal"));
    let mut secrets = vec![company.admin_password.clone().unwrap()];
    for path in reveal {
        let token = anna.post(&path, &[("as", "text")]).await.body;
        secrets.push(token.rsplit('.').next().unwrap().to_owned());
    }
    let told = anna.post("/settings/company/clients", &[("kind", "secret")]).await.body;
    let client_secret = format!("tc365_cs_{}", between(&told, "tc365_cs_", "\""));
    let client = addresses(&told, "action").into_iter().find(|path| path.ends_with("/secrets")).unwrap();
    let client = client.split('/').find(|part| part.len() == 36).unwrap();
    let granted = grant(world, client, &client_secret).await;
    secrets.push(granted.rsplit('.').next().unwrap().to_owned());
    secrets.push(client_secret);
    let invited = [("email", "eva@keeps-secrets.example"), ("role", "administrator")];
    let told = anna.post("/settings/administrators/invite", &invited).await.body;
    let invitation = between(&told, "/invitation/", "\"").to_owned();
    let eva = Visitor::new(&console);
    let password = "a horse that nobody may read of";
    let accepted = [("name", "Eva"), ("password", password)];
    assert_eq!(eva.post(&format!("/invitation/{invitation}"), &accepted).await.status, 303);
    assert_eq!(eva.post("/confirm-password", &[("password", password)]).await.status, 303);
    secrets.extend([invitation, password.to_owned(), eva.form_token().await, anna.form_token().await]);
    let is_session = |value: &String| value.len() == 43;
    secrets.extend(anna.cookies().into_iter().chain(eva.cookies()).filter(is_session));
    secrets
}

/// An access token, as Entra gets one.
async fn grant(world: &World, client: &str, secret: &str) -> String {
    let endpoints = world.stack().endpoints();
    let url = format!("{}/oauth2/token", endpoints.token_url);
    let form = format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
    let request =
        reqwest::Client::new().post(url).header("content-type", "application/x-www-form-urlencoded");
    let answer = request.body(form).send().await.unwrap();
    let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_a_metric_or_a_page_that_was_not_asked_for_it() {
    let world = World::shared();
    let company = world.company_with_administrator();
    let anna = Visitor::signed_in(&world.console_url(), &company).await;
    let secrets = every_secret(&world, &company, &anna).await;
    let lengths: Vec<_> = secrets.iter().map(String::len).collect();
    assert!(lengths.len() >= 10 && lengths.iter().all(|length| *length > 20), "all were seen: {lengths:?}");
    let own_forms = anna.form_token().await;

    let mut texts = observe::logs(world.stack());
    for service in SERVICES {
        let (_, metrics) = observe::second_listener(world.stack(), service, "/metrics").await.unwrap();
        texts.push((format!("{service}'s metrics"), metrics));
    }
    let answered =
        |(name, text): &(String, String)| name.contains("admin-console") && text.contains("/reveal");
    assert!(texts.iter().any(answered), "the logs tell of what was done");
    for (name, text) in &texts {
        for secret in &secrets {
            let found = text.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(found, None, "{name}");
        }
    }
    for page in PAGES {
        let seen = anna.get(page).await.body;
        let mut hidden = secrets.iter().filter(|secret| **secret != own_forms);
        assert_eq!(hidden.find(|secret| seen.contains(secret.as_str())), None, "{page}");
    }
}
