//! Reading users to answer questions: many point reads in one statement, or one company's users by filter.

use bus_contract::directory::{Manager, UserRecord};
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, Queryable, QueryableByName, RunQueryDsl,
    pg::Pg,
    query_builder::{AstPass, BoxedSqlQuery, Query, QueryFragment, QueryId, SqlQuery},
    sql_query,
    sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz, Untyped, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::{CompanyId, UserId};
use uuid::Uuid;

use super::{
    companies_setting,
    filter_sql::{Bind, Condition},
    users::companies_of,
};
use crate::time::to_timestamp;

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
        }
    }
}

/// What `o` and `offset 0` are for is said in `store::batch`.
macro_rules! looked_up {
    ($key:literal, $where:literal) => {
        concat!(
            "select k.place - 1 as place, u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes, \
             m.user_id as manager_id, m.display_name as manager_display_name \
             from (select set_config('timeclock.companies', $1, true) as opened) o \
             cross join unnest($2, $3) with ordinality as k(company_id, ",
            $key,
            ", place) cross join lateral (select * from users u where u.company_id = k.company_id and ",
            $where,
            ") u left join lateral (select m.user_id, m.display_name from users m \
             where m.company_id = u.company_id and m.user_id = u.manager_id offset 0) m on true"
        )
    };
}

pg_pool::static_sql! {
    ByIds -> (BigInt, SqlUuid, BigInt, Timestamptz, Timestamptz, Text, Nullable<SqlUuid>, Nullable<Text>) = looked_up!("user_id", "u.user_id = k.user_id and o.opened is not null offset 0");
    ByUserNames -> (BigInt, SqlUuid, BigInt, Timestamptz, Timestamptz, Text, Nullable<SqlUuid>, Nullable<Text>) =
        looked_up!("user_name_key", "u.user_name_key = k.user_name_key and o.opened is not null offset 0");
    ByExternalIds -> (BigInt, SqlUuid, BigInt, Timestamptz, Timestamptz, Text, Nullable<SqlUuid>, Nullable<Text>) = looked_up!(
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

/// How many users of the company satisfy the condition, and one page of them in the order of their ids.
pub(crate) fn page(
    conn: &mut PgConnection,
    company: CompanyId,
    condition: &Condition,
    limit: i64,
    offset: i64,
) -> QueryResult<(i64, Vec<ShownRow>)> {
    let Condition { sql, binds } = condition;
    // The limit and the offset stand in both statements, so that a filter's binds are numbered alike in both.
    let total = format!(
        "select count(*) as total from users u where u.company_id = $1 and ($2::bigint, $3::bigint) is not null \
         and {sql}"
    );
    let total: TotalRow = bound(&total, company, limit, offset, binds).get_result(conn)?;
    if limit == 0 || total.total <= offset {
        return Ok((total.total, vec![]));
    }
    let page = format!(
        "select 0::bigint as place, u.user_id, u.version, u.created_at, u.last_modified_at, u.attributes, \
           m.user_id as manager_id, m.display_name as manager_display_name \
         from users u left join users m on m.company_id = u.company_id and m.user_id = u.manager_id \
         where u.company_id = $1 and {sql} order by u.user_id limit $2 offset $3"
    );
    let users = bound(&page, company, limit, offset, binds).load(conn)?;
    Ok((total.total, users))
}

fn bound(sql: &str, company: CompanyId, limit: i64, offset: i64, binds: &[Bind]) -> Uncached {
    let mut query = sql_query(sql)
        .into_boxed::<Pg>()
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<BigInt, _>(limit)
        .bind::<BigInt, _>(offset);
    for bind in binds.iter().cloned() {
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
