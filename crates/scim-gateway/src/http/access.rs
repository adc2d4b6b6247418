//! What is told of each request: to the log, the metrics and the trace, and to the directory about a call whose company is
//! known.

use std::net::IpAddr;

use actix_web::{HttpRequest, http::StatusCode};
use service_runtime::{
    http::{Answer, Exchange},
    trace::Trace,
};
use typed_ids::RequestId;

use super::{Known, facts::End, respond::Refusal, route::Route};
use crate::app::App;

/// One request, until it has been told of.
pub(super) struct Access<'a> {
    pub(super) request_id: RequestId,
    /// Of the caller.
    pub(super) address: Option<IpAddr>,
    app: &'a App,
    exchange: Exchange,
}

/// What there is to say about the answer.
pub(super) struct Answered<'a> {
    /// Of a stranger nothing is.
    pub(super) known: Option<Known>,
    pub(super) status: StatusCode,
    pub(super) refusal: Option<&'a Refusal>,
}

impl<'a> Access<'a> {
    pub(super) fn begin(app: &'a App, request: &HttpRequest, route: Option<&Route>) -> Self {
        let underway = app.requests.begin(route.map(|route| route.target.template()), request.method());
        let exchange = Exchange::begin(request, underway);
        Self {
            request_id: RequestId::from_uuid(exchange.id()),
            address: app.trusted_proxies.client_of(request),
            app,
            exchange,
        }
    }

    /// What is done for the request belongs to this.
    pub(super) const fn trace(&self) -> &Trace {
        self.exchange.trace()
    }

    /// Tells of it.
    pub(super) fn end(self, answered: Answered<'_>) {
        let Self { request_id, address, app, exchange } = self;
        let Answered { known, status, refusal } = answered;
        let company = known.as_ref().map(|known| known.caller.company);
        let duration = exchange.end(&Answer {
            status: status.as_u16(),
            company: company.as_ref().map(|company| company as _),
            refusal: refusal.and_then(Refusal::scim_type),
            error: refusal.and_then(Refusal::cause),
        });
        if let Some(Known { caller, facts }) = known {
            facts.report(app, &End { request_id, caller, address, duration, status, refusal });
        }
    }
}
