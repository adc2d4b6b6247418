//! People who sign in at their company's identity provider: who is let in, as whom, and who is not.

use std::{sync::Mutex, time::Duration};

use bus_contract::{
    audit::Actor,
    console::{SignOutPerson, failure::Reason, reply::Result as Answer},
    directory::{LookUpUser, LookUpUserReply, UserRecord, look_up_user::Key, reply::Result as Told},
    subject::{LOOK_UP_USER, SIGN_OUT_PERSON},
};
use sha2::{Digest as _, Sha256};
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    access::{Announcer, until_finished},
    administrators::acts,
    harness::{Browser, IdentityProvider, NOW, Said, Seen, World, operator},
    sample::{PERSON, told},
};

pub(crate) const OBJECT: &str = "2f1c4e8a-0000-4000-8000-00000000000a";
pub(crate) const USER: &str = "megan@contoso.example";
pub(crate) const ISSUER: &str = "https://sts.example/contoso/";
pub(crate) const FORM: [(&str, &str); 3] =
    [("way", "saml"), ("match_by", "external_id"), ("domains", "contoso.example")];

/// Contoso with single sign-on, its administrator, and its identity provider.
pub(crate) struct Company {
    pub(crate) world: World,
    pub(crate) anna: Browser,
    pub(crate) provider: IdentityProvider,
    next: Mutex<u32>,
}

impl Company {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these fields of the settings besides.
    async fn start_with(fields: &[(&str, &str)]) -> Self {
        let (world, anna) = World::start_signed_in().await;
        let provider = IdentityProvider::new(ISSUER);
        let metadata = provider.metadata();
        let company = Self { world, anna, provider, next: Mutex::new(0) };
        company.provision("administrator", true);
        company.prepare(&[fields, &[("metadata", metadata.as_str())]].concat()).await;
        company.test_by(&company.provider).await;
        let saved = company.save(&[&FORM, fields].concat()).await;
        assert_eq!(saved.location(), "/settings/single-sign-on?done=saved", "{}", saved.body);
        company
    }

    /// Writes an identity provider down, and leads nobody to it.
    pub(crate) async fn prepare(&self, fields: &[(&str, &str)]) {
        let saved = self.save(&[&[("way", "password")], &FORM[1..], fields].concat()).await;
        assert_eq!(saved.location(), "/settings/single-sign-on?done=saved", "{}", saved.body);
    }

    /// Anna's test, of which the provider says that she is Megan.
    pub(crate) async fn test_by(&self, provider: &IdentityProvider) {
        let (request, relay_state) = self.sent(&self.anna.post("/settings/single-sign-on/test", &[]).await);
        let now = self.world.clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let said = Said { request: Some(request), now, ..self.said() };
        let answer = bring(&self.anna, &provider.response(&said), &relay_state).await;
        assert!(answer.location().starts_with("/settings/single-sign-on/tests/"), "{}", answer.body);
    }

    pub(crate) async fn save(&self, fields: &[(&str, &str)]) -> Seen {
        self.anna.post("/settings/single-sign-on", fields).await
    }

    /// Megan, as the directory has her.
    pub(crate) fn provision(&self, role: &str, is_active: bool) {
        self.provision_at(7, role, is_active);
    }

    /// The same, at this version.
    fn provision_at(&self, version: i64, role: &str, is_active: bool) {
        provision(&self.world, version, role, is_active);
    }

    /// What the identity provider says of Megan by itself.
    pub(crate) fn said(&self) -> Said {
        let mut next = self.next.lock().unwrap();
        *next += 1;
        Said {
            request: None,
            name_id: USER.to_owned(),
            object_id: OBJECT.to_owned(),
            role: None,
            console_url: self.anna.origin(),
            assertion_id: format!("_a{next}"),
            now: NOW,
            known_for: 0,
            session_ends_in: None,
        }
    }

    /// Begins at `/login`: the request's id, and what goes to the identity provider and back.
    pub(crate) async fn begin(&self, browser: &Browser, path: &str) -> (String, String) {
        let page = browser.post("/login", &[("user", USER), ("return", path)]).await;
        self.sent(&page)
    }

