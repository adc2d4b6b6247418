//! The message headers we use, and what each is for; those of a trace are W3C's, and `service_runtime::trace`'s.
//! Everything a replay needs is in the body, never here.

/// The server forgets a second message with the same id within the stream's dedupe window. Request id or fact id.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";

/// Where the outcome of a request is awaited. A stream does not keep the reply subject, so it travels here.
pub const OUTCOME_INBOX: &str = "Timeclock-Outcome-Inbox";
