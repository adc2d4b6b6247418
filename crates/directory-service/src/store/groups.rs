//! The table of groups: point reads for many keys at once, and writes inside the transaction of a batch.

use bus_contract::directory::GroupRecord;
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, Queryable, QueryableByName, RunQueryDsl,
    sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use scim_protocol::fold::fold;
use typed_ids::{CompanyId, GroupId};
use uuid::Uuid;

use super::{
    companies_setting,
    users::{companies_of, in_places},
};
use crate::{group::Group, time::to_timestamp, user::Canonical};

/// What `o` and `offset 0` are for is said in `store::batch`.
macro_rules! found {
    ($key:literal, $where:literal) => {
        concat!(
            "select g.* from (select set_config('timeclock.companies', $1, true) as opened) o \
             cross join unnest($2, $3) as k(company_id, ",
            $key,
            ") cross join lateral (select g.company_id, g.group_id, g.version, g.created_at, \
               g.last_modified_at, g.attributes from groups g where g.company_id = k.company_id and ",
            $where,
            ") g"
        )
    };
}

pg_pool::static_sql! {
    ByIds -> (SqlUuid, SqlUuid, BigInt, Timestamptz, Timestamptz, Text) =
        found!("group_id", "g.group_id = k.group_id and o.opened is not null offset 0");
    ByNames -> (SqlUuid, SqlUuid, BigInt, Timestamptz, Timestamptz, Text) =
        found!("name", "g.display_name_key = k.name and o.opened is not null offset 0");
    ByExternalIds -> (SqlUuid, SqlUuid, BigInt, Timestamptz, Timestamptz, Text) = found!(
        "external_id",
        "g.external_id = k.external_id and o.opened is not null order by g.group_id limit $4"
    );
    NameHolders -> (BigInt, SqlUuid) =
        "select k.place - 1, g.group_id from (select set_config('timeclock.companies', $1, true) as opened) o \
         cross join unnest($2, $3) with ordinality as k(company_id, name, place) cross join lateral ( \
           select g.group_id from groups g where g.company_id = k.company_id and g.display_name_key = k.name \
           and o.opened is not null offset 0) g";
    Upsert =
        "insert into groups (company_id, group_id, display_name_key, external_id, display_name, version, created_at, \
           last_modified_at, attributes) \
         select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         on conflict (company_id, group_id) do update set display_name_key = excluded.display_name_key, \
           external_id = excluded.external_id, display_name = excluded.display_name, version = excluded.version, \
           last_modified_at = excluded.last_modified_at, attributes = excluded.attributes";
    Delete =
        "with emptied as (delete from memberships where company_id = $1 and group_id = any ($2)) \
         delete from groups where company_id = $1 and group_id = any ($2)"
}

/// A group as it is stored.
#[derive(Queryable, QueryableByName)]
pub(crate) struct GroupRow {
    #[diesel(sql_type = SqlUuid)]
    company_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    group_id: Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_modified_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    attributes: String,
}

impl GroupRow {
    pub(crate) fn id(&self) -> GroupId {
        GroupId::from_uuid(self.group_id)
    }

    fn into_group(self) -> QueryResult<Group> {
        let attributes = Canonical::read(self.attributes)
            .map_err(|error| diesel::result::Error::DeserializationError(Box::new(error)))?;
        Ok(Group {
            company: CompanyId::from_uuid(self.company_id),
            id: GroupId::from_uuid(self.group_id),
            version: self.version,
            created_at: self.created_at,
            last_modified_at: self.last_modified_at,
            attributes,
        })
    }

    pub(crate) fn into_record(self) -> GroupRecord {
        GroupRecord {
            group_id: GroupId::from_uuid(self.group_id).to_string(),
            version: self.version,
            created_at: Some(to_timestamp(self.created_at)),
            last_modified_at: Some(to_timestamp(self.last_modified_at)),
            attributes_json: self.attributes,
        }
    }
}

/// The groups with these ids, those that exist.
pub(crate) fn by_ids(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, GroupId)],
) -> QueryResult<Vec<Group>> {
    rows_by_ids(conn, companies, keys)?.into_iter().map(GroupRow::into_group).collect()
}

/// The same as they are shown.
pub(crate) fn rows_by_ids(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, GroupId)],
) -> QueryResult<Vec<GroupRow>> {
    if keys.is_empty() {
        return Ok(vec![]);
    }
    statement(ByIds)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, group)| group.as_uuid()).collect::<Vec<_>>())
        .load(conn)
}

/// The groups with these folded names.
pub(crate) fn rows_by_names(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, String)],
) -> QueryResult<Vec<GroupRow>> {
    statement(ByNames)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<Text>, _>(keys.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .load(conn)
}

/// The groups with these external ids, at most `limit` for each, in the order of their ids.
pub(crate) fn rows_by_external_ids(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, String)],
    limit: i64,
) -> QueryResult<Vec<GroupRow>> {
    statement(ByExternalIds)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<Text>, _>(keys.iter().map(|(_, external_id)| external_id.as_str()).collect::<Vec<_>>())
        .bind::<BigInt, _>(limit)
        .load(conn)
}

/// Who holds each of these folded names, in their order.
pub(crate) fn name_holders(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    names: &[(CompanyId, String)],
) -> QueryResult<Vec<Option<GroupId>>> {
    if names.is_empty() {
        return Ok(vec![]);
    }
    let rows: Vec<(i64, Uuid)> = statement(NameHolders)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(names))
        .bind::<Array<Text>, _>(names.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .load(conn)?;
    Ok(in_places(names.len(), rows, GroupId::from_uuid))
}

/// Adds and overwrites groups, in this order. The transaction must have opened their companies.
pub(crate) fn upsert(conn: &mut PgConnection, groups: &[Group]) -> QueryResult<()> {
    if groups.is_empty() {
        return Ok(());
    }
    statement(Upsert)
        .bind::<Array<SqlUuid>, _>(groups.iter().map(|group| group.company.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(groups.iter().map(|group| group.id.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(groups.iter().map(|group| fold(group.display_name())).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(groups.iter().map(Group::external_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(groups.iter().map(Group::display_name).collect::<Vec<_>>())
        .bind::<Array<BigInt>, _>(groups.iter().map(|group| group.version).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(groups.iter().map(|group| group.created_at).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(groups.iter().map(|group| group.last_modified_at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(groups.iter().map(|group| group.attributes.json()).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}

/// Removes groups of one company and everybody who is in them. The transaction must have opened it.
pub(crate) fn delete(conn: &mut PgConnection, company: CompanyId, groups: &[GroupId]) -> QueryResult<()> {
    statement(Delete)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Array<SqlUuid>, _>(groups.iter().map(|group| group.as_uuid()).collect::<Vec<_>>())
        .execute(conn)
        .map(drop)
}
