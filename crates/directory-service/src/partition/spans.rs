//! What is recorded of a batch: one span for the transaction, in a trace of its own, and in each request's trace its wait in
//! the stream and its application. The batch is linked to the requests, and their applications to the batch.

use bus_contract::{partition::Partition, stream};
use bus_jetstream::pull;
use service_runtime::trace::{Begin, Kind, Span, Trace};

use crate::apply::request::{Request, Unreadable};

/// The span of a batch.
pub(super) fn of_batch(partition: Partition, messages: &[pull::Delivery], traces: &[Trace]) -> Span {
    let name = format_args!("apply a batch");
    from_stream(Trace::batch_of(traces, Kind::Consumer, name))
        .with("messaging.batch.message_count", i64::try_from(messages.len()).unwrap_or(i64::MAX))
        .with("partition", i64::from(partition.number()))
        .begin()
}

/// The span of one request's application, from now until its outcome is told; what lies behind it was the wait.
pub(super) fn of_request(
    request: &Result<Request, Unreadable>,
    message: &pull::Delivery,
    trace: &Trace,
    batch: &Span,
) -> Span {
    let (resource, verb) = request.as_ref().map_or(("unreadable", ""), Request::operation);
    let wait = from_stream(trace.span(Kind::Consumer, format_args!("wait {resource}.{verb}")));
    drop(wait.since(message.stored_at).begin());
    let apply = from_stream(trace.span(Kind::Consumer, format_args!("apply {resource}.{verb}")));
    let apply = apply.linked_to(batch.trace());
    match request {
        Ok(request) => {
            apply.with_text("request.id", &request.id).with_text("company.id", &request.company).begin()
        }
        Err(_unreadable) => apply.begin(),
    }
}

fn from_stream(begin: Begin) -> Begin {
    begin.with("messaging.system", "nats").with("messaging.destination.name", stream::PROVISIONING.name)
}
