//! The system under test: a stack of its own with a company that has as many users as wanted.

use std::{
    cell::OnceCell,
    io::{BufRead as _, BufReader},
    net::{SocketAddr, TcpStream},
    path::Path,
};

use anyhow::{Context as _, Result};
use local_stack::{Stack, company::Company, stack, topology::DATABASE};
use tempfile::TempDir;

use crate::{
    access::{self, SignedIn},
    client::{Credential, sign_in},
    groups,
    history::Extent,
    load::Target,
    machine::memory_kib,
    neighbours::{Beside, Neighbours},
    operation::{Operation, Population},
    people,
    processes::Processes,
};

/// Companies of the figure that has several. Requests of one are applied in order, those of different ones side by side.
const SEVERAL: usize = 8;
/// So many people are put there by one statement: progress is seen, and memory stays small.
const CHUNK: u64 = 50_000;

/// A running stack, the companies that are measured, and what is known about them.
#[derive(Debug)]
pub(crate) struct System {
    // Before the directory, so that everything has ended when it is removed.
    stack: Stack,
    directory: TempDir,
    /// The one with the users.
    company: Company,
    others: Vec<Company>,
    /// Made when they are first needed: it takes many companies until one shares a partition.
    neighbours: OnceCell<Neighbours>,
    gateway: SocketAddr,
    /// The gateway's second listener.
    observed: SocketAddr,
    pub(crate) people: Population,
    pub(crate) processes: Processes,
}

impl System {
    /// Starts everything in a directory below `parent`, which goes with it; `environment` (service, variable, value) is
    /// what services are told besides.
    ///
    /// # Errors
    /// What the stack reports.
    pub(crate) fn start(
        parent: &Path,
        progress: fn(&str),
        environment: Vec<(String, String, String)>,
    ) -> Result<Self> {
        let mut temporary = tempfile::Builder::new();
        temporary.prefix("provisioning-bench-").permissions(open_to_pass());
        let directory = temporary
            .tempdir_in(parent)
            .with_context(|| format!("cannot create a directory in {}", parent.display()))?;
        let mut options = stack::Options::new(directory.path())?;
        options.progress = progress;
        options.environment = environment;
        options.postgres_settings = sized_for_this_machine();
        let stack = Stack::start(options)?;
        let company = stack.new_company("Measured")?;
        let others = (1..=SEVERAL).map(|number| stack.new_company(&format!("Measured {number}")));
        let others = others.collect::<Result<_>>()?;
        let endpoints = stack.endpoints();
        let observed = endpoints.metrics.get("scim-gateway").context("the stack has no gateway")?;
        Ok(Self {
            gateway: address(&endpoints.scim_url)?,
            observed: address(observed)?,
            processes: Processes::new(endpoints.processes),
            people: Population::nobody(),
            stack,
            directory,
            company,
            others,
            neighbours: OnceCell::new(),
        })
    }

    /// The Postgres that the services use.
    pub(crate) const fn postgres(&self) -> &backing_servers::postgres::Server {
        self.stack.postgres()
    }

    /// For files, on the disk that the data is on.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Puts people there until there are so many, and leaves Postgres as a long-running one would be: analysed, its
    /// changes written to disk.
    ///
    /// # Errors
    /// What Postgres reports, or `between`, which is called again and again meanwhile.
    pub(crate) fn grow_to(&mut self, users: u64, mut between: impl FnMut(u64) -> Result<()>) -> Result<()> {
        while self.people.there < users {
            let end = users.min(self.people.there + CHUNK);
            let insert = people::insert_statement(&self.company.id, self.people.there, end);
            self.postgres().sql(DATABASE, &insert)?;
            self.people.there = end;
            between(end)?;
        }
        self.postgres().sql(DATABASE, &groups::insert_statement(&self.company.id))?;
        self.postgres().sql(DATABASE, "vacuum (analyze)")?;
        self.postgres().sql(DATABASE, "checkpoint")?;
        Ok(())
    }

    /// A new company with so much in it, and the console as somebody sees it who has signed in there.
    ///
    /// # Errors
    /// What the stack, Postgres or the console reports, or `between`, which is called again and again meanwhile.
    pub(crate) async fn visit(
        &self,
        extent: Extent,
        mut between: impl FnMut() -> Result<()>,
    ) -> Result<Target> {
        let company = self.stack.new_company_with_administrator(&format!("Company of {}", extent.users))?;
        for statement in extent.statements(&company.id) {
            self.postgres().sql(DATABASE, &statement)?;
            between()?;
        }
        self.postgres().sql(DATABASE, "vacuum (analyze)")?;
        self.postgres().sql(DATABASE, "checkpoint")?;
        let console_url = self.stack.endpoints().console_url.context("the stack has no console")?;
        let (email, password) =
            company.admin_email.zip(company.admin_password).context("nobody administers the company")?;
        let credential = sign_in(&console_url, &email, &password).await?;
        Ok(Target { address: address(&console_url)?, credentials: vec![credential] })
    }

