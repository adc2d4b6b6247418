//! The page that an invitation's link leads to.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use serde::Deserialize;

use super::{guard::see_other, problem::Problem, sign_in::plain};
use crate::{
    app::App,
    invitation::{self, Acceptance, Refusal},
    password::HashError,
    session,
};

#[derive(Deserialize)]
pub(crate) struct AcceptForm {
    name: String,
    password: String,
}

/// The form, or that the invitation is not good any more.
pub(crate) async fn show(app: Data<App>, token: Path<String>) -> Result<HttpResponse, Problem> {
    match invitation::find(&app, &token).await {
        Ok(waiting) => Ok(plain(StatusCode::OK, "Invitation", &waiting.email)),
        Err(refusal) => refused(refusal),
    }
}

/// Accepts it and signs in.
pub(crate) async fn accept(
    app: Data<App>,
    request: HttpRequest,
    token: Path<String>,
    Form(form): Form<AcceptForm>,
) -> Result<HttpResponse, Problem> {
    let acceptance = Acceptance { name: form.name, password: form.password, language: "en".to_owned() };
    match invitation::accept(&app, &token, acceptance, app.from(&request)).await {
        Ok(cookie) => {
            let mut response = see_other("/");
            response
                .add_cookie(&session::cookie(&app, &cookie))
                .map_err(|error| Problem::Failed(error.into()))?;
            Ok(response)
        }
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Result<HttpResponse, Problem> {
    match refusal {
        Refusal::Gone => Ok(plain(StatusCode::GONE, "Gone", "")),
        Refusal::Name | Refusal::Weak(_) => Ok(plain(StatusCode::UNPROCESSABLE_ENTITY, "Weak", "")),
        Refusal::Hash(HashError::Busy) => Err(Problem::Unavailable(HashError::Busy.into())),
        Refusal::Hash(error) => Err(Problem::Failed(error.into())),
        Refusal::Database(error) => Err(error.into()),
    }
}
