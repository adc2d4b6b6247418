//! A running console, a directory and a token service that say what a test wants, operators, and browsers.

mod browser;
mod identity_provider;
mod recorder;
mod services;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use backing_servers::{
    nats,
    postgres::{self, Database},
};
use bus_contract::{
    Message,
    audit::{Actor, actor},
    console::{InviteAdministrator, Invited, Reply, Role, reply::Result as Answer},
    subject::INVITE_ADMINISTRATOR,
};
use bus_jetstream::Bus;
use service_runtime::{Process, clock::Clock, settings::Reader};
use typed_ids::CompanyId;

pub(crate) use self::{
    browser::{Browser, Seen},
    identity_provider::{IdentityProvider, Said},
    recorder::Recorder,
    services::Services,
};

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// 2026-01-01.
pub(crate) const NOW: u64 = 1_767_225_600;
/// Good enough for everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// What an operator deploys: roles that cannot see past row level security, and a schema for each service.
const INIT_SQL: &str = include_str!("../../../../deploy/postgres/init.sql");

/// A company that the fake directory knows.
#[derive(Debug, Clone)]
pub(crate) struct Company {
    pub(crate) id: CompanyId,
    pub(crate) name: &'static str,
    /// Of its first administrator, once there is one.
    pub(crate) email: &'static str,
}

pub(crate) struct World {
    pub(crate) nats: nats::Server,
    #[expect(dead_code, reason = "is there as long as it lives")]
    nats_directory: tempfile::TempDir,
    pub(crate) database: Database,
    /// What the console's process was started with.
    variables: std::collections::BTreeMap<&'static str, String>,
    /// The operator's connection.
    pub(crate) operator: Bus,
    pub(crate) clock: Clock,
    pub(crate) process: Process,
    pub(crate) http: SocketAddr,
    pub(crate) mails: tempfile::TempDir,
    pub(crate) services: Arc<Services>,
    pub(crate) contoso: Company,
    pub(crate) fabrikam: Company,
}

