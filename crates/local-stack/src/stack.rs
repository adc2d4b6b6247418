//! The running system: started as a whole, stopped in order.

mod disturb;
mod restore;
mod subscriber;

pub use self::subscriber::Subscriber;

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, bail};
use backing_servers::{nats, postgres, process};

use crate::{
    binaries::Binaries,
    company::{Company, Operator},
    edge::{self, Edge, Target},
    endpoints::Endpoints,
    secrets::Secrets,
    service::{Instance, Launch, Ports, isolated},
    topology::{self, Backing, LOCAL, PublicUrls, SERVICES, Service},
    workdir::{Workdir, write_private},
};

/// A debug build on a busy machine takes its time.
const READY_LIMIT: Duration = Duration::from_secs(90);
/// The companies that every stack has.
const COMPANIES: [&str; 2] = ["Contoso", "Fabrikam"];

/// Nobody here is told of readiness and needs time to turn elsewhere.
const NO_DRAIN_DELAY: (&str, &str) = ("TIMECLOCK_DRAIN_DELAY_MS", "0");

const COMPANIES_FILE: &str = "companies.json";

/// How to start a stack.
#[derive(Debug, Clone)]
pub struct Options {
    /// Holds data, logs, passwords and `endpoints.json`; created where needed, its data kept and used again.
    pub workdir: PathBuf,
    /// The programs to run.
    pub binaries: Binaries,
    /// For tests: the servers' data is in temporary directories, not synced to disk, and gone with the stack.
    pub throwaway: bool,
    /// Settings of services beyond the topology's: service, variable, value.
    pub environment: Vec<(String, String, String)>,
    /// Two instances of each service, and HAProxy as it is deployed in front of those that are called from outside: the
    /// addresses told are its.
    pub behind_edge: bool,
    /// Settings of Postgres beyond what every stack has: name, value.
    pub postgres_settings: Vec<(String, String)>,
    /// Told of each step as it begins.
    pub progress: fn(&str),
}

impl Options {
    /// A durable stack in this directory, of the programs beside the running one, that says nothing.
    ///
    /// # Errors
    /// When the system does not say where the running program is.
    pub fn new(workdir: impl Into<PathBuf>) -> Result<Self> {
        let binaries = Binaries::beside_this_program()?;
        Ok(Self {
            workdir: workdir.into(),
            binaries,
            throwaway: false,
            environment: Vec::new(),
            behind_edge: false,
            postgres_settings: Vec::new(),
            progress: |_| (),
        })
    }
}

/// A running stack; dropping it stops it.
#[derive(Debug)]
pub struct Stack {
    workdir: Workdir,
    binaries: Binaries,
    extra: Vec<(String, String, String)>,
    secrets: Secrets,
    backing: Backing,
    /// In the order of their start.
    instances: Mutex<Vec<Instance>>,
    postgres: postgres::Server,
    nats: nats::Server,
    edge: Option<Edge>,
    companies: Mutex<Vec<Company>>,
}

impl Stack {
    /// Starts everything, waits until everything is ready, seeds the companies and writes `endpoints.json`.
    ///
    /// # Errors
    /// When the directory is in use, a program is missing, or something does not become ready: the error says which,
    /// and shows its last log lines.
    pub fn start(options: Options) -> Result<Self> {
        let workdir = Workdir::claim(&options.workdir)?;
        Endpoints::remove(workdir.path());
        if options.throwaway {
            // What an earlier stack created is gone with its data.
            drop(std::fs::remove_file(workdir.file(COMPANIES_FILE)));
        }
        let secrets = Secrets::load_or_create(&workdir.file("secrets.json"))?;
        (options.progress)("Postgres and NATS");
        let (postgres, nats) =
            start_backing(&workdir, &secrets, options.throwaway, options.postgres_settings)?;
        let address = format!("127.0.0.1:{}", postgres.port());
        let backing = Backing { nats_url: nats.url(), postgres_address: address };
        let mut stack = Self {
            workdir,
            binaries: options.binaries,
            extra: options.environment,
            secrets,
            backing,
            instances: Mutex::default(),
            postgres,
            nats,
            edge: options.behind_edge.then(Edge::claim).transpose()?,
            companies: Mutex::default(),
        };
        (options.progress)("roles, schemas and migrations");
        stack.make_roles()?;
        stack.migrate_all()?;
        (options.progress)("services");
        for service in &SERVICES {
            stack.launch_first(service)?;
        }
        stack.wait_until_ready()?;
        stack.start_edge()?;
        (options.progress)("companies");
        stack.seed()?;
        stack.publish_endpoints()?;
        Ok(stack)
    }

