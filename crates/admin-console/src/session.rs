//! Sessions: who a cookie stands for, and until when.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use bus_contract::audit::Actor;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    app::App,
    csrf, opaque,
    signed_in::SignedIn,
    store::{
        self, administrators,
        audit::{self, Act},
        sessions::{self, Cutoff, SessionRow},
    },
};

/// For how long after the password was given secrets are shown.
pub(crate) const FRESH: TimeDelta = TimeDelta::minutes(10);
/// That somebody was here is written down at most this often.
const SEEN_EVERY: TimeDelta = TimeDelta::minutes(1);
/// Sessions of one administrator; beyond it the one that was seen first ends.
pub(crate) const SESSIONS_MOST: usize = 20;
/// Of what a browser calls itself, this many characters are kept.
const BROWSER_MOST: usize = 200;

/// How long a session is good.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Since it was seen last.
    pub(crate) idle: Duration,
    /// Since it began.
    pub(crate) absolute: Duration,
}

impl Limits {
    pub(crate) fn cutoff(self, now: DateTime<Utc>) -> Cutoff {
        Cutoff { created_after: now - self.absolute, seen_after: now - self.idle }
    }
}

/// Where somebody signs in from.
#[derive(Debug, Clone, Default)]
pub(crate) struct From {
    /// Empty when that is not known.
    pub(crate) address: String,
    /// What the browser calls itself.
    pub(crate) browser: String,
}

/// The cookie for a session. Behind TLS its name makes the browser refuse one that was set over plain HTTP, for a path
/// or by a neighbouring host (RFC 6265bis §4.1.3.2).
pub(crate) fn cookie(app: &App, value: &str) -> Cookie<'static> {
    let is_secure = app.is_secure();
    // Lax and not Strict: whoever follows a link in a mail is still signed in.
    Cookie::build(cookie_name(app), value.to_owned())
        .path("/")
        .secure(is_secure)
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

pub(crate) fn cookie_name(app: &App) -> &'static str {
    if app.is_secure() { "__Host-session" } else { "session" }
}

/// Whether a request shows that somebody is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Somebody clicked.
    Shown,
    /// An open page refreshes itself, which it does for ever when nobody looks at it.
    NotShown,
}

/// Who this cookie stands for, if it is good.
pub(crate) async fn find(
    app: &App,
    cookie: &str,
    address: String,
    presence: Presence,
) -> Result<Option<SignedIn>, pg_pool::Error> {
    let Some(key) = opaque::key(cookie) else { return Ok(None) };
    let now = app.now();
    let cutoff = app.limits.cutoff(now);
    let found = app
        .pool
        .transaction("session.find", move |connection| {
            let Some(session) = sessions::find(connection, &key, cutoff)? else { return Ok(None) };
            let company = CompanyId::from_uuid(session.company_id);
            store::act_for(connection, company)?;
            if presence == Presence::Shown && now - session.last_seen_at >= SEEN_EVERY {
                sessions::seen(connection, company, session.session_id, now)?;
            }
            let administrator = administrators::find(connection, company, session.administrator_id)?;
            Ok(administrator.filter(|found| found.is_active).map(|found| (session, found)))
        })
        .await?;
    let Some((session, administrator)) = found else { return Ok(None) };
    let company = CompanyId::from_uuid(session.company_id);
    Ok(Some(SignedIn {
        company,
        company_name: app.companies.name(company).await,
        administrator: administrator.administrator_id,
        role: administrator.role(),
        email: administrator.email,
        name: administrator.name,
        language: administrator.language,
        session: session.session_id,
        csrf_token: csrf::token(cookie),
        is_fresh: now - session.password_given_at < FRESH,
        address,
    }))
}

/// Begins a session within a transaction that acts for the company; its cookie is `cookie`.
pub(crate) fn begin(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
    cookie: &str,
    from: &From,
    (now, limits): (DateTime<Utc>, Limits),
) -> QueryResult<()> {
    let cutoff = limits.cutoff(now);
    sessions::forget_expired(connection, company, cutoff)?;
    let others = sessions::of_administrator(connection, company, administrator, cutoff)?;
    for surplus in others.iter().skip(SESSIONS_MOST - 1) {
        sessions::end(connection, company, administrator, surplus.session_id)?;
    }
    let session = SessionRow {
        company_id: company.as_uuid(),
        session_id: Uuid::now_v7(),
        administrator_id: administrator,
        session_key: opaque::key(cookie).unwrap_or_default(),
        created_at: now,
        last_seen_at: now,
        password_given_at: now,
        address: from.address.chars().take(45).collect(),
        browser: from.browser.chars().filter(|c| !c.is_control()).take(BROWSER_MOST).collect(),
    };
    sessions::insert(connection, &session)
}

/// Their sessions that are good, the one that was seen last first.
pub(crate) async fn list(app: &App, signed_in: &SignedIn) -> Result<Vec<SessionRow>, pg_pool::Error> {
    let (company, administrator) = (signed_in.company, signed_in.administrator);
    let cutoff = app.limits.cutoff(app.now());
    app.pool
        .transaction("session.list", move |connection| {
            store::act_for(connection, company)?;
            sessions::of_administrator(connection, company, administrator, cutoff)
        })
        .await
}

/// Ends one of their own sessions; whether there was one.
pub(crate) async fn end(app: &App, signed_in: &SignedIn, session: Uuid) -> Result<bool, pg_pool::Error> {
    let (company, administrator, now) = (signed_in.company, signed_in.administrator, app.now());
    let (actor, is_own) = (signed_in.actor(), session == signed_in.session);
    let ended = app
        .pool
        .transaction("session.end", move |connection| {
            store::act_for(connection, company)?;
            let ended = sessions::end(connection, company, administrator, session)?;
            if ended {
                let act = if is_own { "session.signed_out" } else { "session.ended" };
                audit::record(connection, company, &actor, &Act::on(act, actor.name.clone()), now)?;
            }
            Ok(ended)
        })
        .await?;
    if ended {
        app.metrics.sessions_ended.inc();
    }
    Ok(ended)
}

/// Ends every session of an administrator, but `kept`, within a transaction that acts for the company; how many.
pub(crate) fn end_all(
    connection: &mut PgConnection,
    (company, administrator): (CompanyId, Uuid),
    email: &str,
    kept: Option<Uuid>,
    (actor, now): (&Actor, DateTime<Utc>),
) -> QueryResult<usize> {
    let ended = sessions::end_all(connection, company, administrator, kept)?;
    if ended > 0 {
        let act = Act::on("sessions.ended", email).note(format!("{ended} sessions"));
        audit::record(connection, company, actor, &act, now)?;
    }
    Ok(ended)
}
