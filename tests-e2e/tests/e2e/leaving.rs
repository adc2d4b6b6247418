//! Access ends with the account: somebody is signed in to the console when Entra disables them.

use std::{fs, path::Path, process::Command};

use backing_servers::identity_provider::{Options, Server};
use entra_emulator::{Action, Tenant};
use local_stack::company::Company;
use serde_json::{Value, json};
use tests_e2e::{
    Entra, World,
    actors::{scim, visitor::Visitor},
    eventually,
    eventually::when,
    fault::Part,
};
use tokio::task::block_in_place;

/// A company whose people sign in at an identity provider that we did not write.
struct Office {
    provider: Server,
    console: String,
    administrator: Visitor,
}

impl Office {
    async fn open(world: &World, company: &Company) -> Self {
        let console = world.console_url();
        let provider = block_in_place(|| Server::start(Options::default())).expect("an identity provider");
        let metadata = reqwest::get(format!("{console}/saml/metadata")).await.unwrap().text().await.unwrap();
        block_in_place(|| provider.tell("/service-providers", &metadata)).unwrap();
        let administrator = Visitor::signed_in(&console, company).await;
        let theirs = block_in_place(|| provider.metadata()).unwrap();
        let office = Self { provider, console, administrator };
        let colleague = format!("colleague@{}.example", company.id);
        world.scim.with_token(&company.scim_token).create_user(&colleague).await;
        office.save("password", &theirs).await;
        office.test(&colleague).await;
        office.save("saml", &theirs).await;
        office
    }

    async fn save(&self, way: &str, metadata: &str) {
        let fields =
            [("way", way), ("match_by", "user_name"), ("allows_unsolicited", "yes"), ("metadata", metadata)];
        let saved = self.administrator.post("/settings/single-sign-on", &fields).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
    }

    /// The administrator's test, of which the provider says that they are this person.
    async fn test(&self, user_name: &str) {
        let page = self.administrator.post("/settings/single-sign-on/test", &[]).await.body;
        let address = page.split_once("/sso?").expect("a request").1.split('"').next().unwrap();
        let address = format!("/sso?{}", address.replace("&amp;", "&").replace("&#38;", "&"));
        let page = block_in_place(|| self.provider.get(&address)).unwrap();
        let kept = ["peer", "in_response_to", "relay_state"];
        let kept = kept.map(|name| format!("{name}={}", encoded(&value_of(&page, name))));
        let form = format!("name_id={}&{}", encoded(user_name), kept.join("&"));
        let page = block_in_place(|| self.provider.tell("/sign-in", &form)).unwrap();
        let [response, relay_state] = ["SAMLResponse", "RelayState"].map(|name| value_of(&page, name));
        let fields = [("SAMLResponse", response.as_str()), ("RelayState", relay_state.as_str())];
        let answer = self.administrator.post("/saml/login_check", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }

    /// Brings what the identity provider says of somebody; the status of the answer to it.
    async fn sign_in(&self, user_name: &str) -> (Visitor, u16) {
        let peer = format!("{}/saml/metadata", self.console);
        let form = format!("name_id={}&peer={}", encoded(user_name), encoded(&peer));
        let page = block_in_place(|| self.provider.tell("/sign-in", &form)).unwrap();
        let response = value_of(&page, "SAMLResponse");
        let visitor = Visitor::new(&self.console);
        let answer = visitor.post("/saml/login_check", &[("SAMLResponse", response.as_str())]).await;
        (visitor, answer.status)
    }

    /// Somebody who is let in.
    async fn visitor(&self, user_name: &str) -> Visitor {
        let (visitor, status) = self.sign_in(user_name).await;
        assert_eq!(status, 303, "{user_name} is not let in");
        assert_eq!(visitor.get("/account").await.status, 200);
        visitor
    }
}

/// What a form of the identity provider holds.
fn value_of(page: &str, name: &str) -> String {
    let after = page.split_once(&format!("name=\"{name}\" value=\"")).expect(name).1;
    after.split('"').next().unwrap().to_owned()
}

/// Somebody whom Entra has hired, who may look at everything.
async fn hired(world: &World, entra: &mut Entra) -> (entra_emulator::ObjectId, String, String) {
    let domain = format!("{}.example", world.company.id);
    let person = entra.tenant.hire_named("Megan", "Bowen", &format!("megan@{domain}"));
    assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 1);
    let account = entra.account(person, &world.scim).await;
    let (id, user_name) = (scim::id(&account), account["userName"].as_str().unwrap().to_owned());
    let role = json!([{ "op": "Add", "path": "roles", "value": [{ "value": "auditor", "primary": true }] }]);
    world.scim.patch_user(&id, role).await.expect(200);
    (person, id, user_name)
}