    /// A new company with so many people, all of whom are signed in to the console.
    ///
    /// # Errors
    /// What the stack or Postgres reports.
    pub(crate) fn signed_in(&self, people: u64) -> Result<SignedIn> {
        let company = self.stack.new_company("Company of leavers")?;
        self.postgres().sql(DATABASE, &people::insert_statement(&company.id, 0, people))?;
        self.postgres().sql(DATABASE, &access::insert_statement(&company.id, people))?;
        self.postgres().sql(DATABASE, "vacuum (analyze)")?;
        self.postgres().sql(DATABASE, "checkpoint")?;
        let console_url = self.stack.endpoints().console_url.context("the stack has no console")?;
        let credentials = vec![Credential::Token(company.scim_token)];
        let gateway = Target { address: self.gateway, credentials };
        Ok(SignedIn::new(gateway, address(&console_url)?, people))
    }

    /// Whom an operation is asked of.
    pub(crate) fn target(&self, operation: Operation) -> Target {
        let address = if operation == Operation::Health { self.observed } else { self.gateway };
        let companies = match operation {
            Operation::CreateInSeveral => self.others.as_slice(),
            _ => std::slice::from_ref(&self.company),
        };
        let token = |company: &Company| Credential::Token(company.scim_token.clone());
        Target { address, credentials: companies.iter().map(token).collect() }
    }

    /// Who hires while an operation is measured, if anybody.
    ///
    /// # Errors
    /// When there are no neighbours yet and none can be made.
    pub(crate) fn hiring(&self, operation: Operation) -> Result<Option<Target>> {
        let company = match operation {
            Operation::Disable(Beside::AnotherPartition) => &self.neighbours()?.far,
            Operation::Disable(Beside::SamePartition) => &self.neighbours()?.near,
            Operation::Disable(Beside::Itself) => &self.company,
            _ => return Ok(None),
        };
        let credentials = vec![Credential::Token(company.scim_token.clone())];
        Ok(Some(Target { address: self.gateway, credentials }))
    }

    fn neighbours(&self) -> Result<&Neighbours> {
        if let Some(known) = self.neighbours.get() {
            return Ok(known);
        }
        let made = Neighbours::of(&self.company, &self.stack)?;
        Ok(self.neighbours.get_or_init(|| made))
    }

    /// The version of the Postgres that the services use.
    ///
    /// # Errors
    /// When it does not say.
    pub(crate) fn postgres_version(&self) -> Result<String> {
        Ok(self.postgres().sql("postgres", "show server_version")?.trim().to_owned())
    }

    /// The version of the NATS that the services use, which it tells whoever connects.
    ///
    /// # Errors
    /// When it does not say.
    pub(crate) fn nats_version(&self) -> Result<String> {
        let stream = TcpStream::connect(("127.0.0.1", self.stack.nats().port())).context("NATS is away")?;
        let mut greeting = String::new();
        BufReader::new(stream).read_line(&mut greeting).context("NATS says nothing")?;
        let told: serde_json::Value =
            serde_json::from_str(greeting.trim_start_matches("INFO ")).context("NATS says something else")?;
        Ok(told["version"].as_str().unwrap_or("unknown").to_owned())
    }

    /// What has ended without being asked to.
    ///
    /// # Errors
    /// Says which, with its last log lines.
    pub(crate) fn check(&self) -> Result<()> {
        self.stack.unexpected_end().map_or(Ok(()), |what| Err(anyhow::anyhow!("{what}")))
    }
}

/// What Postgres is set to where it keeps more than a laptop's data: a quarter of the memory for its own cache, which is
/// where its manual begins, and checkpoints by the clock rather than every gigabyte. Its defaults suit the smallest
/// machine that it runs on, and a directory that does not fit would measure how Postgres is set.
fn sized_for_this_machine() -> Vec<(String, String)> {
    let mebibytes = memory_kib().map_or(0, |kibibytes| kibibytes / 1024);
    let shared_buffers = (mebibytes / 4).clamp(128, 8192);
    [
        ("shared_buffers", format!("{shared_buffers}MB")),
        ("max_wal_size", "8GB".to_owned()),
        ("checkpoint_timeout", "15min".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}

/// The account that runs Postgres for root must be able to pass.
fn open_to_pass() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o711)
}

/// The address in an `http://` URL.
fn address(url: &str) -> Result<SocketAddr> {
    let rest = url.trim_start_matches("http://");
    let host = rest.split('/').next().unwrap_or_default();
    host.parse().with_context(|| format!("no address in {url}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_between_the_scheme_and_the_path() {
        assert_eq!(address("http://127.0.0.1:8080/scim").unwrap(), "127.0.0.1:8080".parse().unwrap());
        assert!(address("http:///scim").is_err());
    }
}
