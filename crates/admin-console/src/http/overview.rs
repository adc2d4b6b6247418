//! `/`: how it goes, at a glance.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use askama::Template;
use bus_contract::{
    Timestamp,
    directory::{GetActivityReply, Size},
};

use crate::{
    app::App,
    http::render,
    language::Key,
    outlook::{Outlook, credential::end_of},
    page::{Notice, Page, Section, Tone},
    picture::Picture,
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
    activity: Option<GetActivityReply>,
    last_call: Option<Timestamp>,
    next_cycle: Option<Timestamp>,
    success: Option<String>,
    picture: Picture,
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
    let health = activity.and_then(|activity| activity.health.as_ref());
    let picture = Picture::of(activity.map(|activity| activity.slots.as_slice()).unwrap_or_default());
    let template = Overview {
        state: outlook.state(),
        is_never_connected: outlook.is_never_connected(),
        notices: outlook.notices(&page.times),
        last_call: health.and_then(|health| health.last_call_at),
        next_cycle: health.and_then(|health| health.next_cycle_at),
        success: picture.success_tenths().map(|tenths| page.per_cent(tenths)),
        picture,
        size: activity.and_then(|activity| activity.size).filter(|size| size.counted_at.is_some()),
        expiry,
        tokens_are_away: outlook.tokens.is_none(),
        activity: outlook.activity,
        page,
    };
    render::page(answers.status(), &template)
}
