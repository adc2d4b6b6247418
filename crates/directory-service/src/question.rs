//! From a question to its answer.

use std::time::Duration;

use bus_contract::{
    Message,
    directory::{
        Failure, ListMembers, ListMembersReply, LookUpGroup, LookUpGroupReply, LookUpUser, LookUpUserReply,
        Order, Position, Reply, SearchGroups, SearchGroupsReply, SearchUsers, SearchUsersReply, UserRecord,
        failure::Reason, look_up_group::Key as GroupKey, look_up_user::Key, reply,
    },
};
use diesel::{PgConnection, QueryResult};
use pg_pool::Pool;
use scim_protocol::{
    error::ScimError,
    filter::Filter,
    fold::fold,
    schema::{self, SchemaSet},
    sort::Sort,
};
use service_runtime::Causes;
use typed_ids::{CompanyId, GroupId, MemberId, UserId};

use crate::{
    extension,
    prefix::that_fits,
    store::{
        self,
        filter_sql::{self, Condition},
        groups::GroupRow,
        order_sql,
        resource_table::{self, ResourceTable},
        search::{FIRST_FILTER_BIND, Page, Search, ShownRow},
    },
};

/// Resources that one look-up by externalId returns at most; more than one is already an error to Entra.
const MAX_SAME_EXTERNAL_ID: i64 = 10;
/// Resources that one page holds at most, whatever was asked.
const MAX_PAGE: u32 = 1_000;

/// Members that one page holds at most, whatever was asked.
const MAX_MEMBERS: u32 = 10_000;
/// Bytes of records that one reply holds at most; NATS carries 1 MiB. A page that is cut short is still a page: whoever
/// asked goes on from where it ends.
pub(crate) const MAX_REPLY_BYTES: usize = 900 << 10;

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
                LookUp::Malformed => malformed(),
                _ => answered(reply::Result::LookUpUser(LookUpUserReply {
                    users: that_fits(users, MAX_REPLY_BYTES),
                })),
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

/// Answers one search for users.
pub(crate) async fn search_users(pool: &Pool, payload: &[u8], within: Duration) -> Reply {
    let Ok(question) = SearchUsers::decode(payload) else { return malformed() };
    let wanted = Wanted {
        filter: question.filter,
        order: question.order,
        after: question.after,
        limit: question.limit,
        offset: question.offset,
    };
    let Ok(company) = question.company_id.parse::<CompanyId>() else { return no_company() };
    let found = pool.transaction("users.search", move |conn| {
        store::open_company_within(conn, company, within)?;
        let declared = store::extensions::of_company(conn, company)?;
        let schemas = extension::users_with(declared.iter().map(String::as_str));
        let prepared = wanted.prepare(company, &resource_table::USERS, &schemas);
        match prepared {
            Ok(prepared) => store::search::users(conn, &prepared.search()).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    });
    match found.await {
        Ok(Ok(page)) => {
            let (total, rows, next) = page_of(page, ShownRow::into_record, |user| &user.user_id);
            answered(reply::Result::SearchUsers(SearchUsersReply { total, users: rows, next }))
        }
        Ok(Err(error)) => refused(&error),
        Err(error) => failed("search users", &error),
    }
}

/// Answers one search for groups.
pub(crate) async fn search_groups(pool: &Pool, payload: &[u8], within: Duration) -> Reply {
    let Ok(question) = SearchGroups::decode(payload) else { return malformed() };
    let wanted = Wanted {
        filter: question.filter,
        order: question.order,
        after: question.after,
        limit: question.limit,
        offset: question.offset,
    };
    let Ok(company) = question.company_id.parse::<CompanyId>() else { return no_company() };
    let found = pool.transaction("groups.search", move |conn| {
        store::open_company_within(conn, company, within)?;
        let prepared = wanted.prepare(company, &resource_table::GROUPS, schema::groups());
        match prepared {
            Ok(prepared) => store::search::groups(conn, &prepared.search()).map(Ok),
            Err(error) => Ok(Err(error)),
        }
    });
    match found.await {
        Ok(Ok(page)) => {
            let (total, rows, next) = page_of(page, GroupRow::into_record, |group| &group.group_id);
            answered(reply::Result::SearchGroups(SearchGroupsReply { total, groups: rows, next }))
        }
        Ok(Err(error)) => refused(&error),
        Err(error) => failed("search groups", &error),
    }
}

/// Answers one look-up of a group.
pub(crate) async fn look_up_group(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = LookUpGroup::decode(payload) else { return malformed() };
    let (Ok(company), Some(key)) = (question.company_id.parse::<CompanyId>(), question.key) else {
        return malformed();
    };
    let found = pool.run("groups.look_up", move |conn| {
        let companies = [company];
        match &key {
            GroupKey::GroupId(id) => match id.parse::<GroupId>() {
                Ok(id) => store::groups::rows_by_ids(conn, &companies, &[(company, id)]),
                Err(_not_ours) => Ok(vec![]),
            },
            GroupKey::DisplayName(name) => {
                store::groups::rows_by_names(conn, &companies, &[(company, fold(name))])
            }
            GroupKey::ExternalId(id) => {
                let keys = [(company, id.clone())];
                store::groups::rows_by_external_ids(conn, &companies, &keys, MAX_SAME_EXTERNAL_ID)
            }
        }
    });
    match found.await {
        Ok(rows) => {
            let groups = that_fits(rows.into_iter().map(GroupRow::into_record), MAX_REPLY_BYTES);
            answered(reply::Result::LookUpGroup(LookUpGroupReply { groups }))
        }
        Err(error) => failed("look up a group", &error),
    }
}

/// Answers with one page of a group's members.
pub(crate) async fn list_members(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = ListMembers::decode(payload) else { return malformed() };
    let after = match question.after_member_id.as_str() {
        "" => Ok(MemberId::from_uuid(uuid::Uuid::nil())),
        text => text.parse(),
    };
    let (Ok(company), Ok(after)) = (question.company_id.parse::<CompanyId>(), after) else {
        return malformed();
    };
    let Ok(group) = question.group_id.parse::<GroupId>() else {
        return answered(reply::Result::ListMembers(ListMembersReply::default()));
    };
    let limit = question.limit.clamp(1, MAX_MEMBERS);
    let found = pool
        .run("memberships.page", move |conn| {
            store::memberships::page(conn, (company, group), after, i64::from(limit) + 1)
        })
        .await;
    match found {
        Ok(None) => answered(reply::Result::ListMembers(ListMembersReply::default())),
        Ok(Some((version, members))) => {
            let count = members.len();
            let members = members.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX));
            let members = that_fits(members, MAX_REPLY_BYTES);
            let has_more = members.len() < count;
            answered(reply::Result::ListMembers(ListMembersReply { version, members, has_more }))
        }
        Err(error) => failed("list members", &error),
    }
}