    pub(crate) fn sent(&self, page: &Seen) -> (String, String) {
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(
            page.body.contains("https://login.example/SingleSignOnService?SAMLRequest="),
            "{}",
            page.body
        );
        let (_, rest) = page.body.split_once("RelayState=").unwrap();
        let relay_state = rest.split(['&', '"']).next().unwrap().to_owned();
        let key: String = Sha256::digest(&relay_state).iter().map(|byte| format!("{byte:02x}")).collect();
        let sql = format!("SELECT request_id FROM console.sign_in_requests WHERE request_key = '{key}'");
        let server = backing_servers::postgres::Server::shared().unwrap();
        let id = server.sql(&self.world.database.name, &sql).unwrap();
        (format!("_{}", id.trim().replace('-', "")), relay_state)
    }

    /// The whole way in.
    pub(crate) async fn sign_in(&self, browser: &Browser) -> Seen {
        let (request, relay_state) = self.begin(browser, "/people").await;
        let said = Said { request: Some(request), ..self.said() };
        bring(browser, &self.provider.response(&said), &relay_state).await
    }
}

/// Has the directory know Megan so, and nobody else.
pub(crate) fn provision(world: &World, version: i64, role: &str, is_active: bool) {
    let attributes = format!(
        r#"{{"userName":"{USER}","externalId":"{OBJECT}","displayName":"Megan Bowen","active":{is_active},"roles":[{{"value":"{role}"}}]}}"#
    );
    world.services.answer(LOOK_UP_USER, move |asked: LookUpUser| {
        let is_hers = match asked.key.unwrap() {
            Key::UserId(id) => id == PERSON,
            Key::UserName(name) => name.eq_ignore_ascii_case(USER),
            Key::ExternalId(id) => id == OBJECT,
        };
        let megan = UserRecord {
            user_id: PERSON.into(),
            version,
            attributes_json: attributes.clone(),
            ..UserRecord::default()
        };
        let users = if is_hers { vec![megan] } else { Vec::new() };
        told(Told::LookUpUser(LookUpUserReply { users }))
    });
}

