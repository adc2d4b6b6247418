//! W3C trace context into and out of message headers, so that one trace runs from Entra's request to the row.

use bus_contract::headers::{TRACEPARENT, TRACESTATE};
use opentelemetry::propagation::{Extractor, Injector};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::headers::Headers;

/// Writes the current span's context into the headers; nothing when no tracing is installed.
pub fn inject(headers: &mut Headers) {
    let context = tracing::Span::current().context();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Writer(headers));
    });
}

/// Makes whoever published these headers the parent of `span`.
pub fn continue_in(span: &tracing::Span, headers: &Headers) {
    let context =
        opentelemetry::global::get_text_map_propagator(|propagator| propagator.extract(&Reader(headers)));
    // Fails only when the span is disabled or no tracing layer is installed: then there is no trace to continue.
    drop(span.set_parent(context));
}

struct Writer<'a>(&'a mut Headers);

impl Injector for Writer<'_> {
    fn set(&mut self, key: &str, value: String) {
        // The propagator may know more names than the contract; only the contract's travel.
        match key {
            TRACEPARENT => self.0.set(TRACEPARENT, &value),
            TRACESTATE if !value.is_empty() => self.0.set(TRACESTATE, &value),
            _ => {}
        }
    }
}

struct Reader<'a>(&'a Headers);

impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)
    }

    fn keys(&self) -> Vec<&str> {
        vec![TRACEPARENT, TRACESTATE]
    }
}
