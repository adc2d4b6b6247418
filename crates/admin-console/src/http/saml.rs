//! What a company's identity provider and we tell each other through the browser, by SAML.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form},
};
use askama::Template;
use serde::Deserialize;
use service_runtime::{Causes, http::request_id};
use uuid::Uuid;

use super::{guard::see_other, login, problem::Problem, render, sign_in::signed_in};
use crate::{
    app::App,
    language::Key,
    page::{Page, Section},
    single_sign_on::{
        Way,
        federation::{Outcome, Refusal, SIGNED_IN},
        saml::{self, Brought, Refused},
    },
};

/// What an identity provider's page has the browser send.
#[derive(Deserialize)]
pub(crate) struct Message {
    #[serde(rename = "SAMLResponse")]
    response: String,
    #[serde(default, rename = "RelayState")]
    relay_state: String,
}

#[derive(Template)]
#[template(path = "not_signed_in.html")]
struct NotSignedInPage {
    page: Page,
    title: Key,
    text: Key,
    reason: &'static str,
    request_id: Uuid,
}

/// `GET /saml/metadata`: who we are, for whoever sets up an identity provider.
pub(crate) async fn metadata(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/samlmetadata+xml"))
        .body(app.service_provider.metadata())
}

/// `POST /saml/login_check`: the assertion consumer. The form is the identity provider's, so no cookie of ours but one comes
/// with it; what is in it must prove itself.
pub(crate) async fn login_check(
    app: Data<App>,
    request: HttpRequest,
    Form(message): Form<Message>,
) -> Result<HttpResponse, Problem> {
    let brought = Brought {
        response: message.response,
        relay_state: message.relay_state,
        browser: login::kept(&app, &request),
    };
    let taken = saml::take(&app, brought, app.from(&request)).await;
    let result = match &taken {
        Ok(Outcome::SignedIn { .. }) => Some(SIGNED_IN),
        // Nobody was to be signed in.
        Ok(Outcome::Tested { .. }) => None,
        Err(refused) => Some(refused.refusal.result()),
    };
    if let Some(result) = result {
        app.metrics.single_sign_ons.with_label_values(&[Way::Saml.as_str(), result]).inc();
    }
    match taken {
        Ok(Outcome::SignedIn { cookie, path }) => signed_in(&app, &request, &path, &cookie).await,
        Ok(Outcome::Tested { test }) => Ok(see_other(&format!("/settings/single-sign-on/tests/{test}"))),
        Err(refused) => not_signed_in(&app, &request, refused),
    }
}

/// `GET /saml/logout`: the identity provider asks us to end sessions, or answers that it has ended its own.
pub(crate) async fn logout(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let query = request.query_string();
    if !query.contains("SAMLRequest=") {
        // Whatever it answers, our session has ended before it was asked.
        return Ok(see_other("/login?done=signed-out"));
    }
    match saml::end(&app, query, app.from(&request)).await {
        Ok(Some(url)) => Ok(login::leaving(&app, &request, Key("leaving-signed-out"), url)),
        Ok(None) => Ok(see_other("/login?done=signed-out")),
        Err(refused) => not_signed_in(&app, &request, refused),
    }
}

/// Says why not, as far as it is the person's matter; the rest is for the log and for the test in the settings.
fn not_signed_in(
    app: &App,
    request: &HttpRequest,
    Refused { refusal, company }: Refused,
) -> Result<HttpResponse, Problem> {
    let reason = refusal.reason();
    let company = company.map(|company| company.to_string()).unwrap_or_default();
    let (title, text) = match refusal {
        Refusal::Database(error) => return Err(error.into()),
        Refusal::Directory(_) | Refusal::TooMany => return Err(Problem::Unavailable(refusal.into())),
        Refusal::Request(_) => return Err(Problem::Failed(refusal.into())),
        Refusal::NotProvisioned | Refusal::NoIdentifier | Refusal::Ambiguous => {
            ("not-provisioned-title", "not-provisioned-text")
        }
        Refusal::Inactive | Refusal::Ended => ("inactive-title", "inactive-text"),
        Refusal::OtherBrowser | Refusal::Replayed => ("sign-in-again-title", "sign-in-again-text"),
        Refusal::Off | Refusal::Message(saml_protocol::Refusal::Unsolicited) => {
            ("not-from-there-title", "not-from-there-text")
        }
        Refusal::Message(_) | Refusal::UnknownIssuer => ("not-believed-title", "not-believed-text"),
    };
    tracing::warn!(company.id = company, reason, error = %Causes(&refusal), "a sign-in was refused");
    let page = Page::new(request, app.clock.now(), Section::Nowhere).at("/login");
    let request_id = request_id(request);
    let answer = NotSignedInPage { page, title: Key(title), text: Key(text), reason, request_id };
    Ok(render::page(StatusCode::FORBIDDEN, &answer))
}
