//! Who may sign in to a company: inviting, changing, removing. For the pages and for operators alike.

use bus_contract::audit::{Actor, actor};
use chrono::{DateTime, TimeDelta, Utc};
use diesel::{PgConnection, QueryResult};
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    app::App,
    language::{Key, Language},
    mail::Mail,
    opaque,
    question::Unanswered,
    session, sign_in,
    signed_in::Role,
    single_sign_on,
    store::{
        self,
        administrators::{self, AdministratorRow},
        audit::{self, Act},
        invitations, sessions,
    },
};

/// How long an invitation is good.
pub(crate) const INVITATION: TimeDelta = TimeDelta::days(7);
/// Administrators and auditors of one company, invited ones among them.
pub(crate) const ADMINISTRATORS_MOST: usize = 100;
const EMAIL_MOST: usize = 254;

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("an e-mail address is needed, such as anna@example.com")]
    Email,
    /// At this company or another one.
    #[error("somebody signs in with this address already")]
    Taken,
    #[error("the company has {ADMINISTRATORS_MOST} administrators already; remove one first")]
    TooMany,
    #[error("there is no such administrator")]
    NotFound,
    #[error("there is no such company")]
    NoCompany,
    /// The company does without passwords; an operator may still invite, who is asked when nobody gets in any more.
    #[error("the company signs in at its identity provider alone; assign the app role there instead")]
    SingleSignOnOnly,
    /// Nobody would get in any more when the identity provider is broken.
    #[error("this is the last administrator who keeps a password; let somebody else keep theirs first")]
    LastBreakGlass,
    /// Nobody could change anything any more.
    #[error("this is the company's last administrator; make somebody else an administrator first")]
    Last,
    #[error("accounts cannot be read or written")]
    Database(#[from] pg_pool::Error),
    #[error("the company cannot be looked up")]
    Company(#[from] Unanswered),
}

/// Whom to invite.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) email: String,
    pub(crate) role: Role,
    /// BCP 47, of the mail and of the page that it leads to; empty where nobody knows what they read.
    pub(crate) language: String,
}

/// An invitation as the one who invites sees it: once.
#[derive(Debug)]
pub(crate) struct Invited {
    pub(crate) administrator: AdministratorRow,
    /// Whoever has it can become this administrator.
    pub(crate) link: String,
    pub(crate) expires_at: DateTime<Utc>,
    /// Whether a mail server took a mail with it.
    pub(crate) mailed: bool,
}

/// One line of the list.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) administrator: AdministratorRow,
    /// Of who has not accepted: when the invitation ends or ended.
    pub(crate) invitation_expires_at: Option<DateTime<Utc>>,
    /// Browsers that are signed in.
    pub(crate) sessions: usize,
}

/// Invites somebody, or once more somebody who has not accepted yet; the link of an earlier invitation is then worth
/// nothing.
pub(crate) async fn invite(
    app: &App,
    company: CompanyId,
    wanted: Wanted,
    actor: Actor,
) -> Result<Invited, Refusal> {
    let email = wanted.email.trim().to_owned();
    if !is_email(&email) {
        return Err(Refusal::Email);
    }
    let company_name = app.companies.find(company).await?.ok_or(Refusal::NoCompany)?.name;
    let language = Language::parse(&wanted.language);
    let (token, now) = (opaque::mint(), app.now());
    let invitation_key = opaque::key(&token).unwrap_or_default();
    let expires_at = now + INVITATION;
    let written = app
        .pool
        .transaction("administrators.invite", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let is_only = single_sign_on::is_only(connection, company)?;
            if is_only && actor.kind() != actor::Kind::Operator {
                return Ok(Err(Refusal::SingleSignOnOnly));
            }
            let invited = match admit(connection, company, (&email, is_only), &wanted, now)? {
                Ok(invited) => invited,
                Err(refusal) => return Ok(Err(refusal)),
            };
            invitations::put(connection, company, invited.administrator_id, &invitation_key, expires_at)?;
            let act = Act::on("administrator.invited", &invited.email).note(invited.role.clone());
            audit::record(connection, company, &actor, &act, now)?;
            Ok(Ok(invited))
        })
        .await;
    let administrator = match written {
        Err(pg_pool::Error::Unique { .. }) => return Err(Refusal::Taken),
        other => other??,
    };
    let link = format!("{}/invitation/{token}", app.console_url);
    let mailed = match &app.mailer {
        Some(mailer) => mailer.send(&mail(&administrator.email, language, &company_name, &link)).await,
        None => false,
    };
    Ok(Invited { administrator, link, expires_at, mailed })
}

