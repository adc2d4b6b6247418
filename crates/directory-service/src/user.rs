//! A user as the directory holds it, and what of it the database filters by.

use bus_contract::directory::{Manager, UserRecord};
use chrono::{DateTime, Utc};
use scim_protocol::{Attributes, fold::fold, schema};
use serde_json::Value;
use typed_ids::{CompanyId, UserId};

use crate::time::to_timestamp;

/// One version of one user.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct User {
    pub(crate) company: CompanyId,
    pub(crate) id: UserId,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_modified_at: DateTime<Utc>,
    /// Canonical attributes (see the crate README).
    pub(crate) attributes: Attributes,
}

impl User {
    pub(crate) fn key(&self) -> (CompanyId, UserId) {
        (self.company, self.id)
    }

    /// The name as it was sent. The gateway refuses a user without one, so absence is an empty name here.
    pub(crate) fn user_name(&self) -> &str {
        self.text("userName").unwrap_or_default()
    }

    /// Compared exactly (RFC 7643 §3.1).
    pub(crate) fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    pub(crate) fn display_name(&self) -> Option<&str> {
        self.text("displayName")
    }

    pub(crate) fn is_active(&self) -> bool {
        self.attributes.get("active").and_then(Value::as_bool).unwrap_or(true)
    }

    /// What `enterprise:manager.value` names, when it could be one of ours.
    pub(crate) fn manager(&self) -> Option<UserId> {
        let enterprise = self.attributes.get(schema::ENTERPRISE_USER_URN)?;
        enterprise.get("manager")?.get("value")?.as_str()?.parse().ok()
    }

    /// The folded addresses of type work, in their order.
    pub(crate) fn work_email_keys(&self) -> impl Iterator<Item = String> {
        let emails = self.attributes.get("emails").and_then(Value::as_array);
        emails.into_iter().flatten().filter_map(|email| {
            let kind = email.get("type")?.as_str()?;
            let value = email.get("value")?.as_str()?;
            (fold(kind) == "work").then(|| fold(value))
        })
    }

    /// As the bus carries it.
    pub(crate) fn to_record(&self, manager: Option<Manager>) -> UserRecord {
        UserRecord {
            user_id: self.id.to_string(),
            version: self.version,
            created_at: Some(to_timestamp(self.created_at)),
            last_modified_at: Some(to_timestamp(self.last_modified_at)),
            attributes_json: self.attributes_json(),
            manager,
        }
    }

    /// The text that is stored and carried.
    pub(crate) fn attributes_json(&self) -> String {
        // A map of JSON values with text keys has no way to fail.
        serde_json::to_string(&self.attributes).unwrap_or_default()
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }
}
