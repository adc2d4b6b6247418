//! `/provisioning/log.csv`: what the filter shows, for a spreadsheet, page by page out of the directory.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use bus_contract::directory::{AttributeChange, ListLogReply, LogEntry};
use futures_util::stream;
use uuid::Uuid;

use crate::{
    access::removals::{Removal, Removals},
    app::App,
    attributes::shown_value,
    csv,
    directory::Directory,
    filter::Filter,
    http::{asker::Asker, problem::Problem, query::Fields},
    language::{Language, times::from_wire},
    line::Line,
    page::{Page, Section},
    question::Unanswered,
    signed_in::SignedIn,
};

/// Lines of an export; the page says so beside its button.
pub(crate) const MOST_LINES: u32 = 50_000;
/// Lines that are asked for at once.
const PAGE: u32 = 500;

/// An export under way.
struct Export {
    app: Data<App>,
    who: SignedIn,
    filter: Filter,
    language: Language,
    /// The page that comes next, if there is one.
    next: Option<ListLogReply>,
    written: u32,
}

/// `GET /provisioning/log.csv`.
pub(crate) async fn get(
    app: Data<App>,
    who: SignedIn,
    request: HttpRequest,
    query: Fields,
) -> Result<HttpResponse, Problem> {
    let language = Page::new(&request, app.clock.now(), Section::Provisioning).language();
    let asker = Asker::of(&app, &request);
    let mut export = Export { app, who, filter: Filter::read(&query.0), language, next: None, written: 0 };
    // The first page is asked for before anything is answered, so that a directory that is away is a 503.
    export.next = Some(export.page_behind(None).await.map_err(|away| Problem::Unavailable(away.into()))?);
    let lines = stream::try_unfold(export, |mut export| async move {
        Ok::<_, Unanswered>(export.write_page().await?.map(|lines| (lines, export)))
    });
    Ok(csv::download("provisioning-log.csv", language, asker, &head(language), lines))
}

impl Export {
    /// The lines of the page at hand; `None` at the end. Asks for the one behind it.
    async fn write_page(&mut self) -> Result<Option<String>, Unanswered> {
        let Some(page) = self.next.take() else { return Ok(None) };
        let removals = Removals::of(&self.app, self.who.company, &page.entries).await;
        let mut lines = String::new();
        for entry in &page.entries {
            let cells = cells(self.language, entry, &removals);
            lines.push_str(&csv::line(self.language, cells.iter().map(String::as_str)));
            self.written += 1;
        }
        let last = page.entries.last().and_then(|last| Uuid::try_parse(&last.request_id).ok());
        if let (true, true, Some(last)) = (page.has_more, self.written < MOST_LINES, last) {
            self.next = Some(self.page_behind(Some(last)).await?);
        } else if page.has_more {
            let limit = self.language.say("export-limit").with("count", MOST_LINES).to_string();
            lines.push_str(&csv::line(self.language, [limit.as_str()]));
        }
        Ok(Some(lines))
    }

    async fn page_behind(&self, before: Option<Uuid>) -> Result<ListLogReply, Unanswered> {
        let question = self.filter.question(self.app.clock.since_epoch(), before, PAGE);
        Directory::of(&self.app, &self.who).log(question).await
    }
}

fn head(language: Language) -> [String; 13] {
    let say = |text: crate::language::Text| text.to_string();
    [
        say(language.say("csv-time")),
        say(language.say("csv-request")),
        say(language.say("log-action")),
        say(language.say("log-result")),
        say(language.say("log-details")),
        say(language.say("csv-message")),
        say(language.say("log-whom")),
        say(language.say("csv-person")),
        say(language.say("csv-group")),
        say(language.say("csv-changes")),
        say(language.say("request-credential")),
        say(language.say("request-address")),
        say(language.say("csv-access-removed")),
    ]
}

fn cells(language: Language, entry: &LogEntry, removals: &Removals) -> [String; 13] {
    let line = Line(entry);
    let at = entry.accepted_at.as_ref().and_then(from_wire);
    let action =
        language.say(line.action()).with("added", entry.members_added).with("removed", entry.members_removed);
    let took = removals.by(entry).and_then(Removal::milliseconds);
    let redacted = language.say("csv-redacted").to_string();
    let changes: Vec<String> = entry.changes.iter().map(|change| written(change, &redacted)).collect();
    [
        // Universal time, as spreadsheets sort and compute it.
        at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default(),
        entry.request_id.clone(),
        action.to_string(),
        language.say(line.result()).to_string(),
        line.details(),
        line.detail().to_owned(),
        // What the request said, which Entra shows too; else what they are called now.
        if entry.target_name.is_empty() { line.name() } else { &entry.target_name }.to_owned(),
        entry.user_id.clone(),
        entry.group_id.clone(),
        changes.join("\n"),
        entry.credential_id.clone(),
        entry.address.clone(),
        // A number, for whoever wants the slowest.
        took.map(|took| took.to_string()).unwrap_or_default(),
    ]
}

fn written(change: &AttributeChange, redacted: &str) -> String {
    let shown = |json: &Option<String>| json.as_deref().map(shown_value).unwrap_or_default();
    match change.is_redacted {
        true => format!("{}: {redacted}", change.path),
        false => format!("{}: {} → {}", change.path, shown(&change.before), shown(&change.after)),
    }
}
