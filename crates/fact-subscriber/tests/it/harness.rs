//! A NATS of one test's own, a directory that says what the test wants, and subscribers that can be killed.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use backing_servers::{
    nats, port,
    process::{Process, Supervision},
};
use bus_contract::{
    Message as _,
    directory::{
        Company, DirectGroup, Fact, GroupCreated, GroupRecord, ListCompanies, ListCompaniesReply,
        ListMembersReply, Member, MemberReference, MembersAdded, Reply, SearchGroupsReply, SearchUsersReply,
        UserCreated, UserDeactivated, UserRecord, fact::Event, reply,
    },
    stream::DIRECTORY,
    subject::{LIST_COMPANIES, LIST_MEMBERS, SEARCH_GROUPS, SEARCH_USERS},
};
use bus_jetstream::Bus;
use futures_util::StreamExt as _;
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const COMPANY: &str = "0198c5a0-0000-7000-8000-000000000000";
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// What the played directory answers to those who take a snapshot.
#[derive(Default)]
pub(crate) struct Present {
    pub(crate) history: String,
    pub(crate) users: Vec<UserRecord>,
    /// Each with its members.
    pub(crate) groups: Vec<(GroupRecord, Vec<String>)>,
}

pub(crate) struct World {
    nats: nats::Server,
    pub(crate) directory: TempDir,
    pub(crate) bus: Bus,
    pub(crate) present: Arc<Mutex<Present>>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let nats = nats::Server::start(nats::Options {
            directory: Some(directory.path().join("nats")),
            ..nats::Options::default()
        })
        .unwrap();
        let bus = Bus::connect(&bus_jetstream::Settings {
            url: nats.url(),
            user: "directory".to_owned(),
            password: "any".into(),
            connection_name: "subscriber tests".to_owned(),
        })
        .await
        .unwrap();
        eventually("the test is connected to NATS", async || bus.is_connected()).await;
        let present = Arc::new(Mutex::new(Present { history: "first".to_owned(), ..Present::default() }));
        let world = Self { nats, directory, bus, present };
        world.bus.ensure_stream(&DIRECTORY).await.unwrap();
        for subject in [LIST_COMPANIES, SEARCH_USERS, SEARCH_GROUPS, LIST_MEMBERS] {
            world.answer(subject).await;
        }
        world
    }

    /// Plays the directory.
    async fn answer(&self, subject: &'static str) {
        let mut questions = self.bus.subscribe(subject).await.unwrap();
        let (bus, present) = (self.bus.clone(), Arc::clone(&self.present));
        tokio::spawn(async move {
            while let Some(question) = questions.next().await {
                let result = answer(subject, &question.payload, &present.lock().unwrap());
                let reply = Reply { result: Some(result) }.encode_to_vec();
                question.respond(&bus, reply).await.unwrap();
            }
        });
    }

    /// Announces what happened, as the directory's relay would.
    pub(crate) async fn announce(&self, facts: impl IntoIterator<Item = Fact>) {
        let mut confirmations = Vec::new();
        for fact in facts {
            let subject = format!("facts.v1.{COMPANY}.any.thing.happened");
            let sent = self.bus.publish_durable(subject, &fact.fact_id, None, fact.encode_to_vec()).await;
            confirmations.push(sent.unwrap());
        }
        for confirmation in confirmations {
            confirmation.await.unwrap();
        }
    }

    /// Takes the server's disk away and starts it again, with an empty stream.
    pub(crate) async fn lose_everything(&self) {
        self.nats.kill_9().unwrap();
        std::fs::remove_dir_all(self.directory.path().join("nats/streams")).unwrap();
        self.nats.restart().unwrap();
        eventually("the stream is there again", async || self.bus.ensure_stream(&DIRECTORY).await.is_ok())
            .await;
    }

    pub(crate) async fn subscriber(&self, name: &str) -> Subscriber {
        let subscriber = self.subscriber_unready(name);
        eventually("the subscriber is ready", async || subscriber.is_ready()).await;
        subscriber
    }

    pub(crate) fn subscriber_unready(&self, name: &str) -> Subscriber {
        let observe = format!("127.0.0.1:{}", port::free().unwrap());
        let model = self.model(name);
        let mut command = self.command("serve", name, &model);
        command.env("TIMECLOCK_OBSERVE_ADDR", &observe);
        let supervision = Supervision {
            name: name.to_owned(),
            log: self.directory.path().join(format!("{name}.log")),
            stop_signal: Signal::SIGTERM,
            grace: DEADLINE,
            orphan_signal: Signal::SIGKILL,
            remove_when_orphaned: None,
        };
        Subscriber { process: Process::spawn(command, supervision).unwrap(), observe }
    }

    pub(crate) fn model(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.sqlite"))
    }

    /// Runs a command to its end; what it printed.
    pub(crate) fn run(&self, command: &str, name: &str, model: &Path) -> String {
        let mut process = match command {
            "replay" => self.command(command, name, model),
            _ => program(command, model),
        };
        let output = process.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        // The log of a command goes where its answer goes; an answer is the last line.
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn digest(&self, name: &str) -> Value {
        digest_in(&self.run("digest", name, &self.model(name)))
    }

    fn command(&self, command: &str, name: &str, model: &Path) -> Command {
        let mut process = program(command, model);
        process
            .env("TIMECLOCK_NATS_URL", self.nats.url())
            .env("TIMECLOCK_NATS_USER", "subscriber")
            .env("TIMECLOCK_NATS_PASSWORD", "any")
            .env("TIMECLOCK_SUBSCRIBER_NAME", name);
        process
    }
}

