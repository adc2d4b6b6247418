//! Reading users to answer questions: many point reads in one statement, or one company's users by filter.

use bus_contract::directory::{DirectGroup, Manager, UserRecord};
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, Queryable, QueryableByName, RunQueryDsl, deserialize,
    pg::Pg,
    query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery},
    row::NamedRow,
    sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Untyped, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, GroupId, UserId};
use uuid::Uuid;

use super::{
    companies_setting,
    filter_sql::{Bind, Condition},
    groups::GroupRow,
    order_sql::Order,
    resource_table::{self, ResourceTable},
    users::companies_of,
};
use crate::{prefix::shown_groups, time::to_timestamp};

/// A user as it is shown, with its place among the questions of a batch (from 0).
#[derive(Queryable, QueryableByName)]
pub(crate) struct ShownRow {
    #[diesel(sql_type = BigInt)]
    pub(crate) place: i64,
    #[diesel(sql_type = SqlUuid)]
    user_id: Uuid,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    last_modified_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    attributes: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    manager_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    manager_display_name: Option<String>,
    #[diesel(sql_type = Nullable<Array<SqlUuid>>)]
    group_ids: Option<Vec<Uuid>>,
    /// Beside the ids.
    #[diesel(sql_type = Nullable<Array<Text>>)]
    group_names: Option<Vec<String>>,
}

impl ShownRow {
    pub(crate) fn into_record(self) -> UserRecord {
        UserRecord {
            user_id: UserId::from_uuid(self.user_id).to_string(),
            version: self.version,
            created_at: Some(to_timestamp(self.created_at)),
            last_modified_at: Some(to_timestamp(self.last_modified_at)),
            attributes_json: self.attributes,
            manager: self.manager_id.map(|id| Manager {
                user_id: UserId::from_uuid(id).to_string(),
                display_name: self.manager_display_name.unwrap_or_default(),
            }),
            groups: shown_groups(
                self.group_ids.unwrap_or_default().into_iter().zip(self.group_names.unwrap_or_default()).map(
                    |(id, display_name)| DirectGroup {
                        group_id: GroupId::from_uuid(id).to_string(),
                        display_name,
                    },
                ),
            ),
        }
    }
}

/// What `o` and `offset 0` are for is said in `store::batch`.
macro_rules! looked_up {
    ($key:literal, $where:literal) => {
        concat!(
            "select k.place - 1 as place, u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes, \
             m.user_id as manager_id, m.display_name as manager_display_name, g.ids, g.names \
             from (select set_config('timeclock.companies', $1, true) as opened) o \
             cross join unnest($2, $3) with ordinality as k(company_id, ",
            $key,
            ", place) cross join lateral (select * from users u where u.company_id = k.company_id and ",
            $where,
            ") u left join lateral (select m.user_id, m.display_name from users m \
             where m.company_id = u.company_id and m.user_id = u.manager_id offset 0) m on true \
             left join lateral ( \
               select array_agg(n.group_id order by n.group_id) as ids, array_agg(n.display_name order by n.group_id) as names \
               from memberships s cross join lateral (select n.group_id, n.display_name from groups n \
                 where n.company_id = s.company_id and n.group_id = s.group_id offset 0) n \
               where s.company_id = u.company_id and s.member_id = u.user_id) g on true"
        )
    };
}

pg_pool::static_sql! {
    ByIds -> (BigInt, SqlUuid, BigInt, Timestamptz, Timestamptz, Text, Nullable<SqlUuid>, Nullable<Text>,
        Nullable<Array<SqlUuid>>, Nullable<Array<Text>>) = looked_up!("user_id", "u.user_id = k.user_id and o.opened is not null offset 0");
    ByUserNames -> (BigInt, SqlUuid, BigInt, Timestamptz, Timestamptz, Text, Nullable<SqlUuid>, Nullable<Text>,
        Nullable<Array<SqlUuid>>, Nullable<Array<Text>>) =
        looked_up!("user_name_key", "u.user_name_key = k.user_name_key and o.opened is not null offset 0");
    ByExternalIds -> (BigInt, SqlUuid, BigInt, Timestamptz, Timestamptz, Text, Nullable<SqlUuid>, Nullable<Text>,
        Nullable<Array<SqlUuid>>, Nullable<Array<Text>>) = looked_up!(
        "external_id",
        "u.external_id = k.external_id and o.opened is not null order by u.user_id limit $4"
    )
}

/// The users with these ids.
pub(crate) fn by_ids(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, UserId)],
) -> QueryResult<Vec<ShownRow>> {
    statement(ByIds)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<SqlUuid>, _>(keys.iter().map(|(_, user)| user.as_uuid()).collect::<Vec<_>>())
        .load(conn)
}

/// The users with these folded names.
pub(crate) fn by_user_names(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, String)],
) -> QueryResult<Vec<ShownRow>> {
    statement(ByUserNames)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<Text>, _>(keys.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>())
        .load(conn)
}

/// The users with these external ids, at most `limit` for each, in the order of their ids.
pub(crate) fn by_external_ids(
    conn: &mut PgConnection,
    companies: &[CompanyId],
    keys: &[(CompanyId, String)],
    limit: i64,
) -> QueryResult<Vec<ShownRow>> {
    statement(ByExternalIds)
        .bind::<Text, _>(companies_setting(companies))
        .bind::<Array<SqlUuid>, _>(companies_of(keys))
        .bind::<Array<Text>, _>(keys.iter().map(|(_, external_id)| external_id.as_str()).collect::<Vec<_>>())
        .bind::<BigInt, _>(limit)
        .load(conn)
}

