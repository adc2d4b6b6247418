//! How a company's administrator learns that Entra was refused an access token: as a call that was not let in, on the
//! stream `CALLS`, as gateways report theirs.
//!
//! No answer waits for it, and what cannot be stored is dropped. Somebody who merely knows a client's id can have a refusal
//! reported, so there are few of one client.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc};

use bus_contract::{
    Message as _,
    call::Verb,
    directory::{Call, CallBatch, call::Answer},
    subject,
};
use bus_jetstream::{Bus, publish::PublishError};
use service_runtime::{
    Causes,
    clock::Clock,
    rate::{Allowance, Buckets},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use typed_ids::{CompanyId, CredentialId, RequestId};
use uuid::Uuid;

use crate::{lifecycle::timestamp, oauth::Refusal};

/// Refusals of one client: so many at once, and as many more per minute. Entra asks once per cycle.
const PER_CLIENT: NonZeroU32 = NonZeroU32::new(5).unwrap();
/// Clients that are told apart.
const CLIENTS_MOST: usize = 10_000;
/// Refusals that wait to be sent.
const WAITING_MOST: usize = 256;

/// Takes refusals. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RefusedCalls {
    waiting: mpsc::Sender<(CompanyId, Call)>,
    allowances: Arc<Buckets<CredentialId>>,
    clock: Clock,
}

/// The half that sends.
pub(crate) struct Sending(mpsc::Receiver<(CompanyId, Call)>);

impl RefusedCalls {
    pub(crate) fn new(clock: &Clock) -> (Self, Sending) {
        let (waiting, arriving) = mpsc::channel(WAITING_MOST);
        let allowances = Arc::new(Buckets::new(Allowance::per_minute(PER_CLIENT), CLIENTS_MOST, clock));
        (Self { waiting, allowances, clock: clock.clone() }, Sending(arriving))
    }

    /// Reports a refusal, if it is about a client that there is, and no failure of ours.
    pub(crate) fn report(&self, refusal: &Refusal, from: Option<IpAddr>) {
        let (Some((company, client)), 400 | 401) = (refusal.client, refusal.status) else { return };
        if self.allowances.take(&client).is_err() {
            return;
        }
        let call = Call {
            request_id: RequestId::mint().to_string(),
            answered_at: Some(timestamp(self.clock.now().into())),
            credential_id: client.to_string(),
            address: from.map(|address| address.to_string()).unwrap_or_default(),
            verb: Verb::Other.as_str().to_owned(),
            answer: Answer::Unauthenticated.into(),
            status: refusal.status.into(),
            detail: format!("No access token was given: {}.", refusal.description()),
            ..Call::default()
        };
        if self.waiting.try_send((company, call)).is_err() {
            tracing::warn!("too many refusals of clients wait to be reported");
        }
    }

    /// Lets go of clients that may be told of as often as any.
    pub(crate) fn forget_the_idle(&self) {
        self.allowances.forget_the_full();
    }
}

impl Sending {
    /// Sends what is reported until asked to stop.
    pub(crate) async fn run(mut self, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
        loop {
            let refused = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                refused = self.0.recv() => refused,
            };
            let Some((company, call)) = refused else { return Ok(()) };
            if let Err(error) = send(&bus, company, call).await {
                tracing::warn!(error = %Causes(&error), "the refusal of a client is not reported");
            }
        }
    }
}

async fn send(bus: &Bus, company: CompanyId, call: Call) -> Result<(), PublishError> {
    let batch_id = Uuid::now_v7().to_string();
    let batch = CallBatch { batch_id: batch_id.clone(), company_id: company.to_string(), calls: vec![call] };
    let sent = bus.publish_durable(subject::calls(company), &batch_id, None, batch.encode_to_vec()).await?;
    sent.await.map(drop)
}
