//! Which trace and which request a piece of work belongs to, here and in the next process.
//!
//! Spans are OpenTelemetry's own and not made from `tracing`'s: a batch has links and its parts have times in the past, which
//! those cannot say, and a span that nobody records must cost nothing (ADR 0014).

mod sampling;
mod span;

use std::{
    borrow::Cow,
    sync::atomic::{AtomicBool, Ordering},
};

use opentelemetry::{
    Context, ContextGuard,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::TraceContextExt as _,
};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use uuid::Uuid;

pub use self::span::{Begin, Kind, Span};
pub(crate) use self::{sampling::WithItsRequests, span::record_with};

/// W3C Trace Context §3.2: who asks, and whether it is recorded.
pub const TRACEPARENT: &str = "traceparent";
/// W3C Trace Context §3.3: what tracing systems add for themselves.
pub const TRACESTATE: &str = "tracestate";

/// The longest `traceparent` that is looked at, in bytes. Version 00 has 55; later ones may add to that.
pub const MAX_TRACEPARENT: usize = 128;
/// The longest `tracestate` that travels on, in bytes: what W3C Trace Context §3.3.1.5 asks for. A longer one is left behind.
pub const MAX_TRACESTATE: usize = 512;

/// Set when the traces of callers over HTTP do not go on here.
static LEAVES_CALLERS_ALONE: AtomicBool = AtomicBool::new(false);

/// From now on whoever calls over HTTP has no say in what is recorded.
pub(crate) fn leave_callers_alone() {
    LEAVES_CALLERS_ALONE.store(true, Ordering::Relaxed);
}

/// Whether the traces of callers over HTTP go on here.
pub(crate) fn continues_callers() -> bool {
    !LEAVES_CALLERS_ALONE.load(Ordering::Relaxed)
}

/// The trace that work belongs to, and the request whose id its log lines carry. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Trace(Context);

/// Makes what a thread does part of a trace until it is dropped.
#[must_use = "the trace ends with this"]
pub struct Entered {
    _attached: ContextGuard,
}

/// The request whose id the log lines carry.
#[derive(Debug, Clone, Copy)]
struct Request(Uuid);

impl Trace {
    /// No trace.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// What the present work belongs to.
    #[must_use]
    pub fn current() -> Self {
        Self(Context::current())
    }

    /// The trace that a caller or a sender belongs to, by the headers that it sent. Malformed ones are as good as none (W3C
    /// Trace Context §4.2).
    #[must_use]
    pub fn received<'h>(header: impl Fn(&'static str) -> Option<Cow<'h, str>>) -> Self {
        let Some(traceparent) = header(TRACEPARENT).filter(|value| is_well_formed(value)) else {
            return Self::none();
        };
        let tracestate = header(TRACESTATE).filter(|value| value.len() <= MAX_TRACESTATE && is_state(value));
        let received = Received { traceparent: &traceparent, tracestate: tracestate.as_deref() };
        Self(TraceContextPropagator::new().extract_with_context(&Context::new(), &received))
    }

    /// Writes the headers by which whoever receives them goes on with this trace; none when there is none.
    pub fn send(&self, set: impl FnMut(&'static str, &str)) {
        if self.0.has_active_span() {
            TraceContextPropagator::new().inject_context(&self.0, &mut Sent(set));
        }
    }

    /// The same trace, for this request.
    #[must_use]
    pub fn for_request(&self, id: Uuid) -> Self {
        Self(self.0.with_value(Request(id)))
    }

    /// Whether its spans are recorded.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.0.span().span_context().is_sampled()
    }

    /// Its id, 32 hexadecimal digits. Also one that is not recorded has one, when the caller gave it.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        let span = self.0.span();
        let context = span.span_context();
        context.is_valid().then(|| context.trace_id().to_string())
    }

    /// Makes what this thread does part of the trace.
    pub fn enter(&self) -> Entered {
        Entered { _attached: self.0.clone().attach() }
    }
}

/// What log lines say of the present work: trace id, span id, request id.
pub(crate) fn current_ids() -> (Option<(String, String)>, Option<Uuid>) {
    Context::map_current(|context| {
        let span = context.span();
        let ids = span.span_context();
        let ids = ids.is_valid().then(|| (ids.trace_id().to_string(), ids.span_id().to_string()));
        (ids, context.get::<Request>().map(|request| request.0))
    })
}

/// Work that belongs to a trace, whichever thread carries it on.
pub trait InTrace: Sized {
    /// This work, as a part of `trace`.
    fn in_trace(self, trace: &Trace) -> opentelemetry::context::WithContext<Self>;
}

impl<F: Future> InTrace for F {
    fn in_trace(self, trace: &Trace) -> opentelemetry::context::WithContext<Self> {
        opentelemetry::context::FutureExt::with_context(self, trace.0.clone())
    }
}

/// W3C Trace Context §3.2.2: two, thirty-two, sixteen and two hexadecimal digits in lower case. The propagator is more
/// lenient. Versions after 00 may add something behind a further hyphen, version ff is none.
fn is_well_formed(traceparent: &str) -> bool {
    const LENGTH: usize = 55;
    const HYPHENS: [usize; 3] = [2, 35, 52];
    let bytes = traceparent.as_bytes();
    let (Some(known), Some(version)) = (bytes.get(..LENGTH), bytes.get(..2)) else { return false };
    let is_in_place = |(place, byte): (usize, &u8)| match HYPHENS.contains(&place) {
        true => *byte == b'-',
        false => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let ends_well = match bytes.get(LENGTH) {
        None => true,
        Some(next) => *next == b'-' && version != b"00" && bytes.len() <= MAX_TRACEPARENT,
    };
    known.iter().enumerate().all(is_in_place) && ends_well && version != b"ff"
}

/// W3C Trace Context §3.3.1: members with a key and a value. The propagator takes empty ones too.
fn is_state(tracestate: &str) -> bool {
    let is_member = |member: &str| {
        let member = member.trim();
        member.is_empty()
            || member.split_once('=').is_some_and(|(key, value)| !key.is_empty() && !value.is_empty())
    };
    tracestate.split(',').all(is_member)
}

struct Received<'h> {
    traceparent: &'h str,
    tracestate: Option<&'h str>,
}

impl Extractor for Received<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            TRACEPARENT => Some(self.traceparent),
            TRACESTATE => self.tracestate,
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}

struct Sent<F>(F);

impl<F: FnMut(&'static str, &str)> Injector for Sent<F> {
    fn set(&mut self, key: &str, value: String) {
        match key {
            TRACEPARENT => (self.0)(TRACEPARENT, &value),
            TRACESTATE if !value.is_empty() && value.len() <= MAX_TRACESTATE => (self.0)(TRACESTATE, &value),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