/// An empty database as deployed, not migrated.
pub(crate) fn database() -> Database {
    let server = postgres::Server::shared().unwrap();
    let database = server.database_from_template("console", deploy).unwrap();
    // A clone does not inherit what init.sql sets for roles in the database that was cloned.
    for role in ["console_owner", "console_service"] {
        let search =
            format!(r#"alter role {role} in database "{}" set search_path = console"#, database.name);
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
    postgres::Server::shared().unwrap().url(&database.name, &format!("console_{role}"), role)
}

pub(crate) async fn migrate(database: &Database) {
    let url = url(database, "owner");
    let mut reader = Reader::new([("TIMECLOCK_POSTGRES_URL", url)].into_iter().collect());
    let settings = admin_console::MigrateSettings::read(&mut reader);
    reader.finish().unwrap();
    admin_console::migrate(settings).await.unwrap();
}

impl World {
    /// Everything, and nobody who may sign in.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// With these settings besides.
    pub(crate) async fn start_with(settings: &[(&'static str, &str)]) -> Self {
        let database = database();
        migrate(&database).await;
        let nats_directory = tempfile::tempdir().unwrap();
        let options =
            nats::Options { directory: Some(nats_directory.path().to_owned()), ..Default::default() };
        let nats = nats::Server::start(options).unwrap();
        let contoso = Company { id: CompanyId::mint(), name: "Contoso", email: "anna@contoso.example" };
        let fabrikam = Company { id: CompanyId::mint(), name: "Fabrikam", email: "bruno@fabrikam.example" };
        let services = Services::start(&nats.url(), [&contoso, &fabrikam]).await;
        let clock = Clock::manual(NOW);
        let http = SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
        let mails = tempfile::tempdir().unwrap();
        let mail_url = format!("file://{}", mails.path().display());
        let console_url = format!("http://{http}");
        let defaults = [
            ("TIMECLOCK_NATS_URL", nats.url()),
            ("TIMECLOCK_NATS_USER", "console".to_owned()),
            ("TIMECLOCK_NATS_PASSWORD", "secret".to_owned()),
            ("TIMECLOCK_POSTGRES_URL", url(&database, "service")),
            ("TIMECLOCK_POSTGRES_POOL_SIZE", "4".to_owned()),
            ("TIMECLOCK_HTTP_ADDR", http.to_string()),
            ("TIMECLOCK_CONSOLE_URL", console_url),
            ("TIMECLOCK_MAIL_URL", mail_url),
            // So that a test may come from any address.
            ("TIMECLOCK_TRUSTED_PROXIES", "1".to_owned()),
        ];
        let mut variables: std::collections::BTreeMap<&'static str, _> = defaults.into_iter().collect();
        variables.extend(settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let process = serve(variables.clone().into_iter(), &clock).await;
        let operator = connect(&nats.url(), "operator").await;
        let world = Self {
            nats,
            nats_directory,
            database,
            variables,
            operator,
            clock,
            process,
            http,
            mails,
            services,
            contoso,
            fabrikam,
        };
        world.process.health.started();
        eventually("ready", || async { world.process.health.readiness().await.ready.then_some(()) }).await;
        world
    }

    /// One more console beside the first, and where it listens.
    pub(crate) async fn another_instance(&self) -> (Process, SocketAddr) {
        self.another_instance_without("").await
    }

    /// The same, without this setting.
    pub(crate) async fn another_instance_without(&self, setting: &str) -> (Process, SocketAddr) {
        let http = SocketAddr::from(([127, 0, 0, 1], backing_servers::port::free().unwrap()));
        let mut variables = self.variables.clone();
        variables.remove(setting);
        variables.insert("TIMECLOCK_CONSOLE_URL", format!("http://{http}"));
        variables.insert("TIMECLOCK_HTTP_ADDR", http.to_string());
        let process = serve(variables.into_iter(), &self.clock).await;
        process.health.started();
        eventually("ready", || async { process.health.readiness().await.ready.then_some(()) }).await;
        (process, http)
    }

    /// Everything, and a browser in which Contoso's first administrator is signed in.
    pub(crate) async fn start_signed_in() -> (Self, Browser) {
        let world = Self::start().await;
        let browser = world.administrator(&world.contoso.clone()).await;
        (world, browser)
    }

    /// Invites a company's first administrator, for whose domain somebody has vouched, and who accepts: a browser in which they are signed in.
    pub(crate) async fn administrator(&self, company: &Company) -> Browser {
        let (_, domain) = company.email.split_once('@').unwrap();
        let vouched =
            format!("INSERT INTO console.vouched_domains VALUES ('{}', '{domain}', now())", company.id);
        postgres::Server::shared().unwrap().sql(&self.database.name, &vouched).unwrap();
        self.person(company.id, company.email, Role::Administrator).await
    }

    /// Contoso's auditor, signed in.
    pub(crate) async fn auditor(&self) -> Browser {
        self.person(self.contoso.id, "auditor@contoso.example", Role::Auditor).await
    }

    /// Somebody who was invited and has accepted with [`PASSWORD`].
    pub(crate) async fn person(&self, company: CompanyId, email: &str, role: Role) -> Browser {
        let invited = self.invite(company, email, role).await;
        let browser = self.browser();
        let path = self.path_of(&invited.link);
        let answer = browser.post(&path, &[("name", "Anna Berg"), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        browser
    }

    pub(crate) async fn invite(&self, company: CompanyId, email: &str, role: Role) -> Invited {
        match self.try_invite(company, email, role).await {
            Answer::Invited(invited) => invited,
            other => panic!("not invited: {other:?}"),
        }
    }

    pub(crate) async fn try_invite(&self, company: CompanyId, email: &str, role: Role) -> Answer {
        self.invite_in("", company, email, role).await
    }

    /// Invites somebody of whom is known what they read.
    pub(crate) async fn invite_in(
        &self,
        language: &str,
        company: CompanyId,
        email: &str,
        role: Role,
    ) -> Answer {
        let invite = InviteAdministrator {
            company_id: company.to_string(),
            email: email.to_owned(),
            role: role.into(),
            actor: Some(operator()),
            language: language.to_owned(),
        };
        self.ask(INVITE_ADMINISTRATOR, invite).await
    }

    /// What the console answers an operator.
    pub(crate) async fn ask(&self, subject: &'static str, question: impl Message) -> Answer {
        let answer = self.operator.ask(subject, question.encode_to_vec(), DEADLINE).await.unwrap();
        Reply::decode(answer).unwrap().result.unwrap()
    }

    /// A browser that has been nowhere yet.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.http)
    }

    /// The path and query of a link to the console.
    pub(crate) fn path_of(&self, link: &str) -> String {
        link.strip_prefix(&format!("http://{}", self.http)).expect("a link to the console").to_owned()
    }

    /// What a counter of the process has come to, over all its labels that hold `label`.
    pub(crate) fn count(&self, metric: &str, label: &str) -> u64 {
        let text = service_runtime::metrics::text(&self.process.metrics).unwrap();
        let lines = text.lines().filter(|line| line.starts_with(metric) && line.contains(label));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }
}

/// Starts the console in this process.
async fn serve(variables: impl Iterator<Item = (&str, String)>, clock: &Clock) -> Process {
    let process = Process::new(clock.clone());
    let mut reader = Reader::new(variables.collect());
    let settings = admin_console::Settings::read(&mut reader);
    reader.finish().unwrap();
    admin_console::start(settings, process.clone()).await.unwrap();
    process
}

pub(crate) fn operator() -> Actor {
    Actor { kind: actor::Kind::Operator.into(), name: "oscar".to_owned(), address: String::new() }
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
