//! Commands about a company's groups.

use bus_contract::{
    directory::{
        BrowseGroups, GroupRecord, ListMembers, LookUpGroup, Member, Reply, look_up_group::Key, reply,
    },
    subject::{BROWSE_GROUPS, LIST_MEMBERS, LOOK_UP_GROUP},
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::{Browse, GroupCommand},
    company::{DIRECTORY, result},
    failure::Failure,
    output::{Answer, Row},
    person::{attributes, text},
    time,
};

/// A group as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    display_name: String,
    external_id: String,
    created_at: String,
    last_modified_at: String,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["ID", "NAME", "EXTERNAL ID", "CREATED AT", "CHANGED AT"];

    fn cells(&self) -> Vec<String> {
        let (id, name, external) = (&self.id, &self.display_name, &self.external_id);
        [id, name, external, &self.created_at, &self.last_modified_at].map(String::clone).to_vec()
    }
}

/// The same with a page of its members.
#[derive(Serialize)]
struct Whole {
    #[serde(flatten)]
    group: Shown,
    members: Vec<ShownMember>,
    has_more_members: bool,
}

#[derive(Serialize)]
struct ShownMember {
    id: String,
    is_group: bool,
    display_name: String,
}

impl Row for Whole {
    const COLUMNS: &'static [&'static str] =
        &["ID", "NAME", "EXTERNAL ID", "CREATED AT", "CHANGED AT", "MEMBERS"];

    fn cells(&self) -> Vec<String> {
        let mut cells = self.group.cells();
        let called = |member: &ShownMember| format!("{} {}", member.id, member.display_name);
        cells.push(self.members.iter().map(called).collect::<Vec<_>>().join("\n"));
        cells
    }
}

pub(crate) async fn execute(questions: &Questions, command: GroupCommand) -> Result<Answer, Failure> {
    match command {
        GroupCommand::List(page) => list(questions, page).await,
        GroupCommand::Show { company, group, limit, after } => {
            let question = ListMembers {
                company_id: company,
                group_id: group,
                after_member_id: after.unwrap_or_default(),
                limit,
            };
            show(questions, question).await
        }
    }
}

async fn list(questions: &Questions, page: Browse) -> Result<Answer, Failure> {
    let question = BrowseGroups {
        company_id: page.company,
        search: page.search,
        after_group_id: page.after.unwrap_or_default(),
        limit: page.limit,
    };
    let reply: Reply = questions.ask(DIRECTORY, BROWSE_GROUPS, &question).await?;
    let reply::Result::BrowseGroups(found) = result(reply)? else { return Err(other()) };
    let last = found.groups.last().map(|group| group.group_id.clone());
    let rows: Result<Vec<_>, _> = found.groups.into_iter().map(shown).collect();
    Ok(Answer::many(&rows?)?.with_more(last.filter(|_| found.has_more)))
}

async fn show(questions: &Questions, question: ListMembers) -> Result<Answer, Failure> {
    let key = Some(Key::GroupId(question.group_id.clone()));
    let look_up = LookUpGroup { company_id: question.company_id.clone(), key };
    let reply: Reply = questions.ask(DIRECTORY, LOOK_UP_GROUP, &look_up).await?;
    let reply::Result::LookUpGroup(found) = result(reply)? else { return Err(other()) };
    let nothing = || Failure::Refused("there is no such group; find it with group list --search".to_owned());
    let group = found.groups.into_iter().next().ok_or_else(nothing)?;
    let reply: Reply = questions.ask(DIRECTORY, LIST_MEMBERS, &question).await?;
    let reply::Result::ListMembers(page) = result(reply)? else { return Err(other()) };
    let last = page.members.last().map(|member| member.member_id.clone()).filter(|_| page.has_more);
    let member =
        |of: Member| ShownMember { id: of.member_id, is_group: of.is_group, display_name: of.display_name };
    let members = page.members.into_iter().map(member).collect();
    let whole = Whole { group: shown(group)?, members, has_more_members: page.has_more };
    Ok(Answer::one(whole)?.with_more(last))
}

fn shown(group: GroupRecord) -> Result<Shown, Failure> {
    let attributes = attributes(&group.attributes_json)?;
    Ok(Shown {
        id: group.group_id,
        display_name: text(&attributes, "displayName"),
        external_id: text(&attributes, "externalId"),
        created_at: time::shown(DIRECTORY, group.created_at)?,
        last_modified_at: time::shown(DIRECTORY, group.last_modified_at)?,
    })
}

fn other() -> Failure {
    unintelligible(DIRECTORY, "another result")
}