/// In every language for whom nobody knows which they read.
fn mail(to: &str, language: Option<Language>, company: &str, link: &str) -> Mail {
    let languages = language.map_or_else(|| Language::ALL.to_vec(), |language| vec![language]);
    let each = |key: Key| {
        let say =
            |language: &Language| language.say(key).with("company", company).with("email", to).to_string();
        languages.iter().map(say).collect::<Vec<_>>()
    };
    let texts = each(Key("mail-invitation-text")).into_iter().zip(each(Key("mail-invitation-ends")));
    Mail {
        to: to.to_owned(),
        language: language.unwrap_or(Language::English),
        subject: each(Key("mail-invitation-subject")).join(" / "),
        text: texts.flat_map(|(text, ends)| [text, ends]).collect(),
        link: (link.to_owned(), each(Key("mail-invitation-link")).join(" / ")),
    }
}

/// The row of whoever is to be invited: a new one, or theirs when they have not accepted yet.
fn admit(
    connection: &mut PgConnection,
    company: CompanyId,
    (email, is_break_glass): (&str, bool),
    wanted: &Wanted,
    now: DateTime<Utc>,
) -> QueryResult<Result<AdministratorRow, Refusal>> {
    let email_key = sign_in::email_key(email);
    let all = administrators::of_company(connection, company)?;
    if let Some(known) = all.iter().find(|row| sign_in::email_key(&row.email) == email_key) {
        if known.is_active {
            return Ok(Err(Refusal::Taken));
        }
        let id = known.administrator_id;
        administrators::set_role(connection, company, id, wanted.role)?;
        if is_break_glass {
            administrators::set_break_glass(connection, company, id, true)?;
        }
        return Ok(Ok(AdministratorRow { role: wanted.role.as_str().to_owned(), ..known.clone() }));
    }
    if all.len() >= ADMINISTRATORS_MOST {
        return Ok(Err(Refusal::TooMany));
    }
    let row = AdministratorRow {
        company_id: company.as_uuid(),
        administrator_id: Uuid::now_v7(),
        email: email.to_owned(),
        name: String::new(),
        role: wanted.role.as_str().to_owned(),
        is_active: false,
        language: wanted.language.chars().take(10).collect(),
        wants_notices: true,
        created_at: now,
        last_signed_in_at: None,
        is_break_glass,
    };
    administrators::insert(connection, &row, &email_key)?;
    Ok(Ok(row))
}

/// All of a company, in the order of their addresses.
pub(crate) async fn list(app: &App, company: CompanyId) -> Result<Vec<Listed>, pg_pool::Error> {
    let cutoff = app.limits.cutoff(app.now());
    app.pool
        .transaction("administrators.list", move |connection| {
            store::act_for(connection, company)?;
            let invitations = invitations::of_company(connection, company)?;
            let signed_in = sessions::owners(connection, company, cutoff)?;
            let rows = administrators::of_company(connection, company)?;
            Ok(rows
                .into_iter()
                .map(|administrator| {
                    let id = administrator.administrator_id;
                    let invitation = invitations.iter().find(|(of, _)| *of == id);
                    Listed {
                        invitation_expires_at: invitation.map(|(_, expires_at)| *expires_at),
                        sessions: signed_in.iter().filter(|of| **of == id).count(),
                        administrator,
                    }
                })
                .collect())
        })
        .await
}

/// Gives somebody another role, from their next click on.
pub(crate) async fn change_role(
    app: &App,
    company: CompanyId,
    administrator: Uuid,
    role: Role,
    actor: Actor,
) -> Result<AdministratorRow, Refusal> {
    let now = app.now();
    app.pool
        .transaction("administrators.change_role", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let Some(found) = administrators::find(connection, company, administrator)? else {
                return Ok(Err(Refusal::NotFound));
            };
            if found.role() == role {
                return Ok(Ok(found));
            }
            if role != Role::Administrator
                && let Err(refusal) = can_be_spared(connection, &found)?
            {
                return Ok(Err(refusal));
            }
            administrators::set_role(connection, company, administrator, role)?;
            let act = Act::on("administrator.role_changed", &found.email).note(role.as_str());
            audit::record(connection, company, &actor, &act, now)?;
            Ok(Ok(AdministratorRow { role: role.as_str().to_owned(), ..found }))
        })
        .await?
}

