//! Spans: begun where the work begins or afterwards, ended with it, recorded when somebody wants them.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    Context, KeyValue, Value,
    trace::{Link, SpanBuilder, Status, TraceContextExt as _, Tracer as _},
};
use opentelemetry_sdk::trace::SdkTracer;

use super::Trace;

pub use opentelemetry::trace::SpanKind as Kind;

/// As many attributes as most spans have; room for them is made once.
const MOST_ATTRIBUTES: usize = 8;

/// Set once traces are exported.
static TRACER: OnceLock<SdkTracer> = OnceLock::new();

/// From now on spans are recorded with this tracer.
pub(crate) fn record_with(tracer: SdkTracer) {
    // Telemetry is installed once, which the log makes sure of.
    drop(TRACER.set(tracer));
}

/// A span that is about to begin. Where it will not be recorded, all of this is nothing.
#[must_use = "it begins with `begin`"]
pub struct Begin {
    parent: Context,
    builder: Option<(SpanBuilder, &'static SdkTracer)>,
}

impl Trace {
    /// A span of this trace; recorded when the trace is. So what a timer asks makes no trace.
    pub fn span(&self, kind: Kind, name: fmt::Arguments<'_>) -> Begin {
        match self.is_recorded() {
            true => self.entry(kind, name),
            false => Begin { parent: self.0.clone(), builder: None },
        }
    }

    /// A span where work enters from outside. Whether it is recorded, and all behind it, is decided here: by the sampler,
    /// which usually follows the caller where there is one.
    pub fn entry(&self, kind: Kind, name: fmt::Arguments<'_>) -> Begin {
        let builder = TRACER.get().map(|tracer| {
            let builder = match name.as_str() {
                Some(name) => SpanBuilder::from_name(name),
                None => SpanBuilder::from_name(name.to_string()),
            };
            (builder.with_kind(kind), tracer)
        });
        Begin { parent: self.0.clone(), builder }
    }

    /// Where one usually begins and here none does: what is noted in it is noted nowhere.
    pub fn without_span(self) -> Span {
        Span { trace: self, is_ours: false }
    }

    /// A span that is a trace of its own, with links to those whose work it does all at once; recorded when one of them is.
    pub fn batch_of<'t>(
        traces: impl IntoIterator<Item = &'t Self>,
        kind: Kind,
        name: fmt::Arguments<'_>,
    ) -> Begin {
        let links: Vec<_> = traces.into_iter().filter(|trace| trace.is_recorded()).map(link).collect();
        let mut begin = Self::none().entry(kind, name);
        match &mut begin.builder {
            Some((builder, _)) if !links.is_empty() => builder.links = Some(links),
            _ => begin.builder = None,
        }
        begin
    }
}

impl Begin {
    /// Notes something about it. Never a name, an address or a secret: who may read traces may not read those.
    pub fn with(mut self, key: &'static str, value: impl Into<Value>) -> Self {
        if let Some((builder, _)) = &mut self.builder {
            let attributes = builder.attributes.get_or_insert_with(|| Vec::with_capacity(MOST_ATTRIBUTES));
            attributes.push(KeyValue::new(key, value));
        }
        self
    }

    /// The same of what has to be written out first.
    pub fn with_text(self, key: &'static str, value: &dyn fmt::Display) -> Self {
        match self.builder {
            Some(_) => self.with(key, value.to_string()),
            None => self,
        }
    }

    /// It began at this time, by whatever clock, and not now.
    pub fn since(mut self, time: SystemTime) -> Self {
        if let Some((builder, _)) = &mut self.builder {
            builder.start_time = Some(time.min(opentelemetry::time::now()));
        }
        self
    }

    /// It began so long ago, and not now.
    pub fn begun_before(self, ago: Duration) -> Self {
        match self.builder {
            Some(_) => self.since(opentelemetry::time::now() - ago),
            None => self,
        }
    }

    /// It has to do with the present span of another trace as well.
    pub fn linked_to(mut self, trace: &Trace) -> Self {
        if let Some((builder, _)) = &mut self.builder
            && trace.is_recorded()
        {
            builder.links.get_or_insert_default().push(link(trace));
        }
        self
    }

    /// Begins it.
    pub fn begin(self) -> Span {
        match self.builder {
            Some((builder, tracer)) => {
                let span = tracer.build_with_context(builder, &self.parent);
                Span { trace: Trace(self.parent.with_span(span)), is_ours: true }
            }
            None => Span { trace: Trace(self.parent), is_ours: false },
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
    /// What is done inside it belongs to this.
    #[must_use]
    pub const fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Notes something that was not known when it began.
    pub fn note(&self, key: &'static str, value: impl Into<Value>) {
        if self.is_ours {
            self.trace.0.span().set_attribute(KeyValue::new(key, value));
        }
    }

    /// The same of what has to be written out first.
    pub fn note_text(&self, key: &'static str, value: &dyn fmt::Display) {
        if self.is_ours && self.trace.is_recorded() {
            self.note(key, value.to_string());
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
}

impl Drop for Span {
    fn drop(&mut self) {
        // Work that is still under way may hold the trace. Ended a second time, a span stays as it is.
        if self.is_ours {
            self.trace.0.span().end();
        }
    }
}
