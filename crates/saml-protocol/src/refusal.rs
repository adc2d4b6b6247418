//! Why a message is not believed: a closed list, each reason with a word for logs and a sentence for whoever
//! administers the identity provider.

use chrono::{DateTime, Utc};

use crate::{
    document::Fault,
    instant,
    limits::{CLOCK_SKEW, MAX_AGE, MAX_CLAIM_VALUES, MAX_CLAIMS, MAX_REPEATED},
};

/// Why a message is refused.
///
/// Nothing in it is believed, so what its texts repeat is what an attacker may have written: bounded, without control
/// characters, and to be escaped where it is shown. No text repeats a name or an address of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Not base64, or (over HTTP-Redirect) not deflated.
    NotEncoded,
    /// A parameter that is missing, there twice, or there beside one that excludes it.
    Parameter(&'static str),
    /// XML that is not looked at any further.
    Document(Fault),
    /// Another message, or another version of SAML.
    UnexpectedMessage,
    /// Something that SAML demands is missing, doubled or not of its type.
    Malformed(&'static str),
    /// The identity provider says that it did not sign the person in.
    Status {
        /// Its status codes, without the part that they all have.
        codes: String,
        /// The number of Entra's error, which <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
        /// explains.
        entra_error: Option<String>,
    },
    /// An encrypted assertion.
    Encrypted,
    /// No assertion.
    NoAssertion,
    /// Several assertions, of which only one can be the signed one.
    SeveralAssertions,
    /// The assertion, or a signature, stands where none belongs.
    Wrapped,
    /// The assertion has no signature of its own.
    Unsigned,
    /// A signature that is not built as SAML demands (core §5.4).
    SignatureShape(&'static str),
    /// A signature over several things, or over none.
    SeveralReferences,
    /// A signature over something else than what it stands in.
    ForeignReference,
    /// A transformation before signing that SAML does not allow.
    ForbiddenTransform,
    /// An algorithm that is not accepted: SHA-1, MD5, HMAC and whatever is not known.
    WeakAlgorithm {
        /// Its URI.
        algorithm: String,
    },
    /// Signed with a certificate that is none of the identity provider's.
    WrongKey,
    /// Changed after signing, or signed with another key.
    BadSignature,
    /// Signed with one of the identity provider's certificates, whose time is over.
    CertificateExpired {
        /// SHA-256 of the certificate.
        fingerprint: String,
        /// When its time ended.
        not_after: DateTime<Utc>,
    },
    /// From somebody else.
    WrongIssuer {
        /// Whom it names.
        received: String,
    },
    /// Sent to another address.
    WrongDestination {
        /// That address.
        received: String,
    },
    /// About a sign-in at another address.
    WrongRecipient {
        /// That address.
        received: String,
    },
    /// For another application.
    WrongAudience {
        /// Its identifier.
        received: String,
    },
    /// The answer to a request that is not the one of this browser.
    UnknownRequest,
    /// The answer to no request.
    Unsolicited,
    /// Its time is over.
    Expired {
        /// When it ended.
        at: DateTime<Utc>,
    },
    /// Its time has not begun.
    NotYetValid {
        /// When it begins.
        at: DateTime<Utc>,
    },
    /// Issued long ago.
    Stale {
        /// When.
        issued_at: DateTime<Utc>,
    },
    /// It holds under a condition that is not known here.
    UnknownCondition {
        /// Its name.
        name: String,
    },
    /// Its subject is not confirmed by bearing it.
    NotBearer,
    /// Nobody is named.
    NoNameId,
    /// A name, or the value of a claim, that is longer than what is read.
    TextTooLong {
        /// What it is.
        what: &'static str,
        /// The bytes that it may have.
        most: usize,
    },
    /// More claims, or more values of claims, than are read.
    TooManyClaims,
    /// The library that verifies signatures refuses what our own checks have let pass; the word says for what.
    Library(&'static str),
    /// Two readers do not read the same, so neither is believed.
    ReadersDisagree,
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Document(fault)
    }
}

impl Refusal {
    /// The reason as a word for logs and metrics.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotEncoded => "not_encoded",
            Self::Parameter(_) => "parameter",
            Self::Document(fault) => fault.as_str(),
            Self::UnexpectedMessage => "unexpected_message",
            Self::Malformed(_) => "malformed",
            Self::Status { .. } => "status",
            Self::Encrypted => "encrypted",
            Self::NoAssertion => "no_assertion",
            Self::SeveralAssertions => "several_assertions",
            Self::Wrapped => "wrapped",
            Self::Unsigned => "unsigned",
            Self::SignatureShape(_) => "signature_shape",
            Self::SeveralReferences => "several_references",
            Self::ForeignReference => "foreign_reference",
            Self::ForbiddenTransform => "forbidden_transform",
            Self::WeakAlgorithm { .. } => "weak_algorithm",
            Self::WrongKey => "wrong_key",
            Self::BadSignature => "bad_signature",
            Self::CertificateExpired { .. } => "certificate_expired",
            Self::WrongIssuer { .. } => "wrong_issuer",
            Self::WrongDestination { .. } => "wrong_destination",
            Self::WrongRecipient { .. } => "wrong_recipient",
            Self::WrongAudience { .. } => "wrong_audience",
            Self::UnknownRequest => "unknown_request",
            Self::Unsolicited => "unsolicited",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Stale { .. } => "stale",
            Self::UnknownCondition { .. } => "unknown_condition",
            Self::NotBearer => "not_bearer",
            Self::NoNameId => "no_name_id",
            Self::TextTooLong { .. } => "too_large",
            Self::TooManyClaims => "too_many_claims",
            Self::Library(word) => word,
            Self::ReadersDisagree => "readers_disagree",
        }
    }

    /// What whoever administers the identity provider can do about it.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::NotEncoded => {
                "The message is not encoded as SAML demands. Was it cut off on its way?".to_owned()
            }
            Self::Parameter(name) => {
                format!("The address has {name} not at all, twice, or beside its opposite.")
            }
            Self::Document(fault) => format!("Not read: {fault}."),
            Self::UnexpectedMessage => "This is not the SAML 2.0 message that belongs here.".to_owned(),
            Self::Malformed(what) => format!("The message is not as SAML 2.0 demands: {what}."),
            Self::Status { codes, entra_error } => {
                let error = entra_error.as_deref().map_or_else(String::new, |error| {
                    format!(" Entra's error is {error}; its sign-in log says more.")
                });
                format!("The identity provider did not sign the person in. It says: {codes}.{error}")
            }
            Self::Encrypted => {
                "The assertion is encrypted, which is not supported. Switch token encryption off in \
                 the identity provider; the message travels over TLS."
                    .to_owned()
            }
            Self::NoAssertion => "The message has no assertion.".to_owned(),
            Self::SeveralAssertions => {
                "The message has several assertions; exactly one is accepted.".to_owned()
            }
            Self::Wrapped => "The assertion or a signature stands where none belongs.".to_owned(),
            Self::Unsigned => "The assertion is not signed. In Entra, set the signing option to 'Sign SAML \
                 assertion' or 'Sign SAML response and assertion'."
                .to_owned(),
            Self::SignatureShape(what) => format!("The signature is not built as SAML demands: {what}."),
            Self::SeveralReferences => "The signature must be over exactly one element.".to_owned(),
            Self::ForeignReference => {
                "The signature is over something else than the element it stands in.".to_owned()
            }
            Self::ForbiddenTransform => {
                "The signature wants transformations that SAML does not allow.".to_owned()
            }
            Self::WeakAlgorithm { algorithm } => format!(
                "Signed with {algorithm}, which is not accepted. In Entra, set the signing algorithm to SHA-256."
            ),
            Self::WrongKey => {
                "Signed with a certificate that the identity provider's metadata does not have. Was \
                 its certificate changed? Refresh the metadata."
                    .to_owned()
            }
            Self::BadSignature => {
                "The signature does not fit: the message was changed on its way, or signed with a \
                 key that the identity provider's metadata does not have."
                    .to_owned()
            }
            Self::CertificateExpired { fingerprint, not_after } => format!(
                "Signed with the certificate {fingerprint}, which expired on {}. Make a new one active in the \
                 identity provider and refresh the metadata.",
                not_after.date_naive()
            ),
            _ => self.detail_of_content(),
        }
    }

    fn detail_of_content(&self) -> String {
        match self {
            Self::WrongIssuer { received } => format!(
                "The message is from '{received}', which is not the identity provider of this company's metadata."
            ),
            Self::WrongDestination { received } => {
                format!(
                    "The message was sent to '{received}'. Compare the reply URL in the identity provider."
                )
            }
            Self::WrongRecipient { received } => {
                format!(
                    "The assertion is meant for '{received}'. Compare the reply URL in the identity provider."
                )
            }
            Self::WrongAudience { received } => format!(
                "The assertion is for the application '{received}'. Compare the identifier (entity ID) in the \
                 identity provider."
            ),
            Self::UnknownRequest => {
                "The answer belongs to a request that this browser did not make, or made too \
                 long ago. Start again from the sign-in page."
                    .to_owned()
            }
            Self::Unsolicited => {
                "The sign-in was started at the identity provider, which this company does not \
                 allow. Start from the sign-in page, or allow it in the settings."
                    .to_owned()
            }
            Self::Expired { at } => {
                format!("Its time ended at {}. Are both clocks right?", instant::write(*at))
            }
            Self::NotYetValid { at } => format!(
                "Its time begins at {}, more than {} minutes from now. Are both clocks right?",
                instant::write(*at),
                CLOCK_SKEW.num_minutes()
            ),
            Self::Stale { issued_at } => format!(
                "It was issued at {}, more than {} minutes ago. Start again from the sign-in page.",
                instant::write(*issued_at),
                MAX_AGE.num_minutes()
            ),
            Self::UnknownCondition { name } => {
                format!("The assertion holds only under a condition that is not supported: {name}.")
            }
            Self::NotBearer => {
                "The assertion is not confirmed for whoever bears it (method 'bearer').".to_owned()
            }
            Self::NoNameId => "The assertion names nobody: its NameID is missing or empty.".to_owned(),
            Self::TextTooLong { what, most } => {
                format!("The message has a text that is too long: {what} has at most {most} bytes.")
            }
            Self::TooManyClaims => format!(
                "The assertion has more than {MAX_CLAIMS} claims, or more than {MAX_CLAIM_VALUES} values of claims. \
                 Send fewer groups."
            ),
            Self::Library(word) => {
                format!("The library that verifies signatures refuses the message. It says: {word}.")
            }
            _ => "The message can be read in two ways and is not believed.".to_owned(),
        }
    }
}

/// A text that is read no longer than this.
pub(crate) fn bounded<'a>(text: &'a str, what: &'static str, most: usize) -> Result<&'a str, Refusal> {
    if text.len() > most { Err(Refusal::TextTooLong { what, most }) } else { Ok(text) }
}

/// A text of an unproven message, fit to be repeated.
pub(crate) fn repeated(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_REPEATED).collect()
}