/// Takes somebody out, with their sessions and their invitation; what they were.
pub(crate) async fn remove(
    app: &App,
    company: CompanyId,
    administrator: Uuid,
    actor: Actor,
) -> Result<AdministratorRow, Refusal> {
    let now = app.now();
    app.pool
        .transaction("administrators.remove", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let Some(found) = administrators::find(connection, company, administrator)? else {
                return Ok(Err(Refusal::NotFound));
            };
            if let Err(refusal) = can_be_spared(connection, &found)? {
                return Ok(Err(refusal));
            }
            administrators::delete(connection, company, administrator)?;
            let act = Act::on("administrator.removed", &found.email).note(found.role.clone());
            audit::record(connection, company, &actor, &act, now)?;
            Ok(Ok(found))
        })
        .await?
}

/// Ends every session of somebody, but `kept` if it is their own; how many there were, and whose.
pub(crate) async fn sign_out_everywhere(
    app: &App,
    company: CompanyId,
    administrator: Uuid,
    kept: Option<Uuid>,
    actor: Actor,
) -> Result<(AdministratorRow, usize), Refusal> {
    let now = app.now();
    let done = app
        .pool
        .transaction("administrators.sign_out_everywhere", move |connection| {
            store::act_for(connection, company)?;
            let Some(found) = administrators::find(connection, company, administrator)? else {
                return Ok(None);
            };
            let ended =
                session::end_all(connection, (company, administrator), &found.email, kept, (&actor, now))?;
            Ok(Some((found, ended)))
        })
        .await?;
    let (found, ended) = done.ok_or(Refusal::NotFound)?;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
    Ok((found, ended))
}

/// Lets an administrator keep their password where all others sign in at the identity provider, or keep it no more, which
/// then ends their sessions.
pub(crate) async fn set_break_glass(
    app: &App,
    company: CompanyId,
    administrator: Uuid,
    is_break_glass: bool,
    actor: Actor,
) -> Result<(), Refusal> {
    let now = app.now();
    let ended = app
        .pool
        .transaction("administrators.set_break_glass", move |connection| {
            store::act_for(connection, company)?;
            administrators::take_turns(connection, company)?;
            let Some(found) = administrators::find(connection, company, administrator)? else {
                return Ok(Err(Refusal::NotFound));
            };
            if !is_break_glass && is_last_break_glass(connection, &found)? {
                return Ok(Err(Refusal::LastBreakGlass));
            }
            administrators::set_break_glass(connection, company, administrator, is_break_glass)?;
            let note = if is_break_glass { "on" } else { "off" };
            let act = Act::on("administrator.break_glass_changed", &found.email).note(note);
            audit::record(connection, company, &actor, &act, now)?;
            let is_over = !is_break_glass && single_sign_on::is_only(connection, company)?;
            let whose = (company, administrator);
            let ended = if is_over {
                session::end_all(connection, whose, &found.email, None, (&actor, now))?
            } else {
                0
            };
            Ok(Ok(ended))
        })
        .await??;
    app.metrics.sessions_ended.inc_by(u64::try_from(ended).unwrap_or_default());
    Ok(())
}

/// Whether without them somebody can still change things, and get in.
fn can_be_spared(connection: &mut PgConnection, row: &AdministratorRow) -> QueryResult<Result<(), Refusal>> {
    if !row.is_active || row.role() != Role::Administrator {
        return Ok(Ok(()));
    }
    let company = CompanyId::from_uuid(row.company_id);
    if !administrators::has_another_administrator(connection, company, row.administrator_id)? {
        return Ok(Err(Refusal::Last));
    }
    if is_last_break_glass(connection, row)? {
        return Ok(Err(Refusal::LastBreakGlass));
    }
    Ok(Ok(()))
}

/// Whether, where all others have no password, nobody but them does.
fn is_last_break_glass(connection: &mut PgConnection, row: &AdministratorRow) -> QueryResult<bool> {
    let company = CompanyId::from_uuid(row.company_id);
    Ok(row.is_break_glass
        && single_sign_on::is_only(connection, company)?
        && !administrators::has_break_glass(connection, company, Some(row.administrator_id))?)
}

/// Whether a mail could go there, as far as that can be seen.
fn is_email(email: &str) -> bool {
    email.len() <= EMAIL_MOST && email.parse::<lettre::Address>().is_ok()
}
