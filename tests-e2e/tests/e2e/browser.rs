//! What people see and do in a browser: each test runs one file of `tests-e2e/browser/tests`.

use std::sync::LazyLock;

use backing_servers::{identity_provider, openid_provider};
use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::{browser::Browser, operator::Operator, scim},
};
use tokio::task::block_in_place;

/// Installed once, by whoever asks first.
static BROWSER: LazyLock<Browser> = LazyLock::new(Browser::install);

const LANGUAGES: [&str; 2] = ["en", "fr"];

/// Runs a file's tests in a company of their own.
fn run(world: &World, scenario: &str, more: &Value) {
    block_in_place(|| BROWSER.run_in(world, scenario, more));
}

#[test]
fn the_guards_of_every_page_notice_what_they_are_there_for() {
    BROWSER.run("guards.test.mjs");
}

/// An administrator who was invited and has not accepted yet.
fn newcomer(world: &World, (name, email): (&str, &str), language: &str) -> Value {
    json!({
        "language": language,
        "newcomer": { "name": name, "email": email, "invitation": invite(world, email, language) },
    })
}

/// Invites an administrator; nobody signs in to two companies with one address.
fn invite(world: &World, email: &str, language: &str) -> String {
    world.operator().invite(email, "administrator", language)
}

/// Runs a file's tests once in each language, each time in a company of its own.
fn run_in_both_languages(scenario: &str) {
    for language in LANGUAGES {
        let world = World::with_administrator("Contoso");
        let mut told = in_french(&world);
        told["language"] = language.into();
        run(&world, scenario, &told);
    }
}

/// Somebody who reads French, beside the administrator.
fn in_french(world: &World) -> Value {
    let email = format!("claire@{}.example", world.company.id);
    json!({ "french_invitation": invite(world, &email, "fr") })
}

/// Megan, whom Entra provisioned as an administrator, in a domain that is known to be her company's; and somebody who reads French.
async fn with_megan(world: &World) -> Value {
    let domain = format!("{}.example", world.company.id);
    world.operator().vouch(&domain);
    let (user, object_id) = (format!("megan@{domain}"), "7f3c2a10-0000-4000-8000-000000000001");
    let mut megan = scim::user(&user);
    megan["externalId"] = object_id.into();
    megan["displayName"] = "Megan Bowen".into();
    megan["roles"] = json!([{ "value": "administrator", "primary": true }]);
    let id = scim::id(&world.scim.post("/Users", &megan).await.expect(201));
    let mut told = in_french(world);
    told["megan"] = json!({ "id": id, "user": user, "objectId": object_id });
    told["domain"] = domain.into();
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_connects_entra_and_watches_what_arrives() {
    let world = World::shared();
    let megan = newcomer(&world, ("Megan Bowen", "megan.bowen@contoso.com"), "en");
    run(&world, "connect.test.mjs", &megan);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_connects_entra_in_french() {
    let world = World::shared();
    let claire = newcomer(&world, ("Claire Moreau", "claire.moreau@contoso.fr"), "fr");
    run(&world, "connect.test.mjs", &claire);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_leads_from_an_empty_company_to_a_provisioned_user() {
    let world = World::shared();
    for language in LANGUAGES {
        let company =
            block_in_place(|| world.stack().operator(&["company", "create", "--name", "Northwind"]));
        let company = company.unwrap()["id"].as_str().unwrap().to_owned();
        let email = format!("ada@{language}.northwind.example");
        let invitation = Operator::new(world.stack(), &company).invite(&email, "administrator", language);
        run(&world, "first_user.test.mjs", &json!({ "invitation": invitation, "language": language }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_rotated_during_a_cycle_and_then_revoked() {
    run_in_both_languages("rotate.test.mjs");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oauth_client_of_the_console_provisions() {
    run_in_both_languages("oauth.test.mjs");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_persons_story_is_found() {
    let world = World::with_administrator("Contoso");
    run(&world, "story.test.mjs", &in_french(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_sound_for_everybody() {
    let world = World::with_administrator("Contoso");
    run(&world, "everywhere.test.mjs", &in_french(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn people_may_do_what_they_may() {
    let world = World::with_administrator("Contoso");
    let mut told = in_french(&world);
    told["auditor_invitation"] = world.operator().invite("audrey@contoso.com", "auditor", "en").into();
    run(&world, "people.test.mjs", &told);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_at_their_company_s_identity_provider() {
    let world = World::with_administrator("Contoso");
    let provider = block_in_place(|| identity_provider::Server::start(identity_provider::Options::default()));
    let provider = provider.expect("an identity provider");
    let metadata = reqwest::get(format!("{}/saml/metadata", world.console_url())).await.unwrap();
    let metadata = metadata.text().await.unwrap();
    block_in_place(|| provider.tell("/service-providers", &metadata)).expect("it knows the console");
    let mut told = with_megan(&world).await;
    told["identity_provider"] = json!({ "url": provider.url(), "metadata_url": provider.metadata_url() });
    run(&world, "single_sign_on.test.mjs", &told);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whom_entra_removed_by_mistake_are_brought_back() {
    const DELETED: usize = 12;
    let world = World::with_administrator("Contoso");
    let mut ids = Vec::new();
    for number in 0..DELETED + 3 {
        let mut person = scim::user(&format!("person{number}@contoso.com"));
        person["displayName"] = format!("Person {number}").into();
        ids.push(scim::id(&world.scim.post("/Users", &person).await.expect(201)));
    }
    for id in ids.iter().take(DELETED) {
        assert_eq!(world.scim.delete(&format!("/Users/{id}")).await.status, 204);
    }
    let mut told = in_french(&world);
    told["deleted"] = DELETED.into();
    run(&world, "brakes.test.mjs", &told);
    for id in &ids {
        world.scim.get(&format!("/Users/{id}")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_by_openid_connect() {
    let world = World::with_administrator("Contoso");
    let provider = block_in_place(|| openid_provider::Server::start(openid_provider::Options::default()));
    let provider = provider.expect("an OpenID provider");
    let mut told = with_megan(&world).await;
    block_in_place(|| {
        let claims = json!({ "oid": told["megan"]["objectId"], "preferred_username": told["megan"]["user"] });
        provider.set_claims("megan", &claims.to_string())?;
        provider.set_claims("stranger", &json!({ "oid": "00000000-0000-4000-8000-000000000000" }).to_string())
    })
    .expect("it knows what to say of them");
    told["openid_provider"] = provider.issuer().into();
    told["megan"]["subject"] = "megan".into();
    told["stranger"] = "stranger".into();
    run(&world, "openid_connect.test.mjs", &told);
}
