//! When somebody loses access, or what they may do changes: what the directory's facts say of it, and what follows here.
//!
//! A fact is enforced by one instance, at least once, in one transaction: the person's sessions are deleted and the end is
//! written down. Every instance looks a session up for every request, so the next click anywhere finds none.
//! A sign-in that asked the directory before the change and begins its session after it finds the end, by its version.

pub(crate) mod follow;
mod in_hand;
pub(crate) mod removals;

use bus_contract::{
    Message as _, Timestamp,
    directory::{Fact, fact::Event},
};
use chrono::{DateTime, TimeDelta, Utc};
use typed_ids::{CompanyId, RequestId, UserId};
use uuid::Uuid;

use crate::store::access_ends::AccessEndRow;

/// For how long it is kept when somebody lost access: whoever audits a year finds all of it.
pub(crate) const KEPT: TimeDelta = TimeDelta::days(400);

/// Why somebody's sessions end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cause {
    Deactivated,
    Deleted,
    /// They may sign in again, with the roles that they have now.
    RolesChanged,
}

impl Cause {
    /// Every cause.
    pub(crate) const ALL: [Self; 3] = [Self::Deactivated, Self::Deleted, Self::RolesChanged];

    /// As the table and the metrics spell it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Deactivated => "deactivated",
            Self::Deleted => "deleted",
            Self::RolesChanged => "roles_changed",
        }
    }
}

/// Somebody's sessions end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) company: CompanyId,
    pub(crate) user: UserId,
    /// By which request; without one the end is enforced and cannot be written down.
    pub(crate) request: Option<RequestId>,
    /// Whoever was seen at a version below this one has no access by it.
    pub(crate) below_version: i64,
    pub(crate) history: Option<Uuid>,
    pub(crate) cause: Cause,
    pub(crate) requested_at: Option<DateTime<Utc>>,
}

/// What a fact means for access.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// Which history it belongs to.
    pub(crate) history: Option<Uuid>,
    /// Whose sessions end by it.
    pub(crate) end: Option<End>,
}

/// The fact takes access away, and does not say from whom.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a fact that takes access away cannot be read")]
pub(crate) struct Unreadable;

/// Reads a fact about a user.
pub(crate) fn read(payload: &[u8]) -> Result<Reading, Unreadable> {
    let fact = Fact::decode(payload).map_err(|_malformed| Unreadable)?;
    let history = fact.history_id.parse().ok();
    let lost = match &fact.event {
        Some(Event::UserDeactivated(lost)) => {
            let user = lost.user.as_ref().ok_or(Unreadable)?;
            Some((Cause::Deactivated, user.user_id.as_str(), user.version))
        }
        // It carries the last version that the user had, at which they may have been seen.
        Some(Event::UserDeleted(lost)) => {
            Some((Cause::Deleted, lost.user_id.as_str(), lost.version.saturating_add(1)))
        }
        Some(Event::UserUpdated(changed)) if changed.changed_attributes.iter().any(|path| is_role(path)) => {
            let user = changed.user.as_ref().ok_or(Unreadable)?;
            Some((Cause::RolesChanged, user.user_id.as_str(), user.version))
        }
        _ => None,
    };
    let Some((cause, user, below_version)) = lost else { return Ok(Reading { history, end: None }) };
    let end = End {
        company: fact.company_id.parse().map_err(|_no_id| Unreadable)?,
        user: user.parse().map_err(|_no_id| Unreadable)?,
        request: fact.request_id.parse().ok(),
        below_version,
        history,
        cause,
        requested_at: fact.requested_at.as_ref().and_then(from_timestamp),
    };
    Ok(Reading { history, end: Some(end) })
}

/// Whether this path is of the attribute that says what somebody may do, or of a part of it.
fn is_role(path: &str) -> bool {
    let name = path.split(['.', '[']).next().unwrap_or_default();
    name.eq_ignore_ascii_case("roles")
}

impl End {
    /// What is written down of it, when it took access away. Nothing of a fact that does not say when its request came: those
    /// are from before anybody measured, and read first by a console that is new, long after they happened.
    fn row(&self, enforced_at: DateTime<Utc>, sessions_ended: usize) -> Option<AccessEndRow> {
        let request = self.request.filter(|_| self.cause != Cause::RolesChanged)?;
        let requested_at = self.requested_at?;
        Some(AccessEndRow {
            company_id: self.company.as_uuid(),
            request_id: request.as_uuid(),
            user_id: self.user.as_uuid(),
            cause: self.cause.as_str().to_owned(),
            requested_at: Some(requested_at),
            enforced_at,
            sessions_ended: i32::try_from(sessions_ended).unwrap_or(i32::MAX),
        })
    }
}

