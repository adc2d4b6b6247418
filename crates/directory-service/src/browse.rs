//! Answers people who look through users and groups.

use bus_contract::{
    Message,
    directory::{
        BrowseGroups, BrowseGroupsReply, BrowseUsers, BrowseUsersReply, Reply, browse_users::State,
        failure::Reason, reply,
    },
};
use pg_pool::Pool;
use scim_protocol::fold::fold;
use typed_ids::{CompanyId, GroupId, UserId};

use crate::{
    prefix::that_fits,
    question::{MAX_REPLY_BYTES, answered, failed, failure},
    search_keys,
    store::{self, browse::Sought, groups::GroupRow},
};

/// The most resources of a page.
const MAX_PAGE: u32 = 200;
/// The longest text that is looked for, in characters; no name is longer.
const MAX_SEARCH: usize = 512;

/// The place behind which the page was to begin is gone.
struct PlaceGone;

/// Answers one page of users.
pub(crate) async fn users(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = BrowseUsers::decode(payload) else { return invalid("the question is malformed") };
    let active = match question.state() {
        State::Any => None,
        State::Active => Some(true),
        State::Inactive => Some(false),
    };
    let sought = match sought(&question.company_id, &question.search, question.limit) {
        Ok(sought) => Sought { active, ..sought },
        Err(detail) => return invalid(&detail),
    };
    let Ok(after) = place::<UserId>(&question.after_user_id) else {
        return invalid("after_user_id is no id");
    };
    let found = pool.transaction("users.browse", move |conn| {
        let companies = [sought.company];
        store::open_companies(conn, &companies)?;
        let after = match after {
            None => Some(String::new()),
            Some(user) => store::browse::user_name_of(conn, sought.company, user)?,
        };
        let Some(after) = after else { return Ok(Err(PlaceGone)) };
        let found = store::browse::users(conn, &sought, &after)?;
        Ok(Ok(store::browse::listed(conn, sought.company, &found)?))
    });
    match found.await {
        Ok(Ok(records)) => {
            let (users, has_more) = page(records.into_iter(), question.limit);
            answered(reply::Result::BrowseUsers(BrowseUsersReply { users, has_more }))
        }
        Ok(Err(PlaceGone)) => invalid("there is no user with the id after_user_id any more; begin again"),
        Err(error) => failed("browse users", &error),
    }
}

/// Answers one page of groups.
pub(crate) async fn groups(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = BrowseGroups::decode(payload) else { return invalid("the question is malformed") };
    let sought = match sought(&question.company_id, &question.search, question.limit) {
        Ok(sought) => sought,
        Err(detail) => return invalid(&detail),
    };
    let Ok(after) = place::<GroupId>(&question.after_group_id) else {
        return invalid("after_group_id is no id");
    };
    let found = pool.transaction("groups.browse", move |conn| {
        let companies = [sought.company];
        store::open_companies(conn, &companies)?;
        let after = match after {
            None => Some(String::new()),
            Some(group) => store::browse::group_name_of(conn, sought.company, group)?,
        };
        let Some(after) = after else { return Ok(Err(PlaceGone)) };
        let found = store::browse::groups(conn, &sought, &after)?;
        let keys: Vec<_> = found.iter().map(|group| (sought.company, *group)).collect();
        let mut rows = store::groups::rows_by_ids(conn, &companies, &keys)?;
        rows.sort_by_key(|row| found.iter().position(|group| *group == row.id()));
        Ok(Ok(rows))
    });
    match found.await {
        Ok(Ok(rows)) => {
            let (groups, has_more) = page(rows.into_iter().map(GroupRow::into_record), question.limit);
            answered(reply::Result::BrowseGroups(BrowseGroupsReply { groups, has_more }))
        }
        Ok(Err(PlaceGone)) => invalid("there is no group with the id after_group_id any more; begin again"),
        Err(error) => failed("browse groups", &error),
    }
}

fn sought(company: &str, search: &str, limit: u32) -> Result<Sought, String> {
    let company: CompanyId =
        company.parse().map_err(|_not_an_id| "the question names no company".to_owned())?;
    if !(1..=MAX_PAGE).contains(&limit) {
        return Err(format!("limit is 1 to {MAX_PAGE}"));
    }
    let text = search.trim();
    if text.chars().count() > MAX_SEARCH || text.contains('\0') {
        return Err(format!("search has at most {MAX_SEARCH} characters, none of them U+0000"));
    }
    Ok(Sought {
        company,
        prefix: fold(text),
        beginnings: search_keys::beginnings(text),
        text: text.to_owned(),
        active: None,
        // One more tells whether there are more.
        limit: i64::from(limit) + 1,
    })
}

fn place<T: std::str::FromStr>(text: &str) -> Result<Option<T>, T::Err> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some) }
}

/// As much of a page as was asked for and as one reply carries, and whether there are more.
fn page<T: Message>(records: impl ExactSizeIterator<Item = T>, limit: u32) -> (Vec<T>, bool) {
    let (count, limit) = (records.len(), usize::try_from(limit).unwrap_or(usize::MAX));
    let records = that_fits(records.take(limit), MAX_REPLY_BYTES);
    let has_more = records.len() < count;
    (records, has_more)
}

fn invalid(detail: &str) -> Reply {
    failure(Reason::Invalid, "", detail)
}
