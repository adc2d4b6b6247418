//! `/people` and `/people/{id}`: whom Entra has created, and everything that happened to one of them.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use bus_contract::{
    Timestamp,
    directory::{DirectGroup, ListLog, LogEntry, Manager, UserRecord, browse_users},
};
use typed_ids::UserId;
use uuid::Uuid;

use crate::{
    access::removals::Removals,
    app::App,
    attributes::Attributes,
    directory::Directory,
    filter::encode,
    http::{guard::see_other, problem::Problem, query::Fields, render},
    language::Key,
    page::{Page, Section, Tone},
    question::{Answers, Unanswered},
    session,
    signed_in::SignedIn,
};

/// People on a page of the list.
const PEOPLE: u32 = 25;
/// Lines on a page of a story.
pub(super) const STORY: u32 = 50;
/// Groups of one person that a page shows.
const GROUPS: usize = 100;

const STATES: [(&str, Key); 3] =
    [("", Key("filter-any")), ("active", Key("people-active")), ("inactive", Key("people-inactive"))];

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    page: Page,
    search: String,
    state: &'static str,
    states: &'static [(&'static str, Key)],
    is_narrow: bool,
    people: Option<Vec<Listed>>,
    next: Option<String>,
}

struct Listed {
    id: String,
    name: String,
    user_name: String,
    is_active: bool,
    changed_at: Option<Timestamp>,
}

/// `GET /people`.
pub(crate) async fn list(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    let search = query.search();
    let (state, meaning) = match query.get("state") {
        "active" => ("active", browse_users::State::Active),
        "inactive" => ("inactive", browse_users::State::Inactive),
        _ => ("", browse_users::State::Any),
    };
    let after = query.id("after").map(UserId::from_uuid);
    let directory = Directory::of(&app, &who);
    let (page, found) = tokio::join!(
        Page::open(&app, &request, &who, Section::People),
        directory.people(&search, meaning, after, PEOPLE)
    );
    // Whoever stood at the end of the page before is gone.
    if after.is_some() && matches!(found, Err(Unanswered::Refused(_))) {
        return see_other(&format!("/people?search={}&state={state}", encode(&search)));
    }
    let mut answers = Answers::default();
    let found = answers.keep("people", found);
    let last = found.as_ref().filter(|found| found.has_more).and_then(|found| found.users.last());
    let next = last.map(|last| {
        format!("/people?search={}&state={state}&after={}", encode(&search), encode(&last.user_id))
    });
    let template = People {
        page,
        is_narrow: !search.is_empty() || !state.is_empty() || after.is_some(),
        search,
        state,
        states: &STATES,
        people: found.map(|found| found.users.into_iter().map(listed).collect()),
        next,
    };
    render::page(answers.status(), &template)
}

fn listed(user: UserRecord) -> Listed {
    let attributes = Attributes::read(&user.attributes_json);
    Listed {
        name: named(attributes.shown_name(), &user.user_id),
        user_name: attributes.text("userName").to_owned(),
        is_active: attributes.is_active(),
        changed_at: user.last_modified_at,
        id: user.user_id,
    }
}

/// A name that can be clicked on.
pub(super) fn named(name: &str, id: &str) -> String {
    if name.trim().is_empty() { id } else { name }.to_owned()
}

#[derive(Template)]
#[template(path = "person.html")]
struct OnePerson {
    page: Page,
    name: String,
    person: Option<Person>,
    is_deleted: bool,
    entries: Option<Vec<LogEntry>>,
    removals: Removals,
    older: Option<String>,
    done: Option<Key>,
    /// Whether whoever looks may end the person's sessions.
    can_sign_out: bool,
}

struct Person {
    id: String,
    created_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
    attributes: Attributes,
    manager: Option<Manager>,
    groups: Vec<DirectGroup>,
    more_groups: usize,
}

impl From<UserRecord> for Person {
    fn from(mut user: UserRecord) -> Self {
        let more_groups = user.groups.len().saturating_sub(GROUPS);
        user.groups.truncate(GROUPS);
        Self {
            attributes: Attributes::read(&user.attributes_json),
            created_at: user.created_at,
            changed_at: user.last_modified_at,
            manager: user.manager,
            groups: user.groups,
            more_groups,
            id: user.user_id,
        }
    }
}

/// `GET /people/{id}`.
pub(crate) async fn get(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    query: Fields,
) -> Result<HttpResponse, Problem> {
    let id: UserId = id.parse().map_err(|_no_id| Problem::NotFound)?;
    let directory = Directory::of(&app, &who);
    let story = ListLog { user_id: id.to_string(), ..story_behind(query.id("before")) };
    let (page, person, story) = tokio::join!(
        Page::open(&app, &request, &who, Section::People),
        directory.person(id),
        directory.log(story)
    );
    let mut answers = Answers::default();
    let person = answers.keep("person", person);
    let story = answers.keep("story", story);
    let is_deleted = person.as_ref().is_some_and(Option::is_none);
    let has_story = story.as_ref().is_some_and(|story| !story.entries.is_empty());
    if is_deleted && !has_story && answers.is_complete() {
        return Err(Problem::NotFound);
    }
    let person = person.flatten().map(Person::from);
    let name = match (&person, &story) {
        (Some(person), _) => person.attributes.shown_name().to_owned(),
        (None, Some(story)) => last_name(&story.entries),
        (None, None) => String::new(),
    };
    let (entries, older) = story_page(story, &format!("/people/{id}"));
    let removals = Removals::of(&app, who.company, entries.as_deref().unwrap_or_default()).await;
    let name = named(&name, &id.to_string());
    let done = (query.get("done") == "signed-out").then_some(Key("person-signed-out"));
    let can_sign_out = who.may_change();
    let template = OnePerson { name, person, is_deleted, entries, removals, older, page, done, can_sign_out };
    Ok(render::page(answers.status(), &template))
}

/// `POST /people/{id}/sign-out`: ends every session of theirs. They may sign in again.
pub(crate) async fn sign_out(
    app: Data<App>,
    who: SignedIn,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: UserId = id.parse().map_err(|_no_id| Problem::NotFound)?;
    // Who is not there has no sessions. Without an answer they are ended all the same: that cannot wait.
    if matches!(Directory::of(&app, &who).person(id).await, Ok(None)) {
        return Err(Problem::NotFound);
    }
    session::end_of_person(&app, who.company, id, who.actor()).await?;
    Ok(see_other(&format!("/people/{id}?done=signed-out")))
}

/// The question for a page of somebody's story; who it is about is the asker's to add.
pub(super) fn story_behind(before: Option<Uuid>) -> ListLog {
    let before_request_id = before.map(|before| before.to_string()).unwrap_or_default();
    ListLog { before_request_id, limit: STORY, ..ListLog::default() }
}

/// The lines of a page of a story, and where the next page is.
pub(super) fn story_page(
    story: Option<bus_contract::directory::ListLogReply>,
    path: &str,
) -> (Option<Vec<LogEntry>>, Option<String>) {
    let Some(story) = story else { return (None, None) };
    let last = story.entries.last().filter(|_| story.has_more);
    let older = last.map(|last| format!("{path}?before={}", encode(&last.request_id)));
    (Some(story.entries), older)
}

/// What somebody who is gone was called in the newest line that says.
pub(super) fn last_name(entries: &[LogEntry]) -> String {
    let named = entries.iter().find(|entry| !entry.target_name.is_empty());
    named.map(|entry| entry.target_name.clone()).unwrap_or_default()
}
