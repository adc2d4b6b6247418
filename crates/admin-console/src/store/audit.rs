//! What was done in the console: added in the transaction of the act, never changed. Expects [`super::act_for`] before it.

use bus_contract::{
    Timestamp,
    audit::{Actor, Event, actor},
};
use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::audit_events;

/// An act to be written down.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    /// Object and verb in the past tense.
    pub(crate) act: &'static str,
    pub(crate) target: String,
    /// One sentence of what else matters; never a secret.
    pub(crate) note: String,
}

impl Act {
    pub(crate) fn on(act: &'static str, target: impl Into<String>) -> Self {
        Self { act, target: target.into(), note: String::new() }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// Writes an act down.
pub(crate) fn record(
    connection: &mut PgConnection,
    company: CompanyId,
    actor: &Actor,
    act: &Act,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    let kind = match actor.kind() {
        actor::Kind::Administrator => "administrator",
        actor::Kind::Operator => "operator",
        actor::Kind::System | actor::Kind::Unspecified => "system",
    };
    diesel::insert_into(audit_events::table)
        .values((
            audit_events::company_id.eq(company.as_uuid()),
            audit_events::event_id.eq(Uuid::now_v7()),
            audit_events::occurred_at.eq(now),
            audit_events::actor_kind.eq(kind),
            audit_events::actor_name.eq(&actor.name),
            audit_events::actor_address.eq(&actor.address),
            audit_events::act.eq(act.act),
            audit_events::target.eq(&act.target),
            audit_events::note.eq(&act.note),
        ))
        .execute(connection)
        .map(drop)
}

/// The newest first, from behind `before` on.
pub(crate) fn list(
    connection: &mut PgConnection,
    company: CompanyId,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<Event>> {
    let mut query = audit_events::table
        .filter(audit_events::company_id.eq(company.as_uuid()))
        .order(audit_events::event_id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(audit_events::event_id.lt(before));
    }
    Ok(query.load::<Row>(connection)?.into_iter().map(Event::from).collect())
}

#[derive(Queryable)]
struct Row {
    company_id: Uuid,
    event_id: Uuid,
    occurred_at: DateTime<Utc>,
    actor_kind: String,
    actor_name: String,
    actor_address: String,
    act: String,
    target: String,
    note: String,
}

impl From<Row> for Event {
    fn from(row: Row) -> Self {
        let kind = match row.actor_kind.as_str() {
            "administrator" => actor::Kind::Administrator,
            "operator" => actor::Kind::Operator,
            _ => actor::Kind::System,
        };
        Self {
            event_id: row.event_id.to_string(),
            company_id: row.company_id.to_string(),
            occurred_at: Some(timestamp(row.occurred_at)),
            actor: Some(Actor { kind: kind.into(), name: row.actor_name, address: row.actor_address }),
            act: row.act,
            target: row.target,
            note: row.note,
        }
    }
}

/// As the bus tells the time.
pub(crate) fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp { seconds: at.timestamp(), nanos: i32::try_from(at.timestamp_subsec_nanos()).unwrap_or(0) }
}
