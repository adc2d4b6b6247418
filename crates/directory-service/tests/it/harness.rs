//! A directory that tests can start, kill and ask, and the callers around it.

use std::{
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use backing_servers::{nats, postgres, process};
use bus_contract::{
    Message, Timestamp,
    audit::{Actor, actor::Kind},
    directory::{
        self, GroupRecord, ListMembers, ListMembersReply, LookUpGroup, LookUpUser, Order, Position,
        SearchGroups, SearchUsers, SearchUsersReply, UserRecord, look_up_group, look_up_user::Key, reply,
    },
    provisioning::{
        CreateGroup, CreateUser, DeleteGroup, DeleteUser, MembersChange, Outcome, PatchGroup, PatchOperation,
        PatchUser, ReplaceUser, Request, outcome, patch_operation::Op, refused::Reason, request::Change,
    },
    subject::{self, RequestSubject, Resource, Verb},
};
use bus_jetstream::{Bus, request::Subscription};
use futures_util::StreamExt as _;
use nix::sys::signal::Signal;
use serde_json::Value;
use typed_ids::{CompanyId, GroupId, RequestId, UserId};

const INIT_SQL: &str = include_str!("../../../../deploy/postgres/init.sql");
const NATS_CONF: &str = include_str!("../../../../deploy/nats/nats-server.conf");
/// Somebody else in TimeClock 365 who listens to what happens; deployments give such users names of their own.
const FOLLOWER: &str = r#"users: [ { user: follower, password: $TIMECLOCK_NATS_OPERATOR_PASSWORD,
  permissions: { publish: "$JS.API.INFO", subscribe: ["facts.v1.>", "_INBOX.follower.>"] } }"#;
/// For loopback servers that live as long as a test.
const PASSWORD: &str = "testpassword";
/// Long enough for a slow machine; a test that waits this long has failed.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// An operator, without whom nothing is done that is recorded.
pub(crate) fn olga() -> Option<Actor> {
    Some(Actor { kind: Kind::Operator.into(), name: "olga".to_owned(), address: "192.0.2.1".to_owned() })
}

/// Postgres and NATS for one test.
pub(crate) struct World {
    pub(crate) nats: nats::Server,
    pub(crate) database: String,
    logs: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let variables = ["GATEWAY", "DIRECTORY", "TOKENS", "CONSOLE", "OPERATOR", "SUBSCRIBER"]
            .map(|user| (format!("TIMECLOCK_NATS_{user}_PASSWORD"), PASSWORD.to_owned()));
        let nats = nats::Server::start(nats::Options {
            config: Some(NATS_CONF.replacen("users: [", FOLLOWER, 1)),
            environment: variables.to_vec(),
            ..nats::Options::default()
        })
        .unwrap();
        let database = postgres().database_from_template("directory", prepare).unwrap().name;
        search_directory(&database);
        Self { nats, database, logs: tempfile::tempdir().unwrap() }
    }

    /// SQL as the superuser, who is above row level security.
    pub(crate) fn sql(&self, script: &str) -> String {
        postgres().sql(&self.database, script).unwrap()
    }

    /// Starts an instance of the directory and waits until it is ready.
    pub(crate) async fn directory(&self) -> Directory {
        self.directory_with(&[]).await
    }

    /// The same with settings that are not the defaults.
    pub(crate) async fn directory_with(&self, settings: &[(&str, &str)]) -> Directory {
        let instance = self.start_directory_with(settings);
        eventually("the directory is ready", async || {
            reqwest::get(format!("http://{}/readyz", instance.observe))
                .await
                .is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        instance
    }

    /// Starts an instance without waiting for it.
    pub(crate) fn start_directory(&self) -> Directory {
        self.start_directory_with(&[])
    }

    fn start_directory_with(&self, settings: &[(&str, &str)]) -> Directory {
        static INSTANCES: AtomicU32 = AtomicU32::new(0);
        let observe = format!("127.0.0.1:{}", backing_servers::port::free().unwrap());
        let name = format!("directory-{}", INSTANCES.fetch_add(1, Ordering::Relaxed));
        let log = self.logs.path().join(format!("{name}.log"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_directory-service"));
        command
            .arg("serve")
            .env("TIMECLOCK_NATS_URL", self.nats.url())
            .env("TIMECLOCK_NATS_USER", "directory")
            .env("TIMECLOCK_NATS_PASSWORD", PASSWORD)
            .env("TIMECLOCK_POSTGRES_URL", url(&self.database, "directory_service"))
            .env("TIMECLOCK_OBSERVE_ADDR", &observe)
            .env("TIMECLOCK_LOG_FORMAT", "json")
            .envs(settings.iter().copied());
        let process = process::Process::spawn(command, supervision(&name, &log)).unwrap();
        Directory { process, observe }
    }

    pub(crate) async fn bus(&self, user: &str) -> Bus {
        let settings = bus_jetstream::Settings {
            url: self.nats.url(),
            user: user.to_owned(),
            password: PASSWORD.to_owned().into(),
            connection_name: "directory tests".to_owned(),
        };
        let bus = Bus::connect(&settings).await.unwrap();
        eventually("the test is connected to NATS", async || bus.is_connected()).await;
        bus
    }

    pub(crate) async fn caller(&self) -> Caller {
        Caller::new(self.bus("gateway").await, CompanyId::mint()).await
    }
}

impl Drop for World {
    /// A failed test shows what its directories said.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in std::fs::read_dir(self.logs.path()).into_iter().flatten().flatten() {
                eprintln!(
                    "{}:\n{}",
                    log.path().display(),
                    std::fs::read_to_string(log.path()).unwrap_or_default()
                );
            }
        }
    }
}

