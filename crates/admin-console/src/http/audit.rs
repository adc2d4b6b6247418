//! `/audit` and `/audit.csv`: who did what, and from where.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use askama::Template;
use bus_contract::audit::{Event, actor::Kind};
use futures_util::stream;
use uuid::Uuid;

use crate::{
    app::App,
    audit, csv,
    filter::encode,
    http::{asker::Asker, problem::Problem, query::Fields, render},
    language::{Key, Language, Text, times::from_wire},
    page::{Page, Section},
    question::Answers,
    signed_in::SignedIn,
};

/// Acts on a page.
const ACTS: u32 = 50;
/// Acts that are asked for at once for an export; each service answers at most 200.
const PAGE: u32 = 199;
/// Lines of an export; the page says so.
pub(crate) const MOST_LINES: u32 = 20_000;

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    page: Page,
    rows: Vec<Row>,
    older: Option<String>,
    is_away: bool,
}

struct Row {
    sentence: Text,
    kind: Key,
    /// The event's note, where it is one of a few words that we know.
    note: Option<Key>,
    event: Event,
}

/// `GET /audit`.
pub(crate) async fn get(app: Data<App>, who: SignedIn, request: HttpRequest, query: Fields) -> HttpResponse {
    let mut answers = Answers::default();
    let (page, found) = tokio::join!(
        Page::open(&app, &request, &who, Section::Audit),
        audit::page(&app, &who, query.id("before"), ACTS, &mut answers)
    );
    let last = found.events.last().filter(|_| found.has_more);
    let older = last.map(|last| format!("/audit?before={}", encode(&last.event_id)));
    let language = page.language();
    let rows = found.events.into_iter().map(|event| Row {
        sentence: audit::sentence(language, &event),
        kind: kind(&event),
        note: audit::note(&event.note),
        event,
    });
    let template = Audit { rows: rows.collect(), older, is_away: !answers.is_complete(), page };
    render::page(answers.status(), &template)
}

fn kind(event: &Event) -> Key {
    match event.actor.as_ref().map(bus_contract::audit::Actor::kind) {
        Some(Kind::Administrator) => Key("actor-administrator"),
        Some(Kind::Operator) => Key("actor-operator"),
        Some(Kind::System) => Key("actor-system"),
        Some(Kind::Unspecified) | None => Key("unknown"),
    }
}

struct Export {
    app: Data<App>,
    who: SignedIn,
    language: Language,
    /// The page that comes next, if there is one.
    next: Option<audit::AuditPage>,
    written: u32,
}

/// One of the three logs is away: an export without it would be taken for whole.
#[derive(Debug, thiserror::Error)]
#[error("a part of the audit log has no answer")]
struct Incomplete;

/// `GET /audit.csv`.
pub(crate) async fn export(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let language = Page::new(&request, app.clock.now(), Section::Audit).language();
    let asker = Asker::of(&app, &request);
    let mut export = Export { app, who, language, next: None, written: 0 };
    export.next = Some(export.page_behind(None).await.map_err(|away| Problem::Unavailable(away.into()))?);
    let head = [
        Key("csv-time"),
        Key("audit-what"),
        Key("audit-who"),
        Key("request-address"),
        Key("audit-act"),
        Key("audit-target"),
        Key("audit-note"),
    ];
    let head = head.map(|key| language.say(key).to_string());
    let lines = stream::try_unfold(export, |mut export| async move {
        Ok::<_, Incomplete>(export.write_page().await?.map(|lines| (lines, export)))
    });
    Ok(csv::download("audit-log.csv", language, asker, &head, lines))
}

impl Export {
    async fn write_page(&mut self) -> Result<Option<String>, Incomplete> {
        let Some(page) = self.next.take() else { return Ok(None) };
        let lines: String = page.events.iter().map(|event| written(self.language, event)).collect();
        self.written = self.written.saturating_add(PAGE);
        let last = page.events.last().and_then(|last| Uuid::try_parse(&last.event_id).ok());
        if let (true, true, Some(last)) = (page.has_more, self.written < MOST_LINES, last) {
            self.next = Some(self.page_behind(Some(last)).await?);
        }
        Ok(Some(lines))
    }

    async fn page_behind(&self, before: Option<Uuid>) -> Result<audit::AuditPage, Incomplete> {
        let mut answers = Answers::default();
        let page = audit::page(&self.app, &self.who, before, PAGE, &mut answers).await;
        if answers.is_complete() { Ok(page) } else { Err(Incomplete) }
    }
}

fn written(language: Language, event: &Event) -> String {
    let at = event.occurred_at.as_ref().and_then(from_wire);
    let at = at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let sentence = audit::sentence(language, event).to_string();
    let actor = event.actor.as_ref();
    let name = actor.map(|actor| actor.name.as_str()).unwrap_or_default();
    let address = actor.map(|actor| actor.address.as_str()).unwrap_or_default();
    csv::line(language, [at.as_str(), &sentence, name, address, &event.act, &event.target, &event.note])
}
