//! `/Bulk`: many changes in one request (RFC 7644 §3.7), each carried out as the request that it stands for.
//!
//! The directory decides in the order in which changes are handed to it. So several are under way at once, handed over one
//! behind the other: that is as if each had waited for the one before, in less time.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use actix_web::http::StatusCode;
use futures_util::{FutureExt as _, StreamExt as _, future::LocalBoxFuture, stream::FuturesUnordered};
use scim_protocol::{
    bulk::{self, Action, BulkOperation, BulkRequest, Endpoint, Limits, Method, OperationResult, Step},
    error::ScimError,
    etag,
};
use typed_ids::RequestId;

use super::{
    Answer, Authenticated, change, conditions,
    facts::{End, Facts},
    respond,
    respond::Refusal,
};
use crate::provision::{self, Applied, Asked};

/// Changes of one bulk request that await the directory at once.
const AT_ONCE: usize = 8;

/// A bulk request begins operations for as long as so many changes may take one behind the other. A caller does not wait
/// for ever, and what is not begun it can send again.
const PATIENCE: u32 = 3;

/// The longest that a bulk request may take when a change may take `outcome_timeout`.
pub(super) fn longest(outcome_timeout: Duration) -> Duration {
    outcome_timeout * (PATIENCE + 1)
}

impl Authenticated<'_> {
    pub(super) async fn bulk(&self, body: &[u8]) -> Answer {
        let request = bulk::parse(body, Limits::default())?;
        // Each operation is a call; that of the request itself is paid.
        self.keep_pace(request.operations.len().saturating_sub(1)).await?;
        let results = Work::new(self, &request).carry_out().await;
        self.facts.borrow_mut().be_made_of_others();
        let answer = serde_json::to_vec(&bulk::bulk_response(results))
            .map_err(|error| Refusal::internal(format!("cannot write the results: {error}")))?;
        Ok(respond::json(StatusCode::OK, answer))
    }
}

/// A bulk request that is being carried out.
struct Work<'a> {
    call: &'a Authenticated<'a>,
    request: &'a BulkRequest,
    /// By the position of their operations; none for those that are not done.
    results: Vec<Option<OperationResult>>,
    /// What was created, by `bulkId`.
    created: HashMap<String, String>,
    errors: usize,
    under_way: FuturesUnordered<LocalBoxFuture<'a, Done>>,
    until: Instant,
}

/// An operation that has come to its end.
struct Done {
    position: usize,
    /// The change's own id, by which it is found in the log and on the bus.
    id: RequestId,
    /// Of the resource, where it was known before.
    location: Option<String>,
    facts: Facts,
    begun: Instant,
    outcome: Result<Applied, Refusal>,
}

impl<'a> Work<'a> {
    fn new(call: &'a Authenticated<'a>, request: &'a BulkRequest) -> Self {
        Self {
            call,
            request,
            results: vec![None; request.operations.len()],
            created: HashMap::new(),
            errors: 0,
            under_way: FuturesUnordered::new(),
            until: Instant::now() + call.app.outcome_timeout * PATIENCE,
        }
    }

    /// The results in the order of the request, without those that `failOnErrors` kept from being begun.
    async fn carry_out(mut self) -> Vec<OperationResult> {
        // Whether another one may be begun is known when those before have come to their end.
        let at_once = if self.request.fail_on_errors.is_some() { 1 } else { AT_ONCE };
        for step in self.request.order() {
            if self.request.stops_after(self.errors) {
                break;
            }
            match step {
                Step::Refuse(position, error) => self.refuse(position, error.into()),
                Step::CarryOut(position) => self.begin(position).await,
            }
            self.leave_under_way(at_once - 1).await;
        }
        self.leave_under_way(0).await;
        self.results.into_iter().flatten().collect()
    }

