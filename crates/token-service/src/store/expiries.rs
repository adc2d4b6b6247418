//! When live credentials expire, whoever's they are: for gauges.

use chrono::{DateTime, Utc};
use diesel::{PgConnection, QueryResult, prelude::*};
use uuid::Uuid;

use super::schema::expiries;

/// What expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Token,
    ClientSecret,
}

impl Kind {
    /// Every kind.
    pub(crate) const ALL: [Self; 2] = [Self::Token, Self::ClientSecret];

    /// The column's value and the metric's label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::ClientSecret => "client_secret",
        }
    }
}

pub(crate) fn insert(
    connection: &mut PgConnection,
    kind: Kind,
    credential: Uuid,
    expires_at: DateTime<Utc>,
) -> QueryResult<()> {
    let row = (
        expiries::credential_id.eq(credential),
        expiries::kind.eq(kind.as_str()),
        expiries::expires_at.eq(expires_at),
    );
    diesel::insert_into(expiries::table).values(row).execute(connection).map(drop)
}

/// Whether this credential is live, whoever's it is.
pub(crate) fn is_known(connection: &mut PgConnection, credential: Uuid) -> QueryResult<bool> {
    diesel::select(diesel::dsl::exists(expiries::table.find(credential))).get_result(connection)
}

/// They were revoked or are being replaced: nobody has to renew them.
pub(crate) fn forget(connection: &mut PgConnection, credentials: Vec<Uuid>) -> QueryResult<()> {
    diesel::delete(expiries::table.filter(expiries::credential_id.eq_any(credentials)))
        .execute(connection)
        .map(drop)
}

/// What has expired by `now` is nobody's concern any more.
pub(crate) fn forget_expired(connection: &mut PgConnection, now: DateTime<Utc>) -> QueryResult<usize> {
    diesel::delete(expiries::table.filter(expiries::expires_at.le(now))).execute(connection)
}

/// How many of a kind expire until `until`.
pub(crate) fn count_until(
    connection: &mut PgConnection,
    kind: Kind,
    until: DateTime<Utc>,
) -> QueryResult<i64> {
    expiries::table
        .filter(expiries::kind.eq(kind.as_str()))
        .filter(expiries::expires_at.le(until))
        .count()
        .get_result(connection)
}

/// When the next of all expires.
pub(crate) fn next(connection: &mut PgConnection) -> QueryResult<Option<DateTime<Utc>>> {
    expiries::table.select(diesel::dsl::min(expiries::expires_at)).first(connection)
}
