//! A group as the directory holds it, without its members.

use bus_contract::directory::GroupRecord;
use chrono::{DateTime, Utc};
use serde_json::Value;
use typed_ids::{CompanyId, GroupId};

use crate::{time::to_timestamp, user::Canonical};

/// One version of one group.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) company: CompanyId,
    pub(crate) id: GroupId,
    /// Counts the changes of attributes and of members.
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_modified_at: DateTime<Utc>,
    pub(crate) attributes: Canonical,
}

impl Group {
    pub(crate) fn key(&self) -> (CompanyId, GroupId) {
        (self.company, self.id)
    }

    /// The name as it was sent. The gateway refuses a group without one, so absence is an empty name here.
    pub(crate) fn display_name(&self) -> &str {
        self.text("displayName").unwrap_or_default()
    }

    /// Compared exactly (RFC 7643 §3.1).
    pub(crate) fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// As the bus carries it.
    pub(crate) fn to_record(&self) -> GroupRecord {
        GroupRecord {
            group_id: self.id.to_string(),
            version: self.version,
            created_at: Some(to_timestamp(self.created_at)),
            last_modified_at: Some(to_timestamp(self.last_modified_at)),
            attributes_json: self.attributes.json().to_owned(),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }
}
