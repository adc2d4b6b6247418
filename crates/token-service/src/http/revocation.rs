//! `POST /oauth2/revoke`: the end of one access token before its hour is over (RFC 7009).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use tracing::Instrument as _;
use typed_ids::CompanyId;

use super::{
    REVOCATION_PATH,
    exchange::{self, Asked, refusing, uncached},
};
use crate::{
    app::App,
    oauth::{Refusal, RevocationRequest, revocation},
};

/// Ends an access token of the client that asks, or says why not.
pub(super) async fn revoke(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let asked = Asked::begin(&request, "POST", REVOCATION_PATH);
    let result = attempt(&app, &request, payload).instrument(asked.span()).await;
    asked.end(&app.metrics.revocations, &result);
    match result {
        // RFC 7009 §2.2: the status says it all.
        Ok(_) => uncached(StatusCode::OK).body("{}"),
        Err(refusal) => refusing(&refusal),
    }
}

/// Whatever is not a POST.
pub(super) async fn wrong_method(app: web::Data<App>, request: HttpRequest) -> HttpResponse {
    let refusal = exchange::wrong_method();
    Asked::begin(&request, "other", REVOCATION_PATH).end(&app.metrics.revocations, &Err(refusal.clone()));
    refusing(&refusal)
}

async fn attempt(app: &App, request: &HttpRequest, payload: web::Payload) -> Result<CompanyId, Refusal> {
    let sent = exchange::read(app, request, payload).await?;
    let asked = RevocationRequest::read(&sent.body, sent.authorization.as_deref())?;
    revocation::revoke(app, asked).await
}
