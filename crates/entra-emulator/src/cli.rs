//! The command line: what a person types, and what they see while it runs.

use std::{io::Write, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use clap::{ArgGroup, Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use secrecy::SecretString;

use crate::{
    authority::Authority,
    changes::Turnover,
    credential::{Credential, Identity, OAuthClient, SecretPlace},
    emulator::{Emulator, Progress, Settings},
    mapping::Mapping,
    report::{self, Report, Subject, Verdict},
    tenant::{Generation, Tenant},
    wire::{Dialect, ManagerRemoval, ManagerShape},
};

/// What follows the options in `--help`.
const EXAMPLES: &str = "\
Examples:
  Does Entra's Test Connection pass?
    export ENTRA_TENANT_URL=http://127.0.0.1:8080/scim ENTRA_SECRET_TOKEN_FILE=token
    entra-emulator test-connection

  An initial cycle over 50 people, with every request written down:
    entra-emulator run --users 50 --wire-log wire.ndjson

  The same people, then three cycles of changes, disables, deletions and re-hires, in the flagged dialect:
    entra-emulator run --users 50 --incremental 3 --dialect aadOptscim062020

  With OAuth client credentials instead of a secret token; access tokens are got and renewed as Entra does:
    export ENTRA_CLIENT_SECRET_FILE=secret
    entra-emulator run --client-id ID --token-endpoint http://127.0.0.1:8082/oauth2/token

  With workload identity federation, playing the tenant's authority as well. The server is started with
  http://127.0.0.1:8090 in place of https://login.microsoftonline.com (TIMECLOCK_FEDERATION_AUTHORITY of TimeClock 365):
    entra-emulator run --client-id ID --token-endpoint http://127.0.0.1:8082/oauth2/token \\
      --federation-tenant 11111111-2222-4333-8444-555555555555 --federation-subject OBJECT_ID \\
      --federation-audience api://APP_ID --federation-listen 127.0.0.1:8090

  What TimeClock 365's gallery application sends, as JSON for a script:
    entra-emulator run --users 50 --mapping gallery --json | jq .failures

Exit status: 0 nothing failed; 1 objects failed, or the run could not start; 2 the command line is wrong;
3 the job was quarantined.
A run is an initial cycle of a job that remembers nothing, so a second run links the people that the first created.";

/// Entra's provisioning service, for any SCIM 2.0 server: the same requests, the same judgement of the answers.
#[derive(Debug, Parser)]
#[command(name = "entra-emulator", version, after_long_help = EXAMPLES)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Test Connection, an initial cycle over generated people, and as many cycles of changes as asked for.
    #[command(after_long_help = EXAMPLES)]
    Run(Box<Run>),
    /// What the button in Entra does: a filter for a random GUID must be answered by 200 and an empty list.
    TestConnection(Box<Connection>),
}

/// Exactly one kind of credential; each is checked by [`Connection::credential`].
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("credential").required(true)))]
#[command(group(ArgGroup::new("proof")))]
struct Connection {
    /// The SCIM base URL. `?aadOptscim062020` at its end selects that dialect, as in Entra.
    #[arg(long, env = "ENTRA_TENANT_URL", value_name = "URL")]
    tenant_url: String,
    /// The bearer token. Visible to other users of the machine in the process list: prefer a file or the environment.
    #[arg(
        long,
        env = "ENTRA_SECRET_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN",
        group = "credential"
    )]
    secret_token: Option<SecretString>,
    /// A file that holds the bearer token.
    #[arg(long, env = "ENTRA_SECRET_TOKEN_FILE", value_name = "FILE", group = "credential")]
    secret_token_file: Option<PathBuf>,
    /// An OAuth client's id: access tokens are got from --token-endpoint by --client-secret or by --federation-tenant.
    #[arg(long, env = "ENTRA_CLIENT_ID", value_name = "ID", group = "credential")]
    #[arg(requires = "proof", requires = "token_endpoint")]
    client_id: Option<String>,
    /// Where the client gets its access tokens.
    #[arg(long, env = "ENTRA_TOKEN_ENDPOINT", value_name = "URL", requires = "client_id")]
    token_endpoint: Option<String>,
    /// The client's secret. Visible to other users of the machine as well: prefer a file or the environment.
    #[arg(long, env = "ENTRA_CLIENT_SECRET", hide_env_values = true, value_name = "SECRET", group = "proof")]
    #[arg(requires = "client_id")]
    client_secret: Option<SecretString>,
    /// A file that holds the client's secret.
    #[arg(
        long,
        env = "ENTRA_CLIENT_SECRET_FILE",
        value_name = "FILE",
        group = "proof",
        requires = "client_id"
    )]
    client_secret_file: Option<PathBuf>,
    /// Where in the request for an access token the secret stands.
    #[arg(long, value_enum, default_value = "body")]
    client_auth: SecretPlace,
    /// The Entra tenant in whose name this program signs assertions, a UUID: workload identity federation.
    #[arg(long, value_name = "UUID", group = "proof", requires = "client_id")]
    #[arg(requires_all = ["federation_subject", "federation_audience"])]
    federation_tenant: Option<uuid::Uuid>,
    /// Whom the assertions are about: the object id of the service principal.
    #[arg(long, value_name = "ID", requires = "federation_tenant")]
    federation_subject: Option<String>,
    /// For whom the assertions are.
    #[arg(long, value_name = "AUDIENCE", requires = "federation_tenant")]
    federation_audience: Option<String>,
    /// Where this program publishes the key of its assertions, in place of Entra's login.microsoftonline.com. The
    /// server must have been told so; the keys are at /TENANT/discovery/v2.0/keys.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    federation_listen: SocketAddr,
    /// How PATCH bodies are worded; without this the tenant URL decides.
    #[arg(long, value_enum)]
    dialect: Option<Dialect>,
    /// Send the flag of the dialect as a query parameter too. Whether Entra does is not known.
    #[arg(long)]
    transmit_flag: bool,
    /// The time limit of one request, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..), value_name = "S")]
    timeout: u64,
    /// Write every request and answer to this file, one line of JSON each, without the token.
    #[arg(long, value_name = "FILE")]
    wire_log: Option<PathBuf>,
    /// The same seed gives the same people and the same requests.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON document instead of tables.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct Run {
    #[command(flatten)]
    connection: Connection,
    /// How many people to generate.
    #[arg(long, default_value_t = 10, value_name = "N")]
    users: usize,
    /// How many groups to generate; 0 is an application without group mapping.
    #[arg(long, default_value_t = 0, value_name = "M")]
    groups: usize,
    /// The domain of the people's sign-in names.
    #[arg(long, default_value = "contoso.com")]
    domain: String,
    /// Which attributes flow.
    #[arg(long, value_enum, default_value = "default")]
    mapping: Mapping,
    /// Cycles of changes after the initial one; 2 when given without a number.
    #[arg(long, visible_alias = "cycles", default_value_t = 0, num_args = 0..=1, default_missing_value = "2")]
    incremental: usize,
    /// The share of people that change between two cycles, in percent; at least one change of each kind is made.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u8).range(1..=100), value_name = "PERCENT")]
    turnover: u8,
    /// Requests in flight at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    concurrency: u16,
    /// Membership changes in one PATCH.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..), value_name = "N")]
    member_chunk: u16,
    /// The shape of manager references.
    #[arg(long, value_enum, default_value = "string")]
    manager_shape: ManagerShape,
    /// What is sent when a person no longer has a manager.
    #[arg(long, value_enum, default_value = "not-sent")]
    manager_removal: ManagerRemoval,
    /// Do not read everything back after each cycle.
    #[arg(long)]
    no_verify: bool,
    /// Do not begin each cycle with the Test Connection filter.
    #[arg(long)]
    no_probe: bool,
}

