//! The headers of a message.

use std::{borrow::Cow, fmt};

use async_nats::HeaderMap;
use service_runtime::trace::Trace;

/// The headers of a message; their names are in [`bus_contract::headers`].
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(pub(crate) HeaderMap);

impl Headers {
    /// No headers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those by which the receiver goes on with this trace.
    #[must_use]
    pub fn of_trace(trace: &Trace) -> Self {
        let mut headers = Self::new();
        trace.send(|name, value| headers.set(name, value));
        headers
    }

    /// The first value under this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(async_nats::HeaderValue::as_str)
    }

    /// The trace of whoever sent the message.
    #[must_use]
    pub fn trace(&self) -> Trace {
        Trace::received(|name| self.get(name).map(Cow::Borrowed))
    }

    /// Sets the only value under this name. Line breaks, which would start a new header, become spaces.
    pub fn set(&mut self, name: &'static str, value: &str) {
        let value: String =
            value.chars().map(|char| if matches!(char, '\r' | '\n') { ' ' } else { char }).collect();
        self.0.insert(name, value.as_str());
    }
}

impl fmt::Debug for Headers {
    /// Names only: a header may carry an inbox or a trace that does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|(name, _)| name.to_string())).finish()
    }
}