/// The digest without the place, which differs between models that say the same.
pub(crate) fn digest_in(printed: &str) -> Value {
    let last = printed.lines().last().unwrap_or_default();
    let mut digest: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("no digest: {printed}"));
    digest.as_object_mut().unwrap().remove("position");
    digest
}

fn program(command: &str, model: &Path) -> Command {
    let mut process = Command::new(env!("CARGO_BIN_EXE_fact-subscriber"));
    process.arg(command).env("TIMECLOCK_SUBSCRIBER_MODEL", model);
    process
}

pub(crate) struct Subscriber {
    pub(crate) process: Process,
    observe: String,
}

impl Subscriber {
    pub(crate) fn kill_9(mut self) {
        self.process.kill_9().unwrap();
    }

    pub(crate) fn is_ready(&self) -> bool {
        get(&self.observe, "/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200"))
    }

    /// A series by its name and labels; `None` where there is none.
    pub(crate) fn metric(&self, series: &str) -> Option<u64> {
        let metrics = get(&self.observe, "/metrics")?;
        metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
    }
}

fn get(address: &str, path: &str) -> Option<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: it\r\nconnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

fn answer(subject: &str, payload: &[u8], present: &Present) -> reply::Result {
    match subject {
        LIST_COMPANIES => {
            let question = ListCompanies::decode(payload).unwrap();
            let company = Company { company_id: COMPANY.to_owned(), ..Company::default() };
            let companies = if question.after_company_id.is_empty() { vec![company] } else { vec![] };
            reply::Result::ListCompanies(ListCompaniesReply {
                companies,
                history_id: present.history.clone(),
            })
        }
        SEARCH_USERS => reply::Result::SearchUsers(SearchUsersReply {
            users: present.users.clone(),
            ..Default::default()
        }),
        SEARCH_GROUPS => {
            let groups = present.groups.iter().map(|(group, _)| group.clone()).collect();
            reply::Result::SearchGroups(SearchGroupsReply { groups, ..Default::default() })
        }
        _ => {
            let question = bus_contract::directory::ListMembers::decode(payload).unwrap();
            let (group, members) =
                present.groups.iter().find(|(group, _)| group.group_id == question.group_id).unwrap();
            let members = members.iter().map(|id| Member { member_id: id.clone(), ..Member::default() });
            reply::Result::ListMembers(ListMembersReply {
                version: group.version,
                members: members.collect(),
                has_more: false,
            })
        }
    }
}

pub(crate) fn user(id: &str, version: i64, active: bool) -> UserRecord {
    UserRecord {
        user_id: id.to_owned(),
        version,
        attributes_json: format!(r#"{{"userName":"{id}@example.com","active":{active}}}"#),
        groups: vec![DirectGroup::default()],
        ..UserRecord::default()
    }
}

pub(crate) fn group(id: &str, version: i64) -> GroupRecord {
    GroupRecord {
        group_id: id.to_owned(),
        version,
        attributes_json: format!(r#"{{"displayName":"Group {id}"}}"#),
        ..GroupRecord::default()
    }
}

pub(crate) fn fact(id: impl Into<String>, history: &str, event: Event) -> Fact {
    Fact {
        fact_id: id.into(),
        company_id: COMPANY.to_owned(),
        history_id: history.to_owned(),
        event: Some(event),
        ..Fact::default()
    }
}

pub(crate) fn created(user: UserRecord) -> Event {
    Event::UserCreated(UserCreated { user: Some(user) })
}

pub(crate) fn deactivated(user: UserRecord) -> Event {
    Event::UserDeactivated(UserDeactivated { user: Some(user), changed_attributes: vec![] })
}

pub(crate) fn formed(group: GroupRecord) -> Event {
    Event::GroupCreated(GroupCreated { group: Some(group) })
}

pub(crate) fn joined(group: &str, version: i64, member: &str) -> Event {
    let members = vec![MemberReference { member_id: member.to_owned(), is_group: false }];
    Event::MembersAdded(MembersAdded { group_id: group.to_owned(), version, members })
}

/// Polls until it holds, or fails with what was waited for.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds().await {
        assert!(Instant::now() < deadline, "in vain: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
