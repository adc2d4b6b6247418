//! Whether a batch is recorded: it has no parent, and belongs to the requests that it carries.

use opentelemetry::{
    Context, KeyValue,
    trace::{Link, SpanKind, TraceContextExt as _, TraceId},
};
use opentelemetry_sdk::trace::{SamplingResult, ShouldSample};

/// Asks the sampler about a span with links as if it were a child of the first span that it is linked to. A tenth of all
/// requests would otherwise link to batches of which nine in ten are not there.
#[derive(Debug, Clone)]
pub(crate) struct WithItsRequests(pub(crate) Box<dyn ShouldSample>);

impl ShouldSample for WithItsRequests {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let has_parent = parent.is_some_and(|parent| parent.span().span_context().is_valid());
        let Some(first) = links.first().filter(|_| !has_parent) else {
            return self.0.should_sample(parent, trace_id, name, kind, attributes, links);
        };
        let request = Context::new().with_remote_span_context(first.span_context.clone());
        let trace_id = first.span_context.trace_id();
        let mut result = self.0.should_sample(Some(&request), trace_id, name, kind, attributes, links);
        // The batch's trace is its own.
        result.trace_state = Default::default();
        result
    }
}