#[derive(QueryableByName)]
struct TotalRow {
    #[diesel(sql_type = BigInt)]
    total: i64,
}

/// The number of `$n` that a filter's own binds begin with, after the company, the limit and the offset.
pub(crate) const FIRST_FILTER_BIND: usize = 4;

/// A row of a list with what it was sorted by.
struct Placed<R> {
    row: R,
    sort_key: Option<String>,
}

impl<R: QueryableByName<Pg>> QueryableByName<Pg> for Placed<R> {
    fn build<'a>(row: &impl NamedRow<'a, Pg>) -> deserialize::Result<Self> {
        let sort_key = NamedRow::get::<Nullable<Text>, _>(row, "sort_key")?;
        Ok(Self { row: R::build(row)?, sort_key })
    }
}

/// A page of a list.
pub(crate) struct Page<R> {
    /// How many there are in all.
    pub(crate) total: i64,
    pub(crate) rows: Vec<R>,
    /// What each row was sorted by.
    pub(crate) keys: Vec<Option<String>>,
    /// Whether there are rows behind these.
    pub(crate) has_more: bool,
}

/// What a page is a page of.
pub(crate) struct Search<'a> {
    pub(crate) company: CompanyId,
    pub(crate) condition: &'a Condition,
    pub(crate) order: &'a Order,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// A page of users.
pub(crate) fn users(conn: &mut PgConnection, search: &Search<'_>) -> QueryResult<Page<ShownRow>> {
    const SHOWN: &str = "0::bigint as place, r.user_id, r.version, r.created_at, r.last_modified_at, r.attributes, \
        m.user_id as manager_id, m.display_name as manager_display_name, g.ids as group_ids, g.names as group_names";
    const AROUND: &str = "left join users m on m.company_id = r.company_id and m.user_id = r.manager_id \
        left join lateral ( \
          select array_agg(n.group_id order by n.group_id) as ids, array_agg(n.display_name order by n.group_id) as names \
          from memberships s join groups n on n.company_id = s.company_id and n.group_id = s.group_id \
          where s.company_id = r.company_id and s.member_id = r.user_id) g on true";
    page(conn, search, &resource_table::USERS, SHOWN, AROUND)
}

/// A page of groups.
pub(crate) fn groups(conn: &mut PgConnection, search: &Search<'_>) -> QueryResult<Page<GroupRow>> {
    const SHOWN: &str = "r.company_id, r.group_id, r.version, r.created_at, r.last_modified_at, \
        r.attributes";
    page(conn, search, &resource_table::GROUPS, SHOWN, "")
}

fn page<R: QueryableByName<Pg> + 'static>(
    conn: &mut PgConnection,
    search: &Search<'_>,
    table: &ResourceTable,
    shown: &str,
    around: &str,
) -> QueryResult<Page<R>> {
    let (Condition { sql, .. }, table) = (search.condition, table.table);
    // Every bind stands in both statements, so that they are numbered alike.
    let total = format!(
        "select count(*) as total from {table} r where r.company_id = $1 and ($2::bigint, $3::bigint) is not null and {sql}"
    );
    let total: TotalRow = bound(&total, search, false).get_result(conn)?;
    let mut page = Page { total: total.total, rows: vec![], keys: vec![], has_more: false };
    if search.limit == 0 || page.total <= search.offset {
        return Ok(page);
    }
    let Order { key_text, by, after, .. } = search.order;
    let rows = format!(
        "select {shown}, r.sort_key from ( \
           select r.*, {key_text} as sort_key from {table} r where r.company_id = $1 and {sql} and {after} \
           order by {by} limit $2 + 1 offset $3) r {around} order by {by}"
    );
    let mut rows: Vec<Placed<R>> = bound(&rows, search, true).load(conn)?;
    let limit = usize::try_from(search.limit).unwrap_or(usize::MAX);
    page.has_more = rows.len() > limit;
    rows.truncate(limit);
    (page.rows, page.keys) = rows.into_iter().map(|placed| (placed.row, placed.sort_key)).unzip();
    Ok(page)
}

fn bound(sql: &str, search: &Search<'_>, ordered: bool) -> Uncached {
    let mut query = sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<SqlUuid, _>(search.company.as_uuid())
        .bind::<BigInt, _>(search.limit)
        .bind::<BigInt, _>(search.offset);
    let order = search.order.binds.iter().filter(|_| ordered);
    for bind in search.condition.binds.iter().chain(order).cloned() {
        query = match bind {
            Bind::Text(text) => query.bind::<Text, _>(text),
            Bind::Path(keys) => query.bind::<Array<Text>, _>(keys),
            Bind::Uuid(id) => query.bind::<SqlUuid, _>(id),
            Bind::Bool(truth) => query.bind::<Bool, _>(truth),
            Bind::Time(at) => query.bind::<Timestamptz, _>(at),
        };
    }
    Uncached(query)
}

/// A statement whose text a caller's filter shaped. It is not kept as a prepared statement: there is no end to the
/// shapes that a caller can think of, and each would stay in memory on both sides of the connection.
struct Uncached(BoxedSqlQuery<'static, Pg, SqlQuery>);

impl QueryFragment<Pg> for Uncached {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        self.0.walk_ast(out.reborrow())
    }
}

impl QueryId for Uncached {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Uncached {
    type SqlType = Untyped;
}

impl<Conn> RunQueryDsl<Conn> for Uncached {}
