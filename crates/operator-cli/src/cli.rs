//! The command line: what can be asked for, and how it is explained.

mod activity;
mod brake_rule;
mod people;
mod sign_in;
mod signing_key;

use std::{env, path::PathBuf, time::Duration};

use clap::{
    ArgMatches, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, error::ErrorKind,
};
use typed_ids::CompanyId;

pub(crate) use self::{
    activity::ActivityCommand,
    brake_rule::BrakeRuleCommand,
    people::{Access, Browse, GroupCommand, PersonCommand, PersonKey},
    sign_in::SignInCommand,
    signing_key::SigningKeyCommand,
};

/// Companies, their credentials for Entra, their own schemas and what Entra did, from the command line
#[derive(Debug, Parser)]
#[command(name = "timeclock-operator", version, after_help = MORE, after_long_help = LONG_HELP)]
pub(crate) struct Cli {
    /// Prints one JSON document instead of a table
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Who does it, for the audit log: a name of at most 254 characters; your account on this machine when left out
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub(crate) operator: Option<String>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

const MORE: &str = "--help tells the environment, the exit status and examples.";

const LONG_HELP: &str = r#"Environment:
  TIMECLOCK_NATS_URL       where NATS is [default: nats://127.0.0.1:4222]
  TIMECLOCK_NATS_USER      the user [default: operator]
  TIMECLOCK_NATS_PASSWORD  its password; or TIMECLOCK_NATS_PASSWORD_FILE, a file that holds it

Exit status:
  0   done
  1   refused: what was asked for cannot be, or does not exist
  2   the command line or the environment is wrong
  69  NATS or a service does not answer; trying again later may help
  74  it is done, but the result could not be written

Examples:
  Connect a new customer: create the company and invite its administrator, who does the rest
    timeclock-operator company create --name Contoso
    timeclock-operator administrator invite --company ID --email anna@contoso.com

  Or give them the token yourself
    timeclock-operator token issue --company ID --description 'Entra, main tenant'

  Replace a token before it expires; the old one works for three more days
    timeclock-operator token rotate --company ID --overlap 3d

  A token leaked: end it now
    timeclock-operator token list --company ID
    timeclock-operator token revoke --company ID --token TOKEN_ID

  Replace the key that signs all tokens; what the old one signed stays valid until it is retired
    timeclock-operator signing-key rotate

  The customer's gallery application asks for OAuth client credentials; the secret is shown once
    timeclock-operator client create --company ID --description Entra --lifetime 730d

  Or it uses workload identity federation, and there is no secret at all
    timeclock-operator client create --company ID --federation-tenant TENANT_ID \
      --federation-subject OBJECT_ID --federation-audience api://APP_ID

  Who did what to a company's credentials, to those who sign in, to the company itself?
    timeclock-operator token events --company ID
    timeclock-operator administrator events --company ID
    timeclock-operator company events --company ID

  "Where is Anna?"
    timeclock-operator person list --company ID --search anna
    timeclock-operator activity log --company ID --name anna
    timeclock-operator activity log --company ID --outcome refused,failed --since 24h

  Whom is Entra about to quarantine?
    timeclock-operator activity health

  Entra removed half of a customer's people by mistake; the customer asks for them back
    timeclock-operator brake list --company ID
    timeclock-operator brake undo --company ID --brake BRAKE_ID

  A customer cannot enter its domain for single sign-on; first make sure that it is theirs
    timeclock-operator sign-in vouch --company ID --domain contoso.com

  The customer maps attributes in Entra that no standard schema has
    echo '{"id": "urn:contoso:scim:2.0:User", "name": "Contoso", "description": "Ours",
           "attributes": [{"name": "badge", "type": "string", "caseExact": true}]}' |
      timeclock-operator schema declare --company ID --file -

