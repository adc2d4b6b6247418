//! `/provisioning/brakes`: mass removals, who is part of one, and what a human decides about it.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Form, Path},
};
use askama::Template;
use bus_contract::directory::{Brake, BrakeRule, Removal, brake::State, decide_brake::Decision};
use serde::Deserialize;
use service_runtime::Causes;
use typed_ids::BrakeId;
use uuid::Uuid;

use crate::{
    app::App,
    directory::Directory,
    filter::encode,
    http::{guard::see_other, problem::Problem, query::Fields, render},
    language::{Key, Text},
    page::{Page, Section, Tone},
    question::{Answers, Unanswered},
    signed_in::SignedIn,
};

/// The directory did not take a decision.
const OTHERWISE: Key = Key("brake-decided-otherwise");
/// People on a page of a mass removal.
const PEOPLE: u32 = 50;

#[derive(Template)]
#[template(path = "brakes.html")]
struct Brakes {
    page: Page,
    brakes: Option<Vec<Brake>>,
    rule: Option<BrakeRule>,
    said: Option<(Tone, Text)>,
}

#[derive(Template)]
#[template(path = "brake.html")]
struct OneBrake {
    page: Page,
    id: BrakeId,
    brake: Option<Brake>,
    people: Vec<Removal>,
    next: Option<String>,
    is_first_page: bool,
    said: Option<(Tone, Text)>,
}

impl OneBrake {
    fn is(&self, state: State) -> bool {
        self.brake.as_ref().is_some_and(|brake| brake.state() == state)
    }
}

/// What a state is called, and how grave it is.
pub(crate) fn state(brake: &Brake) -> (Tone, Key) {
    match brake.state() {
        State::On => (Tone::Danger, Key("brake-state-on")),
        State::Undoing => (Tone::Info, Key("brake-state-undoing")),
        State::Undone => (Tone::Success, Key("brake-state-undone")),
        State::Released => (Tone::Neutral, Key("brake-state-released")),
        State::Expired => (Tone::Neutral, Key("brake-state-expired")),
        State::Unspecified => (Tone::Neutral, Key("unknown")),
    }
}

/// `GET /provisioning/brakes`.
pub(crate) async fn list(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    let said = (query.get("done") == "rule").then_some((Tone::Success, Key("brakes-rule-done")));
    show_all(&app, &who, &request, StatusCode::OK, said).await
}

async fn show_all(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    status: StatusCode,
    said: Option<(Tone, Key)>,
) -> HttpResponse {
    let directory = Directory::of(app, who);
    let (page, found) =
        tokio::join!(Page::open(app, request, who, Section::Provisioning), directory.brakes());
    let mut answers = Answers::default();
    let (brakes, rule) = match answers.keep("mass removals", found) {
        Some(found) => (Some(found.brakes), found.rule),
        None => (None, None),
    };
    let page = page.at("/provisioning/brakes");
    let said = said.map(|(tone, key)| (tone, page.say(key)));
    let status = if status == StatusCode::OK { answers.status() } else { status };
    render::page(status, &Brakes { page, brakes, rule, said })
}

/// `GET /provisioning/brakes/{id}`.
pub(crate) async fn get(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<Uuid>,
    query: Fields,
) -> Result<HttpResponse, Problem> {
    let id = BrakeId::from_uuid(*id);
    show(&app, &who, &request, (id, query.id("after")), StatusCode::OK, None).await
}

