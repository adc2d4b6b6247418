//! Sessions: who a cookie stands for, and until when.

use std::time::Duration;

use actix_web::cookie::{Cookie, SameSite};
use bus_contract::audit::Actor;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use crate::{
    app::App,
    csrf, opaque,
    signed_in::{Account, Role, SignedIn},
    single_sign_on::{self, Way},
    store::{
        self,
        administrators::{self, AdministratorRow},
        audit::{self, Act},
        person_sessions::{self, PersonSessionRow},
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
        Cutoff { created_after: now - self.absolute, seen_after: now - self.idle, ends_after: now }
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

impl From {
    fn kept_address(&self) -> String {
        self.address.chars().take(45).collect()
    }

    fn kept_browser(&self) -> String {
        self.browser.chars().filter(|c| !c.is_control()).take(BROWSER_MOST).collect()
    }
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

/// What a cookie is found to stand for.
enum Found {
    Administrator(SessionRow, AdministratorRow),
    Person(PersonSessionRow),
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
            match of_administrator(connection, &key, cutoff, (now, presence))? {
                Some(found) => Ok(Some(found)),
                None => of_person(connection, &key, cutoff, (now, presence)),
            }
        })
        .await?;
    let csrf_token = csrf::token(cookie);
    let mut who = match found {
        None => return Ok(None),
        Some(Found::Administrator(session, administrator)) => SignedIn {
            company: CompanyId::from_uuid(session.company_id),
            company_name: String::new(),
            account: Account::Administrator(administrator.administrator_id),
            role: administrator.role(),
            email: administrator.email,
            name: administrator.name,
            language: administrator.language,
            session: session.session_id,
            csrf_token,
            is_fresh: now - session.password_given_at < FRESH,
            address,
        },
        Some(Found::Person(session)) => SignedIn {
            company: CompanyId::from_uuid(session.company_id),
            company_name: String::new(),
            account: Account::Person(UserId::from_uuid(session.user_id)),
            // The table allows three values; whatever else somebody may add gets no rights.
            role: Role::parse(&session.role).unwrap_or(Role::Member),
            email: session.user_name,
            name: session.display_name,
            language: String::new(),
            session: session.session_id,
            csrf_token,
            is_fresh: session.confirmed_at.is_some_and(|at| now - at < FRESH),
            address,
        },
    };
    who.company_name = app.companies.name(who.company).await;
    Ok(Some(who))
}

fn of_administrator(
    connection: &mut PgConnection,
    key: &str,
    cutoff: Cutoff,
    (now, presence): (DateTime<Utc>, Presence),
) -> QueryResult<Option<Found>> {
    let Some(session) = sessions::find(connection, key, cutoff)? else { return Ok(None) };
    let company = CompanyId::from_uuid(session.company_id);
    store::act_for(connection, company)?;
    if presence == Presence::Shown && now - session.last_seen_at >= SEEN_EVERY {
        sessions::seen(connection, company, session.session_id, now)?;
    }
    let administrator = administrators::find(connection, company, session.administrator_id)?;
    let administrator = administrator.filter(|found| found.is_active);
    Ok(administrator.map(|administrator| Found::Administrator(session, administrator)))
}

fn of_person(
    connection: &mut PgConnection,
    key: &str,
    cutoff: Cutoff,
    (now, presence): (DateTime<Utc>, Presence),
) -> QueryResult<Option<Found>> {
    let Some(session) = person_sessions::find(connection, key, cutoff)? else { return Ok(None) };
    if presence == Presence::Shown && now - session.last_seen_at >= SEEN_EVERY {
        let company = CompanyId::from_uuid(session.company_id);
        store::act_for(connection, company)?;
        person_sessions::seen(connection, company, session.session_id, now)?;
    }
    Ok(Some(Found::Person(session)))
}

/// Whether a session with this key is good, without counting as somebody's being there.
pub(crate) fn is_good(connection: &mut PgConnection, key: &str, cutoff: Cutoff) -> QueryResult<bool> {
    Ok(sessions::find(connection, key, cutoff)?.is_some()
        || person_sessions::find(connection, key, cutoff)?.is_some())
}

/// An administrator whose password is enough: they keep it in any case, or passwords are not switched off. Nobody switches
/// them off before the transaction ends.
#[derive(Debug)]
pub(crate) struct Admitted {
    company: CompanyId,
    administrator: Uuid,
}

/// Whether a password is enough for this administrator, within a transaction that acts for the company; to be asked before
/// anything is read.
pub(crate) fn admit(
    connection: &mut PgConnection,
    company: CompanyId,
    administrator: Uuid,
) -> QueryResult<Option<Admitted>> {
    administrators::take_turns(connection, company)?;
    let found = administrators::find(connection, company, administrator)?;
    let keeps_password = found.is_some_and(|found| found.is_break_glass);
    let is_enough = keeps_password || !single_sign_on::is_only(connection, company)?;
    Ok(is_enough.then_some(Admitted { company, administrator }))
}

/// Begins a session of an administrator within the transaction that has admitted them; its cookie is `cookie`.
pub(crate) fn begin(
    connection: &mut PgConnection,
    Admitted { company, administrator }: Admitted,
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
        address: from.kept_address(),
        browser: from.kept_browser(),
    };
    sessions::insert(connection, &session)
}