    /// Where everything is, now.
    #[must_use]
    pub fn endpoints(&self) -> Endpoints {
        let instances = self.instances();
        let url = |name: &str| self.url(&instances, name).unwrap_or_default();
        let edge = self.edge.as_ref().map(|edge| ("edge".to_owned(), edge.metrics()));
        let metrics = |instance: &Instance| format!("http://{}/metrics", instance.ports.observe());
        let operator_password =
            self.secrets.get(&topology::bus_password_variable(topology::OPERATOR_BUS_USER));
        let backing =
            [("postgres".to_owned(), self.postgres.pid()), ("nats-server".to_owned(), self.nats.pid())];
        Endpoints {
            scim_url: format!("{}/scim", url("scim-gateway")),
            console_url: Some(url("admin-console")),
            token_url: url("token-service"),
            companies: self.companies.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            metrics: instances
                .iter()
                .map(|instance| (instance.name.clone(), metrics(instance)))
                .chain(edge)
                .collect(),
            postgres_url: self.postgres.superuser_url(topology::DATABASE),
            nats_url: format!(
                "nats://{}:{operator_password}@127.0.0.1:{}",
                topology::OPERATOR_BUS_USER,
                self.nats.port()
            ),
            processes: instances.iter().map(|one| (one.name.clone(), one.pid())).chain(backing).collect(),
        }
    }

    /// The working directory.
    #[must_use]
    pub fn workdir(&self) -> &Path {
        self.workdir.path()
    }

    /// The Postgres that the services use.
    #[must_use]
    pub const fn postgres(&self) -> &postgres::Server {
        &self.postgres
    }

    /// The NATS that the services use.
    #[must_use]
    pub const fn nats(&self) -> &nats::Server {
        &self.nats
    }

    /// A company of its own, with a token, that `endpoints.json` does not mention.
    ///
    /// # Errors
    /// What `timeclock-operator` reports.
    pub fn new_company(&self, name: &str) -> Result<Company> {
        Company::create(name, &self.operator_command()?)
    }

    /// A company of its own, with a token and an administrator who may sign in to the console.
    ///
    /// # Errors
    /// What `timeclock-operator` reports, or that the console does not take the invitation.
    pub fn new_company_with_administrator(&self, name: &str) -> Result<Company> {
        let mut company = self.new_company(name)?;
        let email = format!("admin@{}.example", company.id);
        self.give_administrator(&mut company, &email)?;
        Ok(company)
    }

    fn give_administrator(&self, company: &mut Company, email: &str) -> Result<()> {
        let console = self.endpoints().console_url.context("there is no console")?;
        company.give_administrator(email, &self.operator_command()?, &console)
    }

    /// Runs `timeclock-operator --json` with these arguments and returns its answer.
    ///
    /// # Errors
    /// What it reports.
    pub fn operator(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        self.operator_command()?.run(arguments)
    }

    /// Waits until every instance is ready that has not been ended on purpose.
    ///
    /// # Errors
    /// Names the first that is not, with its last answer and log lines.
    pub fn wait_until_ready(&self) -> Result<()> {
        let mut instances = self.instances();
        let mut expected = instances.iter_mut().filter(|one| !one.ended_on_purpose());
        expected.try_for_each(|one| one.wait_until_ready(READY_LIMIT))
    }

