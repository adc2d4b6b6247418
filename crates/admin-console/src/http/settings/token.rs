//! What administrators do to the company's Entra tokens.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Path},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Extra, not_done, show};
use crate::{
    app::App,
    http::{guard::see_other, problem::Problem},
    signed_in::SignedIn,
    tokens::{Lifetime, Tokens},
};

/// For how long both tokens work: a week, a day, an hour, not at all. In seconds, as the dialog offers them.
const OVERLAPS: [u32; 4] = [7 * 24 * 3600, 24 * 3600, 3600, 0];

#[derive(Deserialize)]
pub(crate) struct Issue {
    /// Where the form was.
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    years: Lifetime,
}

#[derive(Deserialize)]
pub(crate) struct Rotation {
    overlap: u32,
    #[serde(default)]
    years: Lifetime,
}

#[derive(Deserialize)]
pub(crate) struct Reveal {
    /// `text` when a script wants nothing but the token, to copy it.
    #[serde(default, rename = "as")]
    shape: String,
}

#[derive(Deserialize)]
pub(crate) struct Revocation {
    /// Whether it is an old token that its successor has replaced.
    #[serde(default)]
    is_retired: bool,
}

/// `POST /settings/company/tokens`.
pub(crate) async fn issue(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    Form(issue): Form<Issue>,
) -> Result<HttpResponse, Problem> {
    match Tokens::of(&app, &who).issue(issue.years).await {
        Ok(_issued) if issue.return_to == "/connect" => Ok(see_other("/connect")),
        // The token is not in the answer: showing it is an act of its own, which is written down.
        Ok(_issued) => Ok(see_other("/settings/company?done=issued#azure-user-synchronization")),
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}

/// `POST /settings/company/tokens/rotate`.
pub(crate) async fn rotate(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    Form(rotation): Form<Rotation>,
) -> Result<HttpResponse, Problem> {
    if !OVERLAPS.contains(&rotation.overlap) {
        return Err(Problem::Invalid);
    }
    match Tokens::of(&app, &who).rotate(rotation.overlap, rotation.years).await {
        Ok(_issued) => Ok(see_other("/settings/company?done=rotated#azure-user-synchronization")),
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}

/// `POST /settings/company/tokens/{token}/reveal`: the page with the token in it, or the token alone.
pub(crate) async fn reveal(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    token: Path<Uuid>,
    Form(reveal): Form<Reveal>,
) -> Result<HttpResponse, Problem> {
    let found = match Tokens::of(&app, &who).reveal(*token).await {
        Ok(found) => found,
        Err(error) => return not_done(&app, &who, &request, error).await,
    };
    if reveal.shape == "text" {
        return Ok(HttpResponse::Ok()
            .insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(found.secret));
    }
    let extra = Extra { revealed: Some((token.to_string(), found.secret)), ..Extra::default() };
    Ok(show(&app, &who, &request, StatusCode::OK, extra).await)
}

/// `POST /settings/company/tokens/{token}/revoke`.
pub(crate) async fn revoke(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    token: Path<Uuid>,
    Form(revocation): Form<Revocation>,
) -> Result<HttpResponse, Problem> {
    match Tokens::of(&app, &who).revoke(*token).await {
        Ok(_revoked) if revocation.is_retired => Ok(see_other("/settings/company?done=retired")),
        Ok(_revoked) => Ok(see_other("/settings/company?done=revoked")),
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}
