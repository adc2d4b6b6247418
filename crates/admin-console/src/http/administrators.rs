//! Settings > Company profile > Administrators: who may sign in to the company's pages.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path, Query},
};
use askama::Template;
use bus_contract::Timestamp;
use serde::Deserialize;
use uuid::Uuid;

use super::{guard::see_other, problem::Problem, render};
use crate::{
    administrators::{self, Listed, Refusal, Wanted},
    app::App,
    language::Key,
    page::{Page, Section},
    signed_in::{Role, SignedIn},
    store::audit::timestamp,
};

const PATH: &str = "/settings/administrators";

#[derive(Deserialize)]
pub(crate) struct Done {
    #[serde(default)]
    done: String,
}

#[derive(Deserialize)]
pub(crate) struct InviteForm {
    email: String,
    role: String,
}

#[derive(Deserialize)]
pub(crate) struct RoleForm {
    role: String,
}

#[derive(Deserialize)]
pub(crate) struct BreakGlassForm {
    is_break_glass: bool,
}

#[derive(Template)]
#[template(path = "administrators.html")]
struct AdministratorsPage {
    page: Page,
    lines: Vec<Line>,
    problem: Option<String>,
    done: Option<String>,
    invited: Option<Invited>,
}

struct Line {
    id: Uuid,
    name: String,
    email: String,
    role: Key,
    other_role_value: &'static str,
    make_other: Key,
    is_active: bool,
    is_self: bool,
    is_break_glass: bool,
    sessions: usize,
    last_signed_in_at: Option<Timestamp>,
    invitation_expires_at: Option<Timestamp>,
}

struct Invited {
    email: String,
    link: String,
    mailed: bool,
}

impl Line {
    fn new(listed: Listed, who: &SignedIn) -> Self {
        let row = listed.administrator;
        let (make_other, other_role_value) = match row.role() {
            Role::Administrator => (Key("make-auditor"), Role::Auditor.as_str()),
            Role::Auditor | Role::Member => (Key("make-administrator"), Role::Administrator.as_str()),
        };
        Self {
            id: row.administrator_id,
            role: role_key(row.role()),
            other_role_value,
            make_other,
            is_active: row.is_active,
            is_self: who.account.is_administrator(row.administrator_id),
            is_break_glass: row.is_break_glass,
            sessions: listed.sessions,
            last_signed_in_at: row.last_signed_in_at.map(timestamp),
            invitation_expires_at: listed.invitation_expires_at.map(timestamp),
            name: row.name,
            email: row.email,
        }
    }
}

pub(crate) const fn role_key(role: Role) -> Key {
    match role {
        Role::Administrator => Key("role-administrator"),
        Role::Auditor => Key("role-auditor"),
        Role::Member => Key("role-member"),
    }
}

/// `GET /settings/administrators`.
pub(crate) async fn list(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    Query(Done { done }): Query<Done>,
) -> Result<HttpResponse, Problem> {
    let page = Page::new(&request, app.clock.now(), Section::Administrators);
    let key = match done.as_str() {
        "role" => Some("done-role"),
        "removed" => Some("done-removed"),
        "signed-out" => Some("done-signed-out"),
        "break-glass" => Some("done-break-glass"),
        _ => None,
    };
    let done = key.map(|key| page.say(key).to_string());
    show(
        &app,
        &who,
        StatusCode::OK,
        AdministratorsPage { page, lines: Vec::new(), problem: None, done, invited: None },
    )
    .await
}

/// `POST /settings/administrators/invite`: the only answer that shows the link.
pub(crate) async fn invite(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    Form(form): Form<InviteForm>,
) -> Result<HttpResponse, Problem> {
    let page = Page::new(&request, app.clock.now(), Section::Administrators).at(PATH);
    let role = Role::parse(&form.role).ok_or(Problem::Invalid)?;
    let wanted = Wanted { email: form.email, role, language: String::new() };
    match administrators::invite(&app, who.company, wanted, who.actor()).await {
        Ok(invited) => {
            let invited =
                Invited { email: invited.administrator.email, link: invited.link, mailed: invited.mailed };
            let answer = AdministratorsPage {
                page,
                lines: Vec::new(),
                problem: None,
                done: None,
                invited: Some(invited),
            };
            show(&app, &who, StatusCode::OK, answer).await
        }
        Err(refusal) => refused(&app, &who, page, refusal).await,
    }
}

