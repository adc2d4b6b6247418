//! Spans: begun where the work begins or afterwards, ended with it, recorded when somebody wants them.

use std::{fmt, sync::OnceLock, time::SystemTime};

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{Link, SpanBuilder, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;

use super::Trace;

pub use opentelemetry::trace::SpanKind as Kind;

/// Set once traces are exported.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// From now on spans are recorded with this tracer.
pub(crate) fn record_with(tracer: SdkTracer) {
    // Telemetry is installed once, which the log makes sure of.
    drop(TRACER.set(tracer));
}

/// A span that is about to begin. Without a collector all of this is nothing.
#[must_use = "it begins with one of `entering`, `within` and `of_batch`"]
pub struct Begin(Option<(SpanBuilder, &'static SdkTracer)>);

/// Describes a span of this kind and name.
pub fn span(kind: Kind, name: fmt::Arguments<'_>) -> Begin {
    Begin(TRACER.get().map(|tracer| {
        let builder = match name.as_str() {
            Some(name) => SpanBuilder::from_name(name),
            None => SpanBuilder::from_name(name.to_string()),
        };
        (builder.with_kind(kind), tracer)
    }))
}

impl Begin {
    /// Notes something about it. Never a name, an address or a secret: whoever reads traces may not be who may read those.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        if let Some((builder, _)) = &mut self.0 {
            builder.attributes.get_or_insert_default().push(KeyValue::new(key, value));
        }
        self
    }

    /// It began at this time, and not now.
    pub fn since(mut self, time: SystemTime) -> Self {
        if let Some((builder, _)) = &mut self.0 {
            builder.start_time = Some(time);
        }
        self
    }

    /// It has to do with the present span of another trace as well.
    pub fn linked_to(mut self, trace: &Trace) -> Self {
        if let Some((builder, _)) = &mut self.0
            && trace.is_recorded()
        {
            builder.links.get_or_insert_default().push(link(trace));
        }
        self
    }

    /// Begins it where work enters: `caller` decides whether it is recorded, or the sampler where there is none.
    pub fn entering(self, caller: &Trace) -> Span {
        self.begin(caller.0.clone())
    }

    /// Begins it as a part of `trace`; nothing is recorded unless that is. So a question that a timer asks makes no trace.
    pub fn within(self, trace: &Trace) -> Span {
        match trace.is_recorded() {
            true => self.begin(trace.0.clone()),
            false => Span { trace: trace.clone(), is_ours: false },
        }
    }

    /// Begins it as a trace of its own, with links to those whose work it does all at once; recorded when one of them is.
    pub fn of_batch<'t>(mut self, traces: impl Iterator<Item = &'t Trace>) -> Span {
        let Some((builder, _)) = &mut self.0 else { return Span::none() };
        let links: Vec<_> = traces.filter(|trace| trace.is_recorded()).map(link).collect();
        if links.is_empty() {
            return Span::none();
        }
        builder.links = Some(links);
        self.begin(Context::new())
    }

    fn begin(self, parent: Context) -> Span {
        match self.0 {
            Some((builder, tracer)) => {
                let span = tracer.build_with_context(builder, &parent);
                Span { trace: Trace(parent.with_span(span)), is_ours: true }
            }
            None => Span { trace: Trace(parent), is_ours: false },
        }
    }
}

fn link(trace: &Trace) -> Link {
    Link::with_context(trace.0.span().span_context().clone())
}

/// A span that has begun; it ends when it is dropped. Where nothing is recorded it only hands on its parent's trace.
#[derive(Debug)]
#[must_use = "it ends when it is dropped"]
pub struct Span {
    trace: Trace,
    is_ours: bool,
}

impl Span {
    /// One that records nothing and belongs to no trace.
    pub fn none() -> Self {
        Self { trace: Trace::none(), is_ours: false }
    }

    /// What is done inside it belongs to this.
    #[must_use]
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Notes something that was not known when it began.
    pub fn note(&self, key: &'static str, value: impl Into<Value>) {
        if self.is_ours {
            self.trace.0.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// Notes that something happened now.
    pub fn event(&self, name: &'static str) {
        if self.is_ours {
            self.trace.0.span().add_event(name, vec![]);
        }
    }

    /// Notes that it failed; `kind` is one of a closed list. What failed in words is in the log, under the trace's id.
    pub fn fail(&self, kind: impl Into<Value>) {
        if self.is_ours {
            let span = self.trace.0.span();
            span.set_attribute(KeyValue::new("error.type", kind));
            span.set_status(Status::error(""));
        }
    }

    /// Ends it at this time, and not now.
    pub fn end_at(self, time: SystemTime) {
        if self.is_ours {
            self.trace.0.span().end_with_timestamp(time);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        // Work that is still under way may hold the trace. Ended a second time, a span stays as it is.
        if self.is_ours {
            self.trace.0.span().end();
        }
    }
}
