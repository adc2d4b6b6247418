//! The body of a request: JSON, of limited size, within limited time.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
    web::{Bytes, BytesMut, Payload},
};
use futures_util::{FutureExt as _, StreamExt as _};
use scim_protocol::error::ScimError;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the whole body.
///
/// # Errors
///
/// 415 for a body that says it is something other than JSON, 413 beyond `limit` bytes, 408 when it takes too long, 400
/// when it breaks off.
pub(super) async fn read(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
) -> Result<Bytes, ScimError> {
    check_encoding(request)?;
    let announced =
        request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    tokio::time::timeout(PATIENCE, collect(payload, limit)).await.unwrap_or_else(|_elapsed| {
        Err(ScimError::new(408, None, format!("The body did not arrive within {} s.", PATIENCE.as_secs())))
    })
}

/// Whether nothing is left of the body. One that is still on its way is not read.
pub(super) fn is_read(payload: &mut Payload) -> bool {
    matches!(payload.next().now_or_never(), Some(None))
}

async fn collect(payload: &mut Payload, limit: usize) -> Result<Bytes, ScimError> {
    // Most bodies arrive in one piece, which is then not copied.
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|_broken| ScimError::invalid_syntax("The body broke off before its end."))?;
        if first.len() + rest.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        if first.is_empty() {
            first = chunk;
        } else {
            rest.extend_from_slice(&chunk);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

fn too_large(limit: usize) -> ScimError {
    ScimError::payload_too_large(format!("The body is larger than {limit} bytes."))
}

/// Any JSON type will do, and none at all; only what is certainly something else is refused.
fn check_encoding(request: &HttpRequest) -> Result<(), ScimError> {
    let headers = request.headers();
    if let Some(encoding) = headers.get(CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err(ScimError::unsupported_media_type("Compressed bodies are not supported."));
    }
    let Some(content_type) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let essence = content_type.as_bytes().split(|&byte| byte == b';').next().unwrap_or_default().trim_ascii();
    let essence = essence.to_ascii_lowercase();
    let is_json = essence.is_empty() || essence.ends_with(b"/json") || essence.ends_with(b"+json");
    if is_json || essence == b"text/plain" || essence == b"application/octet-stream" {
        return Ok(());
    }
    Err(ScimError::unsupported_media_type("The body must be application/scim+json or application/json."))
}
