//! `/provisioning/requests/{id}/receipt`: the removal of access by this request, signed for auditors.

use actix_web::{
    HttpResponse,
    http::header,
    web::{Data, Path},
};
use bus_contract::token::{SignAccessEnd, sign_access_end::Cause};
use typed_ids::RequestId;

use crate::{
    access::{self, removals::Removals},
    app::App,
    http::problem::Problem,
    question::Unanswered,
    signed_in::SignedIn,
    store::{access_ends::AccessEndRow, audit::timestamp},
    tokens::Tokens,
};

/// `GET /provisioning/requests/{id}/receipt`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, id: Path<String>) -> Result<HttpResponse, Problem> {
    let id: RequestId = id.parse().map_err(|_no_id| Problem::NotFound)?;
    let end = Removals::one(&app, who.company, id).await?.ok_or(Problem::NotFound)?;
    let receipt = Tokens::of(&app, &who).receipt(statement(&end)).await.map_err(|error| match error {
        // The token service takes what we say or is broken; a reader can do nothing about either.
        Unanswered::Refused(_) | Unanswered::NotFound(_) => Problem::Failed(error.into()),
        away => Problem::Unavailable(away.into()),
    })?;
    Ok(HttpResponse::Ok()
        // RFC 7515 §9.2.1.
        .insert_header((header::CONTENT_TYPE, "application/jose"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"access-end-{id}.jws\"")))
        .body(receipt))
}

fn statement(end: &AccessEndRow) -> SignAccessEnd {
    let is_deletion = end.cause == access::Cause::Deleted.as_str();
    SignAccessEnd {
        company_id: end.company_id.to_string(),
        user_id: end.user_id.to_string(),
        request_id: end.request_id.to_string(),
        cause: if is_deletion { Cause::Deleted } else { Cause::Deactivated }.into(),
        requested_at: end.requested_at.map(timestamp),
        enforced_at: Some(timestamp(end.enforced_at)),
        sessions_ended: u32::try_from(end.sessions_ended).unwrap_or_default(),
    }
}