/// Somebody whom the identity provider and the directory have told who they are.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) user: UserId,
    /// Of the user, when the directory was asked.
    pub(crate) version: i64,
    pub(crate) user_name: String,
    pub(crate) display_name: String,
    pub(crate) role: Role,
    pub(crate) way: Way,
    /// What the identity provider calls them, and in which format.
    pub(crate) subject: (String, String),
    pub(crate) session_index: String,
    /// When the identity provider's session ends, which ends ours; `None` when it does not say.
    pub(crate) ends_at: Option<DateTime<Utc>>,
    /// Whether they had to prove it just now.
    pub(crate) is_confirmed: bool,
}

/// Begins a session of a person within a transaction that acts for the company; its cookie is `cookie`. `false` when their
/// access has ended since the directory was asked.
pub(crate) fn begin_of_person(
    connection: &mut PgConnection,
    company: CompanyId,
    arrival: &Arrival,
    cookie: &str,
    from: &From,
    (now, limits): (DateTime<Utc>, Limits),
) -> QueryResult<bool> {
    person_sessions::take_turns(connection, company, arrival.user)?;
    let cutoff = limits.cutoff(now);
    person_sessions::forget_expired(connection, company, cutoff)?;
    let others = person_sessions::of_person(connection, company, arrival.user, cutoff)?;
    for surplus in others.iter().skip(SESSIONS_MOST - 1) {
        person_sessions::end(connection, company, arrival.user, surplus.session_id)?;
    }
    let (subject, subject_format) = arrival.subject.clone();
    let session = PersonSessionRow {
        company_id: company.as_uuid(),
        session_id: Uuid::now_v7(),
        user_id: arrival.user.as_uuid(),
        user_version: arrival.version,
        user_name: arrival.user_name.clone(),
        display_name: arrival.display_name.clone(),
        role: arrival.role.as_str().to_owned(),
        way: arrival.way.as_str().to_owned(),
        subject,
        subject_format,
        session_index: arrival.session_index.clone(),
        session_key: opaque::key(cookie).unwrap_or_default(),
        created_at: now,
        last_seen_at: now,
        confirmed_at: arrival.is_confirmed.then_some(now),
        address: from.kept_address(),
        browser: from.kept_browser(),
        ends_at: arrival.ends_at,
    };
    person_sessions::insert(connection, &session)
}

/// A browser in which somebody is signed in, as they see it.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: Uuid,
    pub(crate) browser: String,
    pub(crate) address: String,
    pub(crate) last_seen_at: DateTime<Utc>,
}

impl std::convert::From<SessionRow> for Listed {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.session_id,
            browser: row.browser,
            address: row.address,
            last_seen_at: row.last_seen_at,
        }
    }
}

impl std::convert::From<PersonSessionRow> for Listed {
    fn from(row: PersonSessionRow) -> Self {
        Self {
            id: row.session_id,
            browser: row.browser,
            address: row.address,
            last_seen_at: row.last_seen_at,
        }
    }
}

