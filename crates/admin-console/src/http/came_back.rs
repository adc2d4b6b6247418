//! What somebody sees who comes back from their company's identity provider, whichever protocol it speaks.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use askama::Template;
use service_runtime::{Causes, http::request_id};
use uuid::Uuid;

use super::{
    guard::see_other,
    problem::Problem,
    render,
    sign_in::{NO_TIME, NOT_ASKED, ask_again_at, signed_in},
};
use crate::{
    app::App,
    language::Key,
    page::{Page, Section},
    single_sign_on::{
        Way,
        federation::{Confirmation, Outcome, Refusal, Refused, SIGNED_IN},
    },
};

#[derive(Template)]
#[template(path = "not_signed_in.html")]
struct NotSignedInPage {
    page: Page,
    title: Key,
    text: Key,
    reason: &'static str,
    request_id: Uuid,
}

/// Goes on with what became of a sign-in.
pub(crate) async fn answer(
    app: &App,
    request: &HttpRequest,
    way: Way,
    taken: Result<Outcome, Refused>,
) -> Result<HttpResponse, Problem> {
    let result = match &taken {
        Ok(Outcome::SignedIn { .. }) => Some(SIGNED_IN),
        // Nobody was to be signed in.
        Ok(Outcome::Tested { .. }) => None,
        Err(refused) => Some(refused.refusal.result()),
    };
    if let Some(result) = result {
        app.metrics.single_sign_ons.with_label_values(&[way.as_str(), result]).inc();
    }
    match taken {
        Ok(Outcome::SignedIn { cookie, path, confirmation }) => {
            let path = match confirmation {
                None | Some(Confirmation::Given) => path,
                // Where they went they would be asked again, without a word.
                Some(Confirmation::NotAsked) => ask_again_at(&path, NOT_ASKED),
                Some(Confirmation::NoTime) => ask_again_at(&path, NO_TIME),
            };
            signed_in(app, request, &path, &cookie).await
        }
        Ok(Outcome::Tested { test }) => Ok(see_other(&format!("/settings/single-sign-on/tests/{test}"))),
        Err(refused) => not_signed_in(app, request, refused),
    }
}

/// Says why not, as far as it is the person's matter; the rest is for the log and for the test in the settings.
pub(crate) fn not_signed_in(
    app: &App,
    request: &HttpRequest,
    Refused { refusal, company }: Refused,
) -> Result<HttpResponse, Problem> {
    let reason = refusal.reason();
    let company = company.map(|company| company.to_string()).unwrap_or_default();
    let (status, title, text) = match refusal {
        Refusal::Database(error) => return Err(error.into()),
        Refusal::Directory(_) | Refusal::TooMany | Refusal::NoSigningKey => {
            return Err(Problem::Unavailable(refusal.into()));
        }
        Refusal::Request(_) | Refusal::OpenIdRequest(_) => return Err(Problem::Failed(refusal.into())),
        Refusal::Exchange(_) => (StatusCode::BAD_GATEWAY, "not-answered-title", "not-answered-text"),
        Refusal::NotProvisioned | Refusal::NoIdentifier | Refusal::Ambiguous => {
            (StatusCode::FORBIDDEN, "not-provisioned-title", "not-provisioned-text")
        }
        Refusal::Inactive | Refusal::Ended => (StatusCode::FORBIDDEN, "inactive-title", "inactive-text"),
        Refusal::OtherBrowser | Refusal::Replayed | Refusal::Changed => {
            (StatusCode::FORBIDDEN, "sign-in-again-title", "sign-in-again-text")
        }
        Refusal::Off | Refusal::Message(saml_protocol::Refusal::Unsolicited) => {
            (StatusCode::FORBIDDEN, "not-from-there-title", "not-from-there-text")
        }
        Refusal::Message(_) | Refusal::IdToken(_) | Refusal::UnknownIssuer | Refusal::OtherCompany => {
            (StatusCode::FORBIDDEN, "not-believed-title", "not-believed-text")
        }
    };
    // Of strangers' messages there is no end.
    let level = if company.is_empty() { tracing::Level::DEBUG } else { tracing::Level::WARN };
    service_runtime::log_at!(level, company.id = company, reason, error = %Causes(&refusal), "a sign-in was refused");
    let page = Page::new(request, app.clock.now(), Section::Nowhere).at("/login");
    let request_id = request_id(request);
    let answer = NotSignedInPage { page, title: Key(title), text: Key(text), reason, request_id };
    Ok(render::page(status, &answer))
}
