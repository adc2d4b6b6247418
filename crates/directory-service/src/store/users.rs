//! The table of users: point reads for many keys at once, and the columns of what is written.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, Queryable, RunQueryDsl,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use scim_protocol::fold::fold;
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use super::{companies_setting, log::target_key};
use crate::{
    search_keys,
    user::{Canonical, User},
};

pg_pool::static_sql! {
    // What `o` and `offset 0` are for is said in `store::batch`.
    ByIds -> (SqlUuid, SqlUuid, BigInt, Timestamptz, Timestamptz, Text) =
        "select u.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, user_id) cross join lateral ( \
           select u.company_id, u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes from users u \
           where u.company_id = k.company_id and u.user_id = k.user_id and o.opened is not null offset 0) u";
    NameHolders -> (BigInt, SqlUuid) =
        "select k.place - 1, u.user_id from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) with ordinality as k(company_id, user_name_key, place) cross join lateral ( \
           select u.user_id from users u where u.company_id = k.company_id and u.user_name_key = k.user_name_key \
           and o.opened is not null offset 0) u";
    DisplayNames -> (SqlUuid, SqlUuid, Nullable<Text>) =
        "select u.* from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) as k(company_id, user_id) cross join lateral ( \
           select u.company_id, u.user_id, u.display_name from users u \
           where u.company_id = k.company_id and u.user_id = k.user_id and o.opened is not null offset 0) u";
    Delete = "delete from users where company_id = $1 and user_id = any ($2)"
}

/// A row of [`ByIds`].
#[derive(Queryable)]
pub(super) struct UserRow {
    pub(super) company_id: Uuid,
    pub(super) user_id: Uuid,
    pub(super) version: i64,
    pub(super) created_at: DateTime<Utc>,
    pub(super) last_modified_at: DateTime<Utc>,
    pub(super) attributes: String,
}

impl UserRow {
    pub(super) fn into_user(self) -> QueryResult<User> {
        let attributes = Canonical::read(self.attributes)
            .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))?;
        Ok(User {
            company: CompanyId::from_uuid(self.company_id),
            id: UserId::from_uuid(self.user_id),
            version: self.version,
            created_at: self.created_at,
            last_modified_at: self.last_modified_at,
            attributes,
        })
    }
}

/// The users with these ids, those that exist.
pub(crate) fn by_ids(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, UserId)],
) -> QueryResult<Vec<User>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    statement(ByIds)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .load::<UserRow>(conn)?
        .into_iter()
        .map(UserRow::into_user)
        .collect()
}

/// Who holds each of these folded names, in their order.
pub(crate) fn name_holders(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    names: &[(CompanyId, String)],
) -> QueryResult<Vec<Option<UserId>>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<(i64, Uuid)> = statement(NameHolders)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(names))
        .bind::<Array<Text>, _>(names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(in_places(names.len(), rows, UserId::from_uuid))
}

/// Which of these users exist, with what they are called.
pub(crate) fn display_names(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, UserId)],
) -> QueryResult<HashMap<(CompanyId, UserId), Option<String>>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, Uuid, Option<String>)> = statement(DisplayNames)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(company, user, name)| ((CompanyId::from_uuid(company), UserId::from_uuid(user)), name))
        .collect())
}

/// Removes users of one company for good. The transaction must have opened it.
pub(crate) fn delete(conn: &mut PgConnection, company: CompanyId, users: &[UserId]) -> QueryResult<usize> {
    statement(Delete)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Array<SqlUuid>, _>(users.iter().map(|user| user.as_uuid()).collect::<Vec<_>>())
        .execute(conn)
}

/// The ids that were found, each at the place of what was asked for.
pub(super) fn in_places<T: Clone>(count: usize, rows: Vec<(i64, Uuid)>, id: fn(Uuid) -> T) -> Vec<Option<T>> {
    let mut places = vec![None; count];
    for (place, found) in rows {
        if let Some(at) = usize::try_from(place).ok().and_then(|place| places.get_mut(place)) {
            *at = Some(id(found));
        }
    }
    places
}

/// The first column of a list of keys.
pub(super) fn companies_of<T>(keys: &[(CompanyId, T)]) -> Vec<Uuid> {
    keys.iter().map(|(company, _)| company.as_uuid()).collect()
}

/// One array per column: a quarter of the client CPU that a row of binds per user costs, and one prepared statement
/// whatever the batch's size.
pub(super) struct Columns<'a> {
    pub(super) company_ids: Vec<Uuid>,
    pub(super) user_ids: Vec<Uuid>,
    pub(super) user_name_keys: Vec<String>,
    pub(super) external_ids: Vec<Option<&'a str>>,
    pub(super) work_email_keys: Vec<Option<String>>,
    pub(super) many_work_emails: Vec<bool>,
    pub(super) active: Vec<bool>,
    pub(super) manager_ids: Vec<Option<Uuid>>,
    pub(super) display_names: Vec<Option<&'a str>>,
    pub(super) display_name_keys: Vec<Option<String>>,
    pub(super) versions: Vec<i64>,
    pub(super) created_at: Vec<DateTime<Utc>>,
    pub(super) last_modified_at: Vec<DateTime<Utc>>,
    pub(super) attributes: Vec<&'a str>,
    pub(super) search_keys: Vec<String>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(users: &[&'a User]) -> Self {
        let (work_email_keys, many_work_emails) = users
            .iter()
            .map(|user| {
                let mut keys = user.work_email_keys();
                (keys.next(), keys.next().is_some())
            })
            .unzip();
        Self {
            company_ids: users.iter().map(|user| user.company.as_uuid()).collect(),
            user_ids: users.iter().map(|user| user.id.as_uuid()).collect(),
            user_name_keys: users.iter().map(|user| fold(user.user_name())).collect(),
            external_ids: users.iter().map(|user| user.external_id()).collect(),
            work_email_keys,
            many_work_emails,
            active: users.iter().map(|user| user.is_active()).collect(),
            manager_ids: users.iter().map(|user| user.manager().map(UserId::as_uuid)).collect(),
            display_names: users.iter().map(|user| user.display_name()).collect(),
            display_name_keys: users.iter().map(|user| user.display_name().map(target_key)).collect(),
            versions: users.iter().map(|user| user.version).collect(),
            created_at: users.iter().map(|user| user.created_at).collect(),
            last_modified_at: users.iter().map(|user| user.last_modified_at).collect(),
            attributes: users.iter().map(|user| user.attributes.json()).collect(),
            search_keys: users.iter().map(|user| search_keys::of(user)).collect(),
        }
    }
}
