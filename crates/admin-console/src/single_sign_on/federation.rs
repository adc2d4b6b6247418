//! Signing in at the identity provider, whichever protocol it speaks: what was asked of it for which browser, and what
//! becomes of somebody whom it has proved to be who they are.

use bus_contract::audit::{Actor, actor};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{Configuration, Way, metadata::FetchError, person, room, sign_in_test};
use crate::{
    app::App,
    opaque,
    question::Unanswered,
    session::{self, Arrival, From},
    signed_in::Account,
    store::{
        self,
        audit::{self, Act},
        sign_in_requests::{self, SignInRequestRow},
        single_sign_on,
    },
    throttle::Network,
};

/// How long somebody may take at the identity provider.
pub(crate) const REQUEST_GOOD: TimeDelta = TimeDelta::minutes(15);
/// How far an identity provider's clock may be from ours.
pub(super) const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(2);

/// What for somebody is sent to the identity provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    SignIn,
    /// To prove once more that it is them, before a secret is shown.
    Confirm,
    /// To see whether it works; nobody is signed in by it.
    Test,
}

impl Purpose {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Confirm => "confirm",
            Self::Test => "test",
        }
    }

    fn parse(text: &str) -> Self {
        // The table allows three values; whatever else somebody may add signs nobody in.
        [Self::SignIn, Self::Confirm]
            .into_iter()
            .find(|purpose| purpose.as_str() == text)
            .unwrap_or(Self::Test)
    }
}

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// What came proves nothing.
    #[error("the message is refused: {}", .0.as_str())]
    Message(saml_protocol::Refusal),
    /// Nor does this, by OpenID Connect.
    #[error("the provider's answer is refused: {}", .0.as_str())]
    IdToken(oidc_protocol::Refusal),
    #[error("the provider did not exchange the code")]
    Exchange(#[from] FetchError),
    #[error("no company signs in with this identity provider")]
    UnknownIssuer,
    #[error("the company does not sign in this way")]
    Off,
    /// After this was asked for.
    #[error("the company has changed meanwhile how it signs in")]
    Changed,
    /// Or nobody asked, or too long ago.
    #[error("another browser asked for this")]
    OtherBrowser,
    #[error("this came back at another company's address")]
    OtherCompany,
    #[error("this was taken before")]
    Replayed,
    #[error("what the company finds people by is not in it")]
    NoIdentifier,
    #[error("the directory has nobody with this identifier")]
    NotProvisioned,
    #[error("the directory has several people with this identifier")]
    Ambiguous,
    #[error("the person is deactivated")]
    Inactive,
    /// While they signed in.
    #[error("the person's access has just ended")]
    Ended,
    #[error("too many sign-ins of the company wait already")]
    TooMany,
    #[error("the identity provider cannot be asked")]
    Request(#[from] saml_protocol::RequestError),
    #[error("the provider cannot be asked")]
    OpenIdRequest(#[from] oidc_protocol::RequestError),
    #[error("this installation has no key by which it could prove itself to the provider")]
    NoSigningKey,
    #[error("the directory does not say who it is")]
    Directory(#[from] Unanswered),
    #[error("sign-ins cannot be read or written")]
    Database(#[from] pg_pool::Error),
}

/// Every result of a sign-in, for the metrics.
pub(crate) const RESULTS: [&str; 8] = [
    SIGNED_IN,
    "untrusted",
    "not_allowed",
    "other_browser",
    "replayed",
    "not_provisioned",
    "inactive",
    "failed",
];
pub(crate) const SIGNED_IN: &str = "signed_in";

impl Refusal {
    /// The metric label; one of [`RESULTS`].
    pub(crate) const fn result(&self) -> &'static str {
        match self {
            Self::Message(saml_protocol::Refusal::Unsolicited) | Self::Off | Self::Changed => "not_allowed",
            Self::Message(_) | Self::IdToken(_) | Self::UnknownIssuer | Self::OtherCompany => "untrusted",
            Self::OtherBrowser => "other_browser",
            Self::Replayed => "replayed",
            Self::NoIdentifier | Self::NotProvisioned | Self::Ambiguous => "not_provisioned",
            Self::Inactive | Self::Ended => "inactive",
            Self::Exchange(_)
            | Self::TooMany
            | Self::Request(_)
            | Self::OpenIdRequest(_)
            | Self::NoSigningKey
            | Self::Directory(_)
            | Self::Database(_) => "failed",
        }
    }

    /// For the log, and for whoever tests.
    pub(crate) const fn reason(&self) -> &'static str {
        match self {
            Self::Message(refusal) => refusal.as_str(),
            Self::IdToken(refusal) => refusal.as_str(),
            Self::Exchange(_) => "exchange",
            Self::UnknownIssuer => "unknown_issuer",
            Self::Off => "off",
            Self::Changed => "changed",
            Self::OtherBrowser => "other_browser",
            Self::OtherCompany => "other_company",
            Self::Replayed => "replayed",
            Self::NoIdentifier => "no_identifier",
            Self::NotProvisioned => "not_provisioned",
            Self::Ambiguous => "ambiguous",
            Self::Inactive => "inactive",
            Self::Ended => "ended",
            Self::TooMany => "too_many",
            Self::Request(_) | Self::OpenIdRequest(_) => "request",
            Self::NoSigningKey => "no_signing_key",
            Self::Directory(_) => "directory",
            Self::Database(_) => "database",
        }
    }

    /// What whoever administers the identity provider can do about it, in English; empty when the reason says it all.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Message(refusal) => refusal.detail(),
            Self::IdToken(refusal) => refusal.detail(),
            Self::Exchange(error) => error.to_string(),
            _ => String::new(),
        }
    }
}