fn from_timestamp(at: &Timestamp) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.seconds, u32::try_from(at.nanos).ok()?)
}

#[cfg(test)]
mod tests {
    use bus_contract::directory::{UserCreated, UserDeactivated, UserDeleted, UserRecord, UserUpdated};

    use super::*;

    fn bytes(event: Option<Event>) -> Vec<u8> {
        let fact = Fact {
            request_id: RequestId::from_uuid(Uuid::from_u128(1)).to_string(),
            company_id: CompanyId::from_uuid(Uuid::from_u128(2)).to_string(),
            history_id: Uuid::from_u128(3).to_string(),
            requested_at: Some(Timestamp { seconds: 1_795_000_000, nanos: 250_000_000 }),
            event,
            ..Fact::default()
        };
        fact.encode_to_vec()
    }

    fn user() -> UserRecord {
        UserRecord { user_id: Uuid::from_u128(4).to_string(), version: 7, ..UserRecord::default() }
    }

    #[test]
    fn a_deactivation_ends_what_was_seen_before_it_and_a_deletion_what_was_seen_at_all() {
        let deactivated =
            Event::UserDeactivated(UserDeactivated { user: Some(user()), ..UserDeactivated::default() });
        let end = read(&bytes(Some(deactivated))).unwrap().end.unwrap();
        assert_eq!((end.cause, end.below_version), (Cause::Deactivated, 7));
        assert_eq!(end.user.as_uuid(), Uuid::from_u128(4));
        assert_eq!(end.requested_at.unwrap().timestamp_millis(), 1_795_000_000_250);
        let deleted = Event::UserDeleted(UserDeleted { user_id: user().user_id, version: 7 });
        let end = read(&bytes(Some(deleted))).unwrap().end.unwrap();
        assert_eq!((end.cause, end.below_version), (Cause::Deleted, 8));
    }

    #[test]
    fn whoever_has_other_roles_signs_in_again() {
        let updated = |path: &str| {
            let changed_attributes = vec!["title".to_owned(), path.to_owned()];
            Event::UserUpdated(UserUpdated { user: Some(user()), changed_attributes })
        };
        for path in ["roles", r#"roles[value eq "auditor"]"#, "roles.value"] {
            let end = read(&bytes(Some(updated(path)))).unwrap().end.unwrap();
            assert_eq!((end.cause, end.below_version), (Cause::RolesChanged, 7), "{path}");
            assert!(end.row(DateTime::UNIX_EPOCH, 1).is_none(), "it is no end of access");
        }
        assert_eq!(read(&bytes(Some(updated("rolesque")))).unwrap().end, None);
    }

    #[test]
    fn whatever_else_happens_to_somebody_tells_of_the_history_alone() {
        let created = Event::UserCreated(UserCreated { user: Some(user()) });
        for event in [Some(created), None] {
            let reading = read(&bytes(event)).unwrap();
            assert_eq!(reading, Reading { history: Some(Uuid::from_u128(3)), end: None });
        }
    }

    #[test]
    fn a_fact_from_before_anybody_measured_ends_sessions_and_is_not_written_down() {
        let deleted = Event::UserDeleted(UserDeleted { user_id: user().user_id, version: 7 });
        let fact = Fact { requested_at: None, ..Fact::decode(&*bytes(Some(deleted))).unwrap() };
        let end = read(&fact.encode_to_vec()).unwrap().end.unwrap();
        assert_eq!((end.cause, end.requested_at), (Cause::Deleted, None));
        assert!(end.row(DateTime::UNIX_EPOCH, 1).is_none());
    }

    #[test]
    fn a_fact_without_a_request_ends_sessions_and_is_not_written_down() {
        let deleted = Event::UserDeleted(UserDeleted { user_id: user().user_id, version: 7 });
        let fact = Fact { request_id: "?".to_owned(), ..Fact::decode(&*bytes(Some(deleted))).unwrap() };
        let end = read(&fact.encode_to_vec()).unwrap().end.unwrap();
        assert_eq!((end.cause, end.request), (Cause::Deleted, None));
        assert!(end.row(DateTime::UNIX_EPOCH, 1).is_none());
    }

    #[test]
    fn a_fact_that_names_nobody_is_not_taken_for_one_that_takes_nothing() {
        let nobody = Event::UserDeactivated(UserDeactivated::default());
        assert_eq!(read(&bytes(Some(nobody))), Err(Unreadable));
        let unknown = Event::UserDeleted(UserDeleted { user_id: "x".to_owned(), version: 1 });
        assert_eq!(read(&bytes(Some(unknown))), Err(Unreadable));
        assert_eq!(read(b"\xff\xff"), Err(Unreadable));
    }
}
