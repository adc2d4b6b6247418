//! `/provisioning/cycles`: the runs of calls that there were, newest first.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use askama::Template;
use bus_contract::directory::Cycle;

use crate::{
    app::App,
    directory::Directory,
    filter::encode,
    http::{query::Fields, render},
    language::{Language, Text},
    page::{Page, Section},
    question::Answers,
    signed_in::SignedIn,
};

/// Cycles on a page: a day of them, at one in forty minutes.
const CYCLES: u32 = 36;

#[derive(Template)]
#[template(path = "cycles.html")]
struct Cycles {
    page: Page,
    cycles: Option<Vec<Row>>,
    older: Option<String>,
}

struct Row {
    cycle: Cycle,
    lasted: Text,
}

/// `GET /provisioning/cycles`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    let before = query.id("before").map(|before| before.to_string());
    let directory = Directory::of(&app, &who);
    let (page, found) = tokio::join!(
        Page::open(&app, &request, &who, Section::Provisioning),
        directory.cycles(before, CYCLES)
    );
    let mut answers = Answers::default();
    let found = answers.keep("cycles", found);
    let last = found.as_ref().filter(|found| found.has_more).and_then(|found| found.cycles.last());
    let older = last.map(|last| format!("/provisioning/cycles?before={}", encode(&last.cycle_id)));
    let language = page.language();
    let cycles = found.map(|found| {
        let rows = found.cycles.into_iter().map(|cycle| Row { lasted: lasted(language, &cycle), cycle });
        rows.collect()
    });
    render::page(answers.status(), &Cycles { page, cycles, older })
}

fn lasted(language: Language, cycle: &Cycle) -> Text {
    let seconds = match (cycle.started_at, cycle.last_call_at) {
        (Some(began), Some(ended)) => u64::try_from(ended.seconds - began.seconds).unwrap_or(0),
        _ => 0,
    };
    if seconds < 60 {
        language.say("lasted-seconds").with("count", seconds)
    } else {
        language.say("lasted-minutes").with("count", seconds.div_ceil(60))
    }
}
