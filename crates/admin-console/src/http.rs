//! The route table.

pub(crate) mod assets;
pub(crate) mod render;

use actix_web::{HttpRequest, middleware::Compress, web};

use crate::{
    app::App,
    page::{Page, Section},
};

/// Mounts the routes.
pub(crate) fn routes(app: App) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(app.clone()))
            .service(
                web::scope("/assets").wrap(Compress::default()).route("/{name}", web::get().to(assets::get)),
            )
            .default_service(web::get().to(|app: web::Data<App>, request: HttpRequest| async move {
                render::not_found(Page::new(&request, app.clock.now(), Section::Nowhere))
            }));
    }
}
