//! A user as the directory holds it, and what of it the database filters by.

use std::{ops::Deref, sync::Arc};

use bus_contract::directory::{Manager, UserRecord};
use chrono::{DateTime, Utc};
use scim_protocol::{Attributes, fold::fold, schema};
use serde_json::Value;
use typed_ids::{CompanyId, UserId};

use crate::time::to_timestamp;

/// A user's canonical attributes (see the crate README) with the text that is stored and carried, which is made once.
/// Cheap to clone: deciding a batch hands each version on several times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Canonical(Arc<Parts>);

#[derive(Debug, PartialEq)]
struct Parts {
    attributes: Attributes,
    json: String,
}

impl Canonical {
    /// Reads the text.
    pub(crate) fn read(json: String) -> serde_json::Result<Self> {
        Ok(Self(Arc::new(Parts { attributes: serde_json::from_str(&json)?, json })))
    }

    pub(crate) fn json(&self) -> &str {
        &self.0.json
    }
}

impl From<Attributes> for Canonical {
    fn from(attributes: Attributes) -> Self {
        // A map of JSON values with text keys has no way to fail.
        let json = serde_json::to_string(&attributes).unwrap_or_default();
        Self(Arc::new(Parts { attributes, json }))
    }
}

impl Deref for Canonical {
    type Target = Attributes;

    fn deref(&self) -> &Attributes {
        &self.0.attributes
    }
}

/// One version of one user.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct User {
    pub(crate) company: CompanyId,
    pub(crate) id: UserId,
    pub(crate) version: i64,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) last_modified_at: DateTime<Utc>,
    pub(crate) attributes: Canonical,
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
            attributes_json: self.attributes.json().to_owned(),
            manager,
            groups: vec![],
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str)
    }
}
