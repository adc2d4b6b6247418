//! A running token service, a directory that knows one company, and an operator.

pub(crate) mod authority;
pub(crate) mod web;

use std::{future::Future, time::Duration};

use backing_servers::{
    nats,
    postgres::{self, Database},
};
use bus_contract::{
    Message,
    audit::{Actor, Event, ListEvents, actor::Kind},
    directory::{self, Company, ListCompanies, ListCompaniesReply},
    stream::{KEY_PREFIX, REVOKED_PREFIX, TOKENS},
    subject::{
        CREATE_CLIENT, DIRECTORY_QUEUE, ISSUE_TOKEN, LIST_COMPANIES, LIST_TOKEN_EVENTS, LIST_TOKENS,
        REVEAL_TOKEN, REVOKE_TOKEN, ROTATE_TOKEN,
    },
    token::{
        CreateClient, IssueToken, ListTokens, Reply, RevealToken, RevokeToken, RotateToken,
        SecretAuthentication, SecretClient, SecretToken, Token, create_client::Authentication,
        failure::Reason, reply::Result as Answer,
    },
};
use bus_jetstream::{Bus, Bytes};
use futures_util::StreamExt as _;
use service_runtime::{Process, clock::Clock, settings::Reader};
use token_protocol::KeySet;
use typed_ids::CompanyId;

use self::authority::Authority;

/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);
/// 2026-01-01.
pub(crate) const NOW: u64 = 1_767_225_600;
pub(crate) const SEALING_KEY: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";

/// What an operator deploys: roles that cannot see past row level security, and a schema for each service.
const INIT_SQL: &str = include_str!("../../../../deploy/postgres/init.sql");

pub(crate) struct World {
    pub(crate) nats: nats::Server,
    nats_directory: tempfile::TempDir,
    pub(crate) database: Database,
    /// The operator's connection.
    pub(crate) bus: Bus,
    /// A gateway's connection, which follows the bucket.
    pub(crate) gateway: Bus,
    pub(crate) clock: Clock,
    pub(crate) process: Process,
    pub(crate) http: std::net::SocketAddr,
    pub(crate) company: CompanyId,
    pub(crate) authority: Authority,
}

