//! From a question to its answer.

use bus_contract::{
    Message,
    directory::{
        Failure, LookUpUser, LookUpUserReply, Reply, SearchUsers, SearchUsersReply, UserRecord,
        failure::Reason, look_up_user::Key, reply,
    },
};
use diesel::{PgConnection, QueryResult};
use pg_pool::Pool;
use scim_protocol::{error::ScimError, filter::Filter, fold::fold, schema};
use service_runtime::Causes;
use typed_ids::{CompanyId, UserId};

use crate::store::{
    self,
    filter_sql::{self, Condition},
    search::{FIRST_FILTER_BIND, ShownRow},
};

/// Users that one look-up by externalId returns at most; more than one is already an error to Entra.
const MAX_SAME_EXTERNAL_ID: i64 = 10;
/// Users that one page holds at most, whatever was asked.
const MAX_PAGE: u32 = 1_000;

/// Bytes of users that one reply holds at most; NATS carries 1 MiB. A page that is cut short is still a page: whoever
/// asked goes on from where it ends.
const MAX_REPLY_BYTES: usize = 900 << 10;

/// A look-up that can be answered, or the reply to one that cannot.
pub(crate) enum LookUp {
    ById(CompanyId, UserId),
    ByUserName(CompanyId, String),
    ByExternalId(CompanyId, String),
    /// Not ours to look up: an id of another form belongs to nobody.
    Nobody,
    Malformed,
}

/// Reads a look-up.
pub(crate) fn read(question: Result<LookUpUser, impl std::error::Error>) -> LookUp {
    let Ok(question) = question else { return LookUp::Malformed };
    let (Ok(company), Some(key)) = (question.company_id.parse(), question.key) else {
        return LookUp::Malformed;
    };
    match key {
        Key::UserId(id) => id.parse().map_or(LookUp::Nobody, |id| LookUp::ById(company, id)),
        Key::UserName(name) => LookUp::ByUserName(company, fold(&name)),
        Key::ExternalId(id) => LookUp::ByExternalId(company, id),
    }
}

/// Answers a batch of look-ups, in their order, with a statement for each kind of key that there is.
pub(crate) async fn look_up(pool: &Pool, questions: Vec<LookUp>) -> Vec<Reply> {
    let count = questions.len();
    let questions = std::sync::Arc::new(questions);
    let found = {
        let questions = std::sync::Arc::clone(&questions);
        pool.run("users.look_up", move |conn| look_up_all(conn, &questions)).await
    };
    match found {
        Ok(found) => found
            .into_iter()
            .zip(questions.iter())
            .map(|(users, question)| match question {
                LookUp::Malformed => failure(Reason::Invalid, "", "the question is malformed"),
                _ => answered(reply::Result::LookUpUser(LookUpUserReply { users: that_fit(users) })),
            })
            .collect(),
        Err(error) => vec![failed("look up users", &error); count],
    }
}

fn look_up_all(conn: &mut PgConnection, questions: &[LookUp]) -> QueryResult<Vec<Vec<UserRecord>>> {
    let (mut ids, mut names, mut external_ids) = (vec![], vec![], vec![]);
    // Where each statement's results belong.
    let (mut id_places, mut name_places, mut external_places) = (vec![], vec![], vec![]);
    for (place, question) in questions.iter().enumerate() {
        match question {
            LookUp::ById(company, id) => {
                ids.push((*company, *id));
                id_places.push(place);
            }
            LookUp::ByUserName(company, name) => {
                names.push((*company, name.clone()));
                name_places.push(place);
            }
            LookUp::ByExternalId(company, id) => {
                external_ids.push((*company, id.clone()));
                external_places.push(place);
            }
            LookUp::Nobody | LookUp::Malformed => {}
        }
    }
    let mut companies: Vec<CompanyId> = ids.iter().map(|(company, _)| *company).collect();
    companies.extend(names.iter().map(|(company, _)| *company));
    companies.extend(external_ids.iter().map(|(company, _)| *company));
    companies.sort_unstable();
    companies.dedup();
    let mut found = vec![vec![]; questions.len()];
    let mut place_all = |rows: Vec<ShownRow>, places: &[usize]| {
        for row in rows {
            if let Some(&place) = usize::try_from(row.place).ok().and_then(|place| places.get(place)) {
                found[place].push(row.into_record());
            }
        }
    };
    if !ids.is_empty() {
        place_all(store::search::by_ids(conn, &companies, &ids)?, &id_places);
    }
    if !names.is_empty() {
        place_all(store::search::by_user_names(conn, &companies, &names)?, &name_places);
    }
    if !external_ids.is_empty() {
        let rows = store::search::by_external_ids(conn, &companies, &external_ids, MAX_SAME_EXTERNAL_ID)?;
        place_all(rows, &external_places);
    }
    Ok(found)
}

/// Answers one search.
pub(crate) async fn search(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = SearchUsers::decode(payload) else {
        return failure(Reason::Invalid, "", "the question is malformed");
    };
    let Ok(company) = question.company_id.parse::<CompanyId>() else {
        return failure(Reason::Invalid, "", "the question names no company");
    };
    let condition = match condition(&question.filter) {
        Ok(condition) => condition,
        Err(error) => {
            let scim_type = error.scim_type.map(|kind| kind.as_str()).unwrap_or_default();
            return failure(Reason::Invalid, scim_type, &error.detail);
        }
    };
    let (limit, offset) = (i64::from(question.limit.min(MAX_PAGE)), i64::from(question.offset));
    let page = pool
        .transaction("users.search", move |conn| {
            store::open_companies(conn, &[company])?;
            store::search::page(conn, company, &condition, limit, offset)
        })
        .await;
    match page {
        Ok((total, users)) => answered(reply::Result::SearchUsers(SearchUsersReply {
            total: u64::try_from(total).unwrap_or(0),
            users: that_fit(users.into_iter().map(ShownRow::into_record)),
        })),
        Err(error) => failed("search users", &error),
    }
}

/// As many users from the beginning as one reply can carry.
fn that_fit(users: impl IntoIterator<Item = UserRecord>) -> Vec<UserRecord> {
    let mut bytes = 0;
    let fits = |user: &UserRecord| {
        bytes += user.encoded_len();
        bytes <= MAX_REPLY_BYTES
    };
    users.into_iter().take_while(fits).collect()
}

fn condition(filter: &str) -> Result<Condition, ScimError> {
    if filter.is_empty() {
        return Ok(Condition { sql: "true".to_owned(), binds: vec![] });
    }
    filter_sql::compile(&Filter::parse(schema::users(), filter)?, FIRST_FILTER_BIND)
}

/// Wraps an answer.
pub(crate) fn answered(result: reply::Result) -> Reply {
    Reply { result: Some(result) }
}

/// A refusal to answer.
pub(crate) fn failure(reason: Reason, scim_type: &str, detail: &str) -> Reply {
    answered(reply::Result::Failure(Failure {
        reason: reason.into(),
        scim_type: scim_type.to_owned(),
        detail: detail.to_owned(),
    }))
}

/// Logs why Postgres did not answer and tells the asker to come again.
pub(crate) fn failed(doing: &'static str, error: &pg_pool::Error) -> Reply {
    tracing::warn!(error = %Causes(error), doing, "a question could not be answered");
    failure(Reason::Unavailable, "", "the directory cannot answer at the moment")
}
