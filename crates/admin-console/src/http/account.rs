//! What people change about themselves, and where they are signed in.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use askama::Template;
use bus_contract::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{
    administrators::role_key,
    guard::see_other,
    invitation::words,
    problem::Problem,
    render,
    sign_in::{Said, say, signed_in},
    sign_out,
};
use crate::{
    account::{self, Refusal},
    app::App,
    language::{Key, Language},
    page::{Page, Section},
    session::{self, Listed},
    signed_in::{Account, SignedIn},
    store::audit::timestamp,
};

#[derive(Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Deserialize)]
pub(crate) struct ProfileForm {
    name: String,
    language: String,
}

#[derive(Deserialize)]
pub(crate) struct NoticesForm {
    /// A box that is not ticked is not sent.
    wants: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct PasswordForm {
    current: String,
    new: String,
}

#[derive(Template)]
#[template(path = "account.html")]
struct AccountPage {
    page: Page,
    email: String,
    name: String,
    role: Key,
    /// `None` for a person, who has a session and no account.
    wants_notices: Option<bool>,
    has_mail: bool,
    sessions: Vec<Line>,
    problem: Option<String>,
    done: Option<String>,
}

struct Line {
    id: Uuid,
    browser: String,
    address: String,
    last_seen_at: Timestamp,
    is_this: bool,
}

/// `GET /account`.
pub(crate) async fn get(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    Query(Done { done }): Query<Done>,
) -> Result<HttpResponse, Problem> {
    let key = match done.as_str() {
        "profile" => Some("done-profile"),
        "password" => Some("done-password"),
        "session" => Some("done-session"),
        "others" => Some("done-others"),
        _ => None,
    };
    let mut answer = page(&app, &request, &who).await?;
    answer.done = key.map(|key| answer.page.say(key).to_string());
    Ok(render::page(StatusCode::OK, &answer))
}

/// `POST /account/profile`.
pub(crate) async fn set_profile(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    Form(form): Form<ProfileForm>,
) -> Result<HttpResponse, Problem> {
    let language = Language::parse(&form.language).ok_or(Problem::Invalid)?;
    match account::set_profile(&app, (&who, who.administrator()?), &form.name, language.tag()).await {
        Ok(()) => Ok(see_other("/account?done=profile")),
        Err(refusal) => refused(&app, &request, &who, refusal).await,
    }
}

/// `POST /account/notices`.
pub(crate) async fn set_notices(
    app: Data<App>,
    who: SignedIn,
    Form(form): Form<NoticesForm>,
) -> Result<HttpResponse, Problem> {
    account::set_wants_notices(&app, (&who, who.administrator()?), form.wants.is_some()).await?;
    Ok(see_other("/account?done=profile"))
}

/// `POST /account/password`.
pub(crate) async fn change_password(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    Form(form): Form<PasswordForm>,
) -> Result<HttpResponse, Problem> {
    let whose = (&who, who.administrator()?);
    match account::change_password(&app, whose, (form.current, form.new), app.from(&request)).await {
        Ok(cookie) => signed_in(&app, &request, "/account?done=password", &cookie).await,
        Err(refusal) => refused(&app, &request, &who, refusal).await,
    }
}

/// `POST /account/sessions/{id}/end`.
pub(crate) async fn end_session(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    if *id == who.session {
        return sign_out::sign_out(app, request, who).await;
    }
    if session::end(&app, &who, *id).await?.is_none() {
        return Err(Problem::NotFound);
    }
    Ok(see_other("/account?done=session"))
}

/// `POST /account/sessions/end-others`.
pub(crate) async fn end_others(app: Data<App>, who: SignedIn) -> Result<HttpResponse, Problem> {
    session::end_others(&app, &who).await?;
    Ok(see_other("/account?done=others"))
}

async fn refused(
    app: &App,
    request: &HttpRequest,
    who: &SignedIn,
    refusal: Refusal,
) -> Result<HttpResponse, Problem> {
    let mut answer = page(app, request, who).await?;
    answer.page = answer.page.at("/account");
    let said = match refusal {
        Refusal::Name => Said::new(answer.page.say("invitation-name").to_string()),
        Refusal::Weak(weakness) => Said::new(answer.page.say(words(weakness)).to_string()),
        Refusal::Current(refusal) => say(&answer.page, refusal, "account-password-wrong")?,
        Refusal::Database(error) => return Err(error.into()),
    };
    answer.problem = Some(said.text.clone());
    Ok(said.on(&answer))
}

async fn page(app: &App, request: &HttpRequest, who: &SignedIn) -> Result<AccountPage, Problem> {
    let wants_notices = match who.account {
        Account::Administrator(administrator) => Some(account::wants_notices(app, who, administrator).await?),
        Account::Person(_) => None,
    };
    let sessions = session::list(app, who).await?;
    Ok(AccountPage {
        page: Page::new(request, app.clock.now(), Section::Nowhere),
        email: who.email.clone(),
        name: who.name.clone(),
        role: role_key(who.role),
        wants_notices,
        has_mail: app.mailer.is_some(),
        sessions: sessions.into_iter().map(|row| line(row, who)).collect(),
        problem: None,
        done: None,
    })
}

fn line(row: Listed, who: &SignedIn) -> Line {
    Line {
        id: row.id,
        browser: if row.browser.is_empty() { "?".to_owned() } else { row.browser },
        address: row.address,
        last_seen_at: timestamp(row.last_seen_at),
        is_this: row.id == who.session,
    }
}
