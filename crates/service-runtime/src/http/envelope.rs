//! What every answer of every listener carries, whoever wrote it: the id of its request, and, while the process is about
//! to stop, the word that ends the connection.

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use uuid::Uuid;

use crate::health::Health;

/// Names a request, in both directions.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest id that is taken from a caller.
pub const MAX_REQUEST_ID: usize = 64;

/// How a request is called.
#[derive(Debug, Clone)]
struct Named {
    /// Here; never twice.
    id: Uuid,
    /// By its caller, who may say the same again.
    by_caller: Option<HeaderValue>,
    /// Whether it came through TLS of ours.
    over_tls: bool,
}

/// The id of a request: what logs, messages and errors call it.
///
/// It is always our own, because a change is recognised by it when it is delivered twice: a caller who chose it could
/// make two changes look like one.
#[must_use]
pub fn request_id(request: &HttpRequest) -> Uuid {
    request.extensions().get::<Named>().map_or_else(Uuid::now_v7, |named| named.id)
}

/// What the caller calls the request, where it does: the log has it beside our own id.
#[must_use]
pub fn caller_request_id(request: &HttpRequest) -> Option<String> {
    let extensions = request.extensions();
    let by_caller = extensions.get::<Named>()?.by_caller.as_ref()?;
    by_caller.to_str().ok().map(str::to_owned)
}

/// Whether the request came to a listener of this process that speaks TLS.
#[must_use]
pub fn is_over_tls(request: &HttpRequest) -> bool {
    request.extensions().get::<Named>().is_some_and(|named| named.over_tls)
}

/// Names the request, has it answered, and finishes the answer.
pub(super) async fn finish<B: MessageBody>(
    health: Health,
    over_tls: bool,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let by_caller = request.headers().get(REQUEST_ID).filter(|value| is_sane(value.as_bytes())).cloned();
    let id = Uuid::now_v7();
    let told = by_caller.clone().or_else(|| HeaderValue::try_from(id.to_string()).ok());
    request.extensions_mut().insert(Named { id, by_caller, over_tls });
    let mut response = next.call(request).await?;
    if let Some(told) = told {
        response.headers_mut().insert(REQUEST_ID, told);
    }
    if health.is_stopping() {
        // The caller is to use another connection next time, which then leads to another process.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    Ok(response)
}

/// Whether an id that a caller made up can be repeated in a header and a log: short, and nothing but letters, digits and
/// the signs that ids are made with.
fn is_sane(id: &[u8]) -> bool {
    let legal = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(byte);
    (1..=MAX_REQUEST_ID).contains(&id.len()) && id.iter().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_from_outside_is_short_and_has_no_signs_that_mean_anything() {
        for (id, expected) in [
            ("0190b5a4-7d3c-7e2f-9f3a-2b1c0d9e8f7a", true),
            ("Root=1-67891233-abcdef012345678912345678", true),
            (&"a".repeat(MAX_REQUEST_ID), true),
            (&"a".repeat(MAX_REQUEST_ID + 1), false),
            ("", false),
            ("two words", false),
            ("anna@example.com", false),
            ("a\"b", false),
            ("{a}", false),
        ] {
            assert_eq!(is_sane(id.as_bytes()), expected, "{id}");
        }
    }
}
