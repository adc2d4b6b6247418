//! `/provisioning`: the running or last cycle, and every request that Entra made.

pub(crate) mod cycles;
pub(crate) mod export;
pub(crate) mod receipt;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Data, Path},
};
use askama::Template;
use bus_contract::{
    Timestamp,
    directory::{Cycle, FailureCause, GetActivityReply, ListLog, LogEntry},
};
use typed_ids::RequestId;

use crate::{
    access::removals::Removals,
    app::App,
    directory::Directory,
    filter::Filter,
    http::{problem::Problem, query::Fields, render},
    language::times::from_wire,
    outlook::Outlook,
    page::{Page, Section},
    picture::Picture,
    question::Answers,
    signed_in::SignedIn,
};

/// Lines on a page of the log.
const LINES: u32 = 50;
/// Causes of failures that the card shows.
const CAUSES: usize = 5;

#[derive(Template)]
#[template(path = "provisioning.html")]
struct Provisioning<'a> {
    page: &'a Page,
    filter: Filter,
    /// The filter as the address has it.
    query: String,
    entries: Option<Vec<LogEntry>>,
    removals: Removals,
    older: Option<String>,
    is_newest: bool,
    live: Live<'a>,
}

#[derive(Template)]
#[template(path = "provisioning_live.html")]
struct Live<'a> {
    page: &'a Page,
    activity: Option<GetActivityReply>,
    rate: Option<u64>,
    expected: Option<u64>,
    progress: u64,
    causes: Vec<FailureCause>,
    picture: Picture,
}

impl Provisioning<'_> {
    /// Times of day are enough for today.
    fn is_today(&self, at: &Timestamp) -> bool {
        let zone = &self.page.times.zone.zone;
        let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).date();
        from_wire(at).is_some_and(|at| day(at) == day(self.page.times.now))
    }
}

/// `GET /provisioning`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    let filter = Filter::read(&query.0);
    let question = filter.question(app.clock.since_epoch(), query.id("before"), LINES);
    let mut answers = Answers::default();
    let directory = Directory::of(&app, &who);
    let (outlook, log) = tokio::join!(Outlook::glance(&app, &who), directory.log(question));
    let log = answers.keep("provisioning log", log);
    let page = Page::new(&request, app.clock.now(), Section::Provisioning).heeding(&outlook);
    let last = log.as_ref().filter(|log| log.has_more).and_then(|log| log.entries.last());
    let older = last.map(|last| format!("/provisioning?{}", filter.query(Some(&last.request_id))));
    let entries = log.as_ref().map(|log| log.entries.as_slice()).unwrap_or_default();
    let removals = Removals::of(&app, who.company, entries).await;
    let template = Provisioning {
        query: filter.query(None),
        filter,
        entries: log.map(|log| log.entries),
        removals,
        older,
        is_newest: query.id("before").is_none(),
        live: live(&page, outlook.activity),
        page: &page,
    };
    let status = if template.live.activity.is_some() { answers.status() } else { render::INCOMPLETE };
    render::page(status, &template)
}

/// `GET /provisioning/live`: the two cards above the log, as they are now.
pub(crate) async fn fragment(app: Data<App>, who: SignedIn, request: HttpRequest) -> HttpResponse {
    let mut answers = Answers::default();
    let activity = answers.keep("activity", Directory::of(&app, &who).activity().await);
    let page = Page::new(&request, app.clock.now(), Section::Provisioning);
    render::page(answers.status(), &live(&page, activity))
}

fn live(page: &Page, activity: Option<GetActivityReply>) -> Live<'_> {
    let latest = activity.as_ref().and_then(|activity| activity.latest.as_ref());
    let previous = activity.as_ref().and_then(|activity| activity.previous.as_ref());
    let expected = previous.map(|previous| previous.checked).filter(|size| *size > 0);
    let checked = latest.map(|cycle| cycle.checked).unwrap_or_default();
    let causes = latest.map(|cycle| cycle.causes.iter().take(CAUSES).cloned().collect()).unwrap_or_default();
    let slots = activity.as_ref().map(|activity| activity.slots.as_slice()).unwrap_or_default();
    Live {
        page,
        rate: latest.filter(|cycle| cycle.is_running).and_then(rate),
        expected,
        progress: expected.map_or(0, |size| checked.min(size)),
        causes,
        picture: Picture::of(slots),
        activity,
    }
}

/// Requests per second since the cycle began.
fn rate(cycle: &Cycle) -> Option<u64> {
    let seconds = cycle.last_call_at?.seconds.saturating_sub(cycle.started_at?.seconds);
    cycle.calls.checked_div(u64::try_from(seconds).ok()?)
}

#[derive(Template)]
#[template(path = "request.html")]
struct OneRequest {
    page: Page,
    entry: Option<LogEntry>,
    removals: Removals,
}

/// `GET /provisioning/requests/{id}`.
pub(crate) async fn one(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id: RequestId = id.parse().map_err(|_no_id| Problem::NotFound)?;
    let question = ListLog { request_id: id.to_string(), limit: 1, ..ListLog::default() };
    let directory = Directory::of(&app, &who);
    let (page, log) =
        tokio::join!(Page::open(&app, &request, &who, Section::Provisioning), directory.log(question));
    let mut answers = Answers::default();
    let entry = answers.keep("log entry", log).map(|log| log.entries.into_iter().next());
    match entry {
        Some(None) => Err(Problem::NotFound),
        entry => {
            let entry = entry.flatten();
            let removals = Removals::of(&app, who.company, entry.as_slice()).await;
            Ok(render::page(answers.status(), &OneRequest { page, entry, removals }))
        }
    }
}
