//! What there is now, asked of the directory: how a new follower begins, and one whose place in the stream is lost.
//!
//! The place is taken before the first question, and the stream is followed from there. So whatever changed while the
//! questions were asked comes again as facts, and versions say which of them are news.

use std::time::Duration;

use bus_contract::{
    Message,
    directory::{
        ListCompanies, ListCompaniesReply, ListMembers, Position, Reply, SearchGroups, SearchUsers, failure,
        reply,
    },
    stream::DIRECTORY,
    subject::{LIST_COMPANIES, LIST_MEMBERS, SEARCH_GROUPS, SEARCH_USERS},
};
use bus_jetstream::Bus;
use service_runtime::Causes;

use crate::{
    change::{Change, group_of, user},
    keeper::Keeper,
    model::Place,
};

/// Companies, users, groups and members that one question asks for at most.
const COMPANIES: u32 = 1_000;
const RESOURCES: u32 = 1_000;
const MEMBERS: u32 = 5_000;
/// How long the directory may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a question is asked before the snapshot is given up, and the first wait between; each is twice the last.
const ATTEMPTS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(200);

/// Why a snapshot is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    /// There is no model yet.
    New,
    /// The fact that was applied last is not in the stream any more, or another one has its place.
    PlaceLost,
    /// The directory has begun another history.
    AnotherHistory,
    /// Facts were passed over that this version understands.
    Understood,
}

impl Reason {
    pub(crate) const ALL: [Self; 4] = [Self::New, Self::PlaceLost, Self::AnotherHistory, Self::Understood];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::PlaceLost => "place_lost",
            Self::AnotherHistory => "another_history",
            Self::Understood => "understood",
        }
    }
}

/// Fills the model anew; returns the place from which the stream is to be followed.
pub(crate) async fn take(bus: &Bus, keeper: &Keeper, reason: Reason) -> anyhow::Result<Place> {
    tracing::info!(reason = reason.as_str(), "taking a snapshot");
    let taken = fill(bus, keeper).await;
    if taken.is_err() {
        keeper.run(|model| model.abandon_snapshot()).await?;
    }
    let place = taken?;
    tracing::info!(stream_sequence = place.sequence, "a snapshot is taken");
    Ok(place)
}

async fn fill(bus: &Bus, keeper: &Keeper) -> anyhow::Result<Place> {
    // The history first, then the place: no fact behind the place is of an earlier history, but for what was on its way.
    let history = companies(bus, "").await?.history_id;
    let state = bus.stream_state(&DIRECTORY).await?;
    let sequence =
        state.ok_or_else(|| anyhow::anyhow!("the stream DIRECTORY does not exist yet"))?.last_sequence;
    keeper.run(|model| model.begin_snapshot()).await?;
    let mut after = String::new();
    loop {
        let page = companies(bus, &after).await?;
        anyhow::ensure!(page.history_id == history, "the directory began another history meanwhile");
        let Some(last) = page.companies.last() else { break };
        after.clone_from(&last.company_id);
        for company in &page.companies {
            users(bus, keeper, &company.company_id).await?;
            groups(bus, keeper, &company.company_id).await?;
        }
    }
    keeper
        .run(move |model| {
            model.finish_snapshot(&history, sequence)?;
            model.place()
        })
        .await
}

async fn companies(bus: &Bus, after: &str) -> anyhow::Result<ListCompaniesReply> {
    let question =
        ListCompanies { after_company_id: after.to_owned(), limit: COMPANIES, ..ListCompanies::default() };
    match ask(bus, LIST_COMPANIES, &question).await? {
        reply::Result::ListCompanies(page) => Ok(page),
        other => anyhow::bail!("not a list of companies: {}", refusal(&other)),
    }
}

async fn users(bus: &Bus, keeper: &Keeper, company: &str) -> anyhow::Result<()> {
    let mut after: Option<Position> = None;
    loop {
        let question =
            SearchUsers { company_id: company.to_owned(), limit: RESOURCES, after, ..SearchUsers::default() };
        let page = match ask(bus, SEARCH_USERS, &question).await? {
            reply::Result::SearchUsers(page) => page,
            other => anyhow::bail!("not a page of users: {}", refusal(&other)),
        };
        let changes: Vec<Change> = page.users.into_iter().map(user).collect();
        add(keeper, company, changes).await?;
        if page.next.is_none() {
            return Ok(());
        }
        after = page.next;
    }
}

