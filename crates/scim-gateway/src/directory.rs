//! Questions about the present, asked of the directory.

mod record;

use bus_contract::{
    Message as _,
    directory::{
        Failure, ListMembers, ListMembersReply, LookUpGroup, LookUpUser, Order, Position, Reply,
        SearchGroups, SearchUsers, look_up_group, look_up_user, reply,
    },
    subject,
};
use bus_jetstream::{Subject, request::AskError};
use scim_protocol::bulk::Endpoint;
use typed_ids::CompanyId;

pub(crate) use self::record::Record;
use crate::app::App;

/// Members that are asked for at once. With names of ordinary length a page is well under the bus's limit of 1 MiB.
const MEMBERS_PER_PAGE: u32 = 5_000;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("could not ask the directory")]
    Away(#[source] AskError),
    #[error("the directory could not answer")]
    Failed(Failure),
    #[error("could not read the directory's answer")]
    Nonsense,
}

/// A value that the directory finds by an index, many at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Key {
    Id(String),
    /// `userName` or `displayName`.
    Name(String),
    ExternalId(String),
}

/// A part of the resources that a filter finds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// In canonical print; empty for all of them.
    pub(crate) filter: String,
    pub(crate) offset: u32,
    pub(crate) limit: u32,
    pub(crate) order: Option<Order>,
    /// In place of the offset.
    pub(crate) after: Option<Position>,
}

/// What a search found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) total: u64,
    pub(crate) records: Vec<Record>,
    /// Where the next page begins, when there is one.
    pub(crate) next: Option<Position>,
}

/// The resources with this key, in the order of their ids.
pub(crate) async fn look_up(
    app: &App,
    company: CompanyId,
    endpoint: Endpoint,
    key: Key,
) -> Result<Vec<Record>, QueryError> {
    let company_id = company.to_string();
    let (subject, question) = match endpoint {
        Endpoint::Users => {
            let key = match key {
                Key::Id(id) => look_up_user::Key::UserId(id),
                Key::Name(name) => look_up_user::Key::UserName(name),
                Key::ExternalId(id) => look_up_user::Key::ExternalId(id),
            };
            (subject::LOOK_UP_USER, LookUpUser { company_id, key: Some(key) }.encode_to_vec())
        }
        Endpoint::Groups => {
            let key = match key {
                Key::Id(id) => look_up_group::Key::GroupId(id),
                Key::Name(name) => look_up_group::Key::DisplayName(name),
                Key::ExternalId(id) => look_up_group::Key::ExternalId(id),
            };
            (subject::LOOK_UP_GROUP, LookUpGroup { company_id, key: Some(key) }.encode_to_vec())
        }
    };
    match (endpoint, ask(app, subject, question).await?) {
        (Endpoint::Users, reply::Result::LookUpUser(reply)) => Ok(records(reply.users)),
        (Endpoint::Groups, reply::Result::LookUpGroup(reply)) => Ok(records(reply.groups)),
        (_, other) => Err(unexpected(other)),
    }
}

/// One page of the resources that a search finds, and how many there are in all.
pub(crate) async fn search(
    app: &App,
    company: CompanyId,
    endpoint: Endpoint,
    search: Search,
) -> Result<Found, QueryError> {
    let company_id = company.to_string();
    let Search { filter, offset, limit, order, after } = search;
    let patience_ms = u32::try_from(app.query_timeout.as_millis()).unwrap_or(u32::MAX);
    let (subject, question) = match endpoint {
        Endpoint::Users => {
            let question = SearchUsers { company_id, filter, offset, limit, order, after, patience_ms };
            (subject::SEARCH_USERS, question.encode_to_vec())
        }
        Endpoint::Groups => {
            let question = SearchGroups { company_id, filter, offset, limit, order, after, patience_ms };
            (subject::SEARCH_GROUPS, question.encode_to_vec())
        }
    };
    match (endpoint, ask(app, subject, question).await?) {
        (Endpoint::Users, reply::Result::SearchUsers(reply)) => {
            Ok(Found { total: reply.total, records: records(reply.users), next: reply.next })
        }
        (Endpoint::Groups, reply::Result::SearchGroups(reply)) => {
            Ok(Found { total: reply.total, records: records(reply.groups), next: reply.next })
        }
        (_, other) => Err(unexpected(other)),
    }
}

/// One page of the members of a group, behind the member with the id `after`; the first one behind nobody.
pub(crate) async fn list_members(
    app: &App,
    company: CompanyId,
    group: &str,
    after: &str,
) -> Result<ListMembersReply, QueryError> {
    let question = ListMembers {
        company_id: company.to_string(),
        group_id: group.to_owned(),
        after_member_id: after.to_owned(),
        limit: MEMBERS_PER_PAGE,
    };
    match ask(app, subject::LIST_MEMBERS, question.encode_to_vec()).await? {
        // Whoever pages on from nowhere never arrives.
        reply::Result::ListMembers(page) if page.has_more && page.members.is_empty() => {
            Err(QueryError::Nonsense)
        }
        reply::Result::ListMembers(page) => Ok(page),
        other => Err(unexpected(other)),
    }
}

async fn ask(app: &App, subject: &'static str, question: Vec<u8>) -> Result<reply::Result, QueryError> {
    let subject = Subject::from_static(subject);
    let answer = app.bus.ask(subject, question, app.query_timeout).await.map_err(QueryError::Away)?;
    Reply::decode(answer).ok().and_then(|reply| reply.result).ok_or(QueryError::Nonsense)
}

fn unexpected(result: reply::Result) -> QueryError {
    match result {
        reply::Result::Failure(failure) => QueryError::Failed(failure),
        _ => QueryError::Nonsense,
    }
}

fn records<R: Into<Record>>(found: Vec<R>) -> Vec<Record> {
    found.into_iter().map(Into::into).collect()
}
