//! Signing in: an e-mail address and a password become a session, or an answer that tells nothing.

use bus_contract::audit::{Actor, actor};
use chrono::{DateTime, Utc};
use service_runtime::Causes;

use crate::{
    app::App,
    opaque,
    password::{HashError, Verdict},
    session::{self, From},
    signed_in::SignedIn,
    store::{
        self,
        administrators::{self, Credential},
        audit::{self, Act},
        sessions,
    },
    throttle::Counted,
};

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// No such account, no such password, not accepted yet: nobody learns which.
    #[error("the address or the password is wrong")]
    Wrong,
    /// Known only to whoever has the right password.
    #[error("the company signs in at its identity provider alone")]
    SingleSignOnOnly,
    /// Too many attempts; none is looked at before then.
    #[error("too many attempts")]
    Throttled { retry_at: DateTime<Utc> },
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("accounts cannot be read")]
    Database(#[from] pg_pool::Error),
}

impl Refusal {
    /// The metric label.
    const fn outcome(&self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::SingleSignOnOnly => "single_sign_on_only",
            Self::Throttled { .. } => "throttled",
            Self::Hash(HashError::Busy) => "busy",
            Self::Hash(HashError::Failed(_)) | Self::Database(_) => "failed",
        }
    }
}

/// Every metric label.
pub(crate) const OUTCOMES: [&str; 6] =
    [SIGNED_IN, "wrong", "single_sign_on_only", "throttled", "busy", "failed"];
const SIGNED_IN: &str = "signed_in";

/// An e-mail address in the one spelling by which accounts are told apart.
pub(crate) fn email_key(email: &str) -> String {
    email.trim().to_lowercase()
}

/// Tries to sign in; the new session's cookie. Always a new one: a value that somebody planted in the browser before
/// is worth nothing after.
pub(crate) async fn attempt(app: &App, email: &str, password: &str, from: From) -> Result<String, Refusal> {
    let result = attempt_uncounted(app, email, password, from).await;
    let outcome = result.as_ref().err().map_or(SIGNED_IN, Refusal::outcome);
    app.metrics.sign_ins.with_label_values(&[outcome]).inc();
    result
}

async fn attempt_uncounted(app: &App, email: &str, password: &str, from: From) -> Result<String, Refusal> {
    let email_key = email_key(email);
    let counted = Counted::new(&email_key, &from.address);
    let credential = admitted(app, &counted, email_key).await?;
    let stored = credential.as_ref().and_then(|found| found.password_hash.clone());
    let verdict = app.passwords.verify(stored, password.to_owned()).await?;
    match (credential, verdict) {
        (Some(credential), Verdict::Right { renewed }) => {
            begin(app, credential, renewed, counted, from).await
        }
        (Some(credential), Verdict::Wrong) => {
            note_failure(app, &credential, from).await;
            Err(Refusal::Wrong)
        }
        (None, _) => Err(Refusal::Wrong),
    }
}

/// Counts the attempt and finds the account, if the attempt may be looked at.
pub(crate) async fn admitted(
    app: &App,
    counted: &Counted,
    email_key: String,
) -> Result<Option<Credential>, Refusal> {
    let (counted, now) = (counted.clone(), app.now());
    let admitted = app
        .pool
        .transaction("sign_in.admit", move |connection| match counted.take(connection, now)? {
            Ok(()) => administrators::credential(connection, &email_key).map(Ok),
            Err(retry_at) => Ok(Err(retry_at)),
        })
        .await?;
    admitted.map_err(|retry_at| {
        app.metrics.throttled.inc();
        Refusal::Throttled { retry_at }
    })
}

/// Begins the session, unless the account or its password changed since they were read, or are not enough any more.
async fn begin(
    app: &App,
    credential: Credential,
    renewed: Option<String>,
    counted: Counted,
    from: From,
) -> Result<String, Refusal> {
    let (now, limits, cookie) = (app.now(), app.limits, opaque::mint());
    let session_cookie = cookie.clone();
    let Credential { company, administrator, password_hash } = credential;
    let begun = app
        .pool
        .transaction("sign_in.begin", move |connection| {
            store::act_for(connection, company)?;
            let admitted = session::admit(connection, company, administrator)?;
            let account = administrators::find(connection, company, administrator)?;
            let current = administrators::password_hash(connection, company, administrator)?;
            let Some(account) = account.filter(|account| account.is_active && current == password_hash)
            else {
                return Ok(Err(Refusal::Wrong));
            };
            let Some(admitted) = admitted else { return Ok(Err(Refusal::SingleSignOnOnly)) };
            counted.succeeded(connection, now)?;
            if let Some(renewed) = &renewed {
                administrators::set_password(connection, company, administrator, renewed)?;
            }
            session::begin(connection, admitted, &session_cookie, &from, (now, limits))?;
            administrators::signed_in_at(connection, company, administrator, now)?;
            let actor = actor(&account.email, &from);
            audit::record(connection, company, &actor, &Act::on("session.signed_in", &account.email), now)?;
            Ok(Ok(()))
        })
        .await?;
    begun?;
    app.metrics.sessions_begun.inc();
    Ok(cookie)
}

/// Writes down that somebody tried an account that exists. That it cannot be written changes nothing for them.
async fn note_failure(app: &App, credential: &Credential, from: From) {
    let (company, administrator, now) = (credential.company, credential.administrator, app.now());
    let noted = app
        .pool
        .transaction("sign_in.note_failure", move |connection| {
            store::act_for(connection, company)?;
            let Some(account) = administrators::find(connection, company, administrator)? else {
                return Ok(());
            };
            // Nobody is known to have done this, so the one who did it has no name.
            let actor = Actor { kind: actor::Kind::System.into(), ..actor(&account.email, &from) };
            audit::record(
                connection,
                company,
                &actor,
                &Act::on("session.sign_in_failed", &account.email),
                now,
            )
        })
        .await;
    if let Err(error) = noted {
        tracing::error!(error = %Causes(&error), "a failed sign-in could not be written down");
    }
}

/// Asks somebody who is signed in for their password again; throttled like signing in.
pub(crate) async fn confirm(app: &App, signed_in: &SignedIn, password: &str) -> Result<(), Refusal> {
    let email_key = email_key(&signed_in.email);
    let counted = Counted::new(&email_key, &signed_in.address);
    let credential = admitted(app, &counted, email_key).await?;
    let stored = credential.and_then(|found| found.password_hash);
    match app.passwords.verify(stored, password.to_owned()).await? {
        Verdict::Wrong => Err(Refusal::Wrong),
        Verdict::Right { .. } => {
            let (company, session, now) = (signed_in.company, signed_in.session, app.now());
            app.pool
                .transaction("sign_in.confirm", move |connection| {
                    store::act_for(connection, company)?;
                    counted.succeeded(connection, now)?;
                    sessions::password_given(connection, company, session, now)
                })
                .await?;
            Ok(())
        }
    }
}

fn actor(email: &str, from: &From) -> Actor {
    Actor { kind: actor::Kind::Administrator.into(), name: email.to_owned(), address: from.address.clone() }
}
