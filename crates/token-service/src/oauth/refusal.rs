//! Why no access token was given, as RFC 6749 §5.2 words it.

use std::time::Duration;

use serde_json::json;
use service_runtime::rate::whole_seconds;
use typed_ids::{CompanyId, CredentialId};

/// The codes of RFC 6749 §5.2, and one of §4.1.2.1 for what it has no code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    InvalidRequest,
    InvalidClient,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    TemporarilyUnavailable,
}

impl Reason {
    /// Every reason.
    const ALL: [Self; 6] = [
        Self::InvalidRequest,
        Self::InvalidClient,
        Self::UnauthorizedClient,
        Self::UnsupportedGrantType,
        Self::InvalidScope,
        Self::TemporarilyUnavailable,
    ];

    const fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }
}

/// The metric label of what was granted.
pub(crate) const GRANTED: &str = "ok";
/// That of what was too much.
const LIMITED: &str = "limited";
/// Every metric label.
pub(crate) const RESULTS: [&str; 8] = {
    let mut results = [GRANTED, LIMITED, "", "", "", "", "", ""];
    let mut place = 0;
    while place < Reason::ALL.len() {
        results[place + 2] = Reason::ALL[place].code();
        place += 1;
    }
    results
};

/// A request that was not granted.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Duration>,
    description: String,
    /// Whose client it is, once it has proven itself: for the log.
    pub(crate) company: Option<CompanyId>,
    /// The client that was named, if there is one, and its company; whoever asked need not be it.
    pub(crate) client: Option<(CompanyId, CredentialId)>,
    /// What failed on our side: for the log.
    pub(crate) cause: Option<String>,
}

/// How long whoever cannot be served is asked to wait.
const RETRY_AFTER: Duration = Duration::from_secs(5);

impl Refusal {
    /// A refusal with the status that goes with its reason. The description says what to do.
    pub(crate) fn new(reason: Reason, description: &str) -> Self {
        let status = match reason {
            Reason::InvalidClient => 401,
            Reason::TemporarilyUnavailable => 503,
            _ => 400,
        };
        let description = description.to_owned();
        Self { reason, status, retry_after: None, description, company: None, client: None, cause: None }
    }

    /// The request is malformed in a way that HTTP has a status for.
    pub(crate) fn malformed(status: u16, description: &str) -> Self {
        Self { status, ..Self::new(Reason::InvalidRequest, description) }
    }

    /// Something does not work at the moment.
    pub(crate) fn unavailable(description: &str) -> Self {
        Self { retry_after: Some(RETRY_AFTER), ..Self::new(Reason::TemporarilyUnavailable, description) }
    }

    /// Too many requests. RFC 6749 has no code for it; the status says the rest (RFC 6585 §4).
    pub(crate) fn limited(wait: Duration) -> Self {
        Self {
            status: 429,
            retry_after: Some(Duration::from_secs(whole_seconds(wait))),
            ..Self::new(
                Reason::TemporarilyUnavailable,
                "too many requests; an access token is good for an hour, so keep it instead of asking again or ending it",
            )
        }
    }

    /// The same, of a client of this company.
    pub(crate) fn of(self, company: CompanyId) -> Self {
        Self { company: Some(company), ..self }
    }

    /// The same, to whoever says to be this client.
    pub(crate) fn to(self, client: Option<(CompanyId, CredentialId)>) -> Self {
        Self { client, ..self }
    }

    /// The same, because of this.
    pub(crate) fn because(self, cause: String) -> Self {
        Self { cause: Some(cause), ..self }
    }

    /// What to do, in words for whoever set the client up.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// The metric label.
    pub(crate) const fn label(&self) -> &'static str {
        if self.status == 429 { LIMITED } else { self.reason.code() }
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> String {
        // RFC 6749 §5.2: visible ASCII without quotation marks and backslashes.
        let is_fit = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
        let description: String = self.description.chars().filter(is_fit).collect();
        json!({"error": self.reason.code(), "error_description": description}).to_string()
    }
}
