//! The HTTP listener: access tokens for clients and their end, public keys and metadata for outsiders.

mod exchange;
mod revocation;
mod token;

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header,
    middleware::{Next, from_fn},
    web,
};
use serde_json::json;
use service_runtime::{
    Causes,
    http::{Answer, Exchange, status_of},
    trace::InTrace as _,
};

use self::exchange::Told;
use crate::{app::App, oauth::SCOPE, sign, store::keys};

/// Where clients get access tokens, behind the public URL.
pub(crate) const TOKEN_PATH: &str = "/oauth2/token";
/// Where clients end them.
pub(crate) const REVOCATION_PATH: &str = "/oauth2/revoke";
const JWKS_PATH: &str = "/.well-known/jwks.json";
const METADATA_PATH: &str = "/.well-known/oauth-authorization-server";
/// The template and method of every route, for the metrics.
pub(crate) const LABELS: [(&str, &str); 4] =
    [(TOKEN_PATH, "POST"), (REVOCATION_PATH, "POST"), (JWKS_PATH, "GET"), (METADATA_PATH, "GET")];
/// How long a reader may keep the keys, in seconds.
const MAX_AGE: u32 = 300;

/// Mounts the routes.
pub(crate) fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        let everything = web::scope("")
            .service(
                web::resource(TOKEN_PATH)
                    .route(web::post().to(token::grant))
                    .default_service(web::to(token::wrong_method)),
            )
            .service(
                web::resource(REVOCATION_PATH)
                    .route(web::post().to(revocation::revoke))
                    .default_service(web::to(revocation::wrong_method)),
            )
            .route(JWKS_PATH, web::get().to(jwks))
            .route(METADATA_PATH, web::get().to(metadata))
            .default_service(web::to(HttpResponse::NotFound))
            .wrap(from_fn(tell));
        config.app_data(web::Data::new(app.clone())).service(everything);
    }
}

/// Has a request answered, and tells of it.
async fn tell(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let Some(app) = request.app_data::<web::Data<App>>() else { return next.call(request).await };
    let underway = app.requests.begin(request.match_pattern().as_deref(), request.method());
    let exchange = Exchange::begin(request.request(), underway);
    let answered = next.call(request).in_trace(exchange.trace()).await;
    let told =
        answered.as_ref().ok().and_then(|answer| answer.response().extensions().get::<Told>().cloned());
    let told = told.as_ref();
    exchange.end(&Answer {
        status: status_of(&answered).as_u16(),
        company: told.and_then(|told| told.company.as_ref()).map(|company| company as _),
        refusal: told.and_then(|told| told.refusal),
        error: told.and_then(|told| told.error.as_deref()),
    });
    answered
}

/// Public keys (RFC 7517 §5).
async fn jwks(app: web::Data<App>) -> HttpResponse {
    match app.pool.run("keys.public", keys::public).await {
        Ok(keys) => {
            let keys: Vec<_> = keys.iter().map(|(kid, public)| sign::jwk(kid, public)).collect();
            HttpResponse::Ok()
                .insert_header((header::CONTENT_TYPE, "application/jwk-set+json"))
                .insert_header((header::CACHE_CONTROL, format!("public, max-age={MAX_AGE}")))
                .body(json!({ "keys": keys }).to_string())
        }
        Err(error) => {
            tracing::error!(error = %Causes(&error), "cannot show the public keys");
            HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).finish()
        }
    }
}

/// What a client has to know to ask for a token (RFC 8414 §2).
async fn metadata(app: web::Data<App>) -> HttpResponse {
    let authentication = ["client_secret_basic", "client_secret_post", "private_key_jwt"];
    let metadata = json!({
        "issuer": app.public_url,
        "token_endpoint": app.token_endpoint(),
        "revocation_endpoint": format!("{}{REVOCATION_PATH}", app.public_url),
        "jwks_uri": format!("{}{JWKS_PATH}", app.public_url),
        "scopes_supported": [SCOPE],
        // Required by RFC 8414; empty, because there is no authorization endpoint.
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": authentication,
        "token_endpoint_auth_signing_alg_values_supported": ["RS256"],
        "revocation_endpoint_auth_methods_supported": authentication,
        "revocation_endpoint_auth_signing_alg_values_supported": ["RS256"],
    });
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={MAX_AGE}")))
        .body(metadata.to_string())
}
