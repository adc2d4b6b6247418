//! A resource as the directory tells of it.

use bus_contract::{
    Timestamp,
    directory::{GroupRecord, UserRecord},
};
use scim_protocol::bulk::Endpoint;

/// A user or a group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Record {
    User(UserRecord),
    Group(GroupRecord),
}

impl From<UserRecord> for Record {
    fn from(user: UserRecord) -> Self {
        Self::User(user)
    }
}

impl From<GroupRecord> for Record {
    fn from(group: GroupRecord) -> Self {
        Self::Group(group)
    }
}

impl Record {
    pub(crate) const fn endpoint(&self) -> Endpoint {
        match self {
            Self::User(_) => Endpoint::Users,
            Self::Group(_) => Endpoint::Groups,
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(user) => &user.user_id,
            Self::Group(group) => &group.group_id,
        }
    }

    pub(crate) const fn version(&self) -> i64 {
        match self {
            Self::User(user) => user.version,
            Self::Group(group) => group.version,
        }
    }

    pub(crate) const fn created_at(&self) -> Option<&Timestamp> {
        match self {
            Self::User(user) => user.created_at.as_ref(),
            Self::Group(group) => group.created_at.as_ref(),
        }
    }

    pub(crate) const fn last_modified_at(&self) -> Option<&Timestamp> {
        match self {
            Self::User(user) => user.last_modified_at.as_ref(),
            Self::Group(group) => group.last_modified_at.as_ref(),
        }
    }

    pub(crate) fn attributes_json(&self) -> &str {
        match self {
            Self::User(user) => &user.attributes_json,
            Self::Group(group) => &group.attributes_json,
        }
    }
}
