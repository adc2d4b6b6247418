//! The HTTP listener: public keys for outsiders (RFC 7517 §5).

use actix_web::{HttpResponse, http::header, web};
use serde_json::json;
use service_runtime::Causes;

use crate::{app::App, sign, store::keys};

/// How long a reader may keep the keys, in seconds.
const MAX_AGE: u32 = 300;

/// Mounts the routes.
pub(crate) fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config.app_data(web::Data::new(app.clone())).route("/.well-known/jwks.json", web::get().to(jwks));
    }
}

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
            tracing::error!(error.chain = %Causes(&error), "cannot show the public keys");
            HttpResponse::ServiceUnavailable().insert_header((header::RETRY_AFTER, "5")).finish()
        }
    }
}
