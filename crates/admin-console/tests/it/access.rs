//! Access ends with the account: what the directory announces ends sessions, wherever they are open, and once.

use bus_contract::{
    Message as _, Timestamp,
    console::SessionsEnded,
    directory::{
        Fact, ListCompanies, ListCompaniesReply, ListLog, ListLogReply, UserDeactivated, UserDeleted,
        UserRecord, UserUpdated, fact::Event, reply::Result as Told,
    },
    stream::DIRECTORY,
    subject::{self, LIST_COMPANIES, LIST_LOG, SESSIONS_ENDED, SIGN_ACCESS_END},
    token::{SignAccessEnd, SignedReceipt, reply::Result as TokenTold, sign_access_end::Cause},
};
use bus_jetstream::Bus;
use typed_ids::{CompanyId, RequestId, UserId};
use uuid::Uuid;

use crate::{
    harness::{NOW, World, connect, eventually},
    live::Stream,
    sample::{self, tokens_told, told},
};

const REMOVALS: &str = "timeclock_console_access_removal_seconds_count";
const FACTS: &str = "timeclock_console_access_facts_total";

/// The directory's side of the bus.
pub(crate) struct Announcer {
    bus: Bus,
    company: CompanyId,
}

impl Announcer {
    pub(crate) async fn start(world: &World) -> Self {
        let bus = connect(&world.nats.url(), "directory").await;
        bus.ensure_stream(&DIRECTORY).await.unwrap();
        Self { bus, company: world.contoso.id }
    }

    /// Announces it in this history, under a message id of its own, as after a crash.
    async fn announce(&self, user: UserId, request: RequestId, history: &str, event: Event) {
        let of = match &event {
            Event::UserDeactivated(_) => subject::Event::Deactivated,
            Event::UserDeleted(_) => subject::Event::Deleted,
            _ => subject::Event::Updated,
        };
        let fact = Fact {
            fact_id: format!("{request}.0"),
            request_id: request.to_string(),
            company_id: self.company.to_string(),
            history_id: history.to_owned(),
            // 84 ms before the clock of the tests.
            requested_at: Some(Timestamp { seconds: i64::try_from(NOW).unwrap() - 1, nanos: 916_000_000 }),
            event: Some(event),
            ..Fact::default()
        };
        let subject = subject::user_fact(self.company, user, of);
        let id = Uuid::now_v7().to_string();
        self.bus.publish_durable(subject, &id, None, fact.encode_to_vec()).await.unwrap().await.unwrap();
    }

    pub(crate) async fn deactivate(&self, user: UserId, version: i64) -> RequestId {
        let request = RequestId::mint();
        self.announce(user, request, "", deactivated(user, version)).await;
        request
    }
}

fn record(user: UserId, version: i64) -> Option<UserRecord> {
    Some(UserRecord { user_id: user.to_string(), version, ..UserRecord::default() })
}

fn deactivated(user: UserId, version: i64) -> Event {
    Event::UserDeactivated(UserDeactivated { user: record(user, version), ..UserDeactivated::default() })
}

fn sql(world: &World, script: &str) -> String {
    let server = backing_servers::postgres::Server::shared().unwrap();
    server.sql(&world.database.name, script).unwrap().trim().to_owned()
}

/// A session of somebody of Contoso whom the directory knew at this version.
fn begin_session(world: &World, user: UserId, version: i64) {
    begin_session_in(world, world.contoso.id, user, version);
}

fn begin_session_in(world: &World, company: CompanyId, user: UserId, version: i64) {
    let session = Uuid::now_v7();
    sql(
        world,
        &format!(
            "INSERT INTO console.person_sessions (company_id, session_id, user_id, user_version, user_name,
               display_name, role, way, subject, subject_format, session_index, session_key, created_at,
               last_seen_at, address, browser, history_id)
             SELECT '{company}', '{session}', '{user}', {version}, 'u', 'U', 'member', 'saml', 's', '', '',
               '{session}', to_timestamp({NOW}), to_timestamp({NOW}), '', '',
               (SELECT history_id FROM console.directory_history)"
        ),
    );
}

fn sessions_of(world: &World, user: UserId) -> String {
    sql(world, &format!("SELECT count(*) FROM console.person_sessions WHERE user_id = '{user}'"))
}

async fn until_none(world: &World, user: UserId) {
    eventually("no session is left", || async { (sessions_of(world, user) == "0").then_some(()) }).await;
}

