//! `POST /oauth2/token`: an access token for a client (RFC 6749 §4.4).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::exchange::{self, refusing, tell, uncached};
use crate::{
    app::App,
    oauth::{self, Grant, Refusal, SCOPE, TokenRequest},
};

/// Grants an access token, or says why not.
pub(super) async fn grant(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let result = attempt(&app, &request, payload).await;
    if let Err(refusal) = &result {
        app.refused_calls.report(refusal, app.proxies.client_of(&request));
    }
    let response = match &result {
        Ok(granted) => granting(granted),
        Err(refusal) => refusing(refusal),
    };
    tell(response, &app.metrics.grants, &result.map(|granted| granted.company))
}

/// Whatever is not a POST.
pub(super) async fn wrong_method(app: web::Data<App>) -> HttpResponse {
    let refusal = exchange::wrong_method();
    tell(refusing(&refusal), &app.metrics.grants, &Err(refusal))
}

async fn attempt(app: &App, request: &HttpRequest, payload: web::Payload) -> Result<Grant, Refusal> {
    let sent = exchange::read(app, request, payload).await?;
    let TokenRequest { credentials } = TokenRequest::read(&sent.body, sent.authorization.as_deref())?;
    oauth::grant(app, credentials).await
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
