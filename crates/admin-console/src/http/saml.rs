//! What a company's identity provider and we tell each other through the browser, by SAML.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{Data, Form},
};
use serde::Deserialize;

use super::{came_back, guard::see_other, login, problem::Problem};
use crate::{
    app::App,
    language::Key,
    single_sign_on::{
        Way,
        saml::{self, Brought},
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
    came_back::answer(&app, &request, Way::Saml, taken).await
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
        Err(refused) => came_back::not_signed_in(&app, &request, refused),
    }
}