    async fn begin(&mut self, position: usize) {
        let Some(operation) = self.operation(position) else { return };
        let Ok(mut action) = operation.action.clone() else { return };
        if action.resolve(&self.created).is_err() {
            // Perhaps what it refers to is just being created.
            self.leave_under_way(0).await;
            if let Err(unresolved) = action.resolve(&self.created) {
                return self.refuse(position, ScimError::from(unresolved).into());
            }
        }
        let begun = Instant::now();
        if begun >= self.until {
            return self.refuse(position, Refusal::not_begun());
        }
        let mut facts = Facts::of_operation(operation);
        facts.concern(&action.target);
        let mut asked = match self.asked(&action) {
            Ok(asked) => asked,
            Err(refusal) => {
                facts.name_whom(action.target.endpoint, action.data.to_string().as_bytes());
                return self.refuse_knowing(position, facts, refusal);
            }
        };
        let id = RequestId::mint();
        facts.ask(&mut asked);
        let location = action.target.location(&self.call.base_url.0);
        let done = move |outcome| Done { position, id, location, facts, begun, outcome };
        match provision::begin(self.call.app, self.call.caller, id, asked).await {
            Ok(begun) => {
                let outcome = async move { done(begun.outcome().await.map_err(Refusal::from)) };
                self.under_way.push(outcome.boxed_local());
            }
            Err(error) => self.note(done(Err(error.into()))),
        }
    }

    async fn leave_under_way(&mut self, most: usize) {
        while self.under_way.len() > most
            && let Some(done) = self.under_way.next().await
        {
            self.note(done);
        }
    }

    fn refuse(&mut self, position: usize, refusal: Refusal) {
        let Some(operation) = self.operation(position) else { return };
        self.refuse_knowing(position, Facts::of_operation(operation), refusal);
    }

    fn refuse_knowing(&mut self, position: usize, facts: Facts, refusal: Refusal) {
        self.note(Done {
            position,
            id: RequestId::mint(),
            location: None,
            facts,
            begun: Instant::now(),
            outcome: Err(refusal),
        });
    }

    fn note(&mut self, done: Done) {
        let Done { position, id, location, mut facts, begun, outcome } = done;
        let base = &self.call.base_url.0;
        let Some(operation) = self.operation(position) else { return };
        outcome.iter().for_each(|applied| facts.apply(applied));
        let status = outcome.as_ref().map_or_else(Refusal::status, |_applied| status(operation));
        let Authenticated { app, caller, address, .. } = *self.call;
        let (duration, refusal) = (begun.elapsed(), outcome.as_ref().err());
        facts.report(app, &End { request_id: id, caller, address, duration, status, refusal });
        let result = match outcome {
            Ok(Applied { record, .. }) => {
                if let (Some(bulk_id), Some(record)) = (&operation.bulk_id, &record)
                    && operation.method == Some(Method::Post)
                {
                    self.created.insert(bulk_id.clone(), record.id().to_owned());
                }
                let version = record.as_ref().map(|record| etag::etag(record.version()));
                let location = location.or_else(|| record.map(|record| self.call.location(&record)));
                operation.succeeded(status.as_u16(), location.unwrap_or_default(), version)
            }
            Err(refusal) => {
                if let Some(error) = refusal.cause() {
                    tracing::warn!(request.id = %id, error, "an operation of a bulk request failed");
                }
                self.errors += 1;
                let failed = operation.failed(base, &refusal.told(id));
                OperationResult { location: location.or(failed.location), ..failed }
            }
        };
        if let Some(slot) = self.results.get_mut(position) {
            *slot = Some(result);
        }
    }

    /// The request that an operation stands for.
    fn asked(&self, action: &Action) -> Result<Asked, Refusal> {
        let condition = action.version.as_deref().map(conditions::of_tags).transpose()?;
        let body = action.data.to_string().into_bytes();
        let (endpoint, id) = (action.target.endpoint, action.target.id.as_deref().unwrap_or_default());
        let schemas = self.call.schemas_of(endpoint);
        match action.method {
            Method::Post => change::create(endpoint, schemas, &body),
            Method::Put => change::replace(endpoint, schemas, id, &body, condition),
            Method::Patch => change::patch(endpoint, schemas, id, &body, condition),
            Method::Delete => change::delete(endpoint, id, condition),
        }
    }

    fn operation(&self, position: usize) -> Option<&'a BulkOperation> {
        self.request.operations.get(position)
    }
}

/// The status of the single request when it succeeds.
fn status(operation: &BulkOperation) -> StatusCode {
    match operation.action.as_ref().map(|action| (action.method, action.target.endpoint)) {
        Ok((Method::Post, _)) => StatusCode::CREATED,
        Ok((Method::Patch, Endpoint::Groups) | (Method::Delete, _)) => StatusCode::NO_CONTENT,
        Ok((Method::Put, _) | (Method::Patch, Endpoint::Users)) | Err(_) => StatusCode::OK,
    }
}
