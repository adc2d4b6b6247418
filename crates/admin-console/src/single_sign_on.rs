//! How a company's people sign in, and when nobody but them does: domains, and single sign-on alone.

pub(crate) mod claims;
pub(crate) mod federation;
pub(crate) mod metadata;
pub(crate) mod oidc;
pub(crate) mod person;
pub(crate) mod provider;
pub(crate) mod refresh;
pub(crate) mod room;
pub(crate) mod saml;
pub(crate) mod set_up;
pub(crate) mod sign_in_test;
pub(crate) mod signing_key;
pub(crate) mod upkeep;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use oidc_protocol::ConfigurationError;
use saml_protocol::MetadataError;
use typed_ids::CompanyId;

use self::{
    federation::{Begun, Wish},
    provider::Provider,
};
use crate::{
    app::App,
    session,
    signed_in::{Account, Role, SignedIn},
    store::{
        self, administrators,
        audit::{self, Act},
        sign_in_tests,
        single_sign_on::{self, SingleSignOnRow},
    },
};

/// Domains of one company.
pub(crate) const DOMAINS_MOST: usize = 20;
/// The longest name in the DNS.
const DOMAIN_MOST: usize = 253;
/// The longest address of metadata.
pub(crate) const METADATA_URL_MOST: usize = 2_000;
/// The longest id of a client; Entra's have 36.
pub(crate) const CLIENT_ID_MOST: usize = 255;
/// How long a test that succeeded allows to do without passwords.
pub(crate) const TEST_GOOD: TimeDelta = TimeDelta::hours(1);

/// Where people sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Password,
    Saml,
    Oidc,
}

impl Way {
    /// As it is stored, and as forms send it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Saml => "saml",
            Self::Oidc => "oidc",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Password, Self::Saml, Self::Oidc].into_iter().find(|way| way.as_str() == text)
    }
}

/// By what a person whom the identity provider names is found in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MatchBy {
    /// The claim with Entra's object id, which never changes, is the user's externalId.
    ExternalId,
    /// The `NameID` or the claim `preferred_username` is the user's userName.
    UserName,
}

impl MatchBy {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::ExternalId => "external_id",
            Self::UserName => "user_name",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::ExternalId, Self::UserName].into_iter().find(|by| by.as_str() == text)
    }
}

/// How one company signs in.
#[derive(Debug, Clone)]
pub(crate) struct Configuration {
    pub(crate) row: SingleSignOnRow,
    pub(crate) provider: Provider,
    pub(crate) domains: Vec<String>,
}

impl Configuration {
    pub(crate) fn way(&self) -> Way {
        way_of(&self.row)
    }

