//! What administrators do to the company's OAuth clients, for those who connect without a secret token.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use bus_contract::token::{Federation, SecretAuthentication, create_client::Authentication};
use serde::Deserialize;
use uuid::Uuid;

use super::{Extra, not_done, show};
use crate::{
    app::App,
    http::{guard::see_other, problem::Problem},
    signed_in::SignedIn,
    tokens::{Lifetime, Tokens},
};

/// Audiences are typed one a line; the token service takes five.
const MOST_AUDIENCES: usize = 5;

#[derive(Deserialize)]
pub(crate) struct NewClient {
    /// `secret` or `federation`.
    kind: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    tenant_id: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    audiences: String,
    /// Of the secret.
    #[serde(default)]
    years: Lifetime,
}

#[derive(Deserialize)]
pub(crate) struct NewSecret {
    #[serde(default)]
    years: Lifetime,
}

/// `POST /settings/company/clients`: the page with the client's secret, which is told this once.
pub(crate) async fn create(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    Form(form): Form<NewClient>,
) -> Result<HttpResponse, Problem> {
    let authentication = authentication(&form).ok_or(Problem::Invalid)?;
    let description = form.description.trim().to_owned();
    match Tokens::of(&app, &who).create_client(description, authentication).await {
        Ok(told) => {
            let extra = Extra { told: Some(told), ..Extra::default() };
            Ok(show(&app, &who, &request, StatusCode::OK, extra).await)
        }
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}

fn authentication(form: &NewClient) -> Option<Authentication> {
    match form.kind.as_str() {
        "secret" => {
            Some(Authentication::Secret(SecretAuthentication { lifetime_seconds: Some(form.years.seconds) }))
        }
        "federation" => {
            let audiences = form.audiences.lines().map(str::trim).filter(|line| !line.is_empty());
            Some(Authentication::Federation(Federation {
                tenant_id: form.tenant_id.trim().to_lowercase(),
                subject: form.subject.trim().to_owned(),
                // One too many is for the token service to refuse, with its reason.
                audiences: audiences.take(MOST_AUDIENCES + 1).map(str::to_owned).collect(),
            }))
        }
        _ => None,
    }
}

/// `POST /settings/company/clients/{client}/secrets`.
pub(crate) async fn add_secret(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    client: Path<Uuid>,
    Form(form): Form<NewSecret>,
) -> Result<HttpResponse, Problem> {
    match Tokens::of(&app, &who).add_client_secret(*client, form.years).await {
        Ok(told) => {
            let extra = Extra { told: Some(told), ..Extra::default() };
            Ok(show(&app, &who, &request, StatusCode::OK, extra).await)
        }
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}

/// `POST /settings/company/clients/{client}/secrets/{secret}/revoke`.
pub(crate) async fn revoke_secret(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    path: Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (client, secret) = path.into_inner();
    match Tokens::of(&app, &who).revoke_client_secret(client, secret).await {
        Ok(_client) => Ok(see_other("/settings/company?done=secret-revoked#credential-types")),
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}

/// `POST /settings/company/clients/{client}/revoke`.
pub(crate) async fn revoke(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    client: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    match Tokens::of(&app, &who).revoke_client(*client).await {
        Ok(_client) => Ok(see_other("/settings/company?done=client-revoked#credential-types")),
        Err(error) => not_done(&app, &who, &request, error).await,
    }
}
