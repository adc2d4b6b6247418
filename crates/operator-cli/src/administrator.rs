//! Commands about who may sign in to a company's console.

use bus_contract::{
    console::{
        Administrator, ChangeRole, InviteAdministrator, Invited, ListAdministrators, RemoveAdministrator,
        Reply, Role, SignOutAdministrator, administrator::State, failure::Reason, reply,
    },
    subject::{
        CHANGE_ROLE, INVITE_ADMINISTRATOR, LIST_ADMINISTRATORS, LIST_CONSOLE_EVENTS, REMOVE_ADMINISTRATOR,
        SIGN_OUT_ADMINISTRATOR,
    },
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::{AdministratorCommand, AdministratorRole},
    events,
    failure::Failure,
    output::{Answer, Row},
    time,
};

pub(crate) const CONSOLE: &str = "admin-console";

/// An administrator as they are shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    company_id: String,
    email: String,
    name: String,
    role: &'static str,
    state: &'static str,
    created_at: String,
    last_signed_in_at: Option<String>,
    /// Of a new invitation alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link_expires_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mailed: Option<bool>,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["ID", "E-MAIL", "NAME", "ROLE", "STATE", "LAST SIGNED IN"];

    fn cells(&self) -> Vec<String> {
        let seen = self.last_signed_in_at.clone().unwrap_or_else(|| "never".to_owned());
        let (id, email, name) = (self.id.clone(), self.email.clone(), self.name.clone());
        vec![id, email, name, self.role.to_owned(), self.state.to_owned(), seen]
    }
}

pub(crate) async fn execute(questions: &Questions, command: AdministratorCommand) -> Result<Answer, Failure> {
    use AdministratorCommand as Command;
    let actor = questions.actor();
    let reply: Reply = match command {
        Command::Invite { company, email, role, language } => {
            let role = Role::from(role).into();
            let language = language.unwrap_or_default();
            let question = InviteAdministrator { company_id: company, email, role, actor, language };
            questions.ask(CONSOLE, INVITE_ADMINISTRATOR, &question).await?
        }
        Command::List { company } => {
            let question = ListAdministrators { company_id: company };
            questions.ask(CONSOLE, LIST_ADMINISTRATORS, &question).await?
        }
        Command::ChangeRole { company, administrator, role } => {
            let role = Role::from(role).into();
            let question = ChangeRole { company_id: company, administrator_id: administrator, role, actor };
            questions.ask(CONSOLE, CHANGE_ROLE, &question).await?
        }
        Command::Remove { company, administrator } => {
            let question =
                RemoveAdministrator { company_id: company, administrator_id: administrator, actor };
            questions.ask(CONSOLE, REMOVE_ADMINISTRATOR, &question).await?
        }
        Command::SignOut { company, administrator } => {
            let question =
                SignOutAdministrator { company_id: company, administrator_id: administrator, actor };
            questions.ask(CONSOLE, SIGN_OUT_ADMINISTRATOR, &question).await?
        }
        Command::Events(page) => questions.ask(CONSOLE, LIST_CONSOLE_EVENTS, &events::question(page)).await?,
    };
    match result(reply)? {
        reply::Result::Invited(invited) => tell(invited),
        reply::Result::AdministratorList(list) => {
            let rows: Result<Vec<_>, _> = list.administrators.into_iter().map(shown).collect();
            Answer::many(&rows?)
        }
        reply::Result::Administrator(administrator) => Answer::one(shown(administrator)?),
        reply::Result::Events(list) => events::show(CONSOLE, list.events),
        reply::Result::SignIn(_) | reply::Result::SignedOutPerson(_) | reply::Result::Failure(_) => {
            Err(unintelligible(CONSOLE, "another result"))
        }
    }
}

/// What whoever was invited needs.
fn tell(invited: Invited) -> Result<Answer, Failure> {
    let administrator = invited.administrator.ok_or_else(|| unintelligible(CONSOLE, "no administrator"))?;
    let expires_at = time::shown(CONSOLE, invited.expires_at)?;
    let mail = if invited.mailed { "was sent to them by mail too" } else { "was not sent by mail" };
    let note = format!(
        "{}\n\nThe link works once, until {expires_at}, and {mail}.\n\
         It is shown this once; whoever has it can become this administrator.",
        invited.link
    );
    let row = Shown {
        link: Some(invited.link),
        link_expires_at: Some(expires_at),
        mailed: Some(invited.mailed),
        ..shown(administrator)?
    };
    Ok(Answer::one(row)?.with_note(note))
}

fn shown(administrator: Administrator) -> Result<Shown, Failure> {
    let role = match administrator.role() {
        Role::Administrator => "administrator",
        Role::Auditor => "auditor",
        Role::Unspecified => return Err(unintelligible(CONSOLE, "no role")),
    };
    let state = match administrator.state() {
        State::Invited => "invited",
        State::Active => "active",
        State::Unspecified => return Err(unintelligible(CONSOLE, "no state")),
    };
    Ok(Shown {
        role,
        state,
        created_at: time::shown(CONSOLE, administrator.created_at)?,
        last_signed_in_at: administrator
            .last_signed_in_at
            .map(|at| time::shown(CONSOLE, Some(at)))
            .transpose()?,
        id: administrator.administrator_id,
        company_id: administrator.company_id,
        email: administrator.email,
        name: administrator.name,
        link: None,
        link_expires_at: None,
        mailed: None,
    })
}

pub(crate) fn result(reply: Reply) -> Result<reply::Result, Failure> {
    match reply.result {
        Some(reply::Result::Failure(failure)) => Err(match failure.reason() {
            Reason::Invalid | Reason::NotFound => Failure::Refused(failure.detail),
            Reason::Unavailable | Reason::Unspecified => Failure::Unavailable(failure.detail),
        }),
        Some(result) => Ok(result),
        None => Err(unintelligible(CONSOLE, "no result")),
    }
}

impl From<AdministratorRole> for Role {
    fn from(role: AdministratorRole) -> Self {
        match role {
            AdministratorRole::Administrator => Self::Administrator,
            AdministratorRole::Auditor => Self::Auditor,
        }
    }
}
