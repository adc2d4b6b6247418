//! Several requests in one (RFC 7644 §3.7): what is asked for, in which order it can be done, how it is answered.
//!
//! What is wrong with one operation is that operation's error; only a body that is no bulk request, or too large a one,
//! is refused as a whole. Whoever serves bulk requests goes through [`BulkRequest::order`], resolves the references of each
//! operation with the ids that those before it were given ([`Action::resolve`]), carries it out as the request that it
//! stands for, and answers with [`bulk_response`].

mod operation;
mod order;
mod reference;
mod response;

pub use operation::{Action, BulkOperation, Endpoint, Method, Target};
pub use order::Step;
pub use reference::{Unresolved, resolve};
pub use response::{BulkResponse, OperationResult, bulk_response};

use crate::error::ScimError;
use crate::json::{self, kind_of};
use crate::resource::canonical::sent_twice;
use serde_json::Value;
use std::collections::HashMap;
use std::num::NonZeroUsize;

/// The URN that marks a bulk request.
pub const BULK_REQUEST_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// The URN that marks the answer to one.
pub const BULK_RESPONSE_URN: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// The most operations of one request. Published as `bulk.maxOperations`.
pub const MAX_OPERATIONS: usize = 1_000;
/// The largest request, in bytes. Published as `bulk.maxPayloadSize`.
pub const MAX_PAYLOAD_BYTES: usize = 1_048_576;
/// The longest `bulkId`, in bytes.
pub const MAX_BULK_ID_BYTES: usize = 256;

/// How much one bulk request may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most operations.
    pub max_operations: usize,
    /// The largest body, in bytes.
    pub max_payload_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_operations: MAX_OPERATIONS, max_payload_bytes: MAX_PAYLOAD_BYTES }
    }
}

/// A bulk request.
#[derive(Debug, Clone, PartialEq)]
pub struct BulkRequest {
    /// After how many errors no further operation is begun; `None` for however many.
    pub fail_on_errors: Option<NonZeroUsize>,
    /// The operations as they were sent, those that are wrong included.
    pub operations: Vec<BulkOperation>,
}

impl BulkRequest {
    /// Whether no further operation is begun after so many errors.
    #[must_use]
    pub fn stops_after(&self, errors: usize) -> bool {
        self.fail_on_errors.is_some_and(|limit| errors >= limit.get())
    }
}

/// Reads a bulk request.
///
/// Names are read in any case, methods as well. `schemas` may be missing; a message that says to be another one is
/// refused.
///
/// # Errors
///
/// 413 beyond the limits, naming the one that is exceeded (RFC 7644 §3.7.4); 400 `invalidSyntax` for a body that is no
/// JSON object, says one thing twice, is another message or has no list of operations; 400 `invalidValue` when
/// `failOnErrors` is no whole number from 1.
pub fn parse(body: &[u8], limits: Limits) -> Result<BulkRequest, ScimError> {
    if body.len() > limits.max_payload_bytes {
        let limit = limits.max_payload_bytes;
        return Err(ScimError::payload_too_large(format!("a bulk request has at most {limit} bytes")));
    }
    let (mut fail_on_errors, mut operations) = (Value::Null, None);
    for (key, value) in json::read_object(body)? {
        match key.to_ascii_lowercase().as_str() {
            "schemas" => json::expect_message(&value, BULK_REQUEST_URN, "a bulk request")?,
            "failonerrors" if !fail_on_errors.is_null() => return Err(sent_twice("failOnErrors")),
            "failonerrors" => fail_on_errors = value,
            "operations" if operations.is_some() => return Err(sent_twice("Operations")),
            "operations" => operations = Some(value),
            _ => {}
        }
    }
    let sent = match operations {
        Some(Value::Array(sent)) => sent,
        Some(other) => {
            let kind = kind_of(&other);
            return Err(ScimError::invalid_syntax(format!("'Operations' is {kind}, not a list")));
        }
        None => return Err(ScimError::invalid_syntax("a bulk request has a list 'Operations'")),
    };
    if sent.len() > limits.max_operations {
        let limit = limits.max_operations;
        return Err(ScimError::payload_too_large(format!("a bulk request has at most {limit} operations")));
    }
    let mut operations: Vec<_> = sent.into_iter().map(BulkOperation::of).collect();
    refuse_repeated(&mut operations);
    Ok(BulkRequest { fail_on_errors: limit_of_errors(&fail_on_errors)?, operations })
}

fn limit_of_errors(sent: &Value) -> Result<Option<NonZeroUsize>, ScimError> {
    let number = match sent {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number.and_then(NonZeroUsize::new) {
        Some(limit) => Ok(Some(limit)),
        None => Err(ScimError::invalid_value("'failOnErrors' is a whole number from 1")),
    }
}

/// A `bulkId` is unique within its request (RFC 7644 §3.7): of several operations that would create under the same one
/// the first keeps it.
fn refuse_repeated(operations: &mut [BulkOperation]) {
    let mut first = HashMap::new();
    for (position, operation) in operations.iter_mut().enumerate() {
        if operation.creates_under().is_none() {
            continue;
        }
        let taken = *first.entry(operation.bulk_id.clone()).or_insert(position);
        if taken != position {
            operation.action = Err(ScimError::invalid_value(format!(
                "operation {} has the same 'bulkId'; it is unique within a request",
                taken + 1
            )));
        }
    }
}
