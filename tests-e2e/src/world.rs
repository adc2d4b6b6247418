//! A running system and a company in it that nobody else uses.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    sync::OnceLock,
    thread,
};

use anyhow::{Context as _, Result};
use entra_emulator::{Credential, Settings, Tenant};
use local_stack::{Options, Stack, binaries::Binaries, company::Company};
use tokio::{
    sync::{Mutex, MutexGuard},
    task::block_in_place,
};

use crate::{
    actors::{collector::Collector, entra::Entra, operator::Operator, scim::Scim},
    fault, observe,
};

/// The stack that all scenarios share which disturb nothing.
static SHARED: OnceLock<Attempt<Stack>> = OnceLock::new();
/// The stack whose parts are killed, by one scenario at a time.
static DISTURBED: OnceLock<Attempt<Mutex<Stack>>> = OnceLock::new();

/// The stack that has two of each service behind one origin, as a deployment has.
static BEHIND_EDGE: OnceLock<Attempt<Mutex<Stack>>> = OnceLock::new();

/// Where the token service looks for the keys of assertions; whoever plays Entra's authority listens there.
static AUTHORITY: OnceLock<SocketAddr> = OnceLock::new();

/// What does not start is not tried again for every scenario.
type Attempt<T> = Result<T, String>;

/// How long the disturbed stack's gateway waits before it says 503, in milliseconds: short, for the tests' sake.
const DISTURBED_TIMEOUT_MS: &str = "2000";

/// What the shared stack's services log; of libraries as little as by default.
const VERBOSE: &str = "info,async_nats=warn,actix_server=warn,actix_http::h1::dispatcher=off,admin_console=debug,token_service=debug,scim_gateway=debug,directory_service=debug,\
    service_runtime=debug,bus_jetstream=debug,pg_pool=debug";
/// How often the shared stack's services export their spans, in milliseconds: often, for the tests' sake.
const EXPORT_DELAY_MS: &str = "100";
/// How often the shared stack's console looks whom to mail, in milliseconds: often, for the tests' sake.
const NOTICES_INTERVAL_MS: &str = "200";

/// A stack, and a company of this scenario's own.
pub struct World {
    place: Place,
    /// The company, with its token.
    pub company: Company,
    /// A caller with that token.
    pub scim: Scim,
    /// What the services had complained about before.
    old_complaints: BTreeSet<String>,
}

