//! `POST /oauth2/token`: reads the request within limits, and words every answer as RFC 6749 §5.1 and §5.2 want it.

use std::time::{Duration, Instant};

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt as _;
use secrecy::ExposeSecret as _;
use serde_json::json;
use service_runtime::{http::access_level, log_at};
use tracing::Instrument as _;
use typed_ids::RequestId;

use super::TOKEN_PATH;
use crate::{
    app::App,
    oauth::{self, Grant, Reason, Refusal, SCOPE, TokenRequest},
};

/// The largest form, in bytes: an assertion of the longest kind, and room to spare.
const BODY_LIMIT: usize = 16 * 1024;
/// How long a form may take to arrive.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const FORM: &str = "application/x-www-form-urlencoded";

/// Grants an access token, or says why not.
pub(super) async fn grant(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let asked = Asked::begin("POST");
    let result = attempt(&app, &request, payload).instrument(asked.span()).await;
    asked.end(&app, &result);
    match result {
        Ok(granted) => granting(&granted),
        Err(refusal) => refusing(&refusal),
    }
}

/// Whatever is not a POST.
pub(super) async fn wrong_method(app: web::Data<App>) -> HttpResponse {
    let refusal = Refusal::malformed(405, "send a POST with a form");
    Asked::begin("other").end(&app, &Err(refusal.clone()));
    refusing(&refusal)
}

/// One request's entry in the log and the metrics. Who asks, and with what, is in neither.
struct Asked {
    request_id: RequestId,
    method: &'static str,
    begun: Instant,
}

impl Asked {
    fn begin(method: &'static str) -> Self {
        Self { request_id: RequestId::mint(), method, begun: Instant::now() }
    }

    fn span(&self) -> tracing::Span {
        tracing::info_span!("http.request", http.route = TOKEN_PATH, http.method = self.method, request.id = %self.request_id)
    }

    fn end(self, app: &App, result: &Result<Grant, Refusal>) {
        let refusal = result.as_ref().err();
        let label = refusal.map_or("ok", Refusal::label);
        app.metrics.grants.with_label_values(&[label]).inc();
        let (status, company) = match result {
            Ok(granted) => (200, Some(granted.company)),
            Err(refusal) => (refusal.status, refusal.company),
        };
        log_at!(
            access_level(self.method, status, company.is_some()),
            http.route = TOKEN_PATH,
            http.method = self.method,
            http.status = status,
            duration_us = u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX),
            request.id = %self.request_id,
            company.id = company.map(tracing::field::display),
            result = label,
            cause = refusal.and_then(|refusal| refusal.cause.as_deref()),
            "answered"
        );
    }
}

async fn attempt(app: &App, request: &HttpRequest, payload: web::Payload) -> Result<Grant, Refusal> {
    app.limits.check_address(app.proxies.client_of(request))?;
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(FORM) {
        return Err(Refusal::malformed(415, "send the parameters as application/x-www-form-urlencoded"));
    }
    let authorization = match request.headers().get(header::AUTHORIZATION).map(|value| value.to_str()) {
        None => None,
        Some(Ok(text)) => Some(text),
        Some(Err(_not_ascii)) => {
            return Err(Refusal::new(Reason::InvalidClient, "the Authorization header must be ASCII"));
        }
    };
    let body = tokio::time::timeout(BODY_TIMEOUT, collect(payload));
    let body =
        body.await.map_err(|_elapsed| Refusal::malformed(408, "the form did not arrive in time"))??;
    let TokenRequest { credentials } = TokenRequest::read(&body, authorization)?;
    oauth::grant(app, credentials).await
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

fn granting(granted: &Grant) -> HttpResponse {
    let body = json!({
        "access_token": granted.access_token.expose_secret(),
        "token_type": "Bearer",
        "expires_in": granted.expires_in,
        "scope": SCOPE,
    });
    uncached(StatusCode::OK).body(body.to_string())
}

fn refusing(refusal: &Refusal) -> HttpResponse {
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
fn uncached(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    response
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::PRAGMA, "no-cache"));
    response
}