impl Connection {
    async fn settings(&self) -> anyhow::Result<Settings> {
        let credential = self.credential().await?;
        Ok(Settings {
            dialect: self.dialect,
            transmit_flag: self.transmit_flag,
            time_limit: Duration::from_secs(self.timeout),
            wire_log: self.wire_log.clone(),
            seed: self.seed,
            keep_exchanges: false,
            ..Settings::with_credential(self.tenant_url.clone(), credential)
        })
    }

    async fn credential(&self) -> anyhow::Result<Credential> {
        let secret = |given: &Option<SecretString>, file: &Option<PathBuf>| -> anyhow::Result<_> {
            match (given, file) {
                (Some(secret), _) => Ok(Some(secret.clone())),
                (None, Some(path)) => {
                    let text = std::fs::read_to_string(path)
                        .with_context(|| format!("cannot read the secret from {}", path.display()))?;
                    Ok(Some(text.trim().to_owned().into()))
                }
                (None, None) => Ok(None),
            }
        };
        if let Some(token) = secret(&self.secret_token, &self.secret_token_file)? {
            return Ok(Credential::SecretToken(token));
        }
        let (Some(id), Some(token_endpoint)) = (self.client_id.clone(), self.token_endpoint.clone()) else {
            anyhow::bail!("give --secret-token, or --client-id and --token-endpoint");
        };
        let client = OAuthClient { id, token_endpoint };
        if let Some(secret) = secret(&self.client_secret, &self.client_secret_file)? {
            return Ok(Credential::ClientSecret { client, secret, place: self.client_auth });
        }
        let (Some(tenant), Some(subject), Some(audience)) =
            (self.federation_tenant, self.federation_subject.clone(), self.federation_audience.clone())
        else {
            anyhow::bail!(
                "give --client-secret, or --federation-tenant, --federation-subject and --federation-audience"
            );
        };
        let authority = Authority::start(self.federation_listen).await?;
        let identity = Identity { tenant: tenant.to_string(), subject, audience };
        Ok(Credential::Federation { client, authority, identity })
    }
}

