//! The route table.

use actix_web::{HttpResponse, web};

use crate::app::App;

/// Mounts the routes.
pub(crate) fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(app.clone()))
            .route("/", web::get().to(|| async { HttpResponse::NotFound().finish() }));
    }
}
