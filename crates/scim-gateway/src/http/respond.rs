//! Every answer takes its status, headers and body here; every refusal becomes a SCIM error here and nowhere else.

use std::{borrow::Cow, time::Duration};

use actix_web::{
    HttpResponse, HttpResponseBuilder,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
};
use bus_contract::{directory::failure, provisioning::refused};
use bus_jetstream::publish::PublishError;
use scim_protocol::error::{ScimError, ScimType};
use service_runtime::{causes::Causes, rate::whole_seconds};
use typed_ids::RequestId;

use super::route::Target;
use crate::{
    auth::AuthRefusal, calls::Refused, directory::QueryError, outcomes::Missing, provision::ProvisionError,
};

/// What a gateway answers that does not know yet what it needs.
const STARTING: &str = "The service is starting. Try again in a few seconds.";
/// What Microsoft's validator expects to the letter: a charset behind it fails the run.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/scim+json");

/// Seconds after which a caller is asked to come back. Short: Entra's own next attempt is 40 minutes away.
const RETRY_AFTER_S: &str = "5";

const RETRY: Hint = (header::RETRY_AFTER, Cow::Borrowed(RETRY_AFTER_S));
const NO_TOKEN: Hint = (header::WWW_AUTHENTICATE, Cow::Borrowed("Bearer realm=\"scim\""));
const BAD_TOKEN: Hint =
    (header::WWW_AUTHENTICATE, Cow::Borrowed("Bearer realm=\"scim\", error=\"invalid_token\""));

/// The header that tells the caller's software what the detail tells people.
type Hint = (HeaderName, Cow<'static, str>);

/// JSON that is ready to be sent.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> HttpResponse {
    builder(status).body(body)
}

/// The beginning of a SCIM answer.
pub(super) fn builder(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder.insert_header((header::CONTENT_TYPE, MEDIA_TYPE));
    builder
}

/// A request that is not granted: what the caller is told, and what operators are.
#[derive(Debug)]
pub(super) struct Refusal {
    error: ScimError,
    hint: Option<Hint>,
    cause: Option<String>,
    /// Whose words the detail is in.
    wording: Wording,
}

/// Whose words a detail is in; only this service's own are known to hold none of the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wording {
    Ours,
    /// It quotes a value of the body.
    Quoting,
    /// The directory's, which answered a question.
    Answer,
    /// The directory's, which decided a change.
    Decision,
}

impl Refusal {
    /// 503: nothing wrong with the request, and the same one may be sent again.
    fn come_back(detail: &str, cause: Option<String>) -> Self {
        Self { hint: Some(RETRY), cause, ..ScimError::unavailable(detail).into() }
    }

    /// An operation of a bulk request whose time is over.
    pub(super) fn not_begun() -> Self {
        Self::come_back(
            "The bulk request took too long, and this operation was not begun. Send it again.",
            Some("a bulk request took too long".to_owned()),
        )
    }

    /// The company's schemas have not arrived: without them a body would lose what it says in the company's own words.
    pub(super) fn not_ready() -> Self {
        Self::come_back(STARTING, Some("declared schemas have not arrived yet".to_owned()))
    }

    pub(super) fn overloaded() -> Self {
        Self::come_back(
            "Too many requests are in progress. Try again in a few seconds.",
            Some("overloaded".to_owned()),
        )
    }

    /// 429: this company has its whole share of the places.
    pub(super) fn company_is_overdoing_it() -> Self {
        let detail = "Too many requests of your company are in progress. Try again in a few seconds.";
        Self { hint: Some(RETRY), ..ScimError::too_many_requests(detail).into() }
    }

    /// 429: this company calls more often than one may; it is told when there is room again.
    pub(super) fn company_calls_too_often(wait: Duration) -> Self {
        let wait = whole_seconds(wait);
        let detail = format!("Your company calls more often than one company may. Try again in {wait} s.");
        let hint = (header::RETRY_AFTER, wait.to_string().into());
        Self { hint: Some(hint), ..ScimError::too_many_requests(detail).into() }
    }

    pub(super) fn internal(cause: impl Into<String>) -> Self {
        let error = ScimError::internal("The service could not answer this request. This has been recorded.");
        Self { cause: Some(cause.into()), ..error.into() }
    }

    /// A refusal whose detail quotes a value of the body.
    pub(super) fn quoting_the_body(error: ScimError) -> Self {
        Self { wording: Wording::Quoting, ..error.into() }
    }

    pub(super) fn method_not_allowed(target: &Target) -> Self {
        let allow = target.allow();
        let error = ScimError::method_not_allowed(format!("This resource answers {allow}."));
        Self { hint: Some((header::ALLOW, allow.into())), ..error.into() }
    }