/// `POST /settings/administrators/{id}/role`.
pub(crate) async fn change_role(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    id: Path<Uuid>,
    Form(form): Form<RoleForm>,
) -> Result<HttpResponse, Problem> {
    let role = Role::parse(&form.role).ok_or(Problem::Invalid)?;
    let changed = administrators::change_role(&app, who.company, *id, role, who.actor()).await;
    finished(&app, &request, &who, changed.map(drop), "role").await
}

/// `POST /settings/administrators/{id}/remove`.
pub(crate) async fn remove(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let removed = administrators::remove(&app, who.company, *id, who.actor()).await;
    finished(&app, &request, &who, removed.map(drop), "removed").await
}

/// `POST /settings/administrators/{id}/break-glass`.
pub(crate) async fn set_break_glass(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    id: Path<Uuid>,
    Form(form): Form<BreakGlassForm>,
) -> Result<HttpResponse, Problem> {
    let set = administrators::set_break_glass(&app, who.company, *id, form.is_break_glass, who.actor()).await;
    finished(&app, &request, &who, set, "break-glass").await
}

/// `POST /settings/administrators/{id}/sign-out`.
pub(crate) async fn sign_out(
    app: Data<App>,
    request: HttpRequest,
    who: SignedIn,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    let done = administrators::sign_out_everywhere(&app, who.company, *id, None, who.actor()).await;
    finished(&app, &request, &who, done.map(drop), "signed-out").await
}

async fn finished(
    app: &App,
    request: &HttpRequest,
    who: &SignedIn,
    result: Result<(), Refusal>,
    done: &str,
) -> Result<HttpResponse, Problem> {
    match result {
        Ok(()) => Ok(see_other(&format!("{PATH}?done={done}"))),
        Err(refusal) => {
            let page = Page::new(request, app.clock.now(), Section::Administrators).at(PATH);
            refused(app, who, page, refusal).await
        }
    }
}

async fn refused(app: &App, who: &SignedIn, page: Page, refusal: Refusal) -> Result<HttpResponse, Problem> {
    let (status, key) = match refusal {
        Refusal::Email => (StatusCode::UNPROCESSABLE_ENTITY, "refused-email"),
        Refusal::Taken => (StatusCode::CONFLICT, "refused-taken"),
        Refusal::TooMany => (StatusCode::CONFLICT, "refused-many"),
        Refusal::NotFound => (StatusCode::NOT_FOUND, "refused-unknown"),
        Refusal::Last => (StatusCode::CONFLICT, "refused-last"),
        Refusal::SingleSignOnOnly => (StatusCode::CONFLICT, "refused-single-sign-on-only"),
        Refusal::LastBreakGlass => (StatusCode::CONFLICT, "refused-last-break-glass"),
        Refusal::NoCompany | Refusal::Company(_) => return Err(Problem::Unavailable(refusal.into())),
        Refusal::Database(error) => return Err(error.into()),
    };
    let problem = Some(page.say(key).to_string());
    show(app, who, status, AdministratorsPage { page, lines: Vec::new(), problem, done: None, invited: None })
        .await
}

/// The page with its list as it is now.
async fn show(
    app: &App,
    who: &SignedIn,
    status: StatusCode,
    mut answer: AdministratorsPage,
) -> Result<HttpResponse, Problem> {
    let listed = administrators::list(app, who.company).await?;
    answer.lines = listed.into_iter().map(|listed| Line::new(listed, who)).collect();
    Ok(render::page(status, &answer))
}