/// What a search asks for, as it arrives.
struct Wanted {
    filter: String,
    order: Option<Order>,
    after: Option<Position>,
    limit: u32,
    offset: u32,
}

/// The same, ready for the database.
struct Prepared {
    company: CompanyId,
    condition: Condition,
    order: order_sql::Order,
    limit: i64,
    offset: i64,
}

impl Wanted {
    fn prepare(
        &self,
        company: CompanyId,
        table: &'static ResourceTable,
        schemas: &SchemaSet,
    ) -> Result<Prepared, ScimError> {
        let condition = match self.filter.as_str() {
            "" => Condition { sql: "true".to_owned(), binds: vec![] },
            filter => filter_sql::compile(table, &Filter::parse(schemas, filter)?, FIRST_FILTER_BIND)?,
        };
        let sort = match &self.order {
            None => None,
            Some(order) => {
                let direction = if order.descending { "descending" } else { "ascending" };
                Sort::parse(schemas, Some(&order.path), Some(direction))?
            }
        };
        let first_bind = FIRST_FILTER_BIND + condition.binds.len();
        let order = order_sql::compile(table, sort.as_ref(), self.after.as_ref(), first_bind)?;
        let limit = i64::from(self.limit.min(MAX_PAGE));
        Ok(Prepared { company, condition, order, limit, offset: i64::from(self.offset) })
    }
}

impl Prepared {
    fn search(&self) -> Search<'_> {
        Search {
            company: self.company,
            condition: &self.condition,
            order: &self.order,
            limit: self.limit,
            offset: self.offset,
        }
    }
}

/// As much of a page as one reply carries, and where the next one begins.
fn page_of<R, T: Message>(
    page: Page<R>,
    into_record: fn(R) -> T,
    id: fn(&T) -> &String,
) -> (u64, Vec<T>, Option<Position>) {
    let count = page.rows.len();
    let rows = that_fits(page.rows.into_iter().map(into_record), MAX_REPLY_BYTES);
    let has_more = page.has_more || rows.len() < count;
    let last = rows.last().zip(page.keys.into_iter().nth(rows.len().saturating_sub(1)));
    let next = last.filter(|_| has_more).map(|(last, key)| Position { id: id(last).clone(), key });
    (u64::try_from(page.total).unwrap_or(0), rows, next)
}

/// A refusal in SCIM's words.
pub(crate) fn refused(error: &ScimError) -> Reply {
    let scim_type = error.scim_type.map(|kind| kind.as_str()).unwrap_or_default();
    failure(Reason::Invalid, scim_type, &error.detail)
}

fn no_company() -> Reply {
    failure(Reason::Invalid, "", "the question names no company")
}

fn malformed() -> Reply {
    failure(Reason::Invalid, "", "the question is malformed")
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

/// Too many of the company's questions wait already.
pub(crate) fn too_many() -> Reply {
    failure(Reason::Unavailable, "", "too many questions of this company wait already; ask fewer at once")
}

/// Logs why Postgres did not answer and tells the asker to come again.
pub(crate) fn failed(doing: &'static str, error: &pg_pool::Error) -> Reply {
    tracing::warn!(error = %Causes(error), doing, "a question could not be answered");
    unavailable()
}

/// Whoever asked is to come again.
pub(crate) fn unavailable() -> Reply {
    failure(Reason::Unavailable, "", "the directory cannot answer at the moment")
}
