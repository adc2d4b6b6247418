//! What a fact changes in a list of seats: read from the fact's bytes, without anything that the list does not need.
//!
//! A fact holds names, addresses and telephone numbers. A seat is an id, so of people only ids pass through here.

use bus_contract::{
    Message as _,
    directory::{Fact, GroupRecord, MemberReference, UserRecord, fact::Event},
};

/// A fact, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Recognises the fact when it comes again.
    pub fact_id: String,
    /// Which history of the directory it belongs to; empty where the directory does not say.
    pub history_id: String,
    /// Whose it is.
    pub company: String,
    /// When it happened, in seconds since the epoch.
    pub occurred_at: i64,
    /// What it changes.
    pub change: Change,
}

/// What a fact changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A user exists, and is active or not.
    User {
        /// The user's id.
        user: String,
        /// Counts the user's changes.
        version: i64,
        /// Whether the user takes a seat.
        active: bool,
    },
    /// A user is gone, unless a later version says that a mass removal was undone.
    UserGone {
        /// The user's id.
        user: String,
        /// The last version that the user had.
        version: i64,
    },
    /// A group exists and has this name.
    Group {
        /// The group's id.
        group: String,
        /// Counts the group's changes, of its members too.
        version: i64,
        /// What it is called.
        name: String,
    },
    /// A group is gone, and with it all its memberships.
    GroupGone {
        /// The group's id.
        group: String,
    },
    /// Users and groups have become members of a group, or are members no more.
    Members {
        /// The group's id.
        group: String,
        /// The group's version with this change.
        version: i64,
        /// Their ids.
        members: Vec<String>,
        /// Whether they are members now.
        present: bool,
    },
    /// Something that this program was not taught.
    Unknown,
}

/// The kinds of facts that this program was taught: raised with every arm of `Event` that is read, so that a model in which
/// facts were passed over is made anew by the first version that understands them.
pub const KINDS_KNOWN: i64 = 10;

impl Change {
    /// Every word of [`Self::kind`].
    pub const KINDS: [&'static str; 7] =
        ["user", "user_gone", "group", "group_gone", "members_added", "members_removed", "unknown"];

    /// A word for metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::UserGone { .. } => "user_gone",
            Self::Group { .. } => "group",
            Self::GroupGone { .. } => "group_gone",
            Self::Members { present: true, .. } => "members_added",
            Self::Members { present: false, .. } => "members_removed",
            Self::Unknown => "unknown",
        }
    }
}

/// Reads a message of the stream. What cannot be read counts as unknown: the stream goes on, and so must we.
#[must_use]
pub fn read(payload: &[u8]) -> Reading {
    let fact = Fact::decode(payload).unwrap_or_default();
    let change = fact.event.map_or(Change::Unknown, change);
    Reading {
        fact_id: fact.fact_id,
        history_id: fact.history_id,
        company: fact.company_id,
        occurred_at: fact.occurred_at.map_or(0, |at| at.seconds),
        change,
    }
}

fn change(event: Event) -> Change {
    let (group, version, members, present) = match event {
        Event::UserCreated(fact) => return fact.user.map_or(Change::Unknown, user),
        Event::UserUpdated(fact) => return fact.user.map_or(Change::Unknown, user),
        Event::UserDeactivated(fact) => return fact.user.map_or(Change::Unknown, user),
        Event::UserReactivated(fact) => return fact.user.map_or(Change::Unknown, user),
        Event::UserDeleted(fact) => {
            return Change::UserGone { user: fact.user_id, version: fact.version };
        }
        Event::GroupCreated(fact) => return fact.group.map_or(Change::Unknown, group_of),
        Event::GroupUpdated(fact) => return fact.group.map_or(Change::Unknown, group_of),
        Event::GroupDeleted(fact) => return Change::GroupGone { group: fact.group_id },
        Event::MembersAdded(fact) => (fact.group_id, fact.version, fact.members, true),
        Event::MembersRemoved(fact) => (fact.group_id, fact.version, fact.members, false),
    };
    let members = members.into_iter().map(|member: MemberReference| member.member_id).collect();
    Change::Members { group, version, members, present }
}

/// A user as facts and snapshots show them.
pub(crate) fn user(record: UserRecord) -> Change {
    let active = attribute(&record.attributes_json, "active").and_then(|value| value.as_bool());
    // Whoever sets no `active` is active (RFC 7643 §4.1.1 leaves it open, the directory says so).
    Change::User { user: record.user_id, version: record.version, active: active.unwrap_or(true) }
}

/// A group as facts and snapshots show it.
pub(crate) fn group_of(record: GroupRecord) -> Change {
    let name = attribute(&record.attributes_json, "displayName");
    let name = name.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default();
    Change::Group { group: record.group_id, version: record.version, name }
}

fn attribute(attributes_json: &str, name: &str) -> Option<serde_json::Value> {
    let mut attributes: serde_json::Map<_, _> = serde_json::from_str(attributes_json).ok()?;
    attributes.remove(name)
}

#[cfg(test)]
mod tests {
    use bus_contract::directory::{UserDeactivated, UserDeleted};

    use super::*;

    fn fact(event: Option<Event>) -> Fact {
        Fact { fact_id: "r.0".to_owned(), company_id: "c".to_owned(), event, ..Fact::default() }
    }

    #[test]
    fn only_ids_and_whether_somebody_is_active_are_kept_of_a_user() {
        let user = UserRecord {
            user_id: "u".to_owned(),
            version: 3,
            attributes_json: r#"{"userName":"zoë@example.com","active":false}"#.to_owned(),
            ..UserRecord::default()
        };
        let event = Event::UserDeactivated(UserDeactivated { user: Some(user), changed_attributes: vec![] });
        let reading = read(&fact(Some(event)).encode_to_vec());
        assert_eq!(reading.change, Change::User { user: "u".to_owned(), version: 3, active: false });
        assert!(!format!("{reading:?}").contains("zoë"));
    }

    #[test]
    fn a_fact_of_a_kind_that_came_later_is_unknown_and_still_recognised() {
        // Field 99 of wire type 2: an arm of the oneof that this version does not have.
        let mut bytes = fact(None).encode_to_vec();
        bytes.extend([0x9a, 0x06, 0x00]);
        let reading = read(&bytes);
        assert_eq!((reading.fact_id.as_str(), reading.change), ("r.0", Change::Unknown));
        assert_eq!(read(b"\xff\xff").change, Change::Unknown);
    }

    #[test]
    fn a_newer_field_does_not_keep_a_fact_from_being_understood() {
        let gone = Event::UserDeleted(UserDeleted { user_id: "u".to_owned(), version: 7 });
        let mut bytes = fact(Some(gone)).encode_to_vec();
        // Field 98, a number.
        bytes.extend([0x90, 0x06, 0x2a]);
        assert_eq!(read(&bytes).change, Change::UserGone { user: "u".to_owned(), version: 7 });
    }
}
