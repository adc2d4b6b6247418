//! One request at an endpoint for clients: reads the form within limits, and words every answer as RFC 6749 §5.1 and §5.2
//! want it.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt as _;
use prometheus::IntCounterVec;
use typed_ids::CompanyId;

use crate::{
    app::App,
    oauth::{GRANTED, Reason, Refusal},
};

/// The largest form, in bytes: an assertion of the longest kind, and room to spare.
const BODY_LIMIT: usize = 16 * 1024;
/// How long a form may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";

/// What an answer does not say of itself, for the log: whose it is, and why it was refused. Who asked, and with what, is not
/// in it.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) company: Option<CompanyId>,
    pub(super) refusal: Option<&'static str>,
    pub(super) error: Option<String>,
}

/// Counts what came of a request in `counter`, and gives the answer what there is to tell of it.
pub(super) fn tell(
    mut response: HttpResponse,
    counter: &IntCounterVec,
    result: &Result<CompanyId, Refusal>,
) -> HttpResponse {
    let told = match result {
        Ok(company) => Told { company: Some(*company), refusal: None, error: None },
        Err(refusal) => Told {
            company: refusal.company,
            refusal: Some(refusal.label()),
            error: refusal.cause.as_ref().map(ToString::to_string),
        },
    };
    counter.with_label_values(&[told.refusal.unwrap_or(GRANTED)]).inc();
    response.extensions_mut().insert(told);
    response
}

/// A form and the header that may say who sends it.
pub(super) struct Sent {
    pub(super) body: web::BytesMut,
    pub(super) authorization: Option<String>,
}

/// Reads what was sent, within the limits for its sender.
pub(super) async fn read(app: &App, request: &HttpRequest, payload: web::Payload) -> Result<Sent, Refusal> {
    app.limits.check_address(app.proxies.client_of(request))?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(FORM) {
        return Err(Refusal::malformed(415, "send the parameters as application/x-www-form-urlencoded"));
    }
    let authorization = match request.headers().get(header::AUTHORIZATION).map(|value| value.to_str()) {
        None => None,
        Some(Ok(text)) => Some(text.to_owned()),
        Some(Err(_not_ascii)) => {
            return Err(Refusal::new(Reason::InvalidClient, "the Authorization header must be ASCII"));
        }
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, collect(payload));
    let body =
        body.await.map_err(|_elapsed| Refusal::malformed(408, "the form did not arrive in time"))??;
    Ok(Sent { body, authorization })
}

async fn collect(mut payload: web::Payload) -> Result<web::BytesMut, Refusal> {
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_broken| Refusal::malformed(400, "the form broke off"))?;
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Refusal::malformed(413, "the form has more than 16,384 bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What is not a POST.
pub(super) fn wrong_method() -> Refusal {
    Refusal::malformed(405, "send a POST with a form")
}

pub(super) fn refusing(refusal: &Refusal) -> HttpResponse {
    let status = StatusCode::from_u16(refusal.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = uncached(status);
    match status {
        // RFC 9110 §15.5.2: a 401 says how to do better.
        StatusCode::UNAUTHORIZED => {
            response.insert_header((
                header::WWW_AUTHENTICATE,
                "Basic realm=\"TimeClock 365\", charset=\"UTF-8\"",
            ));
        }
        StatusCode::METHOD_NOT_ALLOWED => {
            response.insert_header((header::ALLOW, "POST"));
        }
        _ => {}
    }
    if let Some(wait) = refusal.retry_after {
        response.insert_header((header::RETRY_AFTER, wait.as_secs().to_string()));
    }
    response.body(refusal.body())
}

/// RFC 6749 §5.1: nothing on the way may keep a token.
pub(super) fn uncached(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"));
    response
}