/// One running instance; dropping it stops it.
pub(crate) struct Directory {
    pub(crate) process: process::Process,
    pub(crate) observe: String,
}

impl Directory {
    pub(crate) fn kill_9(mut self) {
        self.process.kill_9().unwrap();
    }

    pub(crate) async fn metrics(&self) -> String {
        reqwest::get(format!("http://{}/metrics", self.observe)).await.unwrap().text().await.unwrap()
    }
}

/// One company's gateway, as the directory sees it.
pub(crate) struct Caller {
    pub(crate) bus: Bus,
    pub(crate) company: CompanyId,
    process: String,
    inbox: Subscription,
}

impl Caller {
    pub(crate) async fn new(bus: Bus, company: CompanyId) -> Self {
        let process = UserId::mint().as_uuid().simple().to_string();
        let inbox = bus.subscribe(subject::outcome_inboxes(&process)).await.unwrap();
        Self { bus, company, process, inbox }
    }

    /// Sends a request without waiting for what becomes of it.
    pub(crate) async fn send(&self, verb: Verb, change: Change) -> RequestId {
        let id = RequestId::mint();
        let resource = resource_of(&change);
        self.send_bytes(id, resource, verb, request(self.company, id, change).encode_to_vec()).await;
        id
    }

    /// Sends a request under an id that was used before; whether it could be sent.
    pub(crate) async fn try_send_as(&self, id: RequestId, verb: Verb, change: Change) -> bool {
        let resource = resource_of(&change);
        let payload = request(self.company, id, change).encode_to_vec();
        let subject = RequestSubject { company: self.company, resource, verb }.to_string();
        let inbox = subject::outcome_inbox(&self.process, id);
        self.bus.publish_request(subject, &id.to_string(), &inbox, payload).await.is_ok()
    }

    pub(crate) async fn send_bytes(&self, id: RequestId, resource: Resource, verb: Verb, payload: Vec<u8>) {
        let subject = RequestSubject { company: self.company, resource, verb }.to_string();
        let inbox = subject::outcome_inbox(&self.process, id);
        self.bus.publish_request(subject, &id.to_string(), &inbox, payload).await.unwrap();
    }

    /// The next outcome, whosever it is.
    pub(crate) async fn outcome(&mut self) -> Outcome {
        loop {
            let message =
                tokio::time::timeout(DEADLINE, self.inbox.next()).await.expect("an outcome in time").unwrap();
            // JetStream's own acknowledgement arrives at the same inbox, as JSON.
            if !message.payload.starts_with(b"{") {
                return Outcome::decode(message.payload).unwrap();
            }
        }
    }

    pub(crate) async fn ask(&mut self, verb: Verb, change: Change) -> Outcome {
        let id = self.send(verb, change).await;
        loop {
            let outcome = self.outcome().await;
            if outcome.request_id == id.to_string() {
                return outcome;
            }
        }
    }

    pub(crate) async fn create(&mut self, attributes: Value) -> Outcome {
        self.ask(Verb::Create, create(&attributes)).await
    }

    /// Creates a user who must be new, and returns the record.
    pub(crate) async fn hire(&mut self, attributes: Value) -> UserRecord {
        applied(self.create(attributes).await)
    }

    pub(crate) async fn patch(&mut self, user: &str, operations: &[(Op, &str, Value)]) -> Outcome {
        self.ask(Verb::Update, patch(user, operations)).await
    }

    pub(crate) async fn replace(&mut self, user: &str, attributes: &Value) -> Outcome {
        let change = ReplaceUser {
            user_id: user.to_owned(),
            attributes_json: attributes.to_string(),
            condition: None,
        };
        self.ask(Verb::Replace, Change::ReplaceUser(change)).await
    }

    pub(crate) async fn delete(&mut self, user: &str) -> Outcome {
        let change = DeleteUser { user_id: user.to_owned(), condition: None };
        self.ask(Verb::Delete, Change::DeleteUser(change)).await
    }

