//! From a template to a response, in one place.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use askama::Template;
use service_runtime::Causes;

/// The status of a page with a notice in the place of what a service did not answer.
pub(crate) const INCOMPLETE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// A page, or a fragment of one. Kept by nobody: what it shows belongs to one session.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> HttpResponse {
    match template.render() {
        Ok(body) => HttpResponse::build(status)
            .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(body),
        // Writing into a string does not fail, and our own Display implementations do not either.
        Err(error) => {
            tracing::error!(error = %Causes(&error), "a template was not rendered");
            HttpResponse::InternalServerError().finish()
        }
    }
}
