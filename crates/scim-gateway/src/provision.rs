//! Changes: published to the stream in the order in which they were accepted, and answered by the directory.

use std::time::Instant;

use bus_contract::{
    Message as _,
    provisioning::{self, Outcome, Refused, Request, outcome, request::Change},
    stream,
    subject::{RequestSubject, Resource, Verb},
};
use bus_jetstream::publish::PublishError;
use service_runtime::trace::{InTrace as _, Kind, Trace};
use typed_ids::RequestId;

use crate::{
    app::App,
    auth::Caller,
    calls::timestamp,
    directory::Record,
    outcomes::{Awaited, Missing},
};

/// Why a change is not known to be applied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProvisionError {
    #[error("could not hand the request to the bus")]
    NotSent(#[source] PublishError),
    #[error("there is no outcome: {0:?}")]
    NoOutcome(Missing),
    #[error("the directory refused")]
    Refused(Refused),
    #[error("could not read the directory's outcome")]
    Nonsense,
}

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Asked {
    pub(crate) resource: Resource,
    pub(crate) verb: Verb,
    pub(crate) change: Change,
    /// The userName or displayName that it gives a resource as a whole.
    pub(crate) name: Option<String>,
}

/// A change that the directory has applied.
#[derive(Debug)]
pub(crate) struct Applied {
    /// The resource as it is then; none after a delete.
    pub(crate) record: Option<Record>,
    /// Whether it was otherwise before.
    pub(crate) is_changed: bool,
}

/// A change that is on its way to the directory.
pub(crate) struct Begun<'a> {
    app: &'a App,
    resource: Resource,
    verb: Verb,
    begun: Instant,
    awaited: Awaited,
}

/// Hands a change to the stream. Of two that are begun one behind the other the directory decides in that order.
///
/// # Errors
///
/// [`ProvisionError::NotSent`]
pub(crate) async fn begin(
    app: &App,
    caller: Caller,
    id: RequestId,
    asked: Asked,
) -> Result<Begun<'_>, ProvisionError> {
    let Asked { resource, verb, change, name: _ } = asked;
    // The wait for a turn is the caller's too, and that of whoever is to lose access.
    let accepted_at = timestamp(app.clock.since_epoch());
    let turn = app.turns.take(caller.company, verb).await;
    let request = Request {
        request_id: id.to_string(),
        company_id: caller.company.to_string(),
        accepted_at: Some(accepted_at),
        token_id: caller.credential_id.to_string(),
        change: Some(change),
    };
    let subject = RequestSubject { company: caller.company, resource, verb }.to_string();
    let awaited = app.outcomes.expect(id, turn);
    let inbox = app.outcomes.inbox(id);
    let begun = Instant::now();
    let span = Trace::current()
        .span(Kind::Producer, format_args!("send {}.{}", resource.as_str(), verb.as_str()))
        .with("messaging.system", "nats")
        .with("messaging.destination.name", stream::PROVISIONING.name)
        .with_text("messaging.message.id", &request.request_id)
        .begin();
    let sending = app.bus.publish_request(subject, &request.request_id, &inbox, request.encode_to_vec());
    match sending.in_trace(span.trace()).await {
        Ok(()) => Ok(Begun { app, resource, verb, begun, awaited }),
        Err(error) => {
            span.fail("not_sent");
            let error = ProvisionError::NotSent(error);
            app.metrics.count_outcome(resource, verb, Err(&error), None);
            Err(error)
        }
    }
}

impl Begun<'_> {
    /// Waits until the change is applied.
    ///
    /// # Errors
    ///
    /// See [`ProvisionError`]. After [`Missing::Stored`] the change is still going to happen.
    pub(crate) async fn outcome(self) -> Result<Applied, ProvisionError> {
        let Self { app, resource, verb, begun, awaited } = self;
        let outcome = awaited.outcome(app.outcome_timeout).await;
        let outcome = outcome.map_err(ProvisionError::NoOutcome).and_then(read);
        app.metrics.count_outcome(resource, verb, outcome.as_ref(), Some(begun.elapsed()));
        outcome
    }
}

fn read(outcome: Outcome) -> Result<Applied, ProvisionError> {
    match outcome.result {
        Some(outcome::Result::Applied(provisioning::Applied { user, group, changed })) => {
            let record = user.map(Record::User).or_else(|| group.map(Record::Group));
            Ok(Applied { record, is_changed: changed })
        }
        Some(outcome::Result::Refused(refused)) => Err(ProvisionError::Refused(refused)),
        None => Err(ProvisionError::Nonsense),
    }
}