enum Place {
    Shared(&'static Stack),
    Disturbed(MutexGuard<'static, Stack>),
}

impl World {
    /// A new company in the stack that all scenarios share.
    #[must_use]
    pub fn shared() -> Self {
        Self::inhabit(Place::Shared(shared()))
    }

    /// A new company in the same stack, and somebody who may sign in to its console.
    #[must_use]
    pub fn with_administrator(name: &str) -> Self {
        let company = block_in_place(|| shared().new_company_with_administrator(name)).expect("a company");
        Self::of(Place::Shared(shared()), company)
    }

    /// A new company in the stack that this scenario has for itself, whole and ready, until the world is dropped.
    pub async fn to_disturb() -> Self {
        let start = || DISTURBED.get_or_init(|| start("disturbed", disturbed_settings()).map(Mutex::new));
        let stack = running(block_in_place(start));
        let stack = stack.lock().await;
        block_in_place(|| fault::mend(&stack)).expect("the stack is whole");
        Self::inhabit(Place::Disturbed(stack))
    }

    /// A new company with an administrator in the stack that has two of each service behind one origin, for this
    /// scenario alone.
    pub async fn behind_the_edge() -> Self {
        let start = || BEHIND_EDGE.get_or_init(|| start_with("edge", Vec::new(), true).map(Mutex::new));
        let stack = running(block_in_place(start)).lock().await;
        let company =
            block_in_place(|| stack.new_company_with_administrator("A company")).expect("a company");
        Self::of(Place::Disturbed(stack), company)
    }

    fn inhabit(place: Place) -> Self {
        let company = block_in_place(|| place.stack().new_company("A company")).expect("a company");
        Self::of(place, company)
    }

    fn of(place: Place, company: Company) -> Self {
        let scim = Scim::new(&place.stack().endpoints().scim_url, &company.scim_token);
        let old_complaints = observe::complaints(place.stack());
        Self { place, company, scim, old_complaints }
    }

    /// Where the console is.
    #[must_use]
    pub fn console_url(&self) -> String {
        self.stack().endpoints().console_url.expect("a console")
    }

    /// A further company of this scenario's own, with an administrator who may sign in.
    #[must_use]
    pub fn company_with_administrator(&self) -> Company {
        block_in_place(|| self.stack().new_company_with_administrator("A company")).expect("a company")
    }

    /// The stack around it.
    #[must_use]
    pub fn stack(&self) -> &Stack {
        self.place.stack()
    }

    /// A caller for another new company in the same stack.
    #[must_use]
    pub fn neighbour(&self) -> Scim {
        let company = block_in_place(|| self.stack().new_company("A neighbour")).expect("a company");
        self.scim.with_token(&company.scim_token)
    }

    /// Whoever looks after the company's tokens.
    #[must_use]
    pub fn operator(&self) -> Operator<'_> {
        Operator::new(self.stack(), &self.company.id)
    }

    /// Entra, connected to the company.
    #[must_use]
    pub fn entra(&self, tenant: Tenant, change: impl FnOnce(&mut Settings)) -> Entra {
        Entra::new(&self.stack().endpoints().scim_url, &self.company.scim_token, tenant, change)
    }

    /// Entra, connected to the company by another credential than its token.
    #[must_use]
    pub fn entra_by(&self, credential: Credential, tenant: Tenant) -> Entra {
        Entra::by(&self.stack().endpoints().scim_url, credential, tenant)
    }

    /// Where the shared stack looks for the keys of assertions: for one scenario, which plays Entra's authority.
    #[must_use]
    pub fn authority() -> SocketAddr {
        *AUTHORITY.get_or_init(|| {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
            free.expect("a free port")
        })
    }
}

impl Place {
    fn stack(&self) -> &Stack {
        match self {
            Self::Shared(stack) => stack,
            Self::Disturbed(stack) => stack,
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if thread::panicking() {
            println!("{}", observe::log_tails(self.stack()));
            return;
        }
        assert_eq!(self.stack().unexpected_end(), None);
        let complaints = observe::complaints(self.stack());
        let new: Vec<_> = complaints.difference(&self.old_complaints).collect();
        assert!(new.is_empty(), "the services complained: {new:#?}");
    }
}

fn shared() -> &'static Stack {
    running(block_in_place(|| SHARED.get_or_init(|| start("shared", shared_settings()))))
}

fn running<T>(attempt: &Attempt<T>) -> &T {
    attempt.as_ref().unwrap_or_else(|error| panic!("{error}"))
}

fn shared_settings() -> Vec<(String, String, String)> {
    let authority = format!("http://{}", World::authority());
    let mut settings = vec![
        ("token-service", "TIMECLOCK_FEDERATION_AUTHORITY", authority.as_str()),
        ("admin-console", "TIMECLOCK_NOTICES_INTERVAL_MS", NOTICES_INTERVAL_MS),
    ];
    // All that our own code can say, so that scenarios find in the logs what must not be there.
    let services = fault::SERVICES;
    settings.extend(services.map(|service| (service, "TIMECLOCK_LOG", VERBOSE)));
    let collector = Collector::shared().endpoint();
    settings.extend(services.map(|service| (service, "OTEL_EXPORTER_OTLP_ENDPOINT", collector.as_str())));
    settings.extend(services.map(|service| (service, "OTEL_BSP_SCHEDULE_DELAY", EXPORT_DELAY_MS)));
    settings
        .into_iter()
        .map(|(service, name, value)| (service.to_owned(), name.to_owned(), value.to_owned()))
        .collect()
}

fn disturbed_settings() -> Vec<(String, String, String)> {
    ["TIMECLOCK_OUTCOME_TIMEOUT_MS", "TIMECLOCK_QUERY_TIMEOUT_MS"]
        .map(|name| ("scim-gateway".to_owned(), name.to_owned(), DISTURBED_TIMEOUT_MS.to_owned()))
        .into()
}

/// It ends with this process: a static is never dropped, and the servers' watchdogs look after that.
fn start(name: &str, environment: Vec<(String, String, String)>) -> Attempt<Stack> {
    start_with(name, environment, false)
}

fn start_with(name: &str, environment: Vec<(String, String, String)>, behind_edge: bool) -> Attempt<Stack> {
    let attempt = || -> Result<Stack> {
        let workdir = fresh_workdir(name)?;
        let binaries = Binaries::beside_this_program()?;
        // Done in no time when all is up to date, and nobody tests yesterday's services.
        binaries.build()?;
        let options = Options::new(workdir)?;
        Stack::start(Options { binaries, throwaway: true, environment, behind_edge, ..options })
    };
    attempt().map_err(|error| format!("the {name} stack does not start: {error:#}"))
}

/// Cargo's target directory, from which this program runs.
///
/// # Errors
/// When it runs from somewhere else.
pub fn target_directory() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find the running program")?;
    let target = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    Ok(target.context("the tests are outside a target directory")?.to_owned())
}

/// `target/e2e/<name>`, without what the last run left there.
fn fresh_workdir(name: &str) -> Result<PathBuf> {
    let workdir = target_directory()?.join("e2e").join(name);
    // Where another run of the tests uses it, starting the stack says so.
    if !is_in_use(&workdir) {
        drop(fs::remove_dir_all(&workdir));
    }
    Ok(workdir)
}

fn is_in_use(workdir: &Path) -> bool {
    File::open(workdir.join("lock")).is_ok_and(|lock| lock.try_lock().is_err())
}
