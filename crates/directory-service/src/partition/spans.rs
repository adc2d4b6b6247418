//! What is recorded of a batch: one span for the transaction, in a trace of its own, and in each request's trace its wait in
//! the stream and its application. The batch is linked to the requests, and their applications to the batch.

use bus_contract::{partition::Partition, stream};
use bus_jetstream::pull;
use service_runtime::trace::{Kind, Span, Trace};

use crate::apply::request::{Request, Unreadable};

/// The span of a batch.
pub(super) fn of_batch(partition: Partition, messages: &[pull::Delivery], traces: &[Trace]) -> Span {
    let name = format_args!("apply a batch");
    Trace::batch_of(traces, Kind::Consumer, name)
        .with("messaging.system", "nats")
        .with("messaging.destination.name", stream::PROVISIONING.name)
        .with("messaging.batch.message_count", i64::try_from(messages.len()).unwrap_or(i64::MAX))
        .with("partition", i64::from(partition.number()))
        .begin()
}

/// The span of one request's application, from now until its outcome is told; what lies behind it was the wait. Whose
/// request it is and which stands in the spans above it, and is not written down once more for each of a hundred in a batch.
pub(super) fn of_request(
    request: &Result<Request, Unreadable>,
    message: &pull::Delivery,
    trace: &Trace,
    batch: &Span,
) -> Span {
    let (resource, verb) = request.as_ref().map_or(("unreadable", ""), Request::operation);
    let wait = trace.span(Kind::Consumer, format_args!("wait {resource}.{verb}"));
    drop(wait.since(message.stored_at).begin());
    let apply = trace.span(Kind::Consumer, format_args!("apply {resource}.{verb}"));
    apply.linked_to(batch.trace()).begin()
}