  In a script
    id=$(timeclock-operator --json company create --name Contoso | jq -r .id)"#;

/// Reads the command line: what to do, and the company that it is about, if about one.
pub(crate) fn parse() -> Result<(Cli, Option<String>), clap::Error> {
    let mut command = Cli::command();
    let matches = command.try_get_matches_from_mut(env::args_os())?;
    let company = company(&matches).cloned();
    if company.as_ref().is_some_and(|id| id.parse::<CompanyId>().is_err()) {
        let problem = "--company must be a UUID, hyphenated and in lower case, as `company list` shows it";
        return Err(command.error(ErrorKind::ValueValidation, problem));
    }
    Ok((Cli::from_arg_matches(&matches)?, company))
}

/// What `--company` says, whichever command takes it.
fn company(matches: &ArgMatches) -> Option<&String> {
    match matches.subcommand() {
        Some((_name, inner)) => company(inner),
        None => matches.try_get_one("company").ok().flatten(),
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Creates and shows companies
    #[command(subcommand)]
    Company(CompanyCommand),
    /// Issues, shows, rotates and revokes companies' Entra tokens
    #[command(subcommand)]
    Token(TokenCommand),
    /// Shows, rotates and retires the keys that sign every company's tokens
    #[command(subcommand)]
    SigningKey(SigningKeyCommand),
    /// Creates, shows and revokes companies' OAuth clients, which get their tokens by themselves
    #[command(subcommand)]
    Client(ClientCommand),
    /// Shows what Entra did: the provisioning log, cycles, health
    #[command(subcommand)]
    Activity(ActivityCommand),
    /// Finds and shows people, and signs one out
    #[command(subcommand)]
    Person(PersonCommand),
    /// Finds and shows groups
    #[command(subcommand)]
    Group(GroupCommand),
    /// Shows mass removals, and undoes one or lets it go
    #[command(subcommand)]
    Brake(BrakeCommand),
    /// Gives a company's users attributes of its own
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Shows how a company's people sign in, vouches for its domains, and frees what it has claimed
    #[command(subcommand)]
    SignIn(SignInCommand),
    /// Invites, lists and removes those who may sign in to a company's console
    #[command(subcommand)]
    Administrator(AdministratorCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum BrakeCommand {
    /// Lists a company's mass removals, the newest first
    List {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Brings everybody of a mass removal back
    Undo {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The mass removal's id
        #[arg(long)]
        brake: String,
    },
    /// Says that these people really left; what is kept of those who were deleted is destroyed at once
    Release {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The mass removal's id
        #[arg(long)]
        brake: String,
        /// How many people the list says were removed; when there are more by now, nothing is destroyed
        #[arg(long)]
        removed: u64,
    },
    /// Shows and changes when a removal is a mass removal
    #[command(subcommand)]
    Rule(BrakeRuleCommand),
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum AdministratorRole {
    /// May see and change everything
    Administrator,
    /// May see everything that is no secret, and change nothing
    Auditor,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdministratorCommand {
    /// Invites somebody, and prints the link with which they choose a name and a password; also again, when they have
    /// not accepted yet
    Invite {
        /// The company's id
        #[arg(long)]
        company: String,
        /// Their e-mail address, with which they will sign in
        #[arg(long)]
        email: String,
        /// What they may do
        #[arg(long, value_enum, default_value = "administrator")]
        role: AdministratorRole,
        /// The language of the mail and of the page behind it; both, and the browser's, when not given
        #[arg(long, value_parser = ["en", "fr"])]
        language: Option<String>,
    },
    /// Lists a company's administrators and auditors
    List {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Gives somebody another role
    ChangeRole {
        /// The company's id
        #[arg(long)]
        company: String,
        /// Their id
        #[arg(long)]
        administrator: String,
        /// What they may do from now on
        #[arg(long, value_enum)]
        role: AdministratorRole,
    },
    /// Removes somebody, who is signed out everywhere at once; the last administrator stays
    Remove {
        /// The company's id
        #[arg(long)]
        company: String,
        /// Their id
        #[arg(long)]
        administrator: String,
    },
    /// Signs somebody out everywhere
    SignOut {
        /// The company's id
        #[arg(long)]
        company: String,
        /// Their id
        #[arg(long)]
        administrator: String,
    },
    /// Shows what was done in a company's console, the newest first
    Events(Page),
}

#[derive(Debug, Subcommand)]
pub(crate) enum CompanyCommand {
    /// Creates a company; with --id, doing it again changes nothing
    Create {
        /// What people call it, 1 to 200 characters
        #[arg(long)]
        name: String,
        /// Its id, a UUID; chosen for you when left out
        #[arg(long)]
        id: Option<String>,
    },
    /// Lists every company
    List,
    /// Shows one company
    Show {
        /// Its id
        #[arg(long)]
        id: String,
    },
    /// Lists what was done to a company and its schemas, by whom, the newest first
    Events(Page),
}

/// A page of an audit log.
#[derive(Debug, Args)]
pub(crate) struct Page {
    /// The company's id
    #[arg(long)]
    pub(crate) company: String,
    /// How many acts, 1 to 200
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=200), value_name = "N")]
    pub(crate) limit: u8,
    /// Only acts before this one, by its id; the last of a page leads to the next (ids are in the JSON)
    #[arg(long, value_name = "ID")]
    pub(crate) before: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Creates a client: with a first secret, or, with --federation-tenant, one that proves itself by assertions
    Create(WantedClient),
    /// Lists a company's clients, without their secrets
    List {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Adds a secret beside those that a client has, to change it without an interruption
    AddSecret {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The client's id
        #[arg(long)]
        client: String,
        /// How long it works, one to three years, such as 730d; a year when left out
        #[arg(long, value_parser = seconds)]
        lifetime: Option<u32>,
    },
    /// Ends a secret; access tokens that were got with it live out their hour
    RevokeSecret {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The client's id
        #[arg(long)]
        client: String,
        /// The secret's id
        #[arg(long)]
        secret: String,
    },
    /// Ends a client and its access tokens at once
    Revoke {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The client's id
        #[arg(long)]
        client: String,
    },
}

/// A client to be.
#[derive(Debug, Args)]
pub(crate) struct WantedClient {
    /// The company's id
    #[arg(long)]
    pub(crate) company: String,
    /// What it is for, at most 100 characters
    #[arg(long, default_value = "")]
    pub(crate) description: String,
    /// How long its first secret works, one to three years, such as 730d; a year when left out
    #[arg(long, value_parser = seconds, conflicts_with = "federation_tenant")]
    pub(crate) lifetime: Option<u32>,
    /// The Entra tenant that signs its assertions, a UUID
    #[arg(long, value_name = "TENANT_ID", requires_all = ["federation_subject", "federation_audiences"])]
    pub(crate) federation_tenant: Option<String>,
    /// The subject of its assertions: the object id of the service principal that provisions
    #[arg(long, value_name = "OBJECT_ID", requires = "federation_tenant")]
    pub(crate) federation_subject: Option<String>,
    /// An audience of its assertions, to the letter; up to five times
    #[arg(long = "federation-audience", value_name = "AUDIENCE", requires = "federation_tenant")]
    pub(crate) federation_audiences: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SchemaCommand {
    /// Declares a schema, or adds attributes to one that is declared
    Declare {
        /// The company's id
        #[arg(long)]
        company: String,
        /// A file with the schema as /Schemas shows them: JSON with id, name, description and attributes; - for
        /// standard input
        #[arg(long, value_name = "FILE")]
        file: PathBuf,
    },
    /// Lists what a company has declared
    List {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Removes a schema that no user has values of
    Remove {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The schema's URN
        #[arg(long)]
        urn: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Issues a token, which a company's administrator pastes into Entra
    Issue {
        /// The company's id
        #[arg(long)]
        company: String,
        /// What it is for, at most 100 characters
        #[arg(long, default_value = "")]
        description: String,
        /// How long it works, such as 365d or 12h; a year when left out, three years at most
        #[arg(long, value_parser = seconds)]
        lifetime: Option<u32>,
    },
    /// Lists a company's tokens without their secrets
    List {
        /// The company's id
        #[arg(long)]
        company: String,
    },
    /// Shows a token again, its secret included
    Show {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The token's id
        #[arg(long)]
        token: String,
    },
    /// Issues a successor; the company's other tokens end after the overlap
    Rotate {
        /// The company's id
        #[arg(long)]
        company: String,
        /// How long the others still work, such as 3d or 0s; seven days when left out, ninety at most
        #[arg(long, value_parser = seconds)]
        overlap: Option<u32>,
        /// How long the successor works; a year when left out
        #[arg(long, value_parser = seconds)]
        lifetime: Option<u32>,
    },
    /// Ends a token at once
    Revoke {
        /// The company's id
        #[arg(long)]
        company: String,
        /// The token's id
        #[arg(long)]
        token: String,
        /// Ends it also when there is no record of it, because it was issued after the backup that was restored
        #[arg(long)]
        unrecorded: bool,
    },
    /// Lists what was done to a company's tokens and clients, by whom, the newest first
    Events(Page),
}

/// Reads a duration such as `365d` or `1h 30m` to whole seconds.
fn seconds(text: &str) -> Result<u32, String> {
    let duration: Duration = humantime::parse_duration(text)
        .map_err(|error| format!("{error}; write a duration such as 365d, 12h or 30m"))?;
    if duration.subsec_nanos() != 0 {
        return Err("must be whole seconds".to_owned());
    }
    u32::try_from(duration.as_secs()).map_err(|_too_long| "is longer than any limit".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn no_line_of_the_help_is_broken_by_a_terminal_of_the_usual_width() {
        for line in LONG_HELP.lines() {
            assert!(line.chars().count() < 98, "{line}");
        }
    }

    #[test]
    fn durations_are_whole_seconds() {
        assert_eq!(seconds("365d"), Ok(365 * 24 * 3600));
        assert_eq!(seconds("1h 30m"), Ok(5400));
        assert_eq!(seconds("0s"), Ok(0));
        for text in ["", "5", "1.5s", "100ms", "1000y", "soon"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
