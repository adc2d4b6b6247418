//! What every answer has, whoever gave it: its security headers, its line in the log, its place in the metrics, and for
//! what went wrong a page that says so.

use actix_web::{
    Error, HttpMessage as _,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use askama::Template;
use service_runtime::{
    http::{Answer, Exchange, request_id, status_of},
    trace::InTrace as _,
};
use uuid::Uuid;

use super::{Entry, Shape, render};
use crate::{
    app::App,
    language::Key,
    opaque,
    page::{Page, Section},
    signed_in::SignedIn,
};

/// What a page may run: its own scripts, by name.
#[derive(Debug, Clone)]
pub(crate) struct Nonce(pub(crate) String);

/// Runs the rest and finishes its answer.
pub(crate) async fn finish(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(app) = request.app_data::<Data<App>>().cloned() else { return next.call(request).await };
    let underway = app.requests.begin(request.match_pattern().as_deref(), request.method());
    let exchange = Exchange::begin(request.request(), underway);
    let nonce = Nonce(opaque::mint());
    request.extensions_mut().insert(nonce.clone());
    let answered = next.call(request).in_trace(exchange.trace()).await;
    let answered = answered.map(|response| {
        let entry = response.request().extensions().get::<&'static Entry>().copied();
        let mut response = with_page(response, entry);
        secure(response.headers_mut(), &nonce, app.is_secure());
        response
    });
    let whose = |response: &ServiceResponse<BoxBody>| {
        response.request().extensions().get::<SignedIn>().map(|who| who.company)
    };
    let company = answered.as_ref().ok().and_then(whose);
    exchange.end(&Answer {
        status: status_of(&answered).as_u16(),
        company: company.as_ref().map(|company| company as _),
        refusal: None,
        error: None,
    });
    answered
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    page: Page,
    title: Key,
    text: Key,
    request_id: Uuid,
}

/// What a status is called, and what to do about it.
fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        400 | 415 => ("problem-invalid-title", "problem-invalid-text"),
        403 => ("problem-forbidden-title", "problem-forbidden-text"),
        404 => ("not-found-title", "not-found-text"),
        405 => ("problem-method-title", "problem-method-text"),
        413 => ("problem-large-title", "problem-large-text"),
        503 => ("problem-unavailable-title", "problem-unavailable-text"),
        _ => ("problem-failed-title", "problem-failed-text"),
    }
}

/// The answer with a page in it, when it is a failure that has none.
fn with_page(response: ServiceResponse<BoxBody>, entry: Option<&'static Entry>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let is_failure = status.is_client_error() || status.is_server_error();
    let is_page = response.headers().contains_key(header::CONTENT_TYPE);
    let is_part = entry.is_some_and(|entry| entry.shape == Shape::Part);
    if !is_failure || is_page || is_part {
        return response;
    }
    let request = response.request();
    let now = request.app_data::<Data<App>>().map_or(std::time::UNIX_EPOCH, |app| app.clock.now());
    let (title, text) = words(status);
    let request_id = request_id(request);
    let page = Page::new(request, now, Section::Nowhere);
    let mut page =
        render::page(status, &ProblemPage { page, title: Key(title), text: Key(text), request_id });
    for (name, value) in response.headers() {
        page.headers_mut().insert(name.clone(), value.clone());
    }
    response.into_response(page)
}

/// Sets what tells a browser to trust nothing but what we meant.
fn secure(headers: &mut HeaderMap, nonce: &Nonce, is_secure: bool) {
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{}'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        nonce.0
    );
    let mut set = |name: HeaderName, value: HeaderValue| {
        headers.insert(name, value);
    };
    if let Ok(policy) = HeaderValue::try_from(policy) {
        set(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in HEADERS {
        set(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if is_secure {
        let value = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        set(header::STRICT_TRANSPORT_SECURITY, value);
    }
    // Assets say for themselves how long they are good.
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

const HEADERS: [(&str, &str); 6] = [
    ("x-content-type-options", "nosniff"),
    // Not "no-referrer": with it, browsers send `Origin: null` with our own forms (Fetch §3.2).
    ("referrer-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    ),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    // For browsers that do not know frame-ancestors.
    ("x-frame-options", "DENY"),
];
