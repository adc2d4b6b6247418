//! The keys by which users are found: brought to those who were stored before there were keys.

use bus_contract::partition::Partition;
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{Array, BigInt, SmallInt, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::CompanyId;

use super::{partitions::number, users::UserRow};
use crate::search_keys;

pg_pool::static_sql! {
    // A batch that has read is decided anew, so none writes a user between the look and the writing here.
    Fence -> (SmallInt,) = "update partitions set revision = revision + 1 where partition = $1 returning partition";
    Without -> (SqlUuid, SqlUuid, BigInt, Timestamptz, Timestamptz, Text) =
        "select company_id, user_id, version, created_at, last_modified_at, attributes from users \
         where company_id = $1 and search_keys is null limit $2";
    Fill =
        "with filled as ( \
           update users u set search_keys = v.search_keys from unnest($2, $3) as v(user_id, search_keys) \
           where u.company_id = $1 and u.user_id = v.user_id) \
         insert into user_search_keys (company_id, key, user_id) \
         select $1, w.key, v.user_id from unnest($2, $3) as v(user_id, search_keys) \
           cross join string_to_table(v.search_keys, E'\\n') as w(key) \
         on conflict do nothing"
}

/// Gives keys to at most so many of the company's users who have none yet; to how many. The transaction must have opened
/// the company.
pub(crate) fn fill(conn: &mut PgConnection, company: CompanyId, most: i64) -> QueryResult<usize> {
    let without = |conn: &mut PgConnection, most: i64| -> QueryResult<Vec<UserRow>> {
        statement(Without).bind::<SqlUuid, _>(company.as_uuid()).bind::<BigInt, _>(most).load(conn)
    };
    // Nobody's batch is decided anew where there is nothing to do, which is nearly always.
    if without(conn, 1)?.is_empty() {
        return Ok(0);
    }
    let (_fenced,): (i16,) =
        statement(Fence).bind::<SmallInt, _>(number(Partition::of(company))).get_result(conn)?;
    let users = without(conn, most)?.into_iter().map(UserRow::into_user).collect::<QueryResult<Vec<_>>>()?;
    statement(Fill)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<Array<SqlUuid>, _>(users.iter().map(|user| user.id.as_uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(users.iter().map(search_keys::of).collect::<Vec<_>>())
        .execute(conn)?;
    Ok(users.len())
}
