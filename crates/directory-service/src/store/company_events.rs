//! Who did what to a company's settings. The role may add and read, and neither change nor delete.
//!
//! Every transaction that calls these must have opened the company.

use bus_contract::audit::{Actor, Event};
use chrono::{DateTime, Utc};
use diesel::{
    PgConnection, QueryResult, RunQueryDsl,
    sql_types::{BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid},
};
use pg_pool::sql::statement;
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::time::to_timestamp;

pg_pool::static_sql! {
    Insert =
        "insert into company_events (company_id, event_id, occurred_at, actor_kind, actor_name, actor_address, act, target, \
           note) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    Newest -> (SqlUuid, Timestamptz, Nullable<SmallInt>, Nullable<Text>, Nullable<Text>, Text, Text, Text) =
        "select event_id, occurred_at, actor_kind, actor_name, actor_address, act, target, note from company_events \
         where company_id = $1 and event_id < $2 order by event_id desc limit $3"
}

/// One act.
pub(crate) struct Act<'a> {
    pub(crate) company: CompanyId,
    /// Ordered by time.
    pub(crate) event_id: Uuid,
    pub(crate) occurred_at: DateTime<Utc>,
    pub(crate) actor: &'a Actor,
    pub(crate) act: &'static str,
    pub(crate) target: &'a str,
    pub(crate) note: &'a str,
}

/// Keeps one, in the transaction of what was done.
pub(crate) fn insert(conn: &mut PgConnection, act: &Act<'_>) -> QueryResult<()> {
    // Three kinds, whatever the wire says.
    let kind = i16::try_from(act.actor.kind).ok();
    statement(Insert)
        .bind::<SqlUuid, _>(act.company.as_uuid())
        .bind::<SqlUuid, _>(act.event_id)
        .bind::<Timestamptz, _>(act.occurred_at)
        .bind::<Nullable<SmallInt>, _>(kind)
        .bind::<Text, _>(&act.actor.name)
        .bind::<Text, _>(&act.actor.address)
        .bind::<Text, _>(act.act)
        .bind::<Text, _>(act.target)
        .bind::<Text, _>(act.note)
        .execute(conn)
        .map(drop)
}

/// The newest from before an event.
pub(crate) fn newest(
    conn: &mut PgConnection,
    company: CompanyId,
    before: Uuid,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    type Row = (Uuid, DateTime<Utc>, Option<i16>, Option<String>, Option<String>, String, String, String);
    let rows: Vec<Row> = statement(Newest)
        .bind::<SqlUuid, _>(company.as_uuid())
        .bind::<SqlUuid, _>(before)
        .bind::<BigInt, _>(limit)
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(event_id, occurred_at, kind, name, address, act, target, note)| Event {
            event_id: event_id.to_string(),
            company_id: company.to_string(),
            occurred_at: Some(to_timestamp(occurred_at)),
            actor: kind.map(|kind| Actor {
                kind: i32::from(kind),
                name: name.unwrap_or_default(),
                address: address.unwrap_or_default(),
            }),
            act,
            target,
            note,
        })
        .collect())
}