/// Their sessions that are good, the one that was seen last first.
pub(crate) async fn list(app: &App, signed_in: &SignedIn) -> Result<Vec<Listed>, pg_pool::Error> {
    let (company, account) = (signed_in.company, signed_in.account);
    let cutoff = app.limits.cutoff(app.now());
    app.pool
        .transaction("session.list", move |connection| {
            store::act_for(connection, company)?;
            Ok(match account {
                Account::Administrator(id) => {
                    let rows = sessions::of_administrator(connection, company, id, cutoff)?;
                    rows.into_iter().map(Into::into).collect()
                }
                Account::Person(id) => {
                    let rows = person_sessions::of_person(connection, company, id, cutoff)?;
                    rows.into_iter().map(Into::into).collect()
                }
            })
        })
        .await
}

/// A session that has just ended.
#[derive(Debug)]
pub(crate) enum Ended {
    /// It was ours alone.
    Here,
    /// The identity provider has one beside it.
    Elsewhere(Box<PersonSessionRow>),
}

/// Ends one of their own sessions; `None` when there was none.
pub(crate) async fn end(
    app: &App,
    signed_in: &SignedIn,
    session: Uuid,
) -> Result<Option<Ended>, pg_pool::Error> {
    let (company, account, now) = (signed_in.company, signed_in.account, app.now());
    let (actor, is_own) = (signed_in.actor(), session == signed_in.session);
    let ended = app
        .pool
        .transaction("session.end", move |connection| {
            store::act_for(connection, company)?;
            let ended = match account {
                Account::Administrator(id) => {
                    sessions::end(connection, company, id, session)?.then_some(Ended::Here)
                }
                Account::Person(id) => person_sessions::end(connection, company, id, session)?
                    .map(|row| Ended::Elsewhere(Box::new(row))),
            };
            if ended.is_some() {
                let act = if is_own { "session.signed_out" } else { "session.ended" };
                audit::record(connection, company, &actor, &Act::on(act, actor.name.clone()), now)?;
            }
            Ok(ended)
        })
        .await?;
    if ended.is_some() {
        app.metrics.sessions_ended.inc();
    }
    Ok(ended)
}

/// Ends every other session of whoever is signed in.
pub(crate) async fn end_others(app: &App, signed_in: &SignedIn) -> Result<(), pg_pool::Error> {
    let (company, account, now) = (signed_in.company, signed_in.account, app.now());
    let (actor, kept) = (signed_in.actor(), Some(signed_in.session));
    let ended = app
        .pool
        .transaction("session.end_others", move |connection| {
            store::act_for(connection, company)?;
            match account {
                Account::Administrator(id) => {
                    end_all(connection, (company, id), &actor.name, kept, (&actor, now))
                }
                Account::Person(id) => {
                    let ended = person_sessions::end_all(connection, company, id, kept)?;
                    note_ended(connection, company, &actor.name, ended, (&actor, now))?;
                    Ok(ended)
                }
            }
        })
        .await?;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
    Ok(())
}

/// Ends every session of a person, at somebody else's word; how many.
pub(crate) async fn end_of_person(
    app: &App,
    company: CompanyId,
    person: UserId,
    actor: Actor,
) -> Result<usize, pg_pool::Error> {
    let now = app.now();
    let ended = app
        .pool
        .transaction("session.end_of_person", move |connection| {
            store::act_for(connection, company)?;
            let whose = person_sessions::name_of(connection, company, person)?;
            let ended = person_sessions::end_all(connection, company, person, None)?;
            note_ended(connection, company, &whose, ended, (&actor, now))?;
            Ok(ended)
        })
        .await?;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
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
    note_ended(connection, company, email, ended, (actor, now))?;
    Ok(ended)
}

fn note_ended(
    connection: &mut PgConnection,
    company: CompanyId,
    whose: &str,
    ended: usize,
    (actor, now): (&Actor, DateTime<Utc>),
) -> QueryResult<()> {
    if ended == 0 {
        return Ok(());
    }
    let act = Act::on("sessions.ended", whose).note(format!("{ended} sessions"));
    audit::record(connection, company, actor, &act, now)
}
