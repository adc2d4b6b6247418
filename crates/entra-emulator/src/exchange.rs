//! What was said? One request and its answer, as kept for reports and written to the wire log.
//!
//! The token is never part of an exchange; where a server echoes it, the client blots it out.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};

use crate::wire::{Method, Purpose};

/// One attempt at one request.
#[derive(Debug, Clone, Serialize)]
pub struct Exchange {
    /// What the request was for.
    pub purpose: Purpose,
    /// Its method.
    pub method: Method,
    /// Path and query as sent, from the root of the server.
    pub target: String,
    /// The request body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_body: Option<Value>,
    /// 1 for the first attempt; higher after a 429 or 503 with `Retry-After`, or with a new access token.
    pub attempt: u32,
    /// When it was sent.
    pub sent_at: DateTime<Utc>,
    /// How long the answer took, to its last byte.
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub duration: Duration,
    /// The answer, or why there is none.
    #[serde(flatten)]
    pub answer: Answer,
}

/// What came back.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// An HTTP response.
    Response {
        /// Its status.
        status: u16,
        /// Its `Content-Type`, as received.
        #[serde(skip_serializing_if = "Option::is_none")]
        content_type: Option<String>,
        /// Its `Retry-After` in seconds, where it has one that is a number.
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
        /// Its body, as received; bytes that are not UTF-8 are replaced.
        #[serde(rename = "response_body")]
        body: String,
    },
    /// No response: refused, reset, timed out, too long.
    Nothing {
        /// What went wrong.
        fault: String,
        /// Whether the time limit ended it.
        timed_out: bool,
    },
}

impl Exchange {
    /// The status, unless there was no response.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.answer {
            Answer::Response { status, .. } => Some(*status),
            Answer::Nothing { .. } => None,
        }
    }

    /// The response body as received; empty when there was none.
    #[must_use]
    pub fn response_body(&self) -> &str {
        match &self.answer {
            Answer::Response { body, .. } => body,
            Answer::Nothing { .. } => "",
        }
    }

    /// `GET /scim/Users?… -> 404`, for messages.
    #[must_use]
    pub fn summary(&self) -> String {
        let answer = match &self.answer {
            Answer::Response { status, .. } => status.to_string(),
            Answer::Nothing { fault, .. } => fault.clone(),
        };
        format!("{} {} -> {answer}", self.method.as_str(), self.target)
    }
}

fn milliseconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64((duration.as_secs_f64() * 1e6).round() / 1e3)
}

/// Every exchange as one line of JSON in a file; written at once, so that an interrupted run leaves its log.
#[derive(Debug)]
pub(crate) struct WireLog(Mutex<File>);

impl WireLog {
    pub(crate) fn create(path: &Path) -> std::io::Result<Self> {
        Ok(Self(Mutex::new(File::create(path)?)))
    }

    /// Adds a line. The headers are those of every request of its kind; the token is not among them.
    pub(crate) fn add(&self, exchange: &Exchange) -> std::io::Result<()> {
        let mut entry = serde_json::to_value(exchange)?;
        let mut headers = json!({"Authorization": "Bearer [redacted]"});
        if exchange.request_body.is_some() {
            headers["Content-Type"] = json!(crate::client::CONTENT_TYPE);
        }
        entry["request_headers"] = headers;
        let line = format!("{entry}\n");
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes())
    }
}
