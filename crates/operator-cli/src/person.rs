//! Commands about a company's people.

use bus_contract::{
    console::{Reply as ConsoleReply, SignOutPerson, SignedOutPerson, reply as console_reply},
    directory::{BrowseUsers, LookUpUser, Reply, UserRecord, browse_users::State, look_up_user::Key, reply},
    subject::{BROWSE_USERS, LOOK_UP_USER, SIGN_OUT_PERSON},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    administrator::{self, CONSOLE},
    bus::{Questions, unintelligible},
    cli::{Access, Browse, PersonCommand, PersonKey},
    company::{DIRECTORY, result},
    failure::Failure,
    output::{Answer, Row},
    time,
};

/// A person as they are shown: who it is and whether they have access. What else the customer keeps of them is for the
/// customer to look at.
#[derive(Serialize)]
struct Shown {
    id: String,
    user_name: String,
    display_name: String,
    external_id: String,
    active: bool,
    created_at: String,
    last_modified_at: String,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["ID", "USER NAME", "NAME", "ACCESS", "EXTERNAL ID"];

    fn cells(&self) -> Vec<String> {
        let access = if self.active { "active" } else { "inactive" };
        let (user_name, display_name) = (self.user_name.clone(), self.display_name.clone());
        vec![self.id.clone(), user_name, display_name, access.to_owned(), self.external_id.clone()]
    }
}

/// The same with whom and what they belong to, which a list does not tell.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    person: Shown,
    manager: Option<Named>,
    groups: Vec<Named>,
}

#[derive(Serialize)]
struct Named {
    id: String,
    display_name: String,
}

impl Row for Whole {
    const COLUMNS: &'static [&'static str] = &[
        "ID",
        "USER NAME",
        "NAME",
        "ACCESS",
        "EXTERNAL ID",
        "CREATED AT",
        "CHANGED AT",
        "MANAGER",
        "GROUPS",
    ];

    fn cells(&self) -> Vec<String> {
        let mut cells = self.person.cells();
        cells.extend([self.person.created_at.clone(), self.person.last_modified_at.clone()]);
        cells.push(self.manager.as_ref().map(|manager| manager.display_name.clone()).unwrap_or_default());
        let groups: Vec<_> = self.groups.iter().map(|group| group.display_name.as_str()).collect();
        cells.push(groups.join("\n"));
        cells
    }
}

/// Whose sessions ended, and how many.
#[derive(Serialize)]
struct SignedOut {
    id: String,
    sessions: u32,
}

impl Row for SignedOut {
    const COLUMNS: &'static [&'static str] = &["ID", "SESSIONS ENDED"];

    fn cells(&self) -> Vec<String> {
        vec![self.id.clone(), self.sessions.to_string()]
    }
}

pub(crate) async fn execute(questions: &Questions, command: PersonCommand) -> Result<Answer, Failure> {
    match command {
        PersonCommand::List { page, state } => list(questions, page, state).await,
        PersonCommand::Show { company, key } => show(questions, company, key).await,
        PersonCommand::SignOut { company, person } => sign_out(questions, company, person).await,
    }
}

async fn list(questions: &Questions, page: Browse, state: Option<Access>) -> Result<Answer, Failure> {
    let state = match state {
        None => State::Any,
        Some(Access::Active) => State::Active,
        Some(Access::Inactive) => State::Inactive,
    };
    let question = BrowseUsers {
        company_id: page.company,
        search: page.search,
        state: state.into(),
        after_user_id: page.after.unwrap_or_default(),
        limit: page.limit,
    };
    let reply: Reply = questions.ask(DIRECTORY, BROWSE_USERS, &question).await?;
    let reply::Result::BrowseUsers(found) = result(reply)? else { return Err(other()) };
    let last = found.users.last().map(|user| user.user_id.clone());
    let rows: Result<Vec<_>, _> = found.users.into_iter().map(shown).collect();
    Ok(Answer::many(&rows?)?.with_more(last.filter(|_| found.has_more)))
}

async fn show(questions: &Questions, company_id: String, key: PersonKey) -> Result<Answer, Failure> {
    let key = match key.person {
        Some(id) => Key::UserId(id),
        None => Key::UserName(key.user_name.unwrap_or_default()),
    };
    let reply: Reply =
        questions.ask(DIRECTORY, LOOK_UP_USER, &LookUpUser { company_id, key: Some(key) }).await?;
    let reply::Result::LookUpUser(found) = result(reply)? else { return Err(other()) };
    let nobody =
        || Failure::Refused("there is no such person; find them with person list --search".to_owned());
    let user = found.users.into_iter().next().ok_or_else(nobody)?;
    let manager = user.manager.clone().map(|of| Named { id: of.user_id, display_name: of.display_name });
    let groups = user.groups.iter().cloned();
    let groups = groups.map(|group| Named { id: group.group_id, display_name: group.display_name }).collect();
    Answer::one(Whole { person: shown(user)?, manager, groups })
}

async fn sign_out(questions: &Questions, company_id: String, user_id: String) -> Result<Answer, Failure> {
    let question = SignOutPerson { company_id, user_id, actor: questions.actor() };
    let reply: ConsoleReply = questions.ask(CONSOLE, SIGN_OUT_PERSON, &question).await?;
    let console_reply::Result::SignedOutPerson(SignedOutPerson { user_id, sessions }) =
        administrator::result(reply)?
    else {
        return Err(unintelligible(CONSOLE, "another result"));
    };
    let answer = Answer::one(SignedOut { id: user_id, sessions })?;
    Ok(if sessions > 0 {
        answer
    } else {
        answer.with_note(
            "Nobody with this id is signed in to this company; person show says whether it is theirs."
                .to_owned(),
        )
    })
}

fn shown(user: UserRecord) -> Result<Shown, Failure> {
    let attributes = attributes(&user.attributes_json)?;
    Ok(Shown {
        id: user.user_id,
        user_name: text(&attributes, "userName"),
        display_name: text(&attributes, "displayName"),
        external_id: text(&attributes, "externalId"),
        active: attributes.get("active").and_then(Value::as_bool).unwrap_or(true),
        created_at: time::shown(DIRECTORY, user.created_at)?,
        last_modified_at: time::shown(DIRECTORY, user.last_modified_at)?,
    })
}

/// The attributes of a user or group.
pub(crate) fn attributes(json: &str) -> Result<Value, Failure> {
    serde_json::from_str(json).map_err(|_no_json| unintelligible(DIRECTORY, "attributes that are no JSON"))
}

/// A text among them; empty when there is none.
pub(crate) fn text(attributes: &Value, name: &str) -> String {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn other() -> Failure {
    unintelligible(DIRECTORY, "another result")
}