/// A sign-in that ends without a session, and whose it was as far as that is known.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    pub(crate) company: Option<CompanyId>,
}

/// Where a browser goes, and what it keeps meanwhile.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) url: String,
    pub(crate) browser: String,
}

/// A sign-in that is about to be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    pub(crate) request: Uuid,
    /// Goes to the identity provider and comes back.
    pub(crate) relay_state: String,
    /// What the browser keeps meanwhile.
    pub(crate) browser: String,
}

/// A sign-in that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) company: CompanyId,
    pub(crate) request: Uuid,
    pub(crate) purpose: Purpose,
    tester: String,
    return_to: String,
    at: DateTime<Utc>,
}

/// What to ask for.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) purpose: Purpose,
    /// Who tests.
    pub(crate) tester: Option<Account>,
    /// A page of ours.
    pub(crate) return_to: String,
    /// What the browser keeps from a sign-in that it began before, in another tab.
    pub(crate) browser: Option<String>,
    /// Where it is asked from.
    pub(crate) network: Network,
}

/// Remembers a sign-in that is about to be asked for.
pub(crate) async fn ask(app: &App, company: CompanyId, wish: Wish) -> Result<Asking, Refusal> {
    let now = app.now();
    let asking = Asking {
        request: Uuid::new_v4(),
        relay_state: opaque::mint(),
        browser: wish.browser.filter(|value| opaque::key(value).is_some()).unwrap_or_else(opaque::mint),
    };
    let row = SignInRequestRow {
        company_id: company.as_uuid(),
        request_id: asking.request,
        request_key: opaque::key(&asking.relay_state).unwrap_or_default(),
        browser_key: opaque::key(&asking.browser).unwrap_or_default(),
        purpose: wish.purpose.as_str().to_owned(),
        tester: wish.tester.map(Account::key).unwrap_or_default(),
        return_to: wish.return_to,
        expires_at: now + REQUEST_GOOD,
        network_key: wish.network.key(),
    };
    let (purpose, network) = (wish.purpose, wish.network);
    let has_room = app
        .pool
        .transaction("single_sign_on.ask", move |connection| {
            store::act_for(connection, company)?;
            let has_room = room::is_left(connection, company, (purpose, &network), now)?.is_ok();
            if has_room {
                sign_in_requests::insert(connection, &row)?;
            }
            Ok(has_room)
        })
        .await?;
    has_room.then_some(asking).ok_or(Refusal::TooMany)
}

