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
        credential::{end_of, end_of_client},
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
    /// What Entra is let in with: the token, else the newest OAuth client that works.
    credential: Option<Credential>,
    tokens_are_away: bool,
}

impl Overview {
    fn is_client(&self) -> bool {
        self.credential.as_ref().is_some_and(|credential| credential.is_client)
    }
}

struct Credential {
    is_client: bool,
    /// Workload identity federation has none.
    expiry: Option<Timestamp>,
}

/// `GET /`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest) -> HttpResponse {
    let mut answers = Answers::default();
    let outlook = Outlook::ask(&app, &who, &mut answers).await;
    // Every notice is on this page, so it has no banner.
    let page = Page::new(&request, app.clock.now(), Section::Overview);
    let credential = outlook.credentials().and_then(|known| {
        let token = known.current_token();
        let token = token.map(|token| Credential { is_client: false, expiry: end_of(token) });
        let client = || known.current_client(page.times.now);
        token.or_else(|| client().map(|client| Credential { is_client: true, expiry: end_of_client(client) }))
    });
    let activity = outlook.activity.as_ref();
    let template = Overview {
        state: outlook.state(),
        is_never_connected: outlook.is_never_connected(),
        notices: outlook.notices(&page.times),
        pulse: activity.map(|activity| Pulse::of(activity, &page)),
        size: activity.and_then(|activity| activity.size).filter(|size| size.counted_at.is_some()),
        credential,
        tokens_are_away: outlook.tokens.is_none(),
        page,
    };
    render::page(answers.status(), &template)
}
