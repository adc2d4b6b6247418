//! The whole of SCIM over HTTP: one entry that answers every request, whatever it asks.
//!
//! Routing is our own ([`route`]) rather than actix's, so that each path, method and malformed thing gets its answer from
//! one exhaustive match, in SCIM's own shape.

mod access;
mod base_url;
mod body;
mod bulk;
mod change;
mod conditions;
mod discovery;
mod facts;
mod groups;
mod list;
mod members;
mod query;
mod render;
mod resources;
mod respond;
mod route;
mod search;
mod users;
mod wire;

use std::{cell::RefCell, net::IpAddr, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{ConnectionType, Method},
    web::{self, Bytes, Payload},
};
use scim_protocol::{bulk::Endpoint, error::ScimError, schema::SchemaSet, search_request::SearchRequest};
use service_runtime::trace::InTrace as _;
use typed_ids::RequestId;

use self::{
    access::{Access, Answered},
    base_url::BaseUrl,
    facts::Facts,
    respond::Refusal,
    route::{Route, Target},
};
use crate::{app::App, auth::Caller};

pub(crate) use self::{route::labels, wire::forgiving};

/// The longest that an answer may take when a change may take `outcome_timeout` and a question `query_timeout`.
pub(crate) fn longest(outcome_timeout: Duration, query_timeout: Duration) -> Duration {
    bulk::longest(outcome_timeout).max(query_timeout)
}

/// Mounts the gateway on a listener.
pub(crate) fn routes(app: Arc<App>) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config.app_data(web::Data::from(Arc::clone(&app))).default_service(web::to(entry));
    }
}

async fn entry(request: HttpRequest, mut payload: Payload, app: web::Data<App>) -> HttpResponse {
    let route = Route::of(request.path());
    let access = Access::begin(&app, &request, route.as_ref());
    let call = Call { app: &app, request: &request, id: access.request_id, address: access.address };
    let (known, answer) = call.answer(route, &mut payload).in_trace(access.trace()).await;

    let (id, refusal) = (access.request_id, answer.as_ref().err());
    let status = answer.as_ref().map_or_else(Refusal::status, HttpResponse::status);
    access.end(Answered { known, status, refusal });
    let mut response = answer.unwrap_or_else(|refusal| refusal.respond(id));
    if !body::is_read(&mut payload) {
        // What is left of the body must not be taken for the next request.
        response.head_mut().set_connection_type(ConnectionType::Close);
    }
    response
}

/// One HTTP request on its way to its answer.
struct Call<'a> {
    app: &'a App,
    request: &'a HttpRequest,
    id: RequestId,
    address: Option<IpAddr>,
}

/// What is known of a call that comes from one of our companies.
struct Known {
    caller: Caller,
    facts: Facts,
}

/// A request whose caller is let in.
struct Authenticated<'a> {
    app: &'a App,
    request: &'a HttpRequest,
    id: RequestId,
    address: Option<IpAddr>,
    caller: Caller,
    query: SearchRequest,
    base_url: BaseUrl,
    /// Of the company's users.
    users: SchemaSet,
    facts: RefCell<Facts>,
}

type Answer = Result<HttpResponse, Refusal>;

impl Call<'_> {
    async fn answer(self, route: Option<Route>, payload: &mut Payload) -> (Option<Known>, Answer) {
        let Some(route) = route else {
            return (
                None,
                Err(ScimError::not_found("There is nothing at this path. The tenant URL ends in /scim.")
                    .into()),
            );
        };
        let facts = Facts::of(&route.target, self.request.method());
        let caller = match self.app.auth.caller(self.request) {
            Ok(caller) => caller,
            Err(refusal) => {
                // That Entra still calls with a credential that has ended is for its company to know.
                let known = refusal.whose().map(|caller| Known { caller, facts });
                return (known, Err(refusal.into()));
            }
        };
        let Some(users) = self.app.schemas.users(caller.company) else {
            return (Some(Known { caller, facts }), Err(Refusal::not_ready()));
        };
        let query = match query::parse(self.request.query_string()) {
            Ok(query) => query,
            Err(error) => return (Some(Known { caller, facts }), Err(error.into())),
        };
        let call = Authenticated {
            app: self.app,
            request: self.request,
            id: self.id,
            address: self.address,
            caller,
            query,
            base_url: BaseUrl::of(self.app.scim_base_url.as_deref(), self.request, route.version_segment),
            users,
            facts: RefCell::new(facts),
        };
        let answer = call.dispatch(route.target, payload).await;
        (Some(Known { caller, facts: call.facts.into_inner() }), answer)
    }
}

