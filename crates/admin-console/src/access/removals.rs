//! What the provisioning log's lines say of the access that they took away: read from our own table, by request.

use std::collections::HashMap;

use bus_contract::directory::LogEntry;
use service_runtime::Causes;
use typed_ids::{CompanyId, RequestId};
use uuid::Uuid;

use crate::{
    app::App,
    language::{Key, Text},
    page::Page,
    store::{
        self,
        access_ends::{self, AccessEndRow},
    },
};

/// From here on a removal is told in seconds.
const IN_SECONDS: u64 = 10_000;

/// The removals behind some lines.
#[derive(Default)]
pub(crate) struct Removals(HashMap<Uuid, Removal>);

/// One removal of access.
pub(crate) struct Removal(pub(crate) AccessEndRow);

impl Removals {
    /// Of these lines. A line says less while the database is away, and the page stands.
    pub(crate) async fn of(app: &App, company: CompanyId, entries: &[LogEntry]) -> Self {
        // A PUT that turns `active` off is a replacement, and takes access like any other. What only reads takes none.
        let may_take_access = |entry: &&LogEntry| {
            !entry.user_id.is_empty()
                && !matches!(entry.verb.as_str(), "read" | "search" | "test" | "discover")
        };
        let requests =
            entries.iter().filter(may_take_access).filter_map(|entry| entry.request_id.parse().ok());
        let requests: Vec<Uuid> = requests.collect();
        if requests.is_empty() {
            return Self::default();
        }
        let found = app
            .pool
            .transaction("access.of_requests", move |connection| {
                store::act_for(connection, company)?;
                access_ends::of_requests(connection, company, &requests)
            })
            .await;
        let found = found.unwrap_or_else(|error| {
            tracing::warn!(error = %Causes(&error), "lines do not say when access ended");
            Vec::new()
        });
        Self(found.into_iter().map(|row| (row.request_id, Removal(row))).collect())
    }

    /// What this line's request took away; `None` also for what took nothing.
    pub(crate) fn by(&self, entry: &LogEntry) -> Option<&Removal> {
        self.0.get(&entry.request_id.parse::<Uuid>().ok()?)
    }

    /// The removal by this request.
    pub(crate) async fn one(
        app: &App,
        company: CompanyId,
        request: RequestId,
    ) -> Result<Option<AccessEndRow>, pg_pool::Error> {
        let requests = [request.as_uuid()];
        app.pool
            .transaction("access.of_requests", move |connection| {
                store::act_for(connection, company)?;
                Ok(access_ends::of_requests(connection, company, &requests)?.pop())
            })
            .await
    }
}

impl Removal {
    /// How long it took, where the request's arrival is known.
    pub(crate) fn milliseconds(&self) -> Option<u64> {
        let took = self.0.enforced_at - self.0.requested_at?;
        // The gateway's clock may be ahead of ours.
        Some(u64::try_from(took.num_milliseconds()).unwrap_or_default())
    }

    /// "Access removed after 84 ms (2 sessions ended)."
    pub(crate) fn told(&self, page: &Page) -> Text {
        let sessions = u64::try_from(self.0.sessions_ended).unwrap_or_default();
        let text = match self.milliseconds() {
            None => page.say(Key("access-removed")),
            Some(took) if took < IN_SECONDS => {
                page.say(Key("access-removed-milliseconds")).with("time", took)
            }
            Some(took) => page.say(Key("access-removed-seconds")).with("time", took / 1_000),
        };
        text.with("sessions", sessions)
    }
}
