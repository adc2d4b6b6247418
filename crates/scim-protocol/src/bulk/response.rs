//! How a bulk request is answered (RFC 7644 §3.7.3).

use super::{BULK_RESPONSE_URN, BulkOperation, Method};
use crate::error::ScimError;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// The answer: always 200, whatever became of the operations.
#[derive(Serialize)]
pub struct BulkResponse {
    schemas: [&'static str; 1],
    #[serde(rename = "Operations")]
    operations: Vec<OperationResult>,
}

/// The answer with these results. Operations that were not begun because of `failOnErrors` have none.
#[must_use]
pub fn bulk_response(operations: Vec<OperationResult>) -> BulkResponse {
    BulkResponse { schemas: [BULK_RESPONSE_URN], operations }
}

/// What became of one operation.
#[derive(Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationResult {
    /// The URL of the resource; absent when a POST fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The method, when it was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
    /// The name that the client gave the operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bulk_id: Option<String>,
    /// The entity tag of the resource, `W/"7"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The HTTP status that the single request would have. Answered as text.
    #[serde(serialize_with = "as_text")]
    pub status: u16,
    /// The body that the single request would have; for an error it is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn as_text<S: Serializer>(status: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(status)
}

impl BulkOperation {
    /// The operation has been carried out. `location` and `version` are those of the resource; a resource that is deleted
    /// has no version.
    #[must_use]
    pub fn succeeded(&self, status: u16, location: String, version: Option<String>) -> OperationResult {
        OperationResult {
            location: Some(location),
            method: self.method,
            bulk_id: self.bulk_id.clone(),
            version,
            status,
            response: None,
        }
    }

    /// The operation has not been carried out. `base` is the SCIM root, without a slash at its end.
    #[must_use]
    pub fn failed(&self, base: &str, error: &ScimError) -> OperationResult {
        OperationResult {
            location: self.action.as_ref().ok().and_then(|action| action.target.location(base)),
            method: self.method,
            bulk_id: self.bulk_id.clone(),
            version: None,
            status: error.status,
            response: Some(error.to_json()),
        }
    }
}