/// What was asked for; `None` when what came back is nothing that we sent.
pub(crate) async fn asked(
    app: &App,
    relay_state: &str,
    browser: Option<&str>,
) -> Result<Option<Asked>, Refusal> {
    let Some(key) = opaque::key(relay_state) else { return Ok(None) };
    let now = app.now();
    let found = app
        .pool
        .transaction("single_sign_on.asked", move |connection| sign_in_requests::find(connection, &key, now))
        .await?;
    // It looks like one of ours, so it was one, and is over.
    let row = found.ok_or(Refusal::OtherBrowser)?;
    let browser_key = browser.and_then(opaque::key).unwrap_or_default();
    if !opaque::equal(&browser_key, &row.browser_key) {
        return Err(Refusal::OtherBrowser);
    }
    Ok(Some(Asked {
        company: CompanyId::from_uuid(row.company_id),
        request: row.request_id,
        purpose: Purpose::parse(&row.purpose),
        tester: row.tester,
        return_to: row.return_to,
        at: row.expires_at - REQUEST_GOOD,
    }))
}

/// Somebody whom an identity provider has proved to be who they are.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub(crate) way: Way,
    /// What the identity provider calls them, and in which format.
    pub(crate) subject: (String, String),
    pub(crate) session_index: String,
    /// When their session there ends; `None` when that is not said.
    pub(crate) session_ends_at: Option<DateTime<Utc>>,
    /// When they last had to prove it; `None` when that is not said.
    pub(crate) authenticated_at: Option<DateTime<Utc>>,
    /// Entra's object id.
    pub(crate) object_id: Option<String>,
    /// What they type to sign in there, if that is known.
    pub(crate) user_name: Option<String>,
    /// `None` when nothing is said of roles.
    pub(crate) roles: Option<Vec<String>>,
    /// Of issuer and message: what must not be taken twice, and until when it could be.
    pub(crate) taken: (String, DateTime<Utc>),
}

/// What became of asking somebody to prove once more who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Confirmation {
    Given,
    /// The identity provider has known them from before.
    NotAsked,
    /// It does not say when they proved it.
    NoTime,
}

/// What we ask comes by way of the browser, which may leave it out, and the identity provider may pass it over: only the time
/// that it says tells. `None` where nobody was asked to.
fn confirmation(asked: &Asked, proven: &Proven) -> Option<Confirmation> {
    let since = asked.at - CLOCK_SKEW;
    (asked.purpose == Purpose::Confirm).then(|| match proven.authenticated_at {
        Some(at) if at >= since => Confirmation::Given,
        Some(_) => Confirmation::NotAsked,
        None => Confirmation::NoTime,
    })
}

/// What becomes of a sign-in.
#[derive(Debug)]
pub(crate) enum Outcome {
    SignedIn { cookie: String, path: String, confirmation: Option<Confirmation> },
    Tested { test: Uuid },
}

/// Signs somebody in, or notes what the test found.
pub(crate) async fn finish(
    app: &App,
    company: CompanyId,
    (configuration, asked): (&Configuration, Option<&Asked>),
    (proven, received): (Proven, sign_in_test::Received),
    from: From,
) -> Result<Outcome, Refusal> {
    let confirmation = asked.and_then(|asked| confirmation(asked, &proven));
    let is_confirmed = confirmation == Some(Confirmation::Given);
    let found = person::arrival(app, company, configuration.match_by(), &proven, is_confirmed).await;
    if let Some(asked) = asked.filter(|asked| asked.purpose == Purpose::Test) {
        let context = (asked, configuration.row.changed_at);
        return note_test(app, context, received, Some(proven.taken), found).await;
    }
    let arrival = match found {
        Ok(arrival) => arrival,
        Err(refusal) => {
            note_refusal(app, company, asked, (&proven, &refusal), from).await?;
            return Err(refusal);
        }
    };
    let path = asked.map_or("/", |asked| asked.return_to.as_str()).to_owned();
    let cookie = begin(app, company, (configuration, asked), (arrival, proven.taken), from).await?;
    Ok(Outcome::SignedIn { cookie, path, confirmation })
}