    pub(crate) fn match_by(&self) -> MatchBy {
        MatchBy::parse(&self.row.match_by).unwrap_or(MatchBy::ExternalId)
    }
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("metadata is needed: an address or its XML")]
    NoMetadata,
    #[error("the metadata is of no use")]
    Metadata(#[from] MetadataError),
    #[error("the provider's configuration or its keys are of no use")]
    OpenIdProvider(#[from] ConfigurationError),
    #[error("the address of the configuration and the client's id are needed")]
    NoOpenIdProvider,
    #[error("this installation has no key by which it could prove itself to a provider")]
    NoSigningKey,
    #[error("the metadata cannot be fetched")]
    Fetch(#[from] metadata::FetchError),
    /// At another company. Nobody learns which.
    #[error("another company signs in with this identity provider")]
    IssuerTaken,
    #[error("another company has one of the domains")]
    DomainTaken,
    #[error("a company has at most {DOMAINS_MOST} domains, each like contoso.com")]
    Domains,
    /// No operator has made sure that it is the company's.
    #[error("nobody has vouched for the domain {0}")]
    NotVouchedFor(String),
    #[error("single sign-on is not set up")]
    NotSetUp,
    #[error("no test of whoever switches it on has succeeded within the last hour")]
    NotTested,
    #[error("the tests led to nobody who is an administrator")]
    NotTestedAsAdministrator,
    #[error("the provider does not say when somebody has proved who they are")]
    NoTime,
    /// What is to be switched on.
    #[error("no test of whoever switches it on has succeeded with what is set up")]
    TestFirst,
    #[error("no administrator keeps a password")]
    NoBreakGlass,
    #[error("the settings cannot be read or written")]
    Database(#[from] pg_pool::Error),
}

/// What an administrator wants, or what the form shows of what is set.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) way: Way,
    /// Empty when the metadata is pasted or stays as it is.
    pub(crate) metadata_url: String,
    /// Empty when it is fetched or stays as it is.
    pub(crate) metadata: String,
    /// Of an OpenID provider, or its issuer.
    pub(crate) configuration_url: String,
    /// What an OpenID provider calls us.
    pub(crate) client_id: String,
    pub(crate) match_by: MatchBy,
    pub(crate) allows_unsolicited: bool,
    /// One a line.
    pub(crate) domains: String,
}

/// How a company signs in; `None` when it has passwords alone.
pub(crate) async fn of_company(
    app: &App,
    company: CompanyId,
) -> Result<Option<Configuration>, pg_pool::Error> {
    let stored = app
        .pool
        .transaction("single_sign_on.get", move |connection| {
            store::act_for(connection, company)?;
            let row = single_sign_on::of_company(connection, company)?;
            Ok((row, single_sign_on::domains(connection, company)?))
        })
        .await?;
    let (Some(row), domains) = stored else { return Ok(None) };
    Ok(Provider::of_row(&row).map(|provider| Configuration { row, provider, domains }))
}

/// Begins a sign-in at the company's identity provider.
pub(crate) async fn begin(
    app: &App,
    company: CompanyId,
    configuration: &Configuration,
    wish: Wish,
) -> Result<Begun, federation::Refusal> {
    match &configuration.provider {
        Provider::Saml(provider) => saml::begin(app, company, provider, wish).await,
        Provider::Oidc(provider) => oidc::begin(app, company, provider, wish).await,
    }
}

/// How the company of this row signs in: the one place that decides it. What a later version may write lets nobody in here, and
/// then passwords are good.
fn way_of(row: &SingleSignOnRow) -> Way {
    Way::parse(&row.way).unwrap_or(Way::Password)
}

/// Whether passwords are for break-glass administrators alone; within a transaction that acts for the company.
pub(crate) fn is_only(connection: &mut PgConnection, company: CompanyId) -> QueryResult<bool> {
    let row = single_sign_on::of_company(connection, company)?;
    Ok(row.is_some_and(|row| row.is_only && way_of(&row) != Way::Password))
}

/// One a line, in the spelling in which they are looked up.
fn domains_of(text: &str) -> Result<Vec<String>, Refusal> {
    let mut domains: Vec<_> = text
        .split([',', '\n', ' ', '\r', '\t'])
        .map(|domain| domain.trim().trim_start_matches('@').to_ascii_lowercase())
        .filter(|domain| !domain.is_empty())
        .collect();
    domains.sort_unstable();
    domains.dedup();
    let is_domain = |domain: &String| {
        domain.len() <= DOMAIN_MOST
            && domain.contains('.')
            && domain.split('.').all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    };
    if domains.len() > DOMAINS_MOST || !domains.iter().all(is_domain) {
        return Err(Refusal::Domains);
    }
    Ok(domains)
}

/// The domain of a user name, in the spelling in which it is looked up.
pub(crate) fn domain_of(user_name: &str) -> Option<String> {
    let (_, domain) = user_name.trim().rsplit_once('@')?;
    (!domain.is_empty() && domain.len() <= DOMAIN_MOST).then(|| domain.to_ascii_lowercase())
}

/// Switches passwords off for all but break-glass administrators, or on again.
pub(crate) async fn set_only(app: &App, who: &SignedIn, is_only: bool) -> Result<(), Refusal> {
    let (company, account, session, now) = (who.company, who.account, who.session, app.now());
    let actor = who.actor();
    let done = app
        .pool
        .transaction("single_sign_on.set_only", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let row = single_sign_on::of_company(connection, company)?;
            let Some(row) = row.filter(|row| way_of(row) != Way::Password) else {
                return Ok(Err(Refusal::NotSetUp));
            };
            if is_only && let Err(refusal) = may_be_only(connection, company, account, &row, now)? {
                return Ok(Err(refusal));
            }
            single_sign_on::set_only(connection, company, is_only)?;
            let act =
                Act::on("single_sign_on.only_changed", row.issuer).note(if is_only { "on" } else { "off" });
            audit::record(connection, company, &actor, &act, now)?;
            let mut ended = 0;
            if is_only {
                for other in administrators::of_company(connection, company)? {
                    if !other.is_break_glass {
                        let whose = (company, other.administrator_id);
                        // Whoever does this has just proved that they can sign in the other way too.
                        ended +=
                            session::end_all(connection, whose, &other.email, Some(session), (&actor, now))?;
                    }
                }
            }
            Ok(Ok(ended))
        })
        .await??;
    app.metrics.sessions_ended.inc_by(u64::try_from(done).unwrap_or_default());
    Ok(())
}

/// Writes down that somebody tests: what they see says a lot about a person.
pub(crate) async fn note_test(app: &App, who: &SignedIn) -> Result<(), pg_pool::Error> {
    let (company, now, actor) = (who.company, app.now(), who.actor());
    app.pool
        .transaction("single_sign_on.note_test", move |connection| {
            store::act_for(connection, company)?;
            let act = Act::on("single_sign_on.tested", actor.name.clone());
            audit::record(connection, company, &actor, &act, now)
        })
        .await
}

/// Whether somebody would still get in when the identity provider is broken, and this administrator when it is not.
fn may_be_only(
    connection: &mut PgConnection,
    company: CompanyId,
    account: Account,
    row: &SingleSignOnRow,
    now: DateTime<Utc>,
) -> QueryResult<Result<(), Refusal>> {
    let when = (row.changed_at, now - TEST_GOOD);
    let tests = sign_in_tests::accepted(connection, company, &account.key(), when)?;
    if tests.is_empty() {
        return Ok(Err(Refusal::NotTested));
    }
    let as_administrator = tests.iter().filter(|test| test.role == Role::Administrator.as_str());
    if as_administrator.clone().next().is_none() {
        return Ok(Err(Refusal::NotTestedAsAdministrator));
    }
    // Switching passwords on again takes a second proof.
    if !as_administrator.clone().any(|test| sign_in_test::says_when(&test.report)) {
        return Ok(Err(Refusal::NoTime));
    }
    if !administrators::has_break_glass(connection, company, None)? {
        return Ok(Err(Refusal::NoBreakGlass));
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_read_one_by_one_in_one_spelling() {
        let domains = domains_of(" Contoso.com\r\n@fabrikam.example, contoso.com ").unwrap();
        assert_eq!(domains, ["contoso.com", "fabrikam.example"]);
        assert!(domains_of("").unwrap().is_empty());
        for bad in ["contoso", "a..b", "http://a.b", "a.b/c", "ü.de", &format!("{}.de", "a".repeat(260))] {
            assert!(matches!(domains_of(bad), Err(Refusal::Domains)), "{bad}");
        }
        let many: Vec<_> = (0..=DOMAINS_MOST).map(|number| format!("d{number}.example")).collect();
        assert!(matches!(domains_of(&many.join("\n")), Err(Refusal::Domains)));
    }

    #[test]
    fn the_domain_of_a_user_name_is_what_follows_its_last_at() {
        assert_eq!(domain_of(" Anna@Contoso.COM "), Some("contoso.com".to_owned()));
        assert_eq!(domain_of("x@y#EXT#@contoso.onmicrosoft.com"), Some("contoso.onmicrosoft.com".to_owned()));
        assert_eq!(domain_of("anna"), None);
        assert_eq!(domain_of("anna@"), None);
    }
}
