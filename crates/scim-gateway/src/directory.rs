//! Questions about the present, asked of the directory.

use bus_contract::{
    Message as _,
    directory::{
        Failure, LookUpUser, Reply, SearchUsers, SearchUsersReply, UserRecord, look_up_user::Key, reply,
    },
    subject,
};
use bus_jetstream::request::AskError;
use typed_ids::CompanyId;

use crate::app::App;

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

/// The users with this key, in the order of their ids.
pub(crate) async fn look_up(app: &App, company: CompanyId, key: Key) -> Result<Vec<UserRecord>, QueryError> {
    let question = LookUpUser { company_id: company.to_string(), key: Some(key) };
    match ask(app, subject::LOOK_UP_USER, question.encode_to_vec()).await? {
        reply::Result::LookUpUser(reply) => Ok(reply.users),
        other => Err(unexpected(other)),
    }
}

/// One page of the users that satisfy a filter in canonical print, and how many there are in all.
pub(crate) async fn search(
    app: &App,
    company: CompanyId,
    filter: String,
    offset: u32,
    limit: u32,
) -> Result<SearchUsersReply, QueryError> {
    let question =
        SearchUsers { company_id: company.to_string(), filter, offset, limit, ..SearchUsers::default() };
    match ask(app, subject::SEARCH_USERS, question.encode_to_vec()).await? {
        reply::Result::SearchUsers(reply) => Ok(reply),
        other => Err(unexpected(other)),
    }
}

async fn ask(app: &App, subject: &'static str, question: Vec<u8>) -> Result<reply::Result, QueryError> {
    let subject = bus_jetstream::Subject::from_static(subject);
    let answer = app.bus.ask(subject, question, app.query_timeout).await.map_err(QueryError::Away)?;
    Reply::decode(answer).ok().and_then(|reply| reply.result).ok_or(QueryError::Nonsense)
}

fn unexpected(result: reply::Result) -> QueryError {
    match result {
        reply::Result::Failure(failure) => QueryError::Failed(failure),
        _ => QueryError::Nonsense,
    }
}
