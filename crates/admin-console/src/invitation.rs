//! Accepting an invitation: whoever has the link chooses a name and a password, once.

use bus_contract::audit::{Actor, actor};
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    app::App,
    opaque,
    password::{self, HashError, Weakness},
    session::{self, From},
    store::{
        self, administrators,
        audit::{self, Act},
        invitations,
    },
};

/// What people call themselves.
pub(crate) const NAME_MOST: usize = 100;

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// Used, expired, replaced, or never one of ours: nobody learns which.
    #[error("the invitation is not good any more")]
    Gone,
    #[error("a name has 1 to {NAME_MOST} characters")]
    Name,
    #[error("the password is not good enough")]
    Weak(Weakness),
    #[error(transparent)]
    Hash(#[from] HashError),
    #[error("the invitation cannot be read")]
    Database(#[from] pg_pool::Error),
}

/// An invitation that waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) company_name: String,
    pub(crate) email: String,
    /// The language in which it was sent; empty when that was not said.
    pub(crate) language: String,
    company: CompanyId,
    administrator: Uuid,
}

/// What whoever accepts says about themselves.
#[derive(Debug, Clone)]
pub(crate) struct Acceptance {
    pub(crate) name: String,
    pub(crate) password: String,
    /// BCP 47.
    pub(crate) language: String,
}

/// The invitation behind a link's token.
pub(crate) async fn find(app: &App, token: &str) -> Result<Waiting, Refusal> {
    let key = opaque::key(token).ok_or(Refusal::Gone)?;
    let now = app.now();
    let found = app
        .pool
        .transaction("invitation.find", move |connection| {
            let Some((company, administrator)) = invitations::find(connection, &key, now)? else {
                return Ok(None);
            };
            store::act_for(connection, company)?;
            administrators::find(connection, company, administrator)
        })
        .await?;
    let row = found.filter(|row| !row.is_active).ok_or(Refusal::Gone)?;
    let company = CompanyId::from_uuid(row.company_id);
    Ok(Waiting {
        company_name: app.companies.name(company).await,
        email: row.email,
        language: row.language,
        company,
        administrator: row.administrator_id,
    })
}

/// Accepts it; the cookie of the session that begins with it.
pub(crate) async fn accept(
    app: &App,
    token: &str,
    acceptance: Acceptance,
    from: From,
) -> Result<String, Refusal> {
    let waiting = find(app, token).await?;
    let name = checked_name(&acceptance.name).ok_or(Refusal::Name)?;
    if let Some(weakness) = password::weakness(&acceptance.password, &waiting.email, &waiting.company_name) {
        return Err(Refusal::Weak(weakness));
    }
    let hash = app.passwords.hash(acceptance.password).await?;
    let key = opaque::key(token).ok_or(Refusal::Gone)?;
    let (now, limits, cookie) = (app.now(), app.limits, opaque::mint());
    let (session_cookie, language) = (cookie.clone(), acceptance.language);
    let Waiting { company, administrator, email, .. } = waiting;
    let accepted = app
        .pool
        .transaction("invitation.accept", move |connection| {
            store::act_for(connection, company)?;
            let Some(admitted) = session::admit(connection, company, administrator)? else {
                return Ok(false);
            };
            if !invitations::use_up(connection, company, administrator, &key)? {
                return Ok(false);
            }
            administrators::activate(connection, company, administrator, &name, &language)?;
            administrators::set_password(connection, company, administrator, &hash)?;
            session::begin(connection, admitted, &session_cookie, &from, (now, limits))?;
            administrators::signed_in_at(connection, company, administrator, now)?;
            let actor = Actor {
                kind: actor::Kind::Administrator.into(),
                name: email.clone(),
                address: from.address.clone(),
            };
            audit::record(connection, company, &actor, &Act::on("invitation.accepted", &email), now)?;
            Ok(true)
        })
        .await?;
    if !accepted {
        return Err(Refusal::Gone);
    }
    app.metrics.sessions_begun.inc();
    Ok(cookie)
}

/// A name as it is kept.
pub(crate) fn checked_name(name: &str) -> Option<String> {
    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
    let length = name.chars().count();
    ((1..=NAME_MOST).contains(&length) && !name.chars().any(char::is_control)).then_some(name)
}