    /// What has ended without being asked to, with its last log lines.
    #[must_use]
    pub fn unexpected_end(&self) -> Option<String> {
        let backing = [
            ("postgres", self.postgres.is_running(), self.postgres.log()),
            ("nats-server", self.nats.is_running(), self.nats.log()),
        ];
        let dead = backing.into_iter().find(|(_, running, _)| !running);
        dead.map(|(name, _, log)| format!("{name} ended; {}", process::last_lines(&log)))
            .or_else(|| self.instances().iter_mut().find_map(Instance::unexpected_end))
    }

    fn instances(&self) -> MutexGuard<'_, Vec<Instance>> {
        self.instances.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn launch(&self, service: &'static Service, name: String, ports: Ports) -> Result<Instance> {
        let http = ports.http().map(|address| address.to_string());
        let observe = ports.observe().to_string();
        let urls = self.public_urls((service.name, http.as_deref()));
        let mut environment =
            service.environment(&self.backing, &self.secrets, &urls, http.as_deref(), &observe);
        let local = LOCAL.iter().filter(|(of, ..)| *of == service.name);
        environment.extend(local.map(|(_, variable, value)| ((*variable).to_owned(), (*value).to_owned())));
        let of_place = match &self.edge {
            Some(_) if service.http_port.is_some() => Some(edge::BEHIND_IT),
            Some(_) => None,
            None => Some(NO_DRAIN_DELAY),
        };
        environment.extend(of_place.map(|(name, value)| (name.to_owned(), value.to_owned())));
        for (_, variable, value) in self.extra.iter().filter(|(of, ..)| of == service.name) {
            environment.retain(|(known, _)| known != variable);
            environment.push((variable.clone(), value.clone()));
        }
        let program = self.binaries.find(service.name)?;
        let (directory, log) = (self.workdir().to_owned(), self.workdir.log(&name));
        Instance::start(name, service, ports, Launch { program, environment, directory, log })
    }

    /// The instances that a stack has from its beginning.
    fn launch_first(&self, service: &'static Service) -> Result<()> {
        for number in 1..=if self.edge.is_some() { 2 } else { 1 } {
            let name = instance_name(service, number);
            let instance = self.launch(service, name, Ports::preferred(service)?)?;
            self.instances().push(instance);
        }
        Ok(())
    }

    fn start_edge(&mut self) -> Result<()> {
        let targets: Vec<_> = self.instances().iter().filter_map(Target::of).collect();
        let directory = self.workdir.file("edge");
        self.edge.as_mut().map_or(Ok(()), |edge| edge.start(&targets, directory))
    }

    /// Where callers find a service: at the edge, or else at its first instance.
    fn url(&self, instances: &[Instance], name: &str) -> Option<String> {
        let found = || instances.iter().find(|instance| instance.name == name)?.ports.http();
        let edge = self.edge.as_ref().map(Edge::url);
        edge.or_else(|| found().map(|address| format!("http://{address}")))
    }

    /// The first instance of a service is the one whose address is told; `starting` is about to be it.
    fn public_urls(&self, starting: (&str, Option<&str>)) -> PublicUrls {
        let instances = self.instances();
        let starting = |name: &str| (starting.0 == name).then_some(format!("http://{}", starting.1?));
        let url = |name: &str| self.url(&instances, name).or_else(|| starting(name)).unwrap_or_default();
        PublicUrls {
            scim: format!("{}/scim", url("scim-gateway")),
            tokens: url("token-service"),
            console: url("admin-console"),
            mail: format!("file://{}", self.workdir.file("mail").display()),
        }
    }

    /// Runs `deploy/postgres/init.sql`: the roles, and a database of empty schemas where there is none.
    fn make_roles(&self) -> Result<()> {
        let passwords = self.secrets.of_roles();
        let made = self.postgres.sql_with("postgres", topology::POSTGRES_INIT, &passwords);
        made.map(drop).context("deploy/postgres/init.sql")
    }

