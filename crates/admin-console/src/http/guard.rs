//! Whether a request may reach its handler: decided here for every route, before anything of it runs.

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse,
    body::BoxBody,
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{self, HeaderMap},
    middleware::Next,
    web::{Bytes, Data, Query},
};
use serde::Deserialize;

use super::{Access, Entry, Shape, Verb, problem::Problem, return_to};
use crate::{
    app::App,
    csrf, opaque,
    session::{self, Presence},
    signed_in::SignedIn,
};

/// In the address of a page to which somebody comes back after they have proved who they are.
pub(crate) const CONFIRMED: &str = "confirmed=yes";

/// Lets a request through to its handler, or answers in the handler's place.
pub(crate) async fn check(
    entry: &'static Entry,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    request.extensions_mut().insert(entry);
    match admit(entry, &mut request).await {
        Ok(()) => next.call(request).await,
        Err(refusal) => Ok(request.into_response(refusal)),
    }
}

async fn admit(entry: &'static Entry, request: &mut ServiceRequest) -> Result<(), HttpResponse> {
    let Some(app) = request.app_data::<Data<App>>().cloned() else {
        return Err(Problem::Failed(anyhow::anyhow!("routes without their app")).answer());
    };
    if entry.access == Access::FromElsewhere {
        return Ok(());
    }
    if entry.verb == Verb::Post && !csrf::is_same_origin(request.headers(), &app.console_url) {
        return Err(Problem::CrossSite.answer());
    }
    if entry.access == Access::Public {
        return Ok(());
    }
    let found = find(&app, request.request(), presence(entry, request.headers())).await;
    let found = found.map_err(|error| Problem::from(error).answer())?;
    let Some(signed_in) = found else { return Err(must_sign_in(entry, request, &app)) };
    if entry.verb == Verb::Post && !has_token(request, &signed_in.csrf_token).await? {
        return Err(Problem::CrossSite.answer());
    }
    // Also for the page that says no.
    request.extensions_mut().insert(signed_in.clone());
    match entry.access {
        Access::Public | Access::FromElsewhere | Access::Own => Ok(()),
        Access::Account => signed_in.administrator().map(drop).map_err(|refusal| refusal.answer()),
        // What somebody gets to see who came by the front door and looks after nothing.
        Access::SignedIn if !signed_in.may_look() && entry.path == "/" => Err(see_other("/account")),
        _ if !signed_in.may_look() => Err(Problem::Forbidden.answer()),
        Access::SignedIn => Ok(()),
        Access::Administrator | Access::Fresh if !signed_in.may_change() => Err(Problem::Forbidden.answer()),
        Access::Fresh if !signed_in.is_fresh => Err(must_confirm(entry, request, &app)),
        Access::Administrator | Access::Fresh => Ok(()),
    }
}

/// Whether somebody is there. An open page asks for its parts by itself, also for parts of whole pages; the script that does
/// it says so, and whoever says it without need only ends their own session sooner.
fn presence(entry: &Entry, headers: &HeaderMap) -> Presence {
    match entry.shape {
        Shape::Page if !headers.contains_key("hx-request") => Presence::Shown,
        Shape::Page | Shape::Part => Presence::NotShown,
    }
}

/// Whose session the request's cookie is.
pub(super) async fn find(
    app: &App,
    request: &HttpRequest,
    presence: Presence,
) -> Result<Option<SignedIn>, pg_pool::Error> {
    let Some(cookie) = request.cookie(session::cookie_name(app)) else { return Ok(None) };
    session::find(app, cookie.value(), app.address_of(request), presence).await
}

/// Notes who is signed in, where that decides nothing.
pub(crate) async fn recognise(app: &App, request: &HttpRequest) -> Result<(), Problem> {
    if let Some(who) = find(app, request, Presence::Shown).await? {
        request.extensions_mut().insert(who);
    }
    Ok(())
}

#[derive(Deserialize)]
struct Token {
    csrf_token: String,
}

/// Whether the form, or a script by a header, sends the session's token back. Reads the body and puts it back.
async fn has_token(request: &mut ServiceRequest, expected: &str) -> Result<bool, HttpResponse> {
    if let Some(sent) = request.headers().get(csrf::HEADER) {
        return Ok(sent.to_str().is_ok_and(|sent| opaque::equal(sent, expected)));
    }
    let body = request.extract::<Bytes>().await.map_err(|error| {
        let is_large =
            error.as_response_error().status_code() == actix_web::http::StatusCode::PAYLOAD_TOO_LARGE;
        if is_large { Problem::TooLarge.answer() } else { Problem::Invalid.answer() }
    })?;
    // A form in a body is spelled as one in a query.
    let sent = std::str::from_utf8(&body).ok().and_then(|form| Query::<Token>::from_query(form).ok());
    request.set_payload(Payload::from(body));
    Ok(sent.is_some_and(|sent| opaque::equal(&sent.csrf_token, expected)))
}

fn must_sign_in(entry: &Entry, request: &ServiceRequest, app: &App) -> HttpResponse {
    match entry.shape {
        Shape::Part => HttpResponse::Unauthorized()
            .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
            .body("Sign in first.\n"),
        Shape::Page => see_other(&format!("/login?return={}", return_to::encode(&here(entry, request, app)))),
    }
}

fn must_confirm(entry: &Entry, request: &ServiceRequest, app: &App) -> HttpResponse {
    let mut path = here(entry, request, app);
    // What was sent is not sent again: the page it came from asks for it once more.
    if entry.verb == Verb::Post && !path.contains(CONFIRMED) {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(CONFIRMED);
    }
    see_other(&format!("/confirm-password?return={}", return_to::encode(&path)))
}

/// Where to go on afterwards: the page itself, or the one whose form was sent, because a form is not sent twice.
fn here(entry: &Entry, request: &ServiceRequest, app: &App) -> String {
    let here = match entry.verb {
        Verb::Get => request.uri().path_and_query().map(|here| here.as_str().to_owned()),
        Verb::Post => referring_page(request.headers(), &app.console_url),
    };
    return_to::checked(here.as_deref().unwrap_or("/")).to_owned()
}

fn referring_page(headers: &HeaderMap, console_url: &str) -> Option<String> {
    let referrer = headers.get(header::REFERER)?.to_str().ok()?;
    referrer.strip_prefix(console_url).map(str::to_owned)
}

/// Go there, with a GET.
pub(crate) fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, path)).finish()
}
