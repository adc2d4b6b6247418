//! Acts that a service has written down, as they are shown.

use bus_contract::audit::{Event, ListEvents, actor::Kind};
use serde::Serialize;

use crate::{
    cli::Page,
    failure::Failure,
    output::{Answer, Row},
    time,
};

#[derive(Serialize)]
struct Shown {
    id: String,
    at: String,
    actor_kind: &'static str,
    actor: String,
    address: String,
    act: String,
    target: String,
    note: String,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] = &["AT", "WHO", "FROM", "ACT", "TARGET", "NOTE"];

    fn cells(&self) -> Vec<String> {
        let who = if self.actor.is_empty() { "(not recorded)" } else { &self.actor };
        [&self.at, who, &self.address, &self.act, &self.target, &self.note].map(str::to_owned).into()
    }
}

/// The question for a page.
pub(crate) fn question(page: Page) -> ListEvents {
    ListEvents {
        company_id: page.company,
        before_event_id: page.before.unwrap_or_default(),
        limit: page.limit.into(),
    }
}

/// What `service` answered.
pub(crate) fn show(service: &str, events: Vec<Event>) -> Result<Answer, Failure> {
    let rows: Result<Vec<_>, _> = events.into_iter().map(|event| shown(service, event)).collect();
    Answer::many(&rows?)
}

/// What an actor is called.
pub(crate) const fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Administrator => "administrator",
        Kind::Operator => "operator",
        Kind::System => "system",
        Kind::Unspecified => "",
    }
}

fn shown(service: &str, event: Event) -> Result<Shown, Failure> {
    let actor = event.actor.unwrap_or_default();
    let actor_kind = kind(actor.kind());
    Ok(Shown {
        at: time::shown(service, event.occurred_at)?,
        id: event.event_id,
        actor_kind,
        actor: actor.name,
        address: actor.address,
        act: event.act,
        target: event.target,
        note: event.note,
    })
}
