//! What single sign-on withstands: whoever begins without ending, and what changes while somebody is under way.

use std::sync::Mutex;

use bus_contract::{
    console::{
        ReleaseSignIn, Role, ShowSignIn, SignIn, VouchForDomain, WithdrawDomain, reply::Result as Answer,
    },
    directory::{LookUpUser, LookUpUserReply, UserRecord, reply::Result as Told},
    subject::{LOOK_UP_USER, RELEASE_SIGN_IN, SHOW_SIGN_IN, VOUCH_FOR_DOMAIN, WITHDRAW_DOMAIN},
};
use diesel::{Connection as _, PgConnection, connection::SimpleConnection as _};

use crate::{
    administrators::{acts, ids},
    harness::{Browser, IdentityProvider, NOW, Said, eventually, operator, url},
    sample::{PERSON, told},
    single_sign_on::{Company, FORM, ISSUER, USER, bring},
};

impl Company {
    /// Anna's test, which leads to Megan.
    async fn test(&self) {
        self.test_by(&self.provider).await;
    }

    /// As many that wait as `generate_series` counts; `network` is SQL that says where each is from.
    fn waiting(&self, count: u32, network: &str) {
        let sql = format!(
            "INSERT INTO console.sign_in_requests
             SELECT '{}', gen_random_uuid(), 'w' || n, '', 'sign_in', '', '/', to_timestamp({NOW} + 900), {network}
             FROM generate_series(1, {count}) n",
            self.world.contoso.id
        );
        let server = backing_servers::postgres::Server::shared().unwrap();
        server.sql(&self.world.database.name, &sql).unwrap();
    }

    /// Megan, found by a directory that takes so long that single sign-on is set up anew meanwhile.
    fn change_while_the_directory_is_asked(&self) {
        let mut other = PgConnection::establish(&url(&self.world.database, "owner")).unwrap();
        other.batch_execute(&format!("SET timeclock.company_id = '{}'", self.world.contoso.id)).unwrap();
        let other = Mutex::new(other);
        self.world.services.answer(LOOK_UP_USER, move |_: LookUpUser| {
            let change = "UPDATE single_sign_on SET changed_at = changed_at + interval '1 s'";
            other.lock().unwrap().batch_execute(change).unwrap();
            let attributes = r#"{"active":true,"roles":[{"value":"administrator"}]}"#;
            let megan = UserRecord {
                user_id: PERSON.into(),
                version: 7,
                attributes_json: attributes.to_owned(),
                ..UserRecord::default()
            };
            told(Told::LookUpUser(LookUpUserReply { users: vec![megan] }))
        });
    }

    /// Those that it took to switch single sign-on on.
    fn forget_tests(&self) {
        let server = backing_servers::postgres::Server::shared().unwrap();
        server.sql(&self.world.database.name, "DELETE FROM console.sign_in_tests").unwrap();
    }

    async fn keep_password(&self, email: &str, keeps: &str) {
        let all = ids(&self.world, self.world.contoso.id).await;
        let (_, id) = all.iter().find(|(of, _)| of == email).unwrap();
        let path = format!("/settings/administrators/{id}/break-glass");
        let kept = self.anna.post(&path, &[("is_break_glass", keeps)]).await;
        assert_eq!(kept.status, 303, "{}", kept.body);
    }

    /// Somebody else who has a password.
    async fn colleague(&self, email: &str) -> Browser {
        self.world.person(self.world.contoso.id, email, Role::Administrator).await
    }

