//! One trace across the bus.

use bus_jetstream::{Headers, trace};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::layer::SubscriberExt as _;

#[test]
fn a_trace_continues_on_the_other_side() {
    opentelemetry::global::set_text_map_propagator(
        opentelemetry_sdk::propagation::TraceContextPropagator::new(),
    );
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("it"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let mut headers = Headers::new();
        let sent = tracing::info_span!("sent");
        sent.in_scope(|| trace::inject(&mut headers));
        let traceparent = headers.get("traceparent").unwrap().to_owned();
        let received = tracing::info_span!("received");
        trace::continue_in(&received, &headers);
        let id = |span: &tracing::Span| span.context().span().span_context().trace_id().to_string();
        assert_eq!(id(&sent), id(&received));
        assert!(traceparent.contains(&id(&sent)), "{traceparent}");
    });
}

#[test]
fn a_header_cannot_smuggle_another() {
    let mut headers = Headers::new();
    headers.set("A", "1\r\nB: 2");
    assert_eq!(headers.get("A"), Some("1  B: 2"));
    assert_eq!(headers.get("B"), None);
}