/// An empty database as deployed, not migrated.
pub(crate) fn database() -> Database {
    let server = postgres::Server::shared().unwrap();
    let database = server.database_from_template("tokens", deploy).unwrap();
    // A clone does not inherit what init.sql sets for roles in the database that was cloned.
    for role in ["token_owner", "token_service"] {
        let search = format!(r#"alter role {role} in database "{}" set search_path = tokens"#, database.name);
        server.sql("postgres", &search).unwrap();
    }
    database
}

/// Every role's password is what it is for.
fn deploy(template_url: &str) -> anyhow::Result<()> {
    let template = template_url.rsplit('/').next().unwrap();
    let passwords = ["DIRECTORY", "TOKEN", "CONSOLE"].into_iter().flat_map(|of| {
        ["owner", "service"].map(|role| {
            (format!("TIMECLOCK_POSTGRES_{of}_{}_PASSWORD", role.to_uppercase()), role.to_owned())
        })
    });
    let script = INIT_SQL.replace("timeclock", template);
    let server = postgres::Server::shared()?;
    server.sql_with("postgres", &script, &passwords.collect::<Vec<_>>()).map(drop)
}

pub(crate) fn url(database: &Database, role: &str) -> String {
    postgres::Server::shared().unwrap().url(&database.name, &format!("token_{role}"), role)
}

pub(crate) fn reader(pairs: &[(&str, &str)]) -> Reader {
    Reader::new(pairs.iter().copied().collect())
}

pub(crate) async fn migrate(database: &Database) {
    let mut reader = reader(&[("TIMECLOCK_POSTGRES_URL", &url(database, "owner"))]);
    let settings = token_service::MigrateSettings::read(&mut reader);
    reader.finish().unwrap();
    token_service::migrate(settings).await.unwrap();
}

impl World {
    pub(crate) async fn start() -> Self {
        let database = database();
        migrate(&database).await;
        let nats_directory = tempfile::tempdir().unwrap();
        let options =
            nats::Options { directory: Some(nats_directory.path().to_owned()), ..Default::default() };
        let nats = nats::Server::start(options).unwrap();
        let clock = Clock::manual(NOW);
        let http = std::net::SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
        let authority = Authority::start();
        let settings = [("TIMECLOCK_FEDERATION_AUTHORITY", authority.url.as_str())];
        let process =
            serve_with(&nats.url(), &url(&database, "service"), http, &clock, SEALING_KEY, &settings).await;
        let bus = connect(&nats.url(), "operator").await;
        let gateway = connect(&nats.url(), "gateway").await;
        let company = CompanyId::mint();
        answer_as_directory(connect(&nats.url(), "directory").await, company).await;
        let world =
            Self { nats, nats_directory, database, bus, gateway, clock, process, http, company, authority };
        eventually("ready", || async { world.is_ready().await.then_some(()) }).await;
        eventually("a key published", || async { (!world.published().await?.0.is_empty()).then_some(()) })
            .await;
        world
    }

    pub(crate) async fn is_ready(&self) -> bool {
        self.process.health.started();
        self.process.health.readiness().await.ready
    }

    pub(crate) async fn ask(&self, subject: &'static str, question: impl Message) -> Answer {
        let answer = self.bus.ask(subject, question.encode_to_vec(), DEADLINE).await.unwrap();
        Reply::decode(answer).unwrap().result.unwrap()
    }

    pub(crate) async fn issue(&self, lifetime_seconds: Option<u32>) -> SecretToken {
        let company_id = self.company.to_string();
        secret(
            self.ask(
                ISSUE_TOKEN,
                IssueToken { company_id, description: "Entra".into(), lifetime_seconds, actor: actor() },
            )
            .await,
        )
    }

    pub(crate) async fn rotate(&self, overlap_seconds: Option<u32>) -> SecretToken {
        let company_id = self.company.to_string();
        secret(
            self.ask(
                ROTATE_TOKEN,
                RotateToken { company_id, overlap_seconds, lifetime_seconds: None, actor: actor() },
            )
            .await,
        )
    }

    pub(crate) async fn reveal(&self, token_id: &str) -> Answer {
        let company_id = self.company.to_string();
        self.ask(REVEAL_TOKEN, RevealToken { company_id, token_id: token_id.to_owned(), actor: actor() })
            .await
    }

    pub(crate) async fn revoke(&self, token_id: &str) -> Answer {
        let company_id = self.company.to_string();
        self.ask(
            REVOKE_TOKEN,
            RevokeToken { company_id, token_id: token_id.to_owned(), actor: actor(), unrecorded: false },
        )
        .await
    }

    pub(crate) async fn list(&self) -> Vec<Token> {
        match self.ask(LIST_TOKENS, ListTokens { company_id: self.company.to_string() }).await {
            Answer::TokenList(list) => list.tokens,
            other => panic!("not a list: {other:?}"),
        }
    }

    /// A client that proves itself by a secret of so many seconds.
    pub(crate) async fn client(&self, lifetime_seconds: Option<u32>) -> SecretClient {
        self.create_client(Authentication::Secret(SecretAuthentication { lifetime_seconds })).await
    }

    pub(crate) async fn create_client(&self, authentication: Authentication) -> SecretClient {
        secret_client(self.ask(CREATE_CLIENT, new_client(self.company, authentication)).await)
    }

    /// The newest events of the company.
    pub(crate) async fn events(&self) -> Vec<Event> {
        let company_id = self.company.to_string();
        let ask = ListEvents { company_id, before_event_id: String::new(), limit: 200 };
        match self.ask(LIST_TOKEN_EVENTS, ask).await {
            Answer::Events(reply) => reply.events,
            other => panic!("not events: {other:?}"),
        }
    }

    /// The keys and the revocations that a gateway sees, when it sees the bucket.
    pub(crate) async fn published(&self) -> Option<(KeySet, Vec<(String, String)>)> {
        let mut keys = KeySet::default();
        let mut revoked = Vec::new();
        for (key, value) in self.gateway.entries(&TOKENS).await.ok()? {
            match (key.strip_prefix(KEY_PREFIX), key.strip_prefix(REVOKED_PREFIX)) {
                (Some(_), _) => keys.add(&value).unwrap(),
                (_, Some(token)) => revoked.push((token.to_owned(), text(&value))),
                _ => panic!("unknown entry {key}"),
            }
        }
        Some((keys, revoked))
    }

    pub(crate) async fn revocations(&self) -> Vec<(String, String)> {
        self.published().await.unwrap().1
    }

    /// Kills NATS and takes its disk away.
    pub(crate) fn lose_nats(&self) {
        self.nats.kill_9().unwrap();
        std::fs::remove_dir_all(self.nats_directory.path().join("streams")).unwrap();
    }
}

/// Starts the service in this process.
pub(crate) async fn serve(
    nats: &str,
    postgres: &str,
    http: std::net::SocketAddr,
    clock: &Clock,
    sealing_key: &str,
) -> Process {
    serve_with(nats, postgres, http, clock, sealing_key, &[]).await
}

/// [`serve`], with more settings.
pub(crate) async fn serve_with(
    nats: &str,
    postgres: &str,
    http: std::net::SocketAddr,
    clock: &Clock,
    sealing_key: &str,
    more: &[(&str, &str)],
) -> Process {
    let process = Process::new(clock.clone());
    let http = http.to_string();
    let settings = [
        ("TIMECLOCK_NATS_URL", nats),
        ("TIMECLOCK_NATS_USER", "tokens"),
        ("TIMECLOCK_NATS_PASSWORD", "secret"),
        ("TIMECLOCK_POSTGRES_URL", postgres),
        ("TIMECLOCK_POSTGRES_POOL_SIZE", "2"),
        ("TIMECLOCK_HTTP_ADDR", &http),
        ("TIMECLOCK_SEALING_KEY", sealing_key),
    ];
    let mut reader = reader(&[&settings[..], more].concat());
    let settings = token_service::Settings::read(&mut reader);
    reader.finish().unwrap();
    token_service::start(settings, process.clone()).await.unwrap();
    process
}

/// The bus as it is deployed: every user with its own permissions. The password is the same for all.
pub(crate) fn deployed_nats() -> nats::Options {
    let users = ["GATEWAY", "DIRECTORY", "TOKENS", "CONSOLE", "OPERATOR", "SUBSCRIBER"];
    nats::Options {
        config: Some(include_str!("../../../../deploy/nats/nats-server.conf").to_owned()),
        environment: users
            .map(|user| (format!("TIMECLOCK_NATS_{user}_PASSWORD"), "secret".to_owned()))
            .to_vec(),
        ..Default::default()
    }
}

pub(crate) async fn connect(url: &str, user: &str) -> Bus {
    let settings = bus_jetstream::Settings {
        url: url.to_owned(),
        user: user.to_owned(),
        password: "secret".into(),
        connection_name: "it".into(),
    };
    let bus = Bus::connect(&settings).await.unwrap();
    eventually("connected", || async { bus.is_connected().then_some(()) }).await;
    bus
}

/// Knows `company` and no other.
async fn answer_as_directory(bus: Bus, company: CompanyId) {
    let mut questions = bus.serve(LIST_COMPANIES, DIRECTORY_QUEUE).await.unwrap();
    let asking = bus.clone();
    tokio::spawn(async move {
        while let Some(asked) = questions.next().await {
            let question = ListCompanies::decode(asked.payload.clone()).unwrap();
            let company_id = company.to_string();
            let known =
                Company { company_id, name: "Contoso".into(), created_at: "2026-01-01T00:00:00Z".into() };
            let companies = Vec::from_iter((question.company_id == known.company_id).then_some(known));
            let result = directory::reply::Result::ListCompanies(ListCompaniesReply {
                companies,
                ..ListCompaniesReply::default()
            });
            let reply = directory::Reply { result: Some(result) };
            asked.respond(&bus, reply.encode_to_vec()).await.ok();
        }
    });
    // Whoever asks before the server has heard of the subscription is told that nobody answers.
    let question = ListCompanies::default().encode_to_vec();
    eventually("the directory answers", || async {
        asking.ask(LIST_COMPANIES, question.clone(), DEADLINE).await.ok()
    })
    .await;
}

/// Whoever asks in tests.
pub(crate) fn actor() -> Option<Actor> {
    Some(Actor {
        kind: Kind::Administrator.into(),
        name: "anna@contoso.com".into(),
        address: "192.0.2.7".into(),
    })
}

pub(crate) fn secret(answer: Answer) -> SecretToken {
    match answer {
        Answer::SecretToken(secret) => secret,
        other => panic!("not a token: {other:?}"),
    }
}

pub(crate) fn new_client(company: CompanyId, authentication: Authentication) -> CreateClient {
    CreateClient {
        company_id: company.to_string(),
        description: "Entra".into(),
        actor: actor(),
        authentication: Some(authentication),
    }
}

pub(crate) fn secret_client(answer: Answer) -> SecretClient {
    match answer {
        Answer::SecretClient(client) => client,
        other => panic!("not a client: {other:?}"),
    }
}

pub(crate) fn failed(answer: Answer) -> Reason {
    match answer {
        Answer::Failure(failure) => failure.reason(),
        other => panic!("not a failure: {other:?}"),
    }
}

pub(crate) fn text(value: &Bytes) -> String {
    String::from_utf8(value.to_vec()).unwrap()
}

/// Polls until there is something, or fails with what was waited for.
pub(crate) async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut observe: impl FnMut() -> F,
) -> T {
    let deadline = tokio::time::Instant::now() + DEADLINE;
    loop {
        if let Some(seen) = observe().await {
            return seen;
        }
        assert!(tokio::time::Instant::now() < deadline, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
