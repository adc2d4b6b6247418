//! `POST /oauth2/revoke`: the end of one access token before its hour is over (RFC 7009).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use typed_ids::CompanyId;

use super::exchange::{self, refusing, tell, uncached};
use crate::{
    app::App,
    oauth::{Refusal, RevocationRequest, revocation},
};

/// Ends an access token of the client that asks, or says why not.
pub(super) async fn revoke(app: web::Data<App>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let result = attempt(&app, &request, payload).await;
    let response = match &result {
        // RFC 7009 §2.2: the status says it all.
        Ok(_) => uncached(StatusCode::OK).body("{}"),
        Err(refusal) => refusing(refusal),
    };
    tell(response, &app.metrics.revocations, &result)
}

/// Whatever is not a POST.
pub(super) async fn wrong_method(app: web::Data<App>) -> HttpResponse {
    let refusal = exchange::wrong_method();
    tell(refusing(&refusal), &app.metrics.revocations, &Err(refusal))
}

async fn attempt(app: &App, request: &HttpRequest, payload: web::Payload) -> Result<CompanyId, Refusal> {
    let sent = exchange::read(app, request, payload).await?;
    let asked = RevocationRequest::read(&sent.body, sent.authorization.as_deref())?;
    revocation::revoke(app, asked).await
}
