//! What was done to a company's credentials, by whom. Rows are added and read, never changed: the service's role may do no
//! more. Every function expects [`super::act_for`] before it.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use typed_ids::CompanyId;
use uuid::Uuid;

use super::schema::token_events;

/// What can be done.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Act {
    TokenIssued,
    TokenRevealed,
    TokenRetiring,
    TokenRevoked,
    ClientCreated,
    ClientSecretAdded,
    ClientSecretRevoked,
    ClientRevoked,
    SigningKeyRotated,
    SigningKeyRetired,
    SigningKeySealed,
}

impl Act {
    const fn as_str(self) -> &'static str {
        match self {
            Self::TokenIssued => "token.issued",
            Self::TokenRevealed => "token.revealed",
            Self::TokenRetiring => "token.retiring",
            Self::TokenRevoked => "token.revoked",
            Self::ClientCreated => "client.created",
            Self::ClientSecretAdded => "client.secret_added",
            Self::ClientSecretRevoked => "client.secret_revoked",
            Self::ClientRevoked => "client.revoked",
            Self::SigningKeyRotated => "signing_key.rotated",
            Self::SigningKeyRetired => "signing_key.retired",
            Self::SigningKeySealed => "signing_key.sealed",
        }
    }
}

/// Who does something, for which company, when: the same for every row of one request.
#[derive(Debug, Clone)]
pub(crate) struct Doing {
    pub(crate) company: CompanyId,
    pub(crate) actor_kind: &'static str,
    pub(crate) actor_name: String,
    pub(crate) actor_address: String,
    pub(crate) now: DateTime<Utc>,
}

impl Doing {
    /// Whether somebody with `timeclock-operator` does it.
    pub(crate) fn is_operators(&self) -> bool {
        self.actor_kind == "operator"
    }
}

/// A row of `token_events`.
#[derive(Queryable, Selectable, Debug)]
#[diesel(table_name = token_events, check_for_backend(diesel::pg::Pg))]
pub(crate) struct EventRow {
    pub(crate) event_id: Uuid,
    pub(crate) occurred_at: DateTime<Utc>,
    /// `None` for acts from before actors were recorded.
    pub(crate) actor_kind: Option<String>,
    pub(crate) actor_name: String,
    pub(crate) actor_address: String,
    pub(crate) act: String,
    pub(crate) target: String,
    pub(crate) note: String,
}

/// Writes down what was done to each of these.
pub(crate) fn record(
    connection: &mut PgConnection,
    doing: &Doing,
    act: Act,
    targets: impl IntoIterator<Item = impl ToString>,
    note: &str,
) -> QueryResult<()> {
    let rows: Vec<_> = targets
        .into_iter()
        .map(|target| {
            (
                token_events::company_id.eq(doing.company.as_uuid()),
                token_events::event_id.eq(Uuid::now_v7()),
                token_events::target.eq(target.to_string()),
                token_events::act.eq(act.as_str()),
                token_events::occurred_at.eq(doing.now),
                token_events::actor_kind.eq(doing.actor_kind),
                token_events::actor_name.eq(&doing.actor_name),
                token_events::actor_address.eq(&doing.actor_address),
                token_events::note.eq(note),
            )
        })
        .collect();
    diesel::insert_into(token_events::table).values(rows).execute(connection).map(drop)
}

/// The newest first, at most `limit`, behind the event `before` if there is one.
pub(crate) fn page(
    connection: &mut PgConnection,
    company: CompanyId,
    before: Option<Uuid>,
    limit: i64,
) -> QueryResult<Vec<EventRow>> {
    let mut query = token_events::table
        .filter(token_events::company_id.eq(company.as_uuid()))
        .order(token_events::event_id.desc())
        .limit(limit)
        .select(EventRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(token_events::event_id.lt(before));
    }
    query.load(connection)
}