async fn groups(bus: &Bus, keeper: &Keeper, company: &str) -> anyhow::Result<()> {
    let mut after: Option<Position> = None;
    loop {
        let question = SearchGroups {
            company_id: company.to_owned(),
            limit: RESOURCES,
            after,
            ..SearchGroups::default()
        };
        let page = match ask(bus, SEARCH_GROUPS, &question).await? {
            reply::Result::SearchGroups(page) => page,
            other => anyhow::bail!("not a page of groups: {}", refusal(&other)),
        };
        for record in page.groups {
            let group = record.group_id.clone();
            add(keeper, company, vec![group_of(record)]).await?;
            members(bus, keeper, company, &group).await?;
        }
        if page.next.is_none() {
            return Ok(());
        }
        after = page.next;
    }
}

/// The pages of a group that changes meanwhile are of several versions. Each member is kept with the version of its page,
/// and facts about versions behind the first page's are laid over that.
async fn members(bus: &Bus, keeper: &Keeper, company: &str, group: &str) -> anyhow::Result<()> {
    let mut after = String::new();
    let mut since = None;
    loop {
        let question = ListMembers {
            company_id: company.to_owned(),
            group_id: group.to_owned(),
            after_member_id: after.clone(),
            limit: MEMBERS,
        };
        let page = match ask(bus, LIST_MEMBERS, &question).await? {
            reply::Result::ListMembers(page) => page,
            other => anyhow::bail!("not a page of members: {}", refusal(&other)),
        };
        // Gone since the page of groups was read; a fact says so.
        if page.version == 0 {
            return Ok(());
        }
        since.get_or_insert(page.version);
        let last = page.members.last().map(|member| member.member_id.clone());
        let change = Change::Members {
            group: group.to_owned(),
            version: page.version,
            members: page.members.into_iter().map(|member| member.member_id).collect(),
            present: true,
        };
        add(keeper, company, vec![change]).await?;
        match last {
            Some(last) if page.has_more => after = last,
            _ => break,
        }
    }
    let (company, group) = (company.to_owned(), group.to_owned());
    let since = since.unwrap_or_default();
    keeper.run(move |model| model.members_known_since(&company, &group, since)).await
}

async fn add(keeper: &Keeper, company: &str, changes: Vec<Change>) -> anyhow::Result<()> {
    let company = company.to_owned();
    keeper.run(move |model| model.add(&company, &changes)).await
}

/// Asks, and asks again when nobody answers: a snapshot of a large directory should outlive a restart of it.
async fn ask(bus: &Bus, subject: &'static str, question: &impl Message) -> anyhow::Result<reply::Result> {
    let payload = question.encode_to_vec();
    let mut wait = FIRST_WAIT;
    for attempt in 1.. {
        match bus.ask(subject, payload.clone(), ANSWER_TIMEOUT).await {
            Ok(answer) => {
                let answer = Reply::decode(answer)?.result;
                let answer = answer.ok_or_else(|| anyhow::anyhow!("{subject} was answered with nothing"))?;
                if !is_to_be_asked_again(&answer) || attempt >= ATTEMPTS {
                    return Ok(answer);
                }
                tracing::debug!(subject, error = refusal(&answer), "asking again");
            }
            Err(error) if attempt >= ATTEMPTS => return Err(error.into()),
            Err(error) => tracing::debug!(subject, error = %Causes(&error), "asking again"),
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    anyhow::bail!("{subject} was not answered")
}

/// Whether the directory cannot answer just now.
fn is_to_be_asked_again(answer: &reply::Result) -> bool {
    matches!(answer, reply::Result::Failure(failure) if failure.reason() == failure::Reason::Unavailable)
}

fn refusal(answer: &reply::Result) -> String {
    match answer {
        reply::Result::Failure(failure) => failure.detail.clone(),
        _ => "an answer to something else".to_owned(),
    }
}
