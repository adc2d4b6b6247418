//! The table of users: point reads for many keys at once, and set-based writes.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, Queryable, RunQueryDsl,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use scim_protocol::fold::fold;
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use crate::user::{Canonical, User};

pg_pool::static_sql! {
    ByIds -> (SqlUuid, SqlUuid, BigInt, Timestamptz, Timestamptz, Text) =
        "select u.company_id, u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes \
         from unnest($1, $2) as k(company_id, user_id) join users u using (company_id, user_id)";
    NameHolders -> (BigInt, SqlUuid) =
        "select k.place - 1, u.user_id \
         from unnest($1, $2) with ordinality as k(company_id, user_name_key, place) \
         join users u on u.company_id = k.company_id and u.user_name_key = k.user_name_key";
    DisplayNames -> (SqlUuid, SqlUuid, Nullable<Text>) =
        "select u.company_id, u.user_id, u.display_name \
         from unnest($1, $2) as k(company_id, user_id) join users u using (company_id, user_id)";
    Insert =
        "insert into users (company_id, user_id, user_name_key, external_id, work_email_key, many_work_emails, \
           active, manager_id, display_name, version, created_at, last_modified_at, attributes) \
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    Update =
        "update users u set user_name_key = v.user_name_key, external_id = v.external_id, \
           work_email_key = v.work_email_key, many_work_emails = v.many_work_emails, active = v.active, \
           manager_id = v.manager_id, display_name = v.display_name, version = v.version, \
           created_at = v.created_at, last_modified_at = v.last_modified_at, attributes = v.attributes \
         from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as v(company_id, user_id, \
           user_name_key, external_id, work_email_key, many_work_emails, active, manager_id, display_name, \
           version, created_at, last_modified_at, attributes) \
         where u.company_id = v.company_id and u.user_id = v.user_id";
    Delete =
        "delete from users u using unnest($1, $2) as k(company_id, user_id) \
         where u.company_id = k.company_id and u.user_id = k.user_id"
}

/// A row of [`ByIds`].
#[derive(Queryable)]
struct UserRow {
    company_id: Uuid,
    user_id: Uuid,
    version: i64,
    created_at: DateTime<Utc>,
    last_modified_at: DateTime<Utc>,
    attributes: String,
}

impl UserRow {
    fn into_user(self) -> QueryResult<User> {
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
pub(crate) fn by_ids(conn: &mut PgConnection, keys: &[(CompanyId, UserId)]) -> QueryResult<Vec<User>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    statement(ByIds)
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(company, _)| company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .load::<UserRow>(conn)?
        .into_iter()
        .map(UserRow::into_user)
        .collect()
}

/// Who holds each of these folded names, in their order.
pub(crate) fn name_holders(
    conn: &mut PgConnection,
    names: &[(CompanyId, String)],
) -> QueryResult<Vec<Option<UserId>>> {
    let mut holders = vec![None; names.len()];
    if names.is_empty() {
        return Ok(holders);
    }
    let rows: Vec<(i64, Uuid)> = statement(NameHolders)
        .bind::<Array<SqlUuid>, _>(names.iter().map(|(company, _)| company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .load(conn)?;
    for (place, holder) in rows {
        if let Some(found) = usize::try_from(place).ok().and_then(|place| holders.get_mut(place)) {
            *found = Some(UserId::from_uuid(holder));
        }
    }
    Ok(holders)
}

/// Which of these users exist, with what they are called.
pub(crate) fn display_names(
    conn: &mut PgConnection,
    keys: &[(CompanyId, UserId)],
) -> QueryResult<HashMap<(CompanyId, UserId), Option<String>>> {
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(Uuid, Uuid, Option<String>)> = statement(DisplayNames)
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(company, _)| company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(company, user, name)| ((CompanyId::from_uuid(company), UserId::from_uuid(user)), name))
        .collect())
}

/// One array per column: a quarter of the client CPU that a row of binds per user costs, and one prepared statement
/// whatever the batch's size.
struct Columns<'a> {
    company_ids: Vec<Uuid>,
    user_ids: Vec<Uuid>,
    user_name_keys: Vec<String>,
    external_ids: Vec<Option<&'a str>>,
    work_email_keys: Vec<Option<String>>,
    many_work_emails: Vec<bool>,
    active: Vec<bool>,
    manager_ids: Vec<Option<Uuid>>,
    display_names: Vec<Option<&'a str>>,
    versions: Vec<i64>,
    created_at: Vec<DateTime<Utc>>,
    last_modified_at: Vec<DateTime<Utc>>,
    attributes: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    fn of(users: &'a [User]) -> Self {
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
            external_ids: users.iter().map(User::external_id).collect(),
            work_email_keys,
            many_work_emails,
            active: users.iter().map(User::is_active).collect(),
            manager_ids: users.iter().map(|user| user.manager().map(UserId::as_uuid)).collect(),
            display_names: users.iter().map(User::display_name).collect(),
            versions: users.iter().map(|user| user.version).collect(),
            created_at: users.iter().map(|user| user.created_at).collect(),
            last_modified_at: users.iter().map(|user| user.last_modified_at).collect(),
            attributes: users.iter().map(|user| user.attributes.json()).collect(),
        }
    }
}

macro_rules! write_columns {
    ($sql:expr, $conn:expr, $columns:expr) => {{
        let columns = $columns;
        statement($sql)
            .bind::<Array<SqlUuid>, _>(columns.company_ids)
            .bind::<Array<SqlUuid>, _>(columns.user_ids)
            .bind::<Array<Text>, _>(columns.user_name_keys)
            .bind::<Array<Nullable<Text>>, _>(columns.external_ids)
            .bind::<Array<Nullable<Text>>, _>(columns.work_email_keys)
            .bind::<Array<Bool>, _>(columns.many_work_emails)
            .bind::<Array<Bool>, _>(columns.active)
            .bind::<Array<Nullable<SqlUuid>>, _>(columns.manager_ids)
            .bind::<Array<Nullable<Text>>, _>(columns.display_names)
            .bind::<Array<BigInt>, _>(columns.versions)
            .bind::<Array<Timestamptz>, _>(columns.created_at)
            .bind::<Array<Timestamptz>, _>(columns.last_modified_at)
            .bind::<Array<Text>, _>(columns.attributes)
            .execute($conn)
    }};
}

/// Adds users. A name or id that is taken is an error of the whole statement: the caller decided beforehand.
pub(crate) fn insert(conn: &mut PgConnection, users: &[User]) -> QueryResult<usize> {
    if users.is_empty() {
        return Ok(0);
    }
    write_columns!(Insert, conn, Columns::of(users))
}

/// Overwrites users.
pub(crate) fn update(conn: &mut PgConnection, users: &[User]) -> QueryResult<usize> {
    if users.is_empty() {
        return Ok(0);
    }
    write_columns!(Update, conn, Columns::of(users))
}

/// Removes users for good.
pub(crate) fn delete(conn: &mut PgConnection, keys: &[(CompanyId, UserId)]) -> QueryResult<usize> {
    if keys.is_empty() {
        return Ok(0);
    }
    statement(Delete)
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(company, _)| company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .execute(conn)
}
