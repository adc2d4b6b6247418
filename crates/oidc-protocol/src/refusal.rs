//! Why nobody is believed to have signed in: a closed list, each reason with a word for logs and a sentence for whoever
//! administers the provider.

use chrono::{DateTime, SecondsFormat, Utc};

/// The longest text of an answer that a refusal repeats, in characters.
const MAX_REPEATED: usize = 200;

/// Why an answer is refused. No text repeats a name or an address of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A parameter of the callback is missing or there twice.
    Parameter(&'static str),
    /// The provider says that it did not sign the person in, or does not exchange the code.
    Declined {
        /// The error's code (RFC 6749 §4.1.2.1 and §5.2).
        code: String,
        /// The number of Entra's error.
        entra_error: Option<String>,
    },
    /// Longer than anything that is read.
    TooLarge,
    /// Not the answer of a token endpoint with an ID token.
    Malformed,
    /// From somebody else.
    WrongIssuer,
    /// For another application, or for others besides.
    WrongAudience,
    /// The answer to another request.
    WrongNonce,
    /// Signed by anything but RS256.
    WeakAlgorithm,
    /// Signed by a key that is not among those that were fetched.
    UnknownKey,
    /// Changed after signing.
    BadSignature,
    /// Its time is over.
    Expired,
    /// Issued ahead of time, or long ago.
    Stale {
        /// When.
        issued_at: DateTime<Utc>,
    },
    /// More app roles than are read.
    TooManyRoles,
}

impl Refusal {
    /// The reason as a word for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Parameter(_) => "parameter",
            Self::Declined { .. } => "declined",
            Self::TooLarge => "too_large",
            Self::Malformed => "malformed",
            Self::WrongIssuer => "wrong_issuer",
            Self::WrongAudience => "wrong_audience",
            Self::WrongNonce => "wrong_nonce",
            Self::WeakAlgorithm => "weak_algorithm",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::Stale { .. } => "stale",
            Self::TooManyRoles => "too_many_roles",
        }
    }

    /// What whoever administers the provider can do about it.
    #[must_use]
    pub fn detail(&self) -> String {
        let instant = |at: &DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        match self {
            Self::Parameter(name) => format!("The address has {name} not at all, or twice."),
            Self::Declined { code, entra_error } => {
                let error = entra_error.as_deref().map_or_else(String::new, |error| {
                    format!(" Entra's error is {error}; its sign-in log says more.")
                });
                format!("The provider did not sign the person in. It says: {code}.{error}")
            }
            Self::TooLarge => "The provider's answer is too long.".to_owned(),
            Self::Malformed => "The provider's answer has no ID token that can be read.".to_owned(),
            Self::WrongIssuer => "The ID token is of another issuer. Compare the tenant's ID.".to_owned(),
            Self::WrongAudience => {
                "The ID token is for another application. Compare the application (client) ID.".to_owned()
            }
            Self::WrongNonce => {
                "The ID token answers another request. Start again from the sign-in page.".to_owned()
            }
            Self::WeakAlgorithm => "The ID token must be signed by RS256.".to_owned(),
            Self::UnknownKey => {
                "The ID token is signed by a key that the provider does not publish.".to_owned()
            }
            Self::BadSignature => "The ID token was changed after it was signed.".to_owned(),
            Self::Expired => "The ID token has expired. Are both clocks right?".to_owned(),
            Self::Stale { issued_at } => {
                format!("It was issued at {}, which is not now. Are both clocks right?", instant(issued_at))
            }
            Self::TooManyRoles => "The ID token has more app roles than are read.".to_owned(),
        }
    }

    /// An error of the provider's. What it says in words is not repeated: Entra writes people's names there.
    pub(crate) fn declined(code: &str, description: &str) -> Self {
        let code = code.chars().filter(|character| !character.is_control()).take(MAX_REPEATED).collect();
        let number = description
            .split_once("AADSTS")
            .map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit).take(10).collect::<String>());
        let entra_error = number.filter(|number| !number.is_empty()).map(|number| format!("AADSTS{number}"));
        Self::Declined { code, entra_error }
    }
}
