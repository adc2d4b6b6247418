//! The page that an invitation's link leads to.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use askama::Template;
use serde::Deserialize;

use super::{
    problem::Problem,
    render,
    sign_in::{Said, signed_in},
};
use crate::{
    app::App,
    invitation::{self, Acceptance, Refusal, Waiting},
    language::{Key, LANGUAGE_COOKIE, Language},
    page::{Page, Section},
    password::{HashError, Weakness},
};

#[derive(Deserialize)]
pub(crate) struct AcceptForm {
    name: String,
    password: String,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    page: Page,
    waiting: Waiting,
    name: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "invitation_gone.html")]
struct GonePage {
    page: Page,
}

/// The form, or that the invitation is not good any more.
pub(crate) async fn show(
    app: Data<App>,
    request: HttpRequest,
    token: Path<String>,
) -> Result<HttpResponse, Problem> {
    let page = Page::new(&request, app.clock.now(), Section::Nowhere);
    match invitation::find(&app, &token).await {
        Ok(waiting) => {
            let page = in_language_of(page, &request, &waiting);
            let form = InvitationPage { page, waiting, name: String::new(), problem: None };
            Ok(render::page(StatusCode::OK, &form))
        }
        Err(refusal) => refused(page, refusal),
    }
}

/// Accepts it and signs in.
pub(crate) async fn accept(
    app: Data<App>,
    request: HttpRequest,
    token: Path<String>,
    Form(form): Form<AcceptForm>,
) -> Result<HttpResponse, Problem> {
    let page = Page::new(&request, app.clock.now(), Section::Nowhere);
    let waiting = match invitation::find(&app, &token).await {
        Ok(waiting) => waiting,
        Err(refusal) => return refused(page, refusal),
    };
    let page = in_language_of(page, &request, &waiting);
    let language = page.language().tag().to_owned();
    let name = form.name.clone();
    let acceptance = Acceptance { name: form.name, password: form.password, language };
    let problem = match invitation::accept(&app, &token, acceptance, app.from(&request)).await {
        Ok(cookie) => return signed_in(&app, &request, "/", &cookie).await,
        Err(Refusal::Name) => page.say("invitation-name"),
        Err(Refusal::Weak(weakness)) => page.say(words(weakness)),
        Err(refusal) => return refused(page, refusal),
    };
    let said = Said::new(problem.to_string());
    Ok(said.on(&InvitationPage { page, waiting, name, problem: Some(said.text.clone()) }))
}

/// The invitation was sent in a language; a browser in which nobody chose another one goes on in it.
fn in_language_of(mut page: Page, request: &HttpRequest, waiting: &Waiting) -> Page {
    if request.cookie(LANGUAGE_COOKIE).is_none()
        && let Some(language) = Language::parse(&waiting.language)
    {
        page.times.language = language;
    }
    page
}

/// Why a password is not good enough.
pub(crate) const fn words(weakness: Weakness) -> Key {
    match weakness {
        Weakness::TooShort => Key("password-short"),
        Weakness::TooLong => Key("password-long"),
        Weakness::Guessable => Key("password-guessable"),
        Weakness::Common => Key("password-common"),
    }
}

fn refused(page: Page, refusal: Refusal) -> Result<HttpResponse, Problem> {
    match refusal {
        Refusal::Gone => Ok(render::page(StatusCode::GONE, &GonePage { page })),
        Refusal::Hash(HashError::Busy) => Err(Problem::Unavailable(HashError::Busy.into())),
        Refusal::Hash(error) => Err(Problem::Failed(error.into())),
        Refusal::Database(error) => Err(error.into()),
        Refusal::Name | Refusal::Weak(_) => Err(Problem::Invalid),
    }
}