impl Cli {
    /// Does what was asked; the exit status says whether anything failed.
    ///
    /// # Errors
    /// When the settings cannot be used or the output cannot be written.
    pub async fn run(self) -> anyhow::Result<ExitCode> {
        match self.command {
            Command::Run(run) => run.run().await,
            Command::TestConnection(connection) => test_connection(&connection).await,
        }
    }
}

async fn test_connection(connection: &Connection) -> anyhow::Result<ExitCode> {
    let mut emulator = Emulator::new(connection.settings().await?)?;
    let result = emulator.test_connection().await;
    let text = match &result {
        Ok(()) if connection.json => serde_json::json!({"result": "succeeded"}).to_string(),
        Ok(()) => format!("Test connection passed: {}", connection.tenant_url),
        Err(quarantine) if connection.json => serde_json::json!({
            "result": "quarantined", "message": quarantine.message, "exchange": *quarantine.exchange,
        })
        .to_string(),
        Err(quarantine) => {
            let mut text = format!("Test connection failed: {}\n", quarantine.message);
            report::show(&mut text, &quarantine.exchange, &quarantine.message);
            text
        }
    };
    print(text.trim_end())?;
    Ok(if result.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

impl Run {
    async fn run(&self) -> anyhow::Result<ExitCode> {
        let mut emulator = Emulator::new(Settings {
            mapping: self.mapping,
            manager_shape: self.manager_shape,
            manager_removal: self.manager_removal,
            concurrency: self.concurrency.into(),
            member_chunk: self.member_chunk.into(),
            probe: !self.no_probe,
            verify: !self.no_verify,
            ..self.connection.settings().await?
        })?;
        emulator.observe(progress_bar());
        let seed = self.connection.seed;
        let generation =
            Generation { users: self.users, groups: self.groups, seed, domain: self.domain.clone() };
        let mut tenant = Tenant::generate(&generation);
        let mut turnover = Turnover::new(seed, self.turnover.into());
        let mut cycles = vec![emulator.run_cycle(&mut tenant).await];
        for _ in 0..self.incremental {
            if cycles.last().is_some_and(|cycle| cycle.quarantine.is_some()) {
                break;
            }
            turnover.round(&mut tenant);
            cycles.push(emulator.run_cycle(&mut tenant).await);
        }
        let subject = Subject {
            tenant_url: self.connection.tenant_url.clone(),
            dialect: emulator.dialect(),
            mapping: self.mapping,
            seed,
            users: self.users,
            groups: self.groups,
        };
        let report = Report::new(subject, &cycles);
        if self.connection.json {
            print(&serde_json::to_string_pretty(&report)?)?;
        } else {
            print(report.for_people().trim_end())?;
        }
        Ok(match report.verdict() {
            Verdict::Succeeded => ExitCode::SUCCESS,
            Verdict::Failed => ExitCode::from(1),
            Verdict::Quarantined => ExitCode::from(3),
        })
    }
}

/// A bar on standard error while that is a terminal, nothing otherwise.
fn progress_bar() -> crate::emulator::Observer {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg:26} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}")
        .unwrap_or_else(|_invalid| ProgressStyle::default_bar());
    bar.set_style(style);
    Box::new(move |progress| match progress {
        Progress::Phase { name, objects } => {
            bar.reset();
            bar.set_length(u64::try_from(objects).unwrap_or(u64::MAX));
            bar.set_message(name);
        }
        Progress::Object => {
            bar.inc(1);
            if bar.length() == Some(bar.position()) {
                bar.finish_and_clear();
            }
        }
    })
}

fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("cannot write to standard output")
}
