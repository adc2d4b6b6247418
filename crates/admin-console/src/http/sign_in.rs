//! The forms that ask who somebody is: to sign in, and again before a secret is shown.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Query},
};
use serde::Deserialize;

use super::{guard::see_other, problem::Problem, return_to};
use crate::{
    app::App,
    password::HashError,
    session,
    sign_in::{self, Refusal},
    signed_in::SignedIn,
};

#[derive(Deserialize)]
pub(crate) struct Return {
    #[serde(default, rename = "return")]
    path: String,
}

#[derive(Deserialize)]
pub(crate) struct SignInForm {
    email: String,
    password: String,
    #[serde(default, rename = "return")]
    path: String,
}

#[derive(Deserialize)]
pub(crate) struct ConfirmForm {
    password: String,
    #[serde(default, rename = "return")]
    path: String,
}

/// The form.
pub(crate) async fn show(Query(wanted): Query<Return>) -> HttpResponse {
    let path = return_to::checked(&wanted.path);
    plain(
        StatusCode::OK,
        "Sign in",
        &format!(
            "<form method=post action=/sign-in><input name=email><input name=password type=password><input type=hidden name=return value='{}'><button>Sign in</button></form>",
            return_to::encode(path)
        ),
    )
}

/// Signs in, or says no.
pub(crate) async fn attempt(
    app: Data<App>,
    request: HttpRequest,
    Form(form): Form<SignInForm>,
) -> Result<HttpResponse, Problem> {
    let path = return_to::checked(&form.path);
    match sign_in::attempt(&app, &form.email, &form.password, app.from(&request)).await {
        Ok(cookie) => {
            let mut response = see_other(path);
            response
                .add_cookie(&session::cookie(&app, &cookie))
                .map_err(|error| Problem::Failed(error.into()))?;
            Ok(response)
        }
        Err(refusal) => refused(refusal),
    }
}

/// The form that asks for the password again.
pub(crate) async fn ask_again(signed_in: SignedIn, Query(wanted): Query<Return>) -> HttpResponse {
    let path = return_to::checked(&wanted.path);
    plain(
        StatusCode::OK,
        "Confirm",
        &format!(
            "<form method=post action=/confirm-password><input type=hidden name=csrf_token value={}><input name=password type=password><input type=hidden name=return value='{}'><button>Go on</button></form>",
            signed_in.csrf_token,
            return_to::encode(path)
        ),
    )
}

/// Takes the password, and goes on.
pub(crate) async fn confirm(
    app: Data<App>,
    signed_in: SignedIn,
    Form(form): Form<ConfirmForm>,
) -> Result<HttpResponse, Problem> {
    match sign_in::confirm(&app, &signed_in, &form.password).await {
        Ok(()) => Ok(see_other(return_to::checked(&form.path))),
        Err(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Result<HttpResponse, Problem> {
    match refusal {
        Refusal::Wrong => Ok(plain(StatusCode::UNPROCESSABLE_ENTITY, "Wrong", "")),
        Refusal::Throttled { .. } => Ok(plain(StatusCode::TOO_MANY_REQUESTS, "Too many", "")),
        Refusal::Hash(HashError::Busy) => Err(Problem::Unavailable(HashError::Busy.into())),
        Refusal::Hash(error) => Err(Problem::Failed(error.into())),
        Refusal::Database(error) => Err(error.into()),
    }
}

pub(crate) fn plain(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .body(format!("<!doctype html><title>{title}</title><h1>{title}</h1>{body}"))
}