    /// Why it is a failure of ours, if it is one.
    pub(super) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// What kind of error it is to SCIM, where SCIM has a word for it.
    pub(super) fn scim_type(&self) -> Option<&'static str> {
        self.error.scim_type.map(ScimType::as_str)
    }

    /// The answer's status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// Whether the directory has decided the change, so that its log has a line about it.
    pub(super) fn is_decided(&self) -> bool {
        self.wording == Wording::Decision
    }

    /// What is reported of it. What the directory said is in its own log; what quotes a body goes nowhere but back.
    pub(super) fn reported(&self) -> Refused {
        let is_ours = self.wording == Wording::Ours;
        Refused { scim_type: self.error.scim_type, detail: is_ours.then(|| self.error.detail.clone()) }
    }

    /// What the caller is told. A failure of ours names the request, so that whoever reads Entra's log can ask us about
    /// it.
    pub(super) fn told(self, request: RequestId) -> ScimError {
        let mut error = self.error;
        if error.status >= 500 {
            error.detail.push_str(&format!(" (request {request})"));
        }
        error
    }

    /// The answer.
    pub(super) fn respond(self, request: RequestId) -> HttpResponse {
        let hint = self.hint.clone();
        let mut builder = builder(self.status());
        let error = self.told(request);
        if let Some((name, value)) = hint {
            builder.insert_header((name, value.as_ref()));
        }
        builder.body(error.to_json().to_string())
    }
}

impl From<ScimError> for Refusal {
    fn from(error: ScimError) -> Self {
        Self { error, hint: None, cause: None, wording: Wording::Ours }
    }
}

impl From<AuthRefusal> for Refusal {
    fn from(refusal: AuthRefusal) -> Self {
        const WHERE: &str = "in Settings > Company profile > General";
        let (what, challenge) = match refusal {
            AuthRefusal::NotReady => {
                let cause = Some("no token keys have arrived yet".to_owned());
                return Self::come_back(STARTING, cause);
            }
            AuthRefusal::Missing => ("No token. Copy the Microsoft Entra token, to be found", NO_TOKEN),
            AuthRefusal::Garbled => {
                ("Not a token of ours, or not copied whole. Copy it again, to be found", BAD_TOKEN)
            }
            AuthRefusal::Unknown | AuthRefusal::Revoked(_) => {
                ("Token unknown or revoked. Generate a new one", BAD_TOKEN)
            }
            AuthRefusal::NotYetValid => {
                ("The token is not valid yet. Try again, or generate a new one", BAD_TOKEN)
            }
            AuthRefusal::Expired(_) => ("The token has expired. Generate a new one", BAD_TOKEN),
        };
        let error = ScimError::unauthorized(format!("{what} {WHERE}."));
        Self { hint: Some(challenge), ..error.into() }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        const AWAY: &str = "The directory cannot be asked at the moment. Try again in a few seconds.";
        match error {
            QueryError::Away(_) => Self::come_back(AWAY, Some(Causes(&error).to_string())),
            QueryError::Nonsense => Self::internal(Causes(&error).to_string()),
            QueryError::Failed(failure) => match failure.reason() {
                failure::Reason::Invalid => said(Wording::Answer, 400, &failure.scim_type, failure.detail),
                failure::Reason::Conflict => said(Wording::Answer, 409, &failure.scim_type, failure.detail),
                failure::Reason::Unavailable => {
                    Self::come_back(AWAY, Some("the directory is unavailable".to_owned()))
                }
                failure::Reason::Unspecified => Self::internal("the directory failed without a reason"),
            },
        }
    }
}

impl From<ProvisionError> for Refusal {
    fn from(error: ProvisionError) -> Self {
        let cause = |error: &ProvisionError| Some(Causes(error).to_string());
        match error {
            ProvisionError::NotSent(PublishError::TooLarge) => {
                ScimError::payload_too_large("The resource is too large to be stored.").into()
            }
            ProvisionError::NotSent(_) | ProvisionError::NoOutcome(Missing::NotStored) => Self::come_back(
                "The request could not be accepted, and nothing was changed. Try again in a few seconds.",
                cause(&error),
            ),
            ProvisionError::NoOutcome(Missing::Stored) => Self::come_back(
                "The request is stored and will be applied, but that is taking longer than usual. It need not be sent again.",
                cause(&error),
            ),
            ProvisionError::NoOutcome(Missing::Unknown) => Self::come_back(
                "It is not known whether the request was stored and will be applied. Try again in a few seconds.",
                cause(&error),
            ),
            ProvisionError::Nonsense => Self::internal(Causes(&error).to_string()),
            ProvisionError::Refused(refused) => {
                let status = match refused.reason() {
                    refused::Reason::Invalid => 400,
                    refused::Reason::NotFound => 404,
                    refused::Reason::Conflict => 409,
                    refused::Reason::PreconditionFailed => 412,
                    refused::Reason::Unspecified => {
                        return Self::internal("the directory refused without a reason");
                    }
                };
                said(Wording::Decision, status, &refused.scim_type, refused.detail)
            }
        }
    }
}

/// A refusal in the directory's words.
fn said(wording: Wording, status: u16, scim_type: &str, detail: String) -> Refusal {
    Refusal { wording, ..ScimError::new(status, ScimType::parse(scim_type), detail).into() }
}