/// Until so many facts have been finished with.
pub(crate) async fn until_finished(world: &World, facts: u64) {
    eventually("the facts are finished with", || async { (world.count(FACTS, "") == facts).then_some(()) })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deactivation_ends_every_session_of_that_person_and_of_nobody_else() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let (gone, other) = (UserId::mint(), UserId::mint());
    for user in [gone, gone, other] {
        begin_session(&world, user, 3);
    }
    let request = directory.deactivate(gone, 4).await;
    until_none(&world, gone).await;
    assert_eq!(sessions_of(&world, other), "1");
    eventually("it is measured", || async { (world.count(REMOVALS, "") == 1).then_some(()) }).await;
    let written = format!(
        "SELECT user_id, cause, sessions_ended, enforced_at - requested_at FROM console.access_ends
         WHERE request_id = '{request}'"
    );
    assert_eq!(sql(&world, &written), format!("{gone}|deactivated|2|00:00:00.084"));
    assert_eq!(world.count("timeclock_console_access_sessions_ended_total", "deactivated"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_ends_sessions_that_were_begun_at_the_last_version() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let user = UserId::mint();
    begin_session(&world, user, 5);
    let deleted = Event::UserDeleted(UserDeleted { user_id: user.to_string(), version: 5 });
    directory.announce(user, RequestId::mint(), "", deleted).await;
    until_none(&world, user).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_gets_other_roles_signs_in_again_and_no_end_of_access_is_written_down() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let user = UserId::mint();
    begin_session(&world, user, 1);
    for (path, version) in [("title", 2), ("roles", 3)] {
        let changed_attributes = vec![path.to_owned()];
        let updated = UserUpdated { user: record(user, version), changed_attributes };
        directory.announce(user, RequestId::mint(), "", Event::UserUpdated(updated)).await;
    }
    until_none(&world, user).await;
    until_finished(&world, 2).await;
    assert_eq!(sql(&world, "SELECT count(*) FROM console.access_ends"), "0");
    assert_eq!((world.count(FACTS, "passed_over"), world.count(FACTS, "enforced")), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_comes_again_ends_no_session_that_was_begun_since() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let (user, request) = (UserId::mint(), RequestId::mint());
    begin_session(&world, user, 1);
    directory.announce(user, request, "", deactivated(user, 2)).await;
    until_none(&world, user).await;
    // Reactivated with version 3, and signed in again.
    begin_session(&world, user, 3);
    directory.announce(user, request, "", deactivated(user, 2)).await;
    until_finished(&world, 2).await;
    assert_eq!(sessions_of(&world, user), "1");
    assert_eq!(world.count(REMOVALS, ""), 1, "it is measured once");
    let ended = "SELECT string_agg(sessions_ended::text, ',') FROM console.access_ends";
    assert_eq!(sql(&world, ended), "1", "and what was written first stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_announced_while_no_console_ran_is_worked_off_by_the_next_one() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let user = UserId::mint();
    // So that there is a place in the stream to go on from.
    directory.deactivate(UserId::mint(), 2).await;
    until_finished(&world, 1).await;
    begin_session(&world, user, 1);
    world.process.tasks.stop().await;
    directory.deactivate(user, 2).await;
    assert_eq!(sessions_of(&world, user), "1");
    let (process, _http) = world.another_instance().await;
    until_none(&world, user).await;
    process.tasks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_company_s_failure_holds_up_no_other_and_is_tried_again_in_place() {
    let world = World::start().await;
    let contoso = Announcer::start(&world).await;
    let fabrikam = Announcer { bus: contoso.bus.clone(), company: world.fabrikam.id };
    let broken = world.contoso.id;
    sql(
        &world,
        &format!(
            "CREATE FUNCTION console.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF NEW.company_id = '{broken}' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$;
             CREATE TRIGGER fail BEFORE INSERT ON console.session_floors
               FOR EACH ROW EXECUTE FUNCTION console.fail()"
        ),
    );
    let users: Vec<UserId> = (0..20).map(|_| UserId::mint()).collect();
    for user in &users {
        begin_session_in(&world, world.fabrikam.id, *user, 1);
    }
    let kept_waiting = UserId::mint();
    begin_session(&world, kept_waiting, 1);
    contoso.deactivate(kept_waiting, 2).await;
    for user in &users {
        fabrikam.deactivate(*user, 2).await;
        contoso.deactivate(UserId::mint(), 2).await;
    }
    eventually("the others are finished with", || async {
        (world.count(FACTS, "enforced") >= 20).then_some(())
    })
    .await;
    for user in &users {
        assert_eq!(sessions_of(&world, *user), "0");
    }
    assert_eq!(sessions_of(&world, kept_waiting), "1");
    eventually("it is told", || async {
        (world.count("timeclock_console_access_companies_waiting", "") == 1).then_some(())
    })
    .await;
    sql(&world, "DROP TRIGGER fail ON console.session_floors");
    until_none(&world, kept_waiting).await;
    eventually("nothing waits", || async {
        let is_over = world.count("timeclock_console_access_companies_waiting", "") == 0;
        (is_over && world.count(FACTS, "enforced") >= 41).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_access_ended_is_forgotten_after_400_days_also_where_nobody_loses_any() {
    let world = World::start().await;
    for days in [399, 401] {
        let (company, request, user) = (world.contoso.id, RequestId::mint(), UserId::mint());
        sql(
            &world,
            &format!(
                "INSERT INTO console.access_ends SELECT '{company}', '{request}', '{user}', 'deleted', at, at, {days}
                 FROM (SELECT to_timestamp({NOW}) - interval '{days} days' AS at) AS ended"
            ),
        );
    }
    let (another, _http) = world.another_instance().await;
    let kept = "SELECT string_agg(sessions_ended::text, ' ') FROM console.access_ends";
    eventually("forgotten", || async { (sql(&world, kept) == "399").then_some(()) }).await;
    another.tasks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_share_the_facts_and_each_is_enforced_once() {
    let world = World::start().await;
    let (other, _http) = world.another_instance().await;
    let directory = Announcer::start(&world).await;
    let users: Vec<UserId> = (0..40).map(|_| UserId::mint()).collect();
    for user in &users {
        begin_session(&world, *user, 1);
    }
    for user in &users {
        directory.deactivate(*user, 2).await;
    }
    let ended = "SELECT count(*), sum(sessions_ended) FROM console.access_ends";
    eventually("all ended", || async { (sql(&world, ended) == "40|40").then_some(()) }).await;
    assert_eq!(sql(&world, "SELECT count(*) FROM console.person_sessions"), "0");
    other.tasks.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn open_streams_end_on_every_instance_when_one_of_them_says_so() {
    let (world, browser) = World::start_signed_in().await;
    let mut stream = Stream::open(&browser).await;
    stream.until(1).await;
    let session_ids = vec![sql(&world, "SELECT session_id FROM console.sessions")];
    let told = SessionsEnded { session_ids }.encode_to_vec();
    world.operator.publish(SESSIONS_ENDED, told).await.unwrap();
    stream.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_begins_another_history_is_believed_and_a_late_fact_of_the_former_is_not() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let [former, present] = [1, 2].map(|number| Uuid::from_u128(number).to_string());
    tell_history(&world, &former);
    let user = UserId::mint();
    directory.announce(UserId::mint(), RequestId::mint(), &former, deactivated(user, 9)).await;
    until_finished(&world, 1).await;
    assert_eq!(sql(&world, "SELECT history_id FROM console.directory_history"), former);
    begin_session(&world, user, 9);

    // Restored: the directory counts versions anew.
    tell_history(&world, &present);
    let request = RequestId::mint();
    directory.announce(user, request, &present, deactivated(user, 4)).await;
    until_none(&world, user).await;
    assert_eq!(sql(&world, "SELECT history_id FROM console.directory_history"), present);

    // Back again, and signed in.
    begin_session(&world, user, 5);
    let late = RequestId::mint();
    directory.announce(user, late, &former, deactivated(user, 12)).await;
    until_finished(&world, 3).await;
    assert_eq!(sessions_of(&world, user), "1", "what is present stays");
    let asked = histories_asked(&world);
    for _ in 0..5 {
        directory.announce(UserId::mint(), RequestId::mint(), &former, deactivated(user, 12)).await;
    }
    until_finished(&world, 8).await;
    assert_eq!(histories_asked(&world), asked, "the directory is not asked about each");
    let written = format!("SELECT count(*) FROM console.access_ends WHERE request_id = '{late}'");
    assert_eq!(sql(&world, &written), "0", "and nobody is said to have lost access");
    assert_eq!(sql(&world, "SELECT history_id FROM console.directory_history"), present);
    let floor = format!("SELECT version, history_id FROM console.session_floors WHERE user_id = '{user}'");
    assert_eq!(sql(&world, &floor), format!("4|{present}"), "signing in goes by the present history");
}

/// How often the directory was asked for its history so far.
fn histories_asked(world: &World) -> usize {
    let asked = world.services.asked::<ListCompanies>(LIST_COMPANIES);
    asked.iter().filter(|asked| asked.after_company_id == Uuid::max().to_string()).count()
}

/// From here on the directory says that this is its history.
fn tell_history(world: &World, history: &str) {
    let history_id = history.to_owned();
    world.services.answer(LIST_COMPANIES, move |_: ListCompanies| {
        told(Told::ListCompanies(ListCompaniesReply { history_id: history_id.clone(), ..Default::default() }))
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_cannot_be_read_is_counted_and_holds_up_nothing() {
    let world = World::start().await;
    let directory = Announcer::start(&world).await;
    let user = UserId::mint();
    begin_session(&world, user, 1);
    let nobody = Event::UserDeactivated(UserDeactivated::default());
    directory.announce(user, RequestId::mint(), "", nobody).await;
    directory.deactivate(user, 2).await;
    until_none(&world, user).await;
    assert_eq!(world.count(FACTS, "unreadable"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_how_soon_access_was_removed_in_both_languages_and_offers_a_receipt() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let directory = Announcer::start(&world).await;
    let user: UserId = sample::PERSON.parse().unwrap();
    begin_session(&world, user, 1);
    begin_session(&world, user, 1);
    let request = directory.deactivate(user, 2).await;
    until_none(&world, user).await;
    let line = sample::log("Diego Siciliani").into_iter().find(|line| line.verb == "deactivate").unwrap();
    let line = bus_contract::directory::LogEntry { request_id: request.to_string(), ..line };
    let path = format!("/provisioning/requests/{request}");
    // A PUT with `active` off is logged as what it is.
    for verb in ["deactivate", "replace"] {
        let line = bus_contract::directory::LogEntry { verb: verb.to_owned(), ..line.clone() };
        world.services.answer(LIST_LOG, move |_: ListLog| {
            told(Told::ListLog(ListLogReply { entries: vec![line.clone()], has_more: false }))
        });
        for page in [path.as_str(), &format!("/people/{user}"), "/provisioning"] {
            let seen = browser.get(page).await.body;
            let said = "Access removed after 84 ms (2 sessions ended).";
            assert!(seen.contains(said), "{verb} {page}: {seen}");
        }
    }
    let exported = browser.get("/provisioning/log.csv").await.body;
    assert!(exported.contains("\"Access removed after (ms)\"\r\n"), "{exported}");
    assert!(exported.ends_with(",\"84\"\r\n"), "{exported}");
    assert!(browser.get(&path).await.body.contains(&format!("{path}/receipt")));
    browser.post("/account/profile", &[("name", "Anna Berg"), ("language", "fr")]).await;
    let seen = browser.get(&path).await.body;
    assert!(seen.contains("Accès retiré après 84 ms (2 sessions terminées)."), "{seen}");

    world.services.answer(SIGN_ACCESS_END, |_: SignAccessEnd| {
        tokens_told(TokenTold::Receipt(SignedReceipt { jws: "a.b.c".to_owned() }))
    });
    let receipt = browser.get(&format!("{path}/receipt")).await;
    assert_eq!((receipt.status, receipt.body.as_str()), (200, "a.b.c"));
    assert_eq!(receipt.header("content-type"), "application/jose");
    assert!(receipt.header("content-disposition").contains(&request.to_string()));
    let asked = world.services.asked::<SignAccessEnd>(SIGN_ACCESS_END).pop().unwrap();
    assert_eq!(asked.company_id, world.contoso.id.to_string());
    assert_eq!((asked.user_id, asked.request_id), (user.to_string(), request.to_string()));
    assert_eq!((asked.cause, asked.sessions_ended), (Cause::Deactivated.into(), 2));
    assert_eq!(asked.requested_at.unwrap().nanos, 916_000_000);

    // Another company's administrator finds neither.
    let stranger = world.administrator(&world.fabrikam.clone()).await;
    assert_eq!(stranger.get(&format!("{path}/receipt")).await.status, 404);
    let nothing = browser.get(&format!("/provisioning/requests/{}/receipt", RequestId::mint())).await;
    assert_eq!(nothing.status, 404);
}