async fn show(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    (id, after): (BrakeId, Option<Uuid>),
    status: StatusCode,
    said: Option<(Key, Option<u64>)>,
) -> Result<HttpResponse, Problem> {
    let directory = Directory::of(app, who);
    let (page, found) = tokio::join!(
        Page::open(app, request, who, Section::Provisioning),
        directory.removals(id, after, PEOPLE)
    );
    let mut answers = Answers::default();
    let found = answers.keep("a mass removal", found);
    if found.as_ref().is_some_and(|found| found.brake.is_none()) {
        return Err(Problem::NotFound);
    }
    let last = found.as_ref().filter(|found| found.has_more).and_then(|found| found.removals.last());
    let next = last.map(|last| format!("/provisioning/brakes/{id}?after={}", encode(&last.user_id)));
    let (brake, people) = found.map(|found| (found.brake, found.removals)).unwrap_or_default();
    let page = page.at(&format!("/provisioning/brakes/{id}"));
    let said = said.map(|(key, seen)| (Tone::Danger, why_not(&page, key, brake.as_ref(), seen)));
    let status = if status == StatusCode::OK { answers.status() } else { status };
    let is_first_page = after.is_none();
    Ok(render::page(status, &OneBrake { page, id, brake, people, next, is_first_page, said }))
}

/// Why a decision was not taken, about as many people as whoever decided had to see.
fn why_not(page: &Page, key: Key, brake: Option<&Brake>, seen: Option<u64>) -> Text {
    // The directory says no to whoever is too late, and to whoever has not seen all of them.
    let waits = brake.filter(|brake| brake.state() == State::On && key == OTHERWISE);
    match waits.zip(seen).map(|(brake, seen)| brake.removed.saturating_sub(seen)) {
        Some(more @ 1..) => page.say(Key("brake-grown")).with("count", more),
        Some(0) | None => page.say(key),
    }
}

/// `POST /provisioning/brakes/{id}/undo`.
pub(crate) async fn undo(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    decide(&app, &who, &request, BrakeId::from_uuid(*id), (Decision::Undo, None)).await
}

#[derive(Deserialize)]
pub(crate) struct Release {
    /// As many people as the page said.
    removed: u64,
}

/// `POST /provisioning/brakes/{id}/release`.
pub(crate) async fn release(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<Uuid>,
    Form(seen): Form<Release>,
) -> Result<HttpResponse, Problem> {
    decide(&app, &who, &request, BrakeId::from_uuid(*id), (Decision::Release, Some(seen.removed))).await
}

async fn decide(
    app: &App,
    who: &SignedIn,
    request: &HttpRequest,
    id: BrakeId,
    (decision, seen): (Decision, Option<u64>),
) -> Result<HttpResponse, Problem> {
    let (status, key) =
        match Directory::of(app, who).decide(id, (decision, seen.unwrap_or(0)), who.actor()).await {
            Ok(_brake) => return Ok(see_other(&format!("/provisioning/brakes/{id}"))),
            // Somebody else was faster, Entra was, or there is no such thing, which the page says.
            Err(Unanswered::Refused(_)) => (StatusCode::CONFLICT, OTHERWISE),
            Err(away) => {
                tracing::warn!(error = %Causes(&away), "a decision about a mass removal was not taken");
                (StatusCode::SERVICE_UNAVAILABLE, Key("not-done-away"))
            }
        };
    show(app, who, request, (id, None), status, Some((key, seen))).await
}

#[derive(Deserialize)]
pub(crate) struct Rule {
    more_than: u32,
    percent: u32,
}

/// `POST /provisioning/brakes/rule`.
pub(crate) async fn set_rule(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    Form(rule): Form<Rule>,
) -> HttpResponse {
    let rule = BrakeRule { more_than: rule.more_than, percent: rule.percent };
    let (status, key) = match Directory::of(&app, &who).set_brake_rule(rule, who.actor()).await {
        Ok(_set) => return see_other("/provisioning/brakes?done=rule"),
        Err(Unanswered::Refused(_)) => (StatusCode::UNPROCESSABLE_ENTITY, Key("brakes-rule-refused")),
        Err(away) => {
            tracing::warn!(error = %Causes(&away), "a rule of mass removals was not set");
            (StatusCode::SERVICE_UNAVAILABLE, Key("not-done-away"))
        }
    };
    show_all(&app, &who, &request, status, Some((Tone::Danger, key))).await
}
