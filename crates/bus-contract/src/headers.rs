//! The message headers we use, and what each is for. Everything a replay needs is in the body, never here.

/// The server forgets a second message with the same id within the stream's dedupe window. Request id or fact id.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";

/// W3C trace context of whoever published the message.
pub const TRACEPARENT: &str = "traceparent";

/// W3C vendor trace state that travels with [`TRACEPARENT`].
pub const TRACESTATE: &str = "tracestate";

/// Where the outcome of a request is awaited. A stream does not keep the reply subject, so it travels here.
pub const OUTCOME_INBOX: &str = "Timeclock-Outcome-Inbox";
