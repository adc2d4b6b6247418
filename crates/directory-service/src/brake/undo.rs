//! Bringing everybody of a mass removal back: one request each, in order with all other requests of the company.
//!
//! Who is still to be brought back stands in the database, and a request forgets the removal in the transaction that
//! brings the person back. So whoever is killed in the middle leaves to the next owner exactly what is not done, and a
//! request that is sent twice finds nothing to do.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bus_contract::{
    Message as _,
    provisioning::{Request, RestoreUser, request::Change},
    subject::{RequestSubject, Resource, Verb},
};
use diesel::PgConnection;
use tokio_util::sync::CancellationToken;
use typed_ids::{RequestId, UserId};

use super::Brake;
use crate::{
    activity::reader,
    partition::Context,
    store::{self, removals},
    time::{now, to_timestamp},
};

/// People who are asked for at once. Entra's requests of the same partition queue behind them.
const AT_ONCE: i64 = 256;
/// How often it is looked whether they are back.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// After how long whoever else waits in the partition has their turn. Who is not back by then is asked for again; what was
/// stored before the stream keeps only once for two minutes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks for some of those who are still to be brought back, and waits for them for a while. The company is due again at
/// once, so the next round asks for the others: an undo takes as long as it takes, and holds up nobody's upkeep.
pub(super) async fn bring_back(
    context: &Context,
    brake: &Brake,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (company, id) = (brake.company, brake.id);
    let waiting = move |conn: &mut PgConnection| {
        store::open_companies(conn, &[company])?;
        removals::waiting(conn, company, id, AT_ONCE)
    };
    let people = context.pool.transaction("removals.waiting", waiting).await?;
    if people.is_empty() {
        return Ok(());
    }
    ask_for(context, brake, &people).await?;
    wait_for(context, brake, people, stop).await?;
    reader::tell(context, &[company]).await;
    Ok(())
}

async fn ask_for(context: &Context, brake: &Brake, people: &[UserId]) -> anyhow::Result<()> {
    let subject = RequestSubject { company: brake.company, resource: Resource::User, verb: Verb::Restore };
    let mut sent = Vec::with_capacity(people.len());
    for user in people {
        let request = Request {
            request_id: RequestId::mint().to_string(),
            company_id: brake.company.to_string(),
            accepted_at: Some(to_timestamp(now())),
            token_id: String::new(),
            change: Some(Change::RestoreUser(RestoreUser {
                user_id: user.to_string(),
                brake_id: brake.id.to_string(),
            })),
        };
        // Whoever else asks for the same while the stream remembers is not heard twice.
        let message_id = format!("restore.{}.{user}", brake.id);
        let payload = request.encode_to_vec();
        sent.push(context.bus.publish_durable(subject.to_string(), &message_id, None, payload).await?);
    }
    for confirmation in sent {
        confirmation.await?;
    }
    Ok(())
}

/// Waits until they are back, for a while.
async fn wait_for(
    context: &Context,
    brake: &Brake,
    people: Vec<UserId>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let (company, id, asked) = (brake.company, brake.id, Instant::now());
    let people: Arc<[UserId]> = people.into();
    while asked.elapsed() < PATIENCE {
        if stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_none() {
            return Ok(());
        }
        let people = Arc::clone(&people);
        let looking = context.pool.transaction("removals.still_waiting", move |conn| {
            store::open_companies(conn, &[company])?;
            removals::still_waiting(conn, company, id, &people)
        });
        if looking.await? == 0 {
            return Ok(());
        }
    }
    tracing::warn!(company.id = %company, brake = %id, "people of a mass removal are not back yet: they are asked for again");
    Ok(())
}