    pub(crate) async fn look_up(&self, key: Key) -> Vec<UserRecord> {
        let question = LookUpUser { company_id: self.company.to_string(), key: Some(key) };
        match self.question(subject::LOOK_UP_USER, question.encode_to_vec()).await {
            reply::Result::LookUpUser(found) => found.users,
            other => panic!("not a look-up's answer: {other:?}"),
        }
    }

    pub(crate) async fn search(&self, filter: &str, offset: u32, limit: u32) -> (u64, Vec<UserRecord>) {
        let question = SearchUsers {
            company_id: self.company.to_string(),
            filter: filter.to_owned(),
            offset,
            limit,
            ..SearchUsers::default()
        };
        match self.question(subject::SEARCH_USERS, question.encode_to_vec()).await {
            reply::Result::SearchUsers(found) => (found.total, found.users),
            other => panic!("not a search's answer: {other:?}"),
        }
    }

    /// Asks for a change of a group and waits for what becomes of it.
    pub(crate) async fn create_group(&mut self, attributes: &Value, members: &[&str]) -> Outcome {
        let change = CreateGroup {
            group_id: GroupId::mint().to_string(),
            attributes_json: attributes.to_string(),
            member_ids: owned(members),
        };
        self.ask(Verb::Create, Change::CreateGroup(change)).await
    }

    /// Creates a group that must be new, and returns the record.
    pub(crate) async fn form(&mut self, name: &str, members: &[&str]) -> GroupRecord {
        group(self.create_group(&serde_json::json!({"displayName": name}), members).await)
    }

    pub(crate) async fn patch_members(&mut self, group: &str, added: &[&str], removed: &[&str]) -> Outcome {
        self.ask(Verb::Update, members_patch(group, added, removed)).await
    }

    pub(crate) async fn delete_group(&mut self, group: &str) -> Outcome {
        let change = DeleteGroup { group_id: group.to_owned(), condition: None };
        self.ask(Verb::Delete, Change::DeleteGroup(change)).await
    }

    pub(crate) async fn look_up_group(&self, key: look_up_group::Key) -> Vec<GroupRecord> {
        let question = LookUpGroup { company_id: self.company.to_string(), key: Some(key) };
        match self.question(subject::LOOK_UP_GROUP, question.encode_to_vec()).await {
            reply::Result::LookUpGroup(found) => found.groups,
            other => panic!("not a look-up's answer: {other:?}"),
        }
    }

    /// One page of the members, and the group's version.
    pub(crate) async fn members(&self, group: &str, after: &str, limit: u32) -> ListMembersReply {
        let question = ListMembers {
            company_id: self.company.to_string(),
            group_id: group.to_owned(),
            after_member_id: after.to_owned(),
            limit,
        };
        match self.question(subject::LIST_MEMBERS, question.encode_to_vec()).await {
            reply::Result::ListMembers(members) => members,
            other => panic!("not a list of members: {other:?}"),
        }
    }

    /// The ids of all members, in their order.
    pub(crate) async fn member_ids(&self, group: &str) -> Vec<String> {
        self.members(group, "", 1_000).await.members.into_iter().map(|member| member.member_id).collect()
    }

    pub(crate) async fn search_groups(&self, filter: &str) -> Vec<GroupRecord> {
        let question = SearchGroups {
            company_id: self.company.to_string(),
            filter: filter.to_owned(),
            limit: 1_000,
            ..SearchGroups::default()
        };
        match self.question(subject::SEARCH_GROUPS, question.encode_to_vec()).await {
            reply::Result::SearchGroups(found) => found.groups,
            other => panic!("not a search's answer: {other:?}"),
        }
    }

    /// A page in an order, beginning behind a place.
    pub(crate) async fn page_of_users(
        &self,
        order: Option<Order>,
        after: Option<Position>,
        limit: u32,
    ) -> SearchUsersReply {
        let company_id = self.company.to_string();
        let question = SearchUsers { company_id, order, after, limit, ..SearchUsers::default() };
        match self.question(subject::SEARCH_USERS, question.encode_to_vec()).await {
            reply::Result::SearchUsers(found) => found,
            other => panic!("not a search's answer: {other:?}"),
        }
    }

    pub(crate) async fn question(&self, subject: &'static str, payload: Vec<u8>) -> reply::Result {
        let answer = self.bus.ask(subject, payload, DEADLINE).await.unwrap();
        directory::Reply::decode(answer).unwrap().result.unwrap()
    }
}

fn resource_of(change: &Change) -> Resource {
    match change {
        Change::CreateUser(_)
        | Change::ReplaceUser(_)
        | Change::PatchUser(_)
        | Change::DeleteUser(_)
        | Change::RestoreUser(_) => Resource::User,
        _ => Resource::Group,
    }
}

