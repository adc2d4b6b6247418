//! `/`: how it goes, at a glance.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use askama::Template;
use bus_contract::{Timestamp, directory::Size};

use crate::{
    app::App,
    http::render,
    language::Key,
    outlook::{
        Outlook,
        credential::end_of,
        pulse::{Next, Pulse},
    },
    page::{Notice, Page, Section, Tone},
    question::Answers,
    signed_in::SignedIn,
};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    page: Page,
    state: (Tone, Key),
    is_never_connected: bool,
    notices: Vec<Notice>,
    pulse: Option<Pulse>,
    size: Option<Size>,
    expiry: Option<Timestamp>,
    tokens_are_away: bool,
}

/// `GET /`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest) -> HttpResponse {
    let mut answers = Answers::default();
    let outlook = Outlook::ask(&app, &who, &mut answers).await;
    // Every notice is on this page, so it has no banner.
    let page = Page::new(&request, app.clock.now(), Section::Overview);
    let credentials = outlook.credentials();
    let expiry = credentials.and_then(|known| known.current_token()).and_then(end_of);
    let activity = outlook.activity.as_ref();
    let template = Overview {
        state: outlook.state(),
        is_never_connected: outlook.is_never_connected(),
        notices: outlook.notices(&page.times),
        pulse: activity.map(|activity| Pulse::of(activity, &page)),
        size: activity.and_then(|activity| activity.size).filter(|size| size.counted_at.is_some()),
        expiry,
        tokens_are_away: outlook.tokens.is_none(),
        page,
    };
    render::page(answers.status(), &template)
}
