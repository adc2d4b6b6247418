//! One request at an endpoint for clients: reads the form within limits, and words every answer as RFC 6749 §5.1 and §5.2
//! want it.

use std::time::{Duration, Instant};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt as _;
use prometheus::IntCounterVec;
use service_runtime::{
    http::{self, access_level},
    log_at,
};
use typed_ids::{CompanyId, RequestId};

use crate::{
    app::App,
    oauth::{GRANTED, Reason, Refusal},
};

/// The largest form, in bytes: an assertion of the longest kind, and room to spare.
const BODY_LIMIT: usize = 16 * 1024;
/// How long a form may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";

/// One request's entry in the log and the metrics. Who asks, and with what, is in neither.
pub(super) struct Asked {
    request_id: RequestId,
    /// What the caller calls it.
    caller_request_id: Option<String>,
    route: &'static str,
    method: &'static str,
    begun: Instant,
}

impl Asked {
    pub(super) fn begin(request: &HttpRequest, method: &'static str, route: &'static str) -> Self {
        let request_id = RequestId::from_uuid(http::request_id(request));
        let caller_request_id = http::caller_request_id(request);
        Self { request_id, caller_request_id, route, method, begun: Instant::now() }
    }

    pub(super) fn span(&self) -> tracing::Span {
        tracing::info_span!("http.request", http.route = self.route, http.method = self.method, request.id = %self.request_id)
    }

    /// Writes it, and counts it in `counter`.
    pub(super) fn end(self, counter: &IntCounterVec, result: &Result<CompanyId, Refusal>) {
        let refusal = result.as_ref().err();
        let label = refusal.map_or(GRANTED, Refusal::label);
        counter.with_label_values(&[label]).inc();
        let (status, company) = match result {
            Ok(company) => (200, Some(*company)),
            Err(refusal) => (refusal.status, refusal.company),
        };
        log_at!(
            access_level(self.method, status, company.is_some()),
            http.route = self.route,
            http.method = self.method,
            http.status = status,
            duration_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            request.id = %self.request_id,
            request.caller_id = self.caller_request_id.as_deref(),
            company.id = company.map(tracing::field::display),
            result = label,
            cause = refusal.and_then(|refusal| refusal.cause.as_deref()),
            "answered"
        );
    }
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
