#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The text is not a UUID in canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a {kind} (expected a hyphenated UUID)")]
pub struct ParseIdError {
    kind: &'static str,
}

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// A new id, ordered by time (UUIDv7).
            #[must_use]
            pub fn mint() -> Self {
                Self(Uuid::now_v7())
            }

            /// The id with this value.
            #[must_use]
            pub const fn from_uuid(value: Uuid) -> Self {
                Self(value)
            }

            /// The bare UUID, for the database.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0.as_hyphenated())
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            /// Accepts the canonical form only (36 characters, lower case), so that one thing has one spelling.
            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let refused = ParseIdError { kind: $kind };
                let value = Uuid::try_parse(text).map_err(|_not_a_uuid| refused.clone())?;
                let mut canonical = [0; uuid::fmt::Hyphenated::LENGTH];
                if *value.as_hyphenated().encode_lower(&mut canonical) == *text {
                    Ok(Self(value))
                } else {
                    Err(refused)
                }
            }
        }
    };
}

typed_id!(
    /// A customer company. The unit of isolation, of order and of rate limits.
    CompanyId,
    "company id"
);
typed_id!(
    /// A user of one company; the SCIM `id`.
    UserId,
    "user id"
);
typed_id!(
    /// A group of one company; the SCIM `id`.
    GroupId,
    "group id"
);
typed_id!(
    /// Whoever is a member of a group: the id of a user or of another group of the same company.
    MemberId,
    "member id"
);
typed_id!(
    /// One request to change something; names the message on the bus and the line in the provisioning log.
    RequestId,
    "request id"
);
typed_id!(
    /// One Entra token of one company; the `jti` claim.
    TokenId,
    "token id"
);
typed_id!(
    /// What a caller proves itself with, by which it is revoked and its use is counted: an Entra token, or the OAuth
    /// client that got an access token.
    CredentialId,
    "credential id"
);
typed_id!(
    /// One mass removal of people, which a human decides about.
    BrakeId,
    "brake id"
);

/// An Entra token is a credential of its own.
impl From<TokenId> for CredentialId {
    fn from(token: TokenId) -> Self {
        Self(token.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_as_printed() {
        let id = UserId::mint();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn one_id_has_one_spelling() {
        let text = UserId::mint().to_string();
        assert!(text.to_uppercase().parse::<UserId>().is_err());
        assert!(text.replace('-', "").parse::<UserId>().is_err());
        assert!(format!("{{{text}}}").parse::<UserId>().is_err());
        assert!("".parse::<UserId>().is_err());
    }

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<_> = (0..100).map(|_| RequestId::mint()).collect();
        assert!(ids.is_sorted());
    }
}