    fn migrate_all(&self) -> Result<()> {
        let with_tables = SERVICES.iter().filter(|service| service.roles.is_some());
        with_tables.map(|service| service.name).try_for_each(|service| self.migrate(service))
    }

    /// Runs a service's migrations, as an operator does before a new version.
    ///
    /// # Errors
    /// When the service has no tables, or a migration fails.
    pub fn migrate(&self, service: &str) -> Result<()> {
        let known = SERVICES.iter().find(|known| known.name == service);
        let environment = known.and_then(|known| known.migration_environment(&self.backing, &self.secrets));
        let environment = environment.with_context(|| format!("{service} has no tables"))?;
        let log = self.workdir.log(&format!("{service}-migrate"));
        let output =
            std::fs::File::create(&log).with_context(|| format!("cannot create {}", log.display()))?;
        let mut command = isolated(Command::new(self.binaries.find(service)?));
        command.arg("migrate").envs(environment).stdin(Stdio::null());
        command.stdout(output.try_clone().context("cannot share a log file")?).stderr(output);
        let status = command.status().with_context(|| format!("cannot start {service}"))?;
        if !status.success() {
            bail!("`{service} migrate` failed ({status}); {}", process::last_lines(&log));
        }
        Ok(())
    }

    fn operator_command(&self) -> Result<Operator> {
        let program = self.binaries.find("timeclock-operator")?;
        let environment = self.backing.bus_environment(topology::OPERATOR_BUS_USER, &self.secrets);
        Ok(Operator { program, environment })
    }

    /// Creates the companies that an earlier run with this directory has not created.
    fn seed(&self) -> Result<()> {
        let file = self.workdir.file(COMPANIES_FILE);
        let mut known: Vec<Company> = match std::fs::read(&file) {
            Ok(text) => {
                serde_json::from_slice(&text).with_context(|| format!("{} is damaged", file.display()))?
            }
            Err(_) => Vec::new(),
        };
        for name in COMPANIES {
            if !known.iter().any(|company| company.name == name) {
                known.push(self.new_company(name)?);
                write_private(&file, &serde_json::to_vec_pretty(&known)?)?;
            }
        }
        for company in known.iter_mut().filter(|company| company.admin_email.is_none()) {
            self.give_administrator(company, &format!("admin@{}.com", company.name.to_lowercase()))?;
        }
        write_private(&file, &serde_json::to_vec_pretty(&known)?)?;
        *self.companies.lock().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    fn publish_endpoints(&self) -> Result<()> {
        self.endpoints().write(self.workdir())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        Endpoints::remove(self.workdir.path());
        let instances = self.instances.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some(last) = instances.pop() {
            drop(last);
        }
    }
}

fn start_backing(
    workdir: &Workdir,
    secrets: &Secrets,
    throwaway: bool,
    mut settings: Vec<(String, String)>,
) -> Result<(postgres::Server, nats::Server)> {
    let directory = |name| (!throwaway).then(|| workdir.file(name));
    let (collector, value) = topology::NATS_COLLECTOR;
    let mut environment = secrets.of_bus_users();
    environment.push((collector.to_owned(), value.to_owned()));
    let nats_options = nats::Options {
        directory: directory("nats"),
        port: None,
        config: Some(topology::NATS_CONFIG.to_owned()),
        environment,
    };
    settings.push(("max_connections".to_owned(), "200".to_owned()));
    let postgres_options =
        postgres::Options { directory: directory("postgres"), port: None, fast: throwaway, settings };
    thread::scope(|scope| {
        let nats = scope.spawn(|| nats::Server::start(nats_options));
        let postgres = postgres::Server::start(postgres_options)?;
        let nats = nats.join().map_err(|_panic| anyhow!("starting nats-server panicked"))??;
        Ok((postgres, nats))
    })
}

/// The first instance is called as its service, the others have a number behind it.
fn instance_name(service: &Service, number: usize) -> String {
    if number == 1 { service.name.to_owned() } else { format!("{}-{number}", service.name) }
}