/// Until this browser's next click lands on the sign-in page.
async fn signed_out(visitor: &Visitor) {
    let click = async || visitor.get("/account").await.status;
    eventually("the next click lands on the sign-in page", click, |status| when(*status == 303)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_disabled_is_signed_out_of_every_browser_and_not_let_in_again() {
    let world = World::with_administrator("Contoso");
    let office = Office::open(&world, &world.company).await;
    let mut entra = world.entra(Tenant::empty("leaving.example", 1), |_defaults| ());
    let (person, id, user_name) = hired(&world, &mut entra).await;
    let (first, second) = (office.visitor(&user_name).await, office.visitor(&user_name).await);
    let mut live = first.open("/live").await;
    assert_eq!(live.status(), 200);

    entra.tenant.disable(person);
    assert_eq!(entra.cycle().await.succeeded_users(Action::Disable), 1);
    let ended = async { while let Ok(Some(_)) = live.chunk().await {} };
    tokio::time::timeout(eventually::DEADLINE, ended).await.expect("the open page's stream ends");
    signed_out(&first).await;
    signed_out(&second).await;
    assert_eq!(office.sign_in(&user_name).await.1, 403, "an inactive person is let in");

    // The story says how soon, in the administrator's language.
    let story = office.administrator.get(&format!("/people/{id}")).await.body;
    let removed = story.split_once("Access removed after ").expect("the story says when access ended").1;
    let removed = removed.split('<').next().unwrap();
    assert!(removed.ends_with("(2 sessions ended)."), "{removed}");
    println!("access removed after {removed}");

    // Back from parental leave.
    entra.tenant.enable(person);
    assert_eq!(entra.cycle().await.succeeded_users(Action::Enable), 1);
    let back = async || office.sign_in(&user_name).await.1;
    eventually("they are let in again", back, |status| when(*status == 303)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_finds_somebody_by_their_surname_and_signs_them_out_everywhere() {
    let world = World::with_administrator("Contoso");
    let office = Office::open(&world, &world.company).await;
    let mut entra = world.entra(Tenant::empty("support.example", 1), |_defaults| ());
    let (_, id, user_name) = hired(&world, &mut entra).await;
    let (first, second) = (office.visitor(&user_name).await, office.visitor(&user_name).await);

    let operator = world.operator();
    let found = operator.person("list", &["--search", "BOWEN"]);
    assert_eq!((&found[0]["id"], found.as_array().map(Vec::len)), (&json!(id), Some(1)), "{found}");
    assert_eq!(operator.person("show", &["--user-name", &user_name])["id"], id);
    assert_eq!(operator.person("sign-out", &["--person", &id])["sessions"], 2);

    signed_out(&first).await;
    signed_out(&second).await;
    let ended = &operator.events("administrator")[0];
    assert_eq!((&ended["act"], &ended["target"]), (&json!("sessions.ended"), &json!(user_name)), "{ended}");
    assert_eq!(ended["actor_kind"], "operator", "{ended}");
    assert_eq!(office.sign_in(&user_name).await.1, 303, "they may sign in again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_was_killed_ends_the_sessions_of_whoever_left_meanwhile() {
    let world = World::to_disturb().await;
    let company = world.company_with_administrator();
    let office = Office::open(&world, &company).await;
    let scim = world.scim.with_token(&company.scim_token);
    let user_name = format!("megan@{}.example", company.id);
    let leaver = scim::id(&scim.create_user(&user_name).await);
    let stayer = format!("diego@{}.example", company.id);
    scim.create_user(&stayer).await;
    let (leaving, staying) = (office.visitor(&user_name).await, office.visitor(&stayer).await);

    Part::Service("admin-console").kill(world.stack());
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    scim.patch_user(&leaver, off).await.expect(200);
    Part::Service("admin-console").start_again(world.stack());
    let answers =
        async || reqwest::get(format!("{}/login", office.console)).await.map(|answer| answer.status());
    eventually("the console is back", answers, |status| when(status.as_ref().is_ok_and(|s| s.is_success())))
        .await;
    signed_out(&leaving).await;
    assert_eq!(staying.get("/account").await.status, 200, "whoever stays is still signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_instance_of_two_lets_a_session_live_on() {
    let world = World::behind_the_edge().await;
    let office = Office::open(&world, &world.company).await;
    let user_name = format!("megan@{}.example", world.company.id);
    let leaver = scim::id(&world.scim.create_user(&user_name).await);
    let visitor = office.visitor(&user_name).await;
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    world.scim.patch_user(&leaver, off).await.expect(200);
    signed_out(&visitor).await;
    // In turn of both.
    for _ in 0..10 {
        assert_eq!(visitor.get("/account").await.status, 303);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_checks_a_receipt_without_asking_us() {
    let guides = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides");
    let program = guides.join("examples/check_receipt.py");
    let shown = fs::read_to_string(guides.join("prove-that-access-ended.md")).unwrap();
    assert!(shown.contains(&fs::read_to_string(&program).unwrap()), "the guide shows another program");

    let world = World::with_administrator("Contoso");
    let office = Office::open(&world, &world.company).await;
    let user_name = format!("megan@{}.example", world.company.id);
    let leaver = scim::id(&world.scim.create_user(&user_name).await);
    let visitor = office.visitor(&user_name).await;
    let off = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    world.scim.patch_user(&leaver, off).await.expect(200);
    signed_out(&visitor).await;

    let story = office.administrator.get(&format!("/people/{leaver}")).await.body;
    let before = story.split_once("Access removed").expect("access was removed").0;
    let request = before.rsplit_once("/provisioning/requests/").unwrap().1.split('"').next().unwrap();
    let receipt = office.administrator.get(&format!("/provisioning/requests/{request}/receipt")).await;
    assert_eq!(receipt.status, 200, "{}", receipt.body);
    let token_url = world.stack().endpoints().token_url;
    let keys = reqwest::get(format!("{token_url}/.well-known/jwks.json")).await.unwrap();
    let (folder, keys) = (tempfile::tempdir().unwrap(), keys.text().await.unwrap());
    let check = |receipt: &str| {
        let [receipt_file, keys_file] = ["receipt.jws", "keys.json"].map(|name| folder.path().join(name));
        fs::write(&receipt_file, receipt).unwrap();
        fs::write(&keys_file, &keys).unwrap();
        let mut command = Command::new(office.provider.python());
        command.arg(&program).arg(receipt_file).arg(keys_file);
        block_in_place(|| command.output()).unwrap()
    };
    let checked = check(&receipt.body);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let said: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(said["company_id"], world.company.id.as_str());
    assert_eq!((&said["user_id"], &said["request_id"]), (&json!(leaver), &json!(request)));
    assert_eq!((&said["cause"], &said["sessions_ended"]), (&json!("deactivated"), &json!(1)));
    assert!(said["requested_at"].as_str() <= said["enforced_at"].as_str(), "{said}");

    let (head, signature) = receipt.body.rsplit_once('.').unwrap();
    let forged: String = signature.chars().rev().collect();
    assert!(!check(&format!("{head}.{forged}")).status.success(), "a forged receipt passes");
}

fn encoded(value: &str) -> String {
    value.replace('%', "%25").replace('&', "%26").replace('+', "%2B").replace(':', "%3A").replace('/', "%2F")
}
