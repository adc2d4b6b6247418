//! `/groups` and `/groups/{id}`: what groups there are, who is in one, and everything that happened to it.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use bus_contract::{
    Timestamp,
    directory::{GroupRecord, ListLog, LogEntry, Member},
};
use typed_ids::GroupId;

use super::people::{last_name, named, story_behind, story_page};
use crate::{
    access::removals::Removals,
    app::App,
    attributes::Attributes,
    directory::Directory,
    filter::encode,
    http::{guard::see_other, problem::Problem, query::Fields, render},
    page::{Page, Section},
    question::{Answers, Unanswered},
    signed_in::SignedIn,
};

/// Groups on a page of the list.
const GROUPS: u32 = 50;
/// Members on a page of a group.
const MEMBERS: u32 = 50;

#[derive(Template)]
#[template(path = "groups.html")]
struct Groups {
    page: Page,
    search: String,
    groups: Option<Vec<Group>>,
    next: Option<String>,
}

struct Group {
    id: String,
    name: String,
    created_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
    attributes: Attributes,
}

impl From<GroupRecord> for Group {
    fn from(group: GroupRecord) -> Self {
        let attributes = Attributes::read(&group.attributes_json);
        Self {
            name: named(attributes.text("displayName"), &group.group_id),
            created_at: group.created_at,
            changed_at: group.last_modified_at,
            attributes,
            id: group.group_id,
        }
    }
}

/// `GET /groups`.
pub(crate) async fn list(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    let search = query.search();
    let after = query.id("after").map(GroupId::from_uuid);
    let directory = Directory::of(&app, &who);
    let (page, found) = tokio::join!(
        Page::open(&app, &request, &who, Section::Groups),
        directory.groups(&search, after, GROUPS)
    );
    // Whoever stood at the end of the page before is gone.
    if after.is_some() && matches!(found, Err(Unanswered::Refused(_))) {
        return see_other(&format!("/groups?search={}", encode(&search)));
    }
    let mut answers = Answers::default();
    let found = answers.keep("groups", found);
    let last = found.as_ref().filter(|found| found.has_more).and_then(|found| found.groups.last());
    let next =
        last.map(|last| format!("/groups?search={}&after={}", encode(&search), encode(&last.group_id)));
    let groups = found.map(|found| found.groups.into_iter().map(Group::from).collect());
    render::page(answers.status(), &Groups { page, search, groups, next })
}

#[derive(Template)]
#[template(path = "group.html")]
struct OneGroup {
    page: Page,
    name: String,
    group: Option<Group>,
    is_deleted: bool,
    members: Option<Vec<Member>>,
    next_members: Option<String>,
    entries: Option<Vec<LogEntry>>,
    removals: Removals,
    older: Option<String>,
}

/// `GET /groups/{id}`.
pub(crate) async fn get(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
    query: Fields,
) -> Result<HttpResponse, Problem> {
    let id: GroupId = id.parse().map_err(|_no_id| Problem::NotFound)?;
    let directory = Directory::of(&app, &who);
    let story = ListLog { group_id: id.to_string(), ..story_behind(query.id("before")) };
    let behind = query.id("members_after").map(|member| member.to_string());
    let (page, group, members, story) = tokio::join!(
        Page::open(&app, &request, &who, Section::Groups),
        directory.group(id),
        directory.members(id, behind, MEMBERS),
        directory.log(story)
    );
    let mut answers = Answers::default();
    let group = answers.keep("group", group);
    let members = answers.keep("members", members);
    let story = answers.keep("story", story);
    let is_deleted = group.as_ref().is_some_and(Option::is_none);
    let has_story = story.as_ref().is_some_and(|story| !story.entries.is_empty());
    if is_deleted && !has_story && answers.is_complete() {
        return Err(Problem::NotFound);
    }
    let group = group.flatten().map(Group::from);
    let name = match (&group, &story) {
        (Some(group), _) => group.name.clone(),
        (None, Some(story)) => last_name(&story.entries),
        (None, None) => String::new(),
    };
    let last = members.as_ref().filter(|members| members.has_more).and_then(|members| members.members.last());
    let next_members = last.map(|last| format!("/groups/{id}?members_after={}", encode(&last.member_id)));
    let (entries, older) = story_page(story, &format!("/groups/{id}"));
    let template = OneGroup {
        name: named(&name, &id.to_string()),
        group,
        is_deleted,
        members: members.map(|members| members.members),
        next_members,
        entries,
        // A group's requests take no access away.
        removals: Removals::default(),
        older,
        page,
    };
    Ok(render::page(answers.status(), &template))
}
