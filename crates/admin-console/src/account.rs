//! What administrators change about themselves: name and language, notices, password.

use uuid::Uuid;

use crate::{
    app::App,
    invitation::checked_name,
    opaque,
    password::{self, HashError, Verdict, Weakness},
    session::{self, From},
    sign_in,
    signed_in::SignedIn,
    store::{
        self, administrators,
        audit::{self, Act},
    },
    throttle::Counted,
};

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("a name is needed")]
    Name,
    #[error("the password is not good enough")]
    Weak(Weakness),
    /// The current password is not theirs, or was tried too often.
    #[error(transparent)]
    Current(#[from] sign_in::Refusal),
    #[error("the account cannot be read or written")]
    Database(#[from] pg_pool::Error),
}

impl std::convert::From<HashError> for Refusal {
    fn from(error: HashError) -> Self {
        Self::Current(error.into())
    }
}

/// Whether they want notices.
pub(crate) async fn wants_notices(
    app: &App,
    who: &SignedIn,
    administrator: Uuid,
) -> Result<bool, pg_pool::Error> {
    let company = who.company;
    app.pool
        .transaction("account.get", move |connection| {
            store::act_for(connection, company)?;
            let found = administrators::find(connection, company, administrator)?;
            Ok(found.is_some_and(|found| found.wants_notices))
        })
        .await
}

/// Sets name and language.
pub(crate) async fn set_profile(
    app: &App,
    (who, administrator): (&SignedIn, Uuid),
    name: &str,
    language: &'static str,
) -> Result<(), Refusal> {
    let name = checked_name(name).ok_or(Refusal::Name)?;
    let company = who.company;
    app.pool
        .transaction("account.set_profile", move |connection| {
            store::act_for(connection, company)?;
            administrators::set_profile(connection, company, administrator, &name, language)
        })
        .await?;
    Ok(())
}

/// Sets whether they want notices.
pub(crate) async fn set_wants_notices(
    app: &App,
    (who, administrator): (&SignedIn, Uuid),
    wants: bool,
) -> Result<(), pg_pool::Error> {
    let (company, now, actor) = (who.company, app.now(), who.actor());
    app.pool
        .transaction("account.set_wants_notices", move |connection| {
            store::act_for(connection, company)?;
            administrators::set_wants_notices(connection, company, administrator, wants)?;
            let act = Act::on("notices.changed", actor.name.clone()).note(if wants { "on" } else { "off" });
            audit::record(connection, company, &actor, &act, now)
        })
        .await
}

/// Sets another password, which ends every session; the cookie of the one that begins here.
pub(crate) async fn change_password(
    app: &App,
    (who, administrator): (&SignedIn, Uuid),
    (current, new): (String, String),
    from: From,
) -> Result<String, Refusal> {
    if let Some(weakness) = password::weakness(&new, &who.email, &who.company_name) {
        return Err(Refusal::Weak(weakness));
    }
    let email_key = sign_in::email_key(&who.email);
    let counted = Counted::new(&email_key, &who.address);
    let stored = sign_in::admitted(app, &counted, email_key).await?.and_then(|found| found.password_hash);
    if let Verdict::Wrong = app.passwords.verify(stored, current).await? {
        return Err(sign_in::Refusal::Wrong.into());
    }
    let hash = app.passwords.hash(new).await?;
    let (company, now, actor) = (who.company, app.now(), who.actor());
    let (limits, cookie) = (app.limits, opaque::mint());
    let session_cookie = cookie.clone();
    let ended = app
        .pool
        .transaction("account.change_password", move |connection| {
            store::act_for(connection, company)?;
            let Some(admitted) = session::admit(connection, company, administrator)? else {
                return Ok(Err(sign_in::Refusal::SingleSignOnOnly));
            };
            counted.succeeded(connection, now)?;
            administrators::set_password(connection, company, administrator, &hash)?;
            let act = Act::on("password.changed", actor.name.clone());
            audit::record(connection, company, &actor, &act, now)?;
            let whose = (company, administrator);
            let ended = session::end_all(connection, whose, &actor.name, None, (&actor, now))?;
            session::begin(connection, admitted, &session_cookie, &from, (now, limits))?;
            Ok(Ok(ended))
        })
        .await??;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
    app.metrics.sessions_begun.inc();
    Ok(cookie)
}
