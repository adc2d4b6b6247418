//! What was done to a company's credentials, by whom and from where: the page that administrators and operators read.

use bus_contract::audit::{Actor, Event, ListEvents, ListEventsReply, actor::Kind};
use typed_ids::CompanyId;
use uuid::Uuid;

use crate::{
    app::App,
    ask::{Refusal, id},
    lifecycle::timestamp,
    signing_keys::INSTALLATION,
    store::{
        act_for,
        events::{self, EventRow},
    },
};

/// Events in one page.
const LIMITS: std::ops::RangeInclusive<u32> = 1..=200;

/// A page of a company's events, the newest first.
pub(crate) async fn list(app: &App, ask: ListEvents) -> Result<ListEventsReply, Refusal> {
    let company: CompanyId = id("company", &ask.company_id)?;
    page(app, company, ask).await
}

/// A page of what was done to the keys that sign.
pub(crate) async fn of_signing_keys(app: &App, ask: ListEvents) -> Result<ListEventsReply, Refusal> {
    page(app, INSTALLATION, ask).await
}

async fn page(app: &App, company: CompanyId, ask: ListEvents) -> Result<ListEventsReply, Refusal> {
    if !LIMITS.contains(&ask.limit) {
        let (least, most) = LIMITS.into_inner();
        return Err(Refusal::Invalid(format!("the limit must be from {least} to {most} events")));
    }
    let before: Option<Uuid> = match ask.before_event_id.as_str() {
        "" => None,
        event => Some(id("event", event)?),
    };
    let rows = app
        .pool
        .transaction("events.page", move |connection| {
            act_for(connection, company)?;
            events::page(connection, company, before, ask.limit.into())
        })
        .await?;
    Ok(ListEventsReply { events: rows.into_iter().map(|row| shown(company, row)).collect() })
}

fn shown(company: CompanyId, row: EventRow) -> Event {
    let kind = match row.actor_kind.as_deref() {
        Some("administrator") => Some(Kind::Administrator),
        Some("operator") => Some(Kind::Operator),
        Some("system") => Some(Kind::System),
        _ => None,
    };
    Event {
        event_id: row.event_id.to_string(),
        company_id: if company == INSTALLATION { String::new() } else { company.to_string() },
        occurred_at: Some(timestamp(row.occurred_at)),
        actor: kind.map(|kind| Actor { kind: kind.into(), name: row.actor_name, address: row.actor_address }),
        act: row.act,
        target: row.target,
        note: row.note,
    }
}