    async fn switch_passwords_off(&self) -> crate::harness::Seen {
        self.anna.post("/settings/single-sign-on/only", &[("is_only", "true")]).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_begins_and_never_ends_stops_themselves_alone() {
    let company = Company::start().await;
    let (stranger, mut elsewhere) = (company.world.browser(), company.world.browser());
    elsewhere.address = "203.0.113.9".to_owned();
    let begin = async |browser: &Browser| browser.post("/login", &[("user", USER), ("return", "/")]).await;
    assert_eq!(begin(&stranger).await.status, 200);
    company.waiting(999, "(SELECT network_key FROM console.sign_in_requests LIMIT 1)");
    let refused = begin(&stranger).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, "901"), "{}", refused.body);
    assert_eq!(begin(&elsewhere).await.status, 200, "from another network");
    let page = company.anna.post("/settings/single-sign-on/test", &[]).await;
    assert_eq!(page.status, 200, "whoever is signed in does not wait: {}", page.body);
    company.world.clock.advance(std::time::Duration::from_secs(16 * 60));
    assert_eq!(begin(&stranger).await.status, 200, "when all of them are too old");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_signs_in_however_many_give_up_or_are_refused() {
    let company = Company::start().await;
    assert_eq!(company.sign_in(&company.world.browser()).await.status, 303);
    company.provision("administrator", false);
    for number in 0..110 {
        let browser = company.world.browser();
        let (request, relay_state) = company.begin(&browser, "/").await;
        // Every other one closes the page; who does not is refused.
        if number % 2 == 0 {
            let said = Said { request: Some(request), ..company.said() };
            let answer = bring(&browser, &company.provider.response(&said), &relay_state).await;
            assert_eq!(answer.status, 403, "{number}: {}", answer.body);
        }
    }
    company.waiting(2_000, "(SELECT network_key FROM console.sign_in_requests LIMIT 1)");
    company.provision("administrator", true);
    let answer = company.sign_in(&company.world.browser()).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_that_only_prepares_single_sign_on_has_passwords_as_before() {
    let company = Company::start().await;
    company.prepare(&[]).await;
    let browser = company.world.browser();
    for number in 0..110 {
        let page = browser.post("/login", &[("user", USER)]).await;
        assert_eq!(page.status, 200, "{number}: {}", page.body);
        assert!(page.body.contains("type=\"password\""), "{number}: {}", page.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_strangers_begin_leaves_room_for_networks_that_are_known_and_for_other_purposes() {
    let company = Company::start().await;
    let (mut megan, mut stranger) = (company.world.browser(), company.world.browser());
    megan.address = "203.0.113.1".to_owned();
    stranger.address = "203.0.113.2".to_owned();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    company.waiting(10_000, "n::text");
    let refused = stranger.post("/login", &[("user", USER)]).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    let (request, relay_state) = company.begin(&megan, "/").await;
    let said = Said { request: Some(request), ..company.said() };
    assert_eq!(bring(&megan, &company.provider.response(&said), &relay_state).await.status, 303);
    let page = company.anna.post("/settings/single-sign-on/test", &[]).await;
    assert_eq!(page.status, 200, "tests have a room of their own: {}", page.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_passwords_are_off_only_those_who_keep_theirs_get_another_session() {
    let company = Company::start().await;
    let (carla, dana) =
        (company.colleague("carla@contoso.example").await, company.colleague("dana@contoso.example").await);
    company.keep_password("carla@contoso.example", "true").await;
    company.keep_password("dana@contoso.example", "true").await;
    company.test().await;
    assert_eq!(company.switch_passwords_off().await.location(), "/settings/single-sign-on?done=only");
    assert_eq!((carla.get("/account").await.status, dana.get("/account").await.status), (200, 200));
    let fields = [("current", crate::harness::PASSWORD), ("new", "quite another horse battery")];
    let refused = company.anna.post("/account/password", &fields).await;
    assert_eq!(refused.status, 422, "the session that was left to whoever switched them off is no way on");
    assert!(refused.body.contains("signs in with its own accounts alone"), "{}", refused.body);
    assert_eq!(company.anna.get("/account").await.status, 200);
    assert_eq!(carla.post("/account/password", &fields).await.status, 303, "she keeps hers");
    company.keep_password("dana@contoso.example", "false").await;
    assert_eq!(dana.get("/account").await.status, 303, "hers is over, and so is what rested on it");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_signs_in_while_passwords_are_switched_off_waits_and_is_refused() {
    let company = Company::start().await;
    let id = company.world.contoso.id;
    let mut other = PgConnection::establish(&url(&company.world.database, "owner")).unwrap();
    other
        .batch_execute(&format!(
            "BEGIN; SET LOCAL timeclock.company_id = '{id}';
             SELECT pg_advisory_xact_lock(hashtextextended('administrators {id}', 0));
             UPDATE single_sign_on SET is_only = true"
        ))
        .unwrap();
    let (browser, email) = (company.world.browser(), company.world.contoso.email);
    let signing_in = tokio::spawn(async move { browser.sign_in(email).await });
    let server = backing_servers::postgres::Server::shared().unwrap();
    eventually("waiting", || async {
        let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        let waiting = server.sql(&company.world.database.name, sql).unwrap();
        (waiting.trim() == "1").then_some(())
    })
    .await;
    other.batch_execute("COMMIT").unwrap();
    let refused = signing_in.await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("signs in with its own accounts alone"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_under_way_does_not_outlive_the_set_up_that_it_rests_on() {
    let company = Company::start().await;
    company.change_while_the_directory_is_asked();
    let megan = company.world.browser();
    let answer = company.sign_in(&megan).await;
    assert_eq!((answer.status, megan.session()), (403, None), "{}", answer.body);
    assert!(
        answer.body.contains("Begin again") && answer.body.contains("<code>changed</code>"),
        "{}",
        answer.body
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn passwords_are_off_only_after_a_test_of_what_is_set_up_that_leads_to_an_administrator() {
    let company = Company::start().await;
    company.keep_password(company.world.contoso.email, "true").await;
    company.forget_tests();
    company.provision("employee", true);
    company.test().await;
    let refused = company.switch_passwords_off().await;
    assert_eq!(refused.status, 409);
    assert!(refused.body.contains("no administrators here"), "{}", refused.body);
    company.change_while_the_directory_is_asked();
    company.test().await;
    let refused = company.switch_passwords_off().await;
    assert_eq!(refused.status, 409, "it was of what was set up before");
    assert!(refused.body.contains("Test it yourself first"), "{}", refused.body);
    company.provision("administrator", true);
    company.test().await;
    assert_eq!(company.switch_passwords_off().await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_forgotten_also_where_nobody_signs_in_any_more() {
    let company = Company::start().await;
    assert_eq!(company.sign_in(&company.world.browser()).await.status, 303);
    company.begin(&company.world.browser(), "/").await;
    let left = || {
        let sql = "SELECT (SELECT count(*) FROM console.sign_in_tests)
                   + (SELECT count(*) FROM console.person_sessions)
                   + (SELECT count(*) FROM console.sign_in_requests)";
        let server = backing_servers::postgres::Server::shared().unwrap();
        server.sql(&company.world.database.name, sql).unwrap().trim().to_owned()
    };
    assert_eq!(left(), "3");
    company.world.clock.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let another = company.world.another_instance().await;
    eventually("forgotten", || async { (left() == "0").then_some(()) }).await;
    drop(another);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_the_one_at_the_identity_provider() {
    let company = Company::start().await;
    let megan = company.world.browser();
    let (request, relay_state) = company.begin(&megan, "/").await;
    let said = Said { request: Some(request), session_ends_in: Some(600), ..company.said() };
    let answer = bring(&megan, &company.provider.response(&said), &relay_state).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    company.world.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(megan.get("/account").await.status, 200, "its clock may be two minutes ahead");
    company.world.clock.advance(std::time::Duration::from_secs(121));
    assert_eq!(megan.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_goes_and_another_identifier_end_what_rests_on_them() {
    let company = Company::start().await;
    let megan = company.world.browser();
    assert_eq!(company.sign_in(&megan).await.status, 303);
    let metadata = company.provider.metadata();
    let same = company.save(&[&FORM[..], &[("metadata", metadata.as_str())]].concat()).await;
    assert_eq!((same.status, megan.get("/account").await.status), (303, 200), "{}", same.body);
    let other_key = IdentityProvider::new(ISSUER).metadata();
    let saved = company.save(&[&FORM[..], &[("metadata", other_key.as_str())]].concat()).await;
    assert_eq!((saved.status, megan.get("/account").await.status), (303, 303), "{}", saved.body);
    company.save(&[&FORM[..], &[("metadata", metadata.as_str())]].concat()).await;
    assert_eq!(company.sign_in(&megan).await.status, 303);
    let by_name = [FORM[0], ("match_by", "user_name"), FORM[2]];
    assert_eq!(company.save(&by_name).await.status, 303);
    assert_eq!(megan.get("/account").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_signs_somebody_out_everywhere() {
    let company = Company::start().await;
    let (here, there) = (company.world.browser(), company.world.browser());
    for browser in [&here, &there] {
        assert_eq!(company.sign_in(browser).await.status, 303);
    }
    let done = company.anna.post(&format!("/people/{PERSON}/sign-out"), &[]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    for browser in [&here, &there] {
        assert_eq!(browser.get("/account").await.status, 303);
    }
    let acts = acts(&company.world, company.world.contoso.id).await;
    assert!(acts.iter().any(|act| act.starts_with(&format!("sessions.ended {USER} by"))), "{acts:?}");
}

/// What the console answers an operator about how a company signs in.
fn sign_in(answer: Answer) -> SignIn {
    match answer {
        Answer::SignIn(sign_in) => sign_in,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_is_a_company_s_when_an_operator_says_so_and_as_long_as_they_do() {
    let company = Company::start().await;
    let (world, id) = (&company.world, company.world.contoso.id);
    world.invite(id, "x@partner.example", Role::Administrator).await;
    let fields = [FORM[0], FORM[1], ("domains", "contoso.example partner.example")];
    assert_eq!(company.save(&fields).await.status, 409, "an invitation is no proof");
    let vouch = |domain: &str| VouchForDomain {
        company_id: id.to_string(),
        domain: domain.to_owned(),
        actor: Some(operator()),
    };
    let seen = sign_in(world.ask(VOUCH_FOR_DOMAIN, vouch(" Partner.example")).await);
    assert_eq!(seen.vouched_domains, ["contoso.example", "partner.example"]);
    assert!(matches!(world.ask(VOUCH_FOR_DOMAIN, vouch("nothing")).await, Answer::Failure(_)));
    assert_eq!(company.save(&fields).await.status, 303);
    let begin = async || world.browser().post("/login", &[("user", "y@partner.example")]).await.body;
    assert!(begin().await.contains("https://login.example/"));
    let withdraw = || WithdrawDomain {
        company_id: id.to_string(),
        domain: "partner.example".into(),
        actor: Some(operator()),
    };
    let seen = sign_in(world.ask(WITHDRAW_DOMAIN, withdraw()).await);
    assert_eq!((seen.way.as_str(), seen.domains), ("saml", vec!["contoso.example".to_owned()]));
    assert!(!begin().await.contains("https://login.example/"));
    assert_eq!(company.save(&fields).await.status, 409);
    assert!(matches!(world.ask(WITHDRAW_DOMAIN, withdraw()).await, Answer::Failure(_)), "once");
    let acts = acts(world, id).await;
    for act in ["domain.vouched partner.example by oscar", "domain.withdrawn partner.example by oscar"] {
        assert_eq!(acts.iter().filter(|one| *one == act).count(), 1, "{acts:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_provider_is_whose_who_signs_in_with_it_until_an_operator_frees_it() {
    let company = Company::start().await;
    let (world, id) = (&company.world, company.world.contoso.id);
    let bruno = world.administrator(&world.fabrikam.clone()).await;
    let metadata = company.provider.metadata();
    let save = async |way: &str| {
        let fields = [("way", way), ("match_by", "external_id"), ("metadata", metadata.as_str())];
        bruno.post("/settings/single-sign-on", &fields).await.status
    };
    let test = async || {
        let (request, relay_state) = company.sent(&bruno.post("/settings/single-sign-on/test", &[]).await);
        let said = Said { request: Some(request), ..company.said() };
        bring(&bruno, &company.provider.response(&said), &relay_state).await
    };
    assert_eq!(save("password").await, 303, "who only writes it down takes it from nobody");
    assert_eq!(test().await.status, 303);
    let megan = world.browser();
    assert_eq!(company.sign_in(&megan).await.status, 303, "and keeps nobody from it");
    assert_eq!(save("saml").await, 409);
    let seen = sign_in(world.ask(SHOW_SIGN_IN, ShowSignIn { company_id: id.to_string() }).await);
    assert_eq!((seen.issuer.as_str(), seen.passwords_off), (ISSUER, false));
    let release = || ReleaseSignIn { company_id: id.to_string(), actor: Some(operator()) };
    let seen = sign_in(world.ask(RELEASE_SIGN_IN, release()).await);
    assert_eq!((seen.way.as_str(), seen.issuer.as_str(), seen.domains.len()), ("password", "", 0));
    assert_eq!(megan.get("/account").await.status, 303);
    let again = [FORM[0], FORM[1], ("metadata", metadata.as_str())];
    assert_eq!(company.save(&again).await.status, 409, "whoever had it has to prove anew that it is theirs");
    assert_eq!(save("saml").await, 303);
    assert!(matches!(world.ask(RELEASE_SIGN_IN, release()).await, Answer::Failure(_)), "once");
}
