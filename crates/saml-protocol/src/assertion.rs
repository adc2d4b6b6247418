//! What an identity provider said of a person, and proved.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

/// An assertion that was believed.
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Its identifier. Whoever accepts it keeps (issuer, id) until [`Self::good_until`] and accepts it once.
    pub assertion_id: String,
    /// The identity provider's entity id.
    pub issuer: String,
    /// Whom it is about, whole.
    pub name_id: String,
    /// What kind of name that is; absent means `unspecified`.
    pub name_id_format: Option<String>,
    /// When the identity provider last had the person prove who they are: long ago where it knew them from before.
    pub authn_instant: DateTime<Utc>,
    /// The identity provider's session, which a logout names.
    pub session_index: Option<String>,
    /// When the identity provider's session ends, if it says so.
    pub session_not_on_or_after: Option<DateTime<Utc>>,
    /// The claims by their names, each with all its values in order.
    pub attributes: BTreeMap<String, Vec<String>>,
    /// After this it is refused as stale, whatever its own times are: one of several confirmations may last longer than
    /// the one that held, and some never end.
    pub good_until: DateTime<Utc>,
    /// SHA-256 of the certificate that it was signed with.
    pub signed_with: String,
}

impl std::fmt::Debug for Assertion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assertion")
            .field("assertion_id", &self.assertion_id)
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Assertion {
    /// The only value of a claim; nothing when there are several, because which of them would be meant?
    #[must_use]
    pub fn only_value(&self, attribute: &str) -> Option<&str> {
        match self.attributes.get(attribute)?.as_slice() {
            [value] => Some(value),
            _ => None,
        }
    }
}
