//! What is counted and logged of each request: route, status, duration, ids. Never a query, a body or a name. Of a call
//! whose company is known the directory is told besides.

use std::{net::IpAddr, time::Duration};

use actix_web::{HttpRequest, http::StatusCode};
use bus_contract::headers::TRACEPARENT;
use bus_jetstream::{Headers, trace};
use service_runtime::{
    http::{self, Underway, access_level},
    log_at,
};
use tracing::Span;
use typed_ids::RequestId;

use super::{Known, facts::End, respond::Refusal, route::Route};
use crate::app::App;

/// One request's entry in the log and the metrics, made when it ends, however it ends.
pub(super) struct Access<'a> {
    pub(super) request_id: RequestId,
    /// What the caller calls it.
    caller_request_id: Option<String>,
    /// Of the caller.
    pub(super) address: Option<IpAddr>,
    app: &'a App,
    /// Until it is answered.
    underway: Option<Underway>,
    route: &'static str,
    method: &'static str,
}

/// What the entry says about the answer.
pub(super) struct Answered<'a> {
    /// Of a stranger nothing is.
    pub(super) known: Option<Known>,
    pub(super) status: StatusCode,
    pub(super) refusal: Option<&'a Refusal>,
    pub(super) trace: Option<String>,
}

impl<'a> Access<'a> {
    pub(super) fn begin(app: &'a App, request: &HttpRequest, route: Option<&Route>) -> Self {
        let underway = app.requests.begin(route.map(|route| route.target.template()), request.method());
        Self {
            request_id: RequestId::from_uuid(http::request_id(request)),
            caller_request_id: http::caller_request_id(request),
            address: app.trusted_proxies.client_of(request),
            app,
            route: underway.route(),
            method: underway.method(),
            underway: Some(underway),
        }
    }

    /// The span that everything done for this request belongs to; the caller's trace goes on in it.
    pub(super) fn span(&self, request: &HttpRequest) -> Span {
        let span = tracing::info_span!("http.request", http.route = self.route, http.method = self.method, request.id = %self.request_id);
        if let Some(parent) = request.headers().get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
            let mut headers = Headers::new();
            headers.set(TRACEPARENT, parent);
            trace::continue_in(&span, &headers);
        }
        span
    }

    /// Writes the entry, and reports the call.
    pub(super) fn end(mut self, answered: Answered<'_>) {
        let Answered { known, status, refusal, trace } = answered;
        let company = known.as_ref().map(|known| known.caller.company);
        // Why it is a failure of ours.
        let cause = refusal.and_then(Refusal::cause);
        let elapsed = self.underway.take().map(|underway| underway.end(status.as_u16())).unwrap_or_default();
        let duration = micros(elapsed);
        log_at!(
            access_level(self.method, status.as_u16(), company.is_some()),
            http.route = self.route,
            http.method = self.method,
            http.status = status.as_u16(),
            duration_us = duration,
            request.id = %self.request_id,
            request.caller_id = self.caller_request_id.as_deref(),
            company.id = company.map(tracing::field::display),
            trace.id = trace.as_deref(),
            cause,
            "answered"
        );
        if let Some(Known { caller, facts }) = known {
            let (request_id, address) = (self.request_id, self.address);
            let end = End { request_id, caller, address, duration: elapsed, status, refusal };
            facts.report(self.app, &end);
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Access<'_> {
    fn drop(&mut self) {
        if let Some(underway) = self.underway.take() {
            let duration = micros(underway.elapsed());
            tracing::info!(
                http.route = self.route,
                http.method = self.method,
                duration_us = duration,
                request.id = %self.request_id,
                "abandoned with its connection before it was answered"
            );
        }
    }
}
