//! Who did what to a company's settings: recorded in the transaction of the act itself, and answered page by page.

use bus_contract::{
    Message as _,
    audit::{Actor, ListEvents, ListEventsReply, acting},
    directory::{Reply, failure::Reason, reply},
};
use diesel::{PgConnection, QueryResult};
use pg_pool::Pool;
use typed_ids::{CompanyId, RequestId};
use uuid::Uuid;

use crate::{
    prefix::that_fits,
    question::{MAX_REPLY_BYTES, answered, failed, failure},
    store::{self, company_events::Act},
    time::now,
};

/// The most events of a page.
const MAX_EVENTS: u32 = 200;

/// The actor of an act, or the reply to whoever names nobody, or somebody who cannot be.
pub(crate) fn actor(actor: Option<Actor>) -> Result<Actor, Box<Reply>> {
    acting(actor).map_err(|nobody| Box::new(failure(Reason::Invalid, "", &nobody.to_string())))
}

/// Records an act in the transaction that performs it, which must have opened the company.
pub(crate) fn record(
    conn: &mut PgConnection,
    company: CompanyId,
    actor: &Actor,
    act: &'static str,
    target: &str,
    note: &str,
) -> QueryResult<()> {
    let event_id = RequestId::mint().as_uuid();
    store::company_events::insert(
        conn,
        &Act { company, event_id, occurred_at: now(), actor, act, target, note },
    )
}

/// Answers one page.
pub(crate) async fn list(pool: &Pool, payload: &[u8]) -> Reply {
    let Ok(question) = ListEvents::decode(payload) else {
        return failure(Reason::Invalid, "", "the question is malformed");
    };
    let Ok(company) = question.company_id.parse::<CompanyId>() else {
        return failure(Reason::Invalid, "", "the question names no company");
    };
    let before = match question.before_event_id.as_str() {
        "" => Ok(Uuid::max()),
        text => text.parse(),
    };
    let Ok(before) = before else { return failure(Reason::Invalid, "", "before_event_id is no id") };
    if !(1..=MAX_EVENTS).contains(&question.limit) {
        return failure(Reason::Invalid, "", &format!("limit is 1 to {MAX_EVENTS}"));
    }
    let limit = i64::from(question.limit);
    let events = pool.transaction("company_events.page", move |conn| {
        store::open_companies(conn, &[company])?;
        store::company_events::newest(conn, company, before, limit)
    });
    match events.await {
        Ok(events) => answered(reply::Result::ListEvents(ListEventsReply {
            events: that_fits(events, MAX_REPLY_BYTES),
        })),
        Err(error) => failed("list events", &error),
    }
}
