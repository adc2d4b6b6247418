//! What is told of each request, by every service alike: a span, a line in the log, and what is counted. Never a path, a
//! query, a body, a name or an address.

use std::{fmt, time::Duration};

use actix_web::{Error, HttpRequest, dev::ServiceResponse, http::StatusCode};
use tracing::Level;
use uuid::Uuid;

use super::{Underway, caller_request_id, is_over_tls, received_trace, request_id};
use crate::trace::{Kind, Span, Trace};

/// A request on its way to its answer; dropped before, it was abandoned with its connection.
#[must_use = "it ends with `end`"]
pub struct Exchange {
    /// Until it is answered.
    underway: Option<Underway>,
    span: Span,
    /// That of the span, and this request.
    trace: Trace,
    id: Uuid,
    caller_id: Option<String>,
    route: &'static str,
    method: &'static str,
}

/// What the line says about an answer.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Whose request it was, where that is known.
    pub company: Option<&'a dyn fmt::Display>,
    /// Why it was refused, one of a closed list, where the status does not say enough.
    pub refusal: Option<&'a str>,
    /// Why it is a failure of ours.
    pub error: Option<&'a str>,
}

impl Exchange {
    /// Begins with the head of the request; the caller's trace goes on in it.
    pub fn begin(request: &HttpRequest, underway: Underway) -> Self {
        let (id, route, method) = (request_id(request), underway.route(), underway.method());
        let scheme = if is_over_tls(request) { "https" } else { "http" };
        let span = received_trace(request)
            .entry(Kind::Server, format_args!("{method} {route}"))
            .with("http.request.method", method)
            .with("http.route", route)
            .with("url.scheme", scheme)
            .with_text("request.id", &id)
            .begin();
        let trace = span.trace().for_request(id);
        let caller_id = caller_request_id(request);
        Self { underway: Some(underway), span, trace, id, caller_id, route, method }
    }

    /// What is done for this request belongs to this.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// What the request is called here.
    #[must_use]
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// Tells of the answer; returns how long it took.
    pub fn end(mut self, answer: &Answer<'_>) -> Duration {
        let Answer { status, company, refusal, error } = *answer;
        let taken = self.underway.take().map(|underway| underway.end(status)).unwrap_or_default();
        self.span.note("http.response.status_code", i64::from(status));
        if let Some(company) = company {
            self.span.note_text("company.id", company);
        }
        if status >= 500 {
            self.span.fail(status.to_string());
        }
        let _of_the_span = self.span.trace().enter();
        crate::log_at!(
            level(self.method, status, company.is_some(), taken),
            http.request.method = self.method,
            http.route = self.route,
            http.response.status_code = status,
            duration_us = micros(taken),
            request.id = %self.id,
            request.caller_id = self.caller_id.as_deref(),
            company.id = company.map(tracing::field::display),
            refusal,
            error,
            "answered"
        );
        taken
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Some(underway) = self.underway.take() else { return };
        self.span.fail("abandoned");
        let _of_the_span = self.span.trace().enter();
        tracing::info!(
            http.request.method = self.method,
            http.route = self.route,
            duration_us = micros(underway.elapsed()),
            request.id = %self.id,
            request.caller_id = self.caller_id.as_deref(),
            "abandoned with its connection before it was answered"
        );
    }
}

/// The status of what a handler or what stands before it answered.
#[must_use]
pub fn status_of<B>(answered: &Result<ServiceResponse<B>, Error>) -> StatusCode {
    match answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// A read that takes longer than this is told of, in case somebody asks why.
const SLOW: Duration = Duration::from_millis(250);

/// How loud the line is.
///
/// A failure of ours is worth a look, whoever met it. Changes, what a company's callers are refused, and what was slow, are for
/// the record. Reads that went well are for debugging: a line for each is felt in an initial cycle. So are
/// the refusals of strangers, of which there is no end and which metrics count.
fn level(method: &str, status: u16, is_known: bool, taken: Duration) -> Level {
    match status {
        // Nobody failed: RFC 7644 §3.11 wants this status of whoever has no `/Me`.
        501 => Level::INFO,
        500.. => Level::WARN,
        400.. if !is_known => Level::DEBUG,
        ..400 if matches!(method, "GET" | "HEAD") && (taken < SLOW || !is_known) => Level::DEBUG,
        _ => Level::INFO,
    }
}

/// Logs at a level that is known when it runs: `tracing`'s own macros want a constant.
#[macro_export]
macro_rules! log_at {
    ($level:expr, $($fields:tt)+) => {
        match $level {
            ::tracing::Level::WARN => ::tracing::warn!($($fields)+),
            ::tracing::Level::INFO => ::tracing::info!($($fields)+),
            _ => ::tracing::debug!($($fields)+),
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_do_not_fill_the_log() {
        let (quick, slow) = (Duration::from_millis(9), Duration::from_millis(900));
        for (method, status, is_known, taken, expected) in [
            ("GET", 401, false, slow, Level::DEBUG),
            ("POST", 404, false, quick, Level::DEBUG),
            ("POST", 400, false, quick, Level::DEBUG),
            ("POST", 303, false, quick, Level::INFO),
            ("GET", 404, true, quick, Level::INFO),
            ("GET", 503, false, quick, Level::WARN),
            ("GET", 200, true, quick, Level::DEBUG),
            ("GET", 200, true, slow, Level::INFO),
            ("GET", 200, false, slow, Level::DEBUG),
            ("GET", 501, true, quick, Level::INFO),
            ("PATCH", 200, true, quick, Level::INFO),
        ] {
            assert_eq!(level(method, status, is_known, taken), expected, "{method} {status}");
        }
    }
}