/// Takes what was proved, once, and begins the session; its cookie.
async fn begin(
    app: &App,
    company: CompanyId,
    (configuration, asked): (&Configuration, Option<&Asked>),
    (arrival, taken): (Arrival, (String, DateTime<Utc>)),
    from: From,
) -> Result<String, Refusal> {
    let (now, limits, cookie) = (app.now(), app.limits, opaque::mint());
    let (session_cookie, request) = (cookie.clone(), asked.map(|asked| asked.request));
    let set_up = configuration.row.clone();
    let begun = app
        .pool
        .transaction("single_sign_on.begin", move |connection| {
            store::act_for(connection, company)?;
            if !take(connection, company, request, (&taken, now))? {
                return Ok(Err(Refusal::Replayed));
            }
            // Asking the directory takes a while, in which it may have been set up anew: that ends no session that begins
            // after it.
            if !single_sign_on::is_still(connection, &set_up)? {
                return Ok(Err(Refusal::Changed));
            }
            let is_let_in = session::begin_of_person(
                connection,
                company,
                &arrival,
                &session_cookie,
                &from,
                (now, limits),
            )?;
            if !is_let_in {
                return Ok(Err(Refusal::Ended));
            }
            if request.is_some() {
                Network::of(&from.address).succeeded(connection, company, now)?;
            }
            let actor = actor(&arrival.user_name, &from);
            let act = Act::on("session.signed_in", &arrival.user_name).note(format!(
                "{}, as {}",
                arrival.way.as_str(),
                arrival.role.as_str()
            ));
            audit::record(connection, company, &actor, &act, now)?;
            Ok(Ok(()))
        })
        .await?;
    begun?;
    app.metrics.sessions_begun.inc();
    Ok(cookie)
}

/// Uses up what was asked for and what came back; `false` when either was used before.
fn take(
    connection: &mut PgConnection,
    company: CompanyId,
    request: Option<Uuid>,
    ((assertion, good_until), now): (&(String, DateTime<Utc>), DateTime<Utc>),
) -> QueryResult<bool> {
    if let Some(request) = request
        && !sign_in_requests::use_up(connection, company, request)?
    {
        return Ok(false);
    }
    sign_in_requests::take_assertion(connection, company, assertion, (now, *good_until))
}

/// Keeps what a test of what was set up at this time has received, and what would have become of it.
pub(crate) async fn note_test(
    app: &App,
    (asked, set_up_at): (&Asked, DateTime<Utc>),
    received: sign_in_test::Received,
    taken: Option<(String, DateTime<Utc>)>,
    found: Result<Arrival, Refusal>,
) -> Result<Outcome, Refusal> {
    let (company, request, now) = (asked.company, asked.request, app.now());
    let used = app
        .pool
        .transaction("single_sign_on.use_test", move |connection| {
            store::act_for(connection, company)?;
            match &taken {
                Some(taken) => take(connection, company, Some(request), (taken, now)),
                None => sign_in_requests::use_up(connection, company, request),
            }
        })
        .await?;
    let found = if used { found } else { Err(Refusal::Replayed) };
    let test = sign_in_test::keep(app, company, (&asked.tester, set_up_at), received, found).await?;
    Ok(Outcome::Tested { test })
}

/// Writes down that somebody proved who they are and was not let in. What proved nothing is only in the process' log: anybody
/// could fill the company's with it.
async fn note_refusal(
    app: &App,
    company: CompanyId,
    asked: Option<&Asked>,
    (proven, refusal): (&Proven, &Refusal),
    from: From,
) -> Result<(), Refusal> {
    let (now, request, taken) = (app.now(), asked.map(|asked| asked.request), proven.taken.clone());
    let name = proven.user_name.clone().unwrap_or_else(|| proven.subject.0.clone());
    let reason = refusal.reason();
    app.pool
        .transaction("single_sign_on.note_refusal", move |connection| {
            store::act_for(connection, company)?;
            // Once for each proof, however often it is sent.
            if !take(connection, company, request, (&taken, now))? {
                return Ok(());
            }
            let actor = Actor { kind: actor::Kind::System.into(), ..actor(&name, &from) };
            let act = Act::on("session.sign_in_refused", &name).note(reason);
            audit::record(connection, company, &actor, &act, now)
        })
        .await?;
    Ok(())
}

fn actor(name: &str, from: &From) -> Actor {
    Actor { kind: actor::Kind::Administrator.into(), name: name.to_owned(), address: from.address.clone() }
}
