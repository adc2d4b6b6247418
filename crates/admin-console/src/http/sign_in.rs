//! The forms that ask who somebody is: to sign in, and again before a secret is shown.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Form, Query},
};
use askama::Template;
use serde::Deserialize;

use super::{
    guard::{self, see_other},
    login,
    problem::Problem,
    query::Fields,
    render, return_to,
};
use crate::{
    app::App,
    page::{Page, Section},
    password::HashError,
    session::{self, Presence},
    sign_in::{self, Refusal},
    signed_in::{Account, SignedIn},
};

/// Of what was typed, so many characters are repeated.
const EMAIL_MOST: usize = 254;

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
    /// Empty from a person, who proves it elsewhere.
    #[serde(default)]
    password: String,
    #[serde(default, rename = "return")]
    path: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    page: Page,
    path: String,
    email: String,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "confirm_password.html")]
struct ConfirmPage {
    page: Page,
    path: String,
    /// Who proves it at the identity provider.
    is_person: bool,
    problem: Option<String>,
}

/// The form; whoever is signed in may sign in again.
pub(crate) async fn show(app: Data<App>, request: HttpRequest, Query(wanted): Query<Return>) -> HttpResponse {
    let page = Page::new(&request, app.clock.now(), Section::Nowhere);
    let path = return_to::checked(&wanted.path).to_owned();
    render::page(StatusCode::OK, &SignInPage { page, path, email: String::new(), problem: None })
}

/// The form, for somebody who has said who they are: in the answer itself, because an address is kept in histories and logs.
pub(crate) fn password_page(app: &App, request: &HttpRequest, path: String, user: &str) -> HttpResponse {
    let page = Page::new(request, app.clock.now(), Section::Nowhere).at("/sign-in");
    let email = user.chars().take(EMAIL_MOST).collect();
    render::page(StatusCode::OK, &SignInPage { page, path, email, problem: None })
}

/// Signs in, or says no.
pub(crate) async fn attempt(
    app: Data<App>,
    request: HttpRequest,
    Form(form): Form<SignInForm>,
) -> Result<HttpResponse, Problem> {
    let path = return_to::checked(&form.path);
    match sign_in::attempt(&app, &form.email, &form.password, app.from(&request)).await {
        Ok(cookie) => signed_in(&app, &request, path, &cookie).await,
        Err(refusal) => {
            let page = Page::new(&request, app.clock.now(), Section::Nowhere);
            let said = say(&page, refusal, "sign-in-wrong")?;
            let path = path.to_owned();
            Ok(said.on(&SignInPage { page, path, email: form.email, problem: Some(said.text.clone()) }))
        }
    }
}

/// That the identity provider had known somebody from before, and that it does not say; in an address.
pub(crate) const NOT_ASKED: &str = "not-asked";
pub(crate) const NO_TIME: &str = "no-time";

/// Where somebody is asked again who has proved nothing new, and told why.
pub(crate) fn ask_again_at(path: &str, why: &str) -> String {
    format!("/confirm-password?return={}&why={why}", return_to::encode(path))
}

/// The form that asks for the password again.
pub(crate) async fn ask_again(
    app: Data<App>,
    request: HttpRequest,
    signed_in: SignedIn,
    query: Fields,
) -> HttpResponse {
    let page = Page::new(&request, app.clock.now(), Section::Nowhere);
    let path = return_to::checked(query.get("return")).to_owned();
    let is_person = matches!(signed_in.account, Account::Person(_));
    let problem = match query.get("why") {
        NOT_ASKED => Some(page.say("confirm-not-asked").to_string()),
        NO_TIME => Some(page.say("confirm-no-time").to_string()),
        _ => None,
    };
    render::page(StatusCode::OK, &ConfirmPage { page, path, is_person, problem })
}

/// Takes the password, and goes on.
pub(crate) async fn confirm(
    app: Data<App>,
    request: HttpRequest,
    signed_in: SignedIn,
    Form(form): Form<ConfirmForm>,
) -> Result<HttpResponse, Problem> {
    let path = return_to::checked(&form.path);
    if let Account::Person(_) = signed_in.account {
        return login::confirm(&app, &request, &signed_in, path).await;
    }
    match sign_in::confirm(&app, &signed_in, &form.password).await {
        Ok(()) => Ok(see_other(path)),
        Err(refusal) => {
            let page = Page::new(&request, app.clock.now(), Section::Nowhere);
            let said = say(&page, refusal, "confirm-wrong")?;
            let path = path.to_owned();
            Ok(said.on(&ConfirmPage { page, path, is_person: false, problem: Some(said.text.clone()) }))
        }
    }
}

/// Goes on with a new session. The one that this browser had until now is nobody's any more, so it ends.
pub(crate) async fn signed_in(
    app: &App,
    request: &HttpRequest,
    path: &str,
    cookie: &str,
) -> Result<HttpResponse, Problem> {
    if let Some(before) = guard::find(app, request, Presence::NotShown).await? {
        session::end(app, &before, before.session).await?;
    }
    let mut response = see_other(path);
    response.add_cookie(&session::cookie(app, cookie)).map_err(|error| Problem::Failed(error.into()))?;
    Ok(response)
}

/// What somebody is told whose password was not taken.
pub(crate) struct Said {
    status: StatusCode,
    pub(crate) text: String,
    /// In seconds.
    retry_after: Option<i64>,
}

impl Said {
    pub(crate) fn new(text: String) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, text, retry_after: None }
    }

    pub(crate) fn on(&self, template: &impl Template) -> HttpResponse {
        let mut response = render::page(self.status, template);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Why a password was not taken, in words, where it is the person's matter.
pub(crate) fn say(page: &Page, refusal: Refusal, wrong: &'static str) -> Result<Said, Problem> {
    match refusal {
        Refusal::SingleSignOnOnly => Ok(Said::new(page.say("sign-in-single-sign-on-only").to_string())),
        Refusal::Wrong => Ok(Said::new(page.say(wrong).to_string())),
        Refusal::Throttled { retry_at } => {
            // Rounded up: whoever comes back then is let in.
            let seconds = (retry_at.timestamp() - page.times.now.as_second() + 1).max(1);
            let (key, count) = match seconds {
                ..=90 => ("throttled-seconds", seconds),
                _ => ("throttled-minutes", (seconds + 59) / 60),
            };
            let text = page.say(key).with("count", count.unsigned_abs()).to_string();
            Ok(Said { status: StatusCode::TOO_MANY_REQUESTS, text, retry_after: Some(seconds) })
        }
        Refusal::Hash(HashError::Busy) => Err(Problem::Unavailable(HashError::Busy.into())),
        Refusal::Hash(error) => Err(Problem::Failed(error.into())),
        Refusal::Database(error) => Err(error.into()),
    }
}