fn request(company: CompanyId, id: RequestId, change: Change) -> Request {
    Request {
        request_id: id.to_string(),
        company_id: company.to_string(),
        accepted_at: Some(Timestamp { seconds: 1_700_000_000, nanos: 0 }),
        token_id: String::new(),
        change: Some(change),
    }
}

pub(crate) fn create(attributes: &Value) -> Change {
    Change::CreateUser(CreateUser {
        user_id: UserId::mint().to_string(),
        attributes_json: attributes.to_string(),
    })
}

pub(crate) fn patch(user: &str, operations: &[(Op, &str, Value)]) -> Change {
    let operations = on_the_bus(operations);
    Change::PatchUser(PatchUser { user_id: user.to_owned(), operations, condition: None })
}

fn on_the_bus(operations: &[(Op, &str, Value)]) -> Vec<PatchOperation> {
    operations
        .iter()
        .map(|(op, path, value)| PatchOperation {
            op: (*op).into(),
            path: (*path).to_owned(),
            value_json: (!value.is_null()).then(|| value.to_string()),
        })
        .collect()
}

pub(crate) fn members_patch(group: &str, added: &[&str], removed: &[&str]) -> Change {
    let members = MembersChange { clear: false, added: owned(added), removed: owned(removed) };
    patch_group(group, &[], members)
}

pub(crate) fn patch_group(group: &str, operations: &[(Op, &str, Value)], members: MembersChange) -> Change {
    Change::PatchGroup(PatchGroup {
        group_id: group.to_owned(),
        operations: on_the_bus(operations),
        members: Some(members),
        condition: None,
    })
}

pub(crate) fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The group that a successful outcome shows.
pub(crate) fn group(outcome: Outcome) -> GroupRecord {
    match outcome.result {
        Some(outcome::Result::Applied(applied)) => applied.group.expect("an outcome with a group"),
        other => panic!("refused: {other:?}"),
    }
}

/// The user that a successful outcome shows.
pub(crate) fn applied(outcome: Outcome) -> UserRecord {
    match outcome.result {
        Some(outcome::Result::Applied(applied)) => applied.user.expect("an outcome with a user"),
        other => panic!("refused: {other:?}"),
    }
}

/// Why an outcome was refused.
pub(crate) fn refusal(outcome: Outcome) -> (Reason, String) {
    match outcome.result {
        Some(outcome::Result::Refused(refused)) => (refused.reason(), refused.scim_type),
        other => panic!("not refused: {other:?}"),
    }
}

pub(crate) fn attributes(user: &UserRecord) -> Value {
    serde_json::from_str(&user.attributes_json).unwrap()
}

/// Waits until the condition holds.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) fn postgres() -> &'static postgres::Server {
    postgres::Server::shared().unwrap()
}

pub(crate) fn url(database: &str, user: &str) -> String {
    postgres().url(database, user, PASSWORD)
}

/// A clone does not inherit what init.sql sets for roles in the database that was cloned.
pub(crate) fn search_directory(database: &str) {
    for role in ["directory_owner", "directory_service", postgres::SUPERUSER] {
        let setting = format!(r#"alter role {role} in database "{database}" set search_path = directory"#);
        postgres().sql("postgres", &setting).unwrap();
    }
}

/// Fills the template: roles and schemas as in production, then the migrations as the owner.
fn prepare(template_url: &str) -> anyhow::Result<()> {
    let template = template_url.rsplit('/').next().unwrap().to_owned();
    let passwords = ["DIRECTORY", "TOKEN", "CONSOLE"].into_iter().flat_map(|of| {
        ["OWNER", "SERVICE"]
            .map(|role| (format!("TIMECLOCK_POSTGRES_{of}_{role}_PASSWORD"), PASSWORD.to_owned()))
    });
    postgres().sql_with(
        "postgres",
        &INIT_SQL.replace("timeclock", &template),
        &passwords.collect::<Vec<_>>(),
    )?;
    migrate(&template);
    Ok(())
}

/// Runs the explicit step that brings the tables up to date.
pub(crate) fn migrate(database: &str) {
    command(database, "migrate", "directory_owner");
}

/// Has followers take a snapshot, as an operator would.
pub(crate) fn begin_history(database: &str) {
    command(database, "begin-history", "directory_service");
}

fn command(database: &str, command: &str, role: &str) {
    let output = Command::new(env!("CARGO_BIN_EXE_directory-service"))
        .arg(command)
        .env("TIMECLOCK_POSTGRES_URL", url(database, role))
        .output()
        .unwrap();
    // What went wrong stands in the log, which is on standard output.
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn supervision(name: &str, log: &std::path::Path) -> process::Supervision {
    process::Supervision {
        name: name.to_owned(),
        log: log.to_owned(),
        stop_signal: Signal::SIGTERM,
        grace: DEADLINE,
        orphan_signal: Signal::SIGKILL,
        remove_when_orphaned: None,
    }
}