/// The identity provider's page has the browser send its form.
pub(crate) async fn bring(browser: &Browser, response: &str, relay_state: &str) -> Seen {
    let fields = [("SAMLResponse", response), ("RelayState", relay_state)];
    let headers = [("origin", "https://login.example"), ("sec-fetch-site", "cross-site")];
    browser.post_from("/saml/login_check", &fields, &headers).await
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_with_their_user_name_and_their_company_s_account() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let answer = company.sign_in(&megan).await;
    assert_eq!((answer.status, answer.location()), (303, "/people"), "{}", answer.body);
    let account = megan.get("/account").await;
    assert!(account.body.contains("You are signed in as Megan Bowen"), "{}", account.body);
    assert!(!account.body.contains("/account/password"), "there is no password to change");
    assert_eq!(megan.get("/settings/administrators").await.status, 200, "what administrators see");
    let acts = acts(&company.world, company.world.contoso.id).await;
    assert!(acts.contains(&format!("session.signed_in {USER} by {USER}")), "{acts:?}");
    let left = megan.post("/sign-out", &[]).await;
    assert!(left.body.contains("https://login.example/SingleLogoutService?SAMLRequest="), "{}", left.body);
    assert_eq!(megan.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_signs_somebody_out_everywhere() {
    let company = Company::start().await;
    let world = &company.world;
    let (megan, elsewhere) = (world.browser(), world.browser());
    company.sign_in(&megan).await;
    company.sign_in(&elsewhere).await;
    let ask = async |company: CompanyId, user_id: &str, actor: Option<Actor>| {
        let question = SignOutPerson { company_id: company.to_string(), user_id: user_id.to_owned(), actor };
        match world.ask(SIGN_OUT_PERSON, question).await {
            Answer::SignedOutPerson(done) => Some(done.sessions),
            Answer::Failure(failure) => {
                assert_eq!(failure.reason(), Reason::Invalid);
                None
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(world.contoso.id, PERSON, None).await, None, "somebody does it");
    assert_eq!(ask(world.contoso.id, "megan", Some(operator())).await, None);
    assert_eq!(ask(world.fabrikam.id, PERSON, Some(operator())).await, Some(0), "another company's");
    assert_eq!(megan.get("/account").await.status, 200);

    assert_eq!(ask(world.contoso.id, PERSON, Some(operator())).await, Some(2));
    assert_eq!((megan.get("/account").await.status, elsewhere.get("/account").await.status), (303, 303));
    let acts = acts(world, world.contoso.id).await;
    assert_eq!(acts.last().unwrap(), &format!("sessions.ended {USER} by oscar"));
    assert_eq!(company.sign_in(&megan).await.status, 303, "they may sign in again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_may_do_is_what_was_provisioned_less_what_a_claim_takes_away() {
    let company = Company::start().await;
    for (provisioned, claimed, people, invite) in [
        ("administrator", None, 200, 400),
        ("auditor", Some("administrator"), 200, 403),
        ("administrator", Some("auditor"), 200, 403),
        ("employee", Some("administrator"), 403, 403),
    ] {
        company.provision(provisioned, true);
        let megan = company.world.browser();
        let (request, relay_state) = company.begin(&megan, "/").await;
        let said = Said { request: Some(request), role: claimed, ..company.said() };
        let answer = bring(&megan, &company.provider.response(&said), &relay_state).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let context = format!("{provisioned} {claimed:?}");
        company.world.services.hurry();
        let seen = megan.get("/people").await.status;
        assert_eq!(seen == 403, people == 403, "{context}: {seen}");
        assert_eq!(megan.post("/settings/administrators/invite", &[]).await.status, invite, "{context}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_sees_themselves_and_nothing_of_the_company_s() {
    let company = Company::start().await;
    company.provision("employee", true);
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    assert_eq!(megan.get("/").await.location(), "/account");
    let account = megan.get("/account").await;
    assert_eq!(account.status, 200);
    assert!(account.body.contains("Megan Bowen") && account.body.contains("Contoso"), "{}", account.body);
    assert!(!account.body.contains("href=\"/people\""), "no navigation: {}", account.body);
    for (verb, path, access, _) in admin_console::route_table() {
        use admin_console::{Access, Verb};
        let is_theirs = matches!(access, Access::Public | Access::FromElsewhere | Access::Own);
        if is_theirs || path == "/" {
            continue;
        }
        let path = path.replace("{id}", PERSON);
        let seen = match verb {
            Verb::Get => megan.get(&path).await.status,
            Verb::Post => megan.post(&path, &[]).await.status,
        };
        assert_eq!(seen, 403, "{verb:?} {path}");
    }
    assert_eq!(megan.post("/sign-out", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_never_provisioned_or_is_deactivated_gets_a_page_and_no_session() {
    let company = Company::start().await;
    company.provision("administrator", false);
    let browser = company.world.browser();
    let answer = company.sign_in(&browser).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("Your account is deactivated"), "{}", answer.body);
    let (request, relay_state) = company.begin(&browser, "/").await;
    let stranger = Said { request: Some(request), object_id: Uuid::nil().to_string(), ..company.said() };
    let answer = bring(&browser, &company.provider.response(&stranger), &relay_state).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("You have no access to TimeClock 365 yet"), "{}", answer.body);
    assert_eq!(browser.session(), None);
    let acts = acts(&company.world, company.world.contoso.id).await;
    assert_eq!(acts.iter().filter(|act| act.starts_with("session.sign_in_refused")).count(), 2, "{acts:?}");
    let count = |result: &str| {
        company.world.count("timeclock_console_single_sign_ons_total", &format!("result=\"{result}\""))
    };
    assert_eq!((count("inactive"), count("not_provisioned"), count("signed_in")), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_looked_up_before_their_access_ended_gets_no_session_after_it() {
    let company = Company::start().await;
    let directory = Announcer::start(&company.world).await;
    // Somebody may have asked the directory a moment before it announced this, and have its answer still.
    directory.deactivate(PERSON.parse().unwrap(), 8).await;
    until_finished(&company.world, 1).await;
    let browser = company.world.browser();
    let answer = company.sign_in(&browser).await;
    assert_eq!((answer.status, browser.session()), (403, None), "{}", answer.body);
    // Active again since: whoever is looked up now is seen at the version that has her back.
    company.provision_at(8, "administrator", true);
    let answer = company.sign_in(&browser).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_e_mail_address_alone_lets_nobody_in() {
    let company = Company::start().await;
    let browser = company.world.browser();
    let (request, relay_state) = company.begin(&browser, "/").await;
    let said = Said { request: Some(request), object_id: String::new(), ..company.said() };
    let answer = bring(&browser, &company.provider.response(&said), &relay_state).await;
    assert_eq!(answer.status, 403, "her name, and another object");
    let saved = company.save(&[&FORM[..1], &[("match_by", "user_name")], &FORM[2..]].concat()).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let (request, relay_state) = company.begin(&browser, "/").await;
    let said = Said { request: Some(request), object_id: "other".to_owned(), ..company.said() };
    let answer = bring(&browser, &company.provider.response(&said), &relay_state).await;
    assert_eq!(answer.status, 303, "the company finds people by user name: {}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_good_once_and_in_the_browser_that_asked() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let (request, relay_state) = company.begin(&megan, "/").await;
    let said = Said { request: Some(request.clone()), ..company.said() };
    let response = company.provider.response(&said);
    let thief = company.world.browser();
    let stolen = bring(&thief, &response, &relay_state).await;
    assert_eq!(stolen.status, 403, "a browser that never asked");
    company.begin(&thief, "/").await;
    assert_eq!(bring(&thief, &response, &relay_state).await.status, 403, "nor one that asked for itself");
    assert_eq!(bring(&megan, &response, &relay_state).await.status, 303);
    assert_eq!(bring(&megan, &response, &relay_state).await.status, 403, "once");
    let (_, another) = company.begin(&megan, "/").await;
    assert_eq!(bring(&megan, &response, &another).await.status, 403, "the answer to another request");
    assert_eq!(bring(&megan, &response, "").await.status, 403, "nor does it pass for one to none");
    company.world.clock.advance(Duration::from_secs(16 * 60));
    let late = Said { request: Some(request), now: NOW + 16 * 60, ..company.said() };
    assert_eq!(bring(&megan, &company.provider.response(&late), &relay_state).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ins_begin_at_the_identity_provider_only_where_the_company_allows_it() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let refused = bring(&megan, &company.provider.response(&company.said()), "").await;
    assert_eq!(refused.status, 403);
    assert!(refused.body.contains("unsolicited"), "{}", refused.body);
    let saved = company.save(&[&FORM[..], &[("allows_unsolicited", "yes")]].concat()).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let response = company.provider.response(&company.said());
    let answer = bring(&megan, &response, "whatever").await;
    assert_eq!((answer.status, answer.location()), (303, "/"), "{}", answer.body);
    assert_eq!(bring(&megan, &response, "").await.status, 403, "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_company_s_identity_provider_lets_nobody_into_another() {
    let company = Company::start_with(&[("allows_unsolicited", "yes")]).await;
    let world = &company.world;
    let bruno = world.administrator(&world.fabrikam.clone()).await;
    let theirs = IdentityProvider::new("https://sts.example/fabrikam/");
    let fields = |metadata: String, domains: &'static str| {
        vec![
            ("way", "saml".to_owned()),
            ("match_by", "external_id".to_owned()),
            ("domains", domains.to_owned()),
            ("allows_unsolicited", "yes".to_owned()),
            ("metadata", metadata),
        ]
    };
    let save = async |way: &'static str, metadata: String, domains: &'static str| {
        let mut fields = fields(metadata, domains);
        fields[0].1 = way.to_owned();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        bruno.post("/settings/single-sign-on", &fields).await
    };
    // Whoever sets it up tests it, and is led back as somebody whom the directory knows.
    let test = async |provider: &IdentityProvider| {
        let (request, relay_state) = company.sent(&bruno.post("/settings/single-sign-on/test", &[]).await);
        let said = Said { request: Some(request), ..company.said() };
        bring(&bruno, &provider.response(&said), &relay_state).await
    };
    assert_eq!(save("password", company.provider.metadata(), "").await.status, 303, "it is public");
    test(&company.provider).await;
    let taken = save("saml", company.provider.metadata(), "").await;
    assert_eq!(taken.status, 409);
    assert!(taken.body.contains("Another company"), "that one is Contoso's: {}", taken.body);
    assert_eq!(save("password", theirs.metadata(), "contoso.example").await.status, 409, "so is that domain");
    assert_eq!(save("password", theirs.metadata(), "fabrikam.example").await.status, 303);
    test(&theirs).await;
    assert_eq!(save("saml", theirs.metadata(), "fabrikam.example").await.status, 303);
    // Fabrikam's provider says that somebody is Contoso's Megan.
    let megan = world.browser();
    let answer = bring(&megan, &theirs.response(&company.said()), "").await;
    assert_eq!(answer.status, 303, "her object id is at Fabrikam too, as far as its directory says");
    let account = megan.get("/account").await.body;
    assert!(account.contains("Fabrikam") && !account.contains("Contoso"), "at Fabrikam: {account}");
    // And answers a request that Contoso made.
    let browser = world.browser();
    let (request, relay_state) = company.begin(&browser, "/").await;
    let said = Said { request: Some(request), ..company.said() };
    let answer = bring(&browser, &theirs.response(&said), &relay_state).await;
    assert_eq!(answer.status, 403);
    assert!(answer.body.contains("wrong_issuer"), "{}", answer.body);
    // And calls itself Contoso's.
    let liar = IdentityProvider::new(ISSUER);
    let answer = bring(&browser, &liar.response(&company.said()), "").await;
    assert_eq!(answer.status, 403, "{}", answer.body);
    assert_eq!(browser.session(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_somebody_signs_in_depends_on_the_domain_alone() {
    let company = Company::start().await;
    let browser = company.world.browser();
    for user in [USER, "nobody@contoso.example", company.world.contoso.email, " X@CONTOSO.example "] {
        let page = browser.post("/login", &[("user", user)]).await;
        assert!(page.body.contains("https://login.example/"), "{user}: {}", page.body);
    }
    for user in ["nobody@nowhere.example", company.world.fabrikam.email, "megan"] {
        let page = browser.post("/login", &[("user", user), ("return", "/people")]).await;
        assert_eq!((page.status, page.location()), (200, ""), "{user}: no address has their name in it");
        let asked =
            page.body.contains("type=\"password\"") && page.body.contains(&format!("value=\"{user}\""));
        assert!(asked && page.body.contains("value=\"/people\""), "{user}: {}", page.body);
    }
    assert_eq!(browser.post("/login", &[("user", " ")]).await.status, 422);
    let saved = company.save(&[&FORM[..2], &[("domains", "microsoft.com")]].concat()).await;
    assert_eq!(saved.status, 409, "nobody has vouched for that domain");
    assert!(saved.body.contains("microsoft.com"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_shows_what_came_and_signs_nobody_in() {
    let company = Company::start().await;
    let begin = async || {
        let page = company.anna.post("/settings/single-sign-on/test", &[]).await;
        company.sent(&page)
    };
    let (request, relay_state) = begin().await;
    let before = company.anna.session();
    let said = Said { request: Some(request), role: Some("auditor"), ..company.said() };
    let answer = bring(&company.anna, &company.provider.response(&said), &relay_state).await;
    assert!(answer.location().starts_with("/settings/single-sign-on/tests/"), "{}", answer.body);
    assert_eq!(company.anna.session(), before);
    let report = company.anna.get(answer.location()).await;
    for expected in ["would have been accepted", "Megan Bowen", OBJECT, ISSUER, "Auditor", "objectidentifier"]
    {
        assert!(report.body.contains(expected), "{expected}: {}", report.body);
    }
    let stranger = company.world.person(
        company.world.contoso.id,
        "carla@contoso.example",
        bus_contract::console::Role::Administrator,
    );
    assert_eq!(stranger.await.get(answer.location()).await.status, 404, "it is Anna's alone");
    let (request, relay_state) = begin().await;
    let liar = IdentityProvider::new(ISSUER);
    let said = Said { request: Some(request), ..company.said() };
    let answer = bring(&company.anna, &liar.response(&said), &relay_state).await;
    let report = company.anna.get(answer.location()).await;
    assert!(report.body.contains("would have been refused"), "{}", report.body);
    assert_eq!(company.anna.session(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_switched_off_only_after_a_test_and_with_a_break_glass_administrator() {
    let company = Company::start().await;
    let world = &company.world;
    let only =
        async |is_only| company.anna.post("/settings/single-sign-on/only", &[("is_only", is_only)]).await;
    let carla = world
        .person(world.contoso.id, "carla@contoso.example", bus_contract::console::Role::Administrator)
        .await;
    let refused = carla.post("/settings/single-sign-on/only", &[("is_only", "true")]).await;
    assert_eq!(refused.status, 409, "Anna has tested it, and Carla has not");
    assert!(refused.body.contains("Test it yourself first"), "{}", refused.body);
    let refused = only("true").await;
    assert!(refused.body.contains("break-glass administrator"), "{}", refused.body);

    let ids = crate::administrators::ids(world, world.contoso.id).await;
    let (_, id) = ids.iter().find(|(email, _)| email == world.contoso.email).unwrap();
    let anna = format!("/settings/administrators/{id}");
    let kept = company.anna.post(&format!("{anna}/break-glass"), &[("is_break_glass", "true")]).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
    assert_eq!(only("true").await.location(), "/settings/single-sign-on?done=only");
    assert_eq!(carla.get("/account").await.status, 303, "signed out");
    let refused = carla.sign_in("carla@contoso.example").await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("signs in with its own accounts alone"), "{}", refused.body);
    let wrong = [("email", "carla@contoso.example"), ("password", "a wrong one, surely")];
    let wrong = world.browser().post("/sign-in", &wrong).await.body;
    assert!(!wrong.contains("own accounts alone"), "only whoever knows the password learns it");
    assert_eq!(world.browser().sign_in(world.contoso.email).await.status, 303, "Anna keeps hers");
    for (act, fields) in [
        ("break-glass", vec![("is_break_glass", "false")]),
        ("remove", vec![]),
        ("role", vec![("role", "auditor")]),
    ] {
        let refused = company.anna.post(&format!("{anna}/{act}"), &fields).await;
        assert_eq!(refused.status, 409, "{act}");
    }
    let invite = [("email", "new@contoso.example"), ("role", "auditor")];
    assert_eq!(company.anna.post("/settings/administrators/invite", &invite).await.status, 409);
    assert_eq!(only("false").await.status, 303);
    assert_eq!(carla.sign_in("carla@contoso.example").await.status, 303);
    assert_eq!(world.browser().sign_in(world.contoso.email).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_protected_asks_somebody_to_prove_it_where_they_signed_in() {
    let company = Company::start().await;
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    let asked = megan.post("/settings/single-sign-on/only", &[("is_only", "true")]).await;
    assert!(asked.location().starts_with("/confirm-password"), "{}", asked.body);
    let page = megan.get(asked.location()).await;
    assert!(!page.body.contains("type=\"password\""), "{}", page.body);
    let ask = async || company.sent(&megan.post("/confirm-password", &[("return", "/people")]).await);
    let (request, relay_state) = ask().await;
    let said = Said { request: Some(request), known_for: 121, ..company.said() };
    let answer = bring(&megan, &company.provider.response(&said), &relay_state).await;
    assert_eq!(answer.location(), "/confirm-password?return=/people&why=not-asked");
    let page = megan.get(answer.location()).await;
    assert!(page.body.contains("has not asked you to prove again"), "{}", page.body);
    let asked = megan.post("/settings/single-sign-on/only", &[("is_only", "true")]).await;
    assert!(asked.location().starts_with("/confirm-password"), "known from before: {}", asked.body);
    let (request, relay_state) = ask().await;
    let said = Said { request: Some(request), ..company.said() };
    let answer = bring(&megan, &company.provider.response(&said), &relay_state).await;
    assert_eq!((answer.status, answer.location()), (303, "/people"), "{}", answer.body);
    let now = megan.post("/settings/single-sign-on/only", &[("is_only", "true")]).await;
    assert_eq!(now.status, 409, "asked, and refused for its own reason: {}", now.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_out_at_the_identity_provider_signs_out_here() {
    let company = Company::start().await;
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    let origin = company.anna.origin();
    let elsewhere = company.world.browser();
    let liar = IdentityProvider::new(ISSUER);
    let forged = elsewhere.get(&format!("/saml/logout?{}", liar.logout_query(&origin, USER, NOW))).await;
    assert_eq!(forged.status, 403);
    assert_eq!(megan.get("/account").await.status, 200);
    let asked = company.provider.logout_query(&origin, USER, NOW);
    let answer = elsewhere.get(&format!("/saml/logout?{asked}")).await;
    assert!(
        answer.body.contains("https://login.example/SingleLogoutService?SAMLResponse="),
        "{}",
        answer.body
    );
    assert_eq!(megan.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_identity_provider_ends_the_sessions_of_the_one_before() {
    let company = Company::start().await;
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    let same = company.save(&FORM).await;
    assert_eq!(same.status, 303, "{}", same.body);
    assert_eq!(megan.get("/account").await.status, 200, "the same one");
    let next = IdentityProvider::new("https://sts.example/next/");
    let metadata = next.metadata();
    company.world.clock.advance(Duration::from_secs(1));
    let refused = company.save(&[&FORM[..], &[("metadata", metadata.as_str())]].concat()).await;
    assert_eq!(refused.status, 409, "who has its metadata has not come back from it");
    assert!(refused.body.contains("This is not tested yet"), "{}", refused.body);
    assert_eq!(megan.get("/account").await.status, 200, "nothing has changed");
    company.prepare(&[("metadata", metadata.as_str())]).await;
    assert_eq!(megan.get("/account").await.status, 303);
    let refused = company.save(&FORM).await;
    assert_eq!(refused.status, 409, "Anna's test was of the one before");
    company.test_by(&next).await;
    assert_eq!(company.save(&FORM).await.status, 303);
    assert_eq!(company.anna.get("/account").await.status, 200, "Anna's rests on her password");
}

#[tokio::test(flavor = "multi_thread")]
async fn metadata_that_cannot_be_used_is_refused_with_a_reason() {
    let (world, anna) = World::start_signed_in().await;
    for (field, value, expected) in [
        ("metadata", "", "Paste the path"),
        ("metadata", "<a/>", "This metadata is of no use"),
        ("metadata_url", "http://example.com/metadata", "must begin with https://"),
        ("metadata_url", "https://169.254.169.254/metadata", "private network"),
        ("metadata_url", "https://localhost/metadata", "private network"),
    ] {
        let fields = [("way", "saml"), ("match_by", "external_id"), (field, value)];
        let answer = anna.post("/settings/single-sign-on", &fields).await;
        assert_eq!(answer.status, 422, "{value}");
        assert!(answer.body.contains(expected), "{value}: {}", answer.body);
    }
    let page = anna.get("/saml/metadata").await;
    assert!(page.body.contains(&format!("entityID=\"{}/saml/metadata\"", anna.origin())), "{}", page.body);
    drop(world);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_saved_again_say_nothing_of_metadata_that_nobody_has_read() {
    let company = Company::start().await;
    let server = backing_servers::postgres::Server::shared().unwrap();
    let sql = |text: &str| server.sql(&company.world.database.name, text).unwrap().trim().to_owned();
    sql(
        "UPDATE console.single_sign_on SET refresh_problem = 'it was away', refreshed_at = '2026-01-01T00:00:00Z'",
    );
    company.world.clock.advance(Duration::from_secs(60));
    assert_eq!(company.save(&FORM).await.status, 303);
    let kept = "SELECT count(*) FROM console.single_sign_on
                WHERE refresh_problem = 'it was away' AND refreshed_at = '2026-01-01T00:00:00Z'";
    assert_eq!(sql(kept), "1");
    let metadata = company.provider.metadata();
    assert_eq!(company.save(&[&FORM[..], &[("metadata", metadata.as_str())]].concat()).await.status, 303);
    assert_eq!(sql(kept), "0", "now it was read");
}