impl Authenticated<'_> {
    /// What the resources of an endpoint look like, for this company.
    fn schemas_of(&self, endpoint: Endpoint) -> &SchemaSet {
        match endpoint {
            Endpoint::Users => &self.users,
            Endpoint::Groups => endpoint.schemas(),
        }
    }

    /// Makes a company that calls too often, now so many times at once, slow down; refuses it when that would take long.
    async fn keep_pace(&self, calls: usize) -> Result<(), Refusal> {
        self.app.pace.keep(self.caller.company, calls).await.map_err(|wait| {
            self.app.metrics.pace.limited.with_label_values(&["rate"]).inc();
            Refusal::company_calls_too_often(wait)
        })
    }

    async fn dispatch(&self, target: Target, payload: &mut Payload) -> Answer {
        let method = match self.request.method() {
            // What differs is written by the server: it leaves out the body and keeps its length.
            &Method::HEAD => &Method::GET,
            method => method,
        };
        let share = self.app.places.share(self.caller.company);
        let _share = share.ok_or_else(|| {
            self.app.metrics.pace.limited.with_label_values(&["concurrency"]).inc();
            Refusal::company_is_overdoing_it()
        })?;
        self.keep_pace(1).await?;
        let body = match (&target, method) {
            (Target::All(_) | Target::Search(_), &Method::POST)
            | (Target::One(..), &Method::PUT | &Method::PATCH) => {
                body::read(self.request, payload, self.app.body_limit).await?
            }
            (Target::Bulk, &Method::POST) => {
                body::read(self.request, payload, scim_protocol::bulk::MAX_PAYLOAD_BYTES).await?
            }
            _ => Bytes::new(),
        };
        let _place = self.app.places.take().ok_or_else(Refusal::overloaded)?;
        match (&target, method) {
            (Target::All(endpoint), &Method::GET) => self.list(*endpoint, &self.query).await,
            (Target::All(endpoint), &Method::POST) => self.create(*endpoint, &body).await,
            (Target::One(endpoint, id), &Method::GET) => self.get(*endpoint, id).await,
            (Target::One(endpoint, id), &Method::PUT) => self.replace(*endpoint, id, &body).await,
            (Target::One(endpoint, id), &Method::PATCH) => self.patch(*endpoint, id, &body).await,
            (Target::One(endpoint, id), &Method::DELETE) => self.delete(*endpoint, id).await,
            (Target::Search(Some(endpoint)), &Method::POST) => self.search(*endpoint, &body).await,
            (Target::Search(None), &Method::POST) => self.search_everything(&body).await,
            (Target::Bulk, &Method::POST) => self.bulk(&body).await,
            (Target::ServiceProviderConfig, &Method::GET) => self.service_provider_config(),
            (Target::ResourceTypes, &Method::GET) => self.resource_types(),
            (Target::ResourceType(name), &Method::GET) => self.resource_type(name),
            (Target::Schemas, &Method::GET) => self.schemas(),
            (Target::Schema(urn), &Method::GET) => self.schema(urn),
            // RFC 7644 §3.11.
            (Target::Me, _) => Err(ScimError::not_implemented(
                "There is no /Me: a token of this service stands for a company, not for one of its users.",
            )
            .into()),
            _ => Err(Refusal::method_not_allowed(&target)),
        }
    }
}
