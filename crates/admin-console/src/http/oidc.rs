//! What a company's OpenID provider sends browsers back with, and what it is given of us.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Path},
};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::{came_back, login, problem::Problem};
use crate::{
    app::App,
    single_sign_on::{Way, oidc, signing_key},
};

/// `GET /oidc/callback/{company}`: the redirect with the code. Whoever follows it must have begun it, by the cookie of its own.
pub(crate) async fn callback(
    app: Data<App>,
    request: HttpRequest,
    company: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let at = CompanyId::from_uuid(*company);
    let browser = login::kept(&app, &request);
    let taken = oidc::take(&app, (at, request.query_string()), browser, app.from(&request)).await;
    came_back::answer(&app, &request, Way::Oidc, taken).await
}

/// `GET /oidc/certificate`: what a provider verifies us by, for whoever sets it up there.
pub(crate) async fn certificate(app: Data<App>) -> Result<HttpResponse, Problem> {
    let key = app.signing_key().ok_or(Problem::NotFound)?;
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/x-pem-file"))
        .insert_header((header::CONTENT_DISPOSITION, "attachment; filename=\"timeclock-365.pem\""))
        .body(signing_key::pem(key.certificate())))
}
