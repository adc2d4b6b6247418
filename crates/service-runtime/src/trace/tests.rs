//! What of others' headers is believed.

use std::borrow::Cow;

use super::*;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn received(traceparent: &str, tracestate: &str) -> Trace {
    Trace::received(|name| Some(Cow::Borrowed(if name == TRACEPARENT { traceparent } else { tracestate })))
}

fn sent(trace: &Trace) -> Vec<(&'static str, String)> {
    let mut sent = Vec::new();
    trace.send(|name, value| sent.push((name, value.to_owned())));
    sent
}

#[test]
fn what_was_received_travels_on_unchanged() {
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let trace = received(&traceparent, "vendor=value,other=1");
    assert_eq!(trace.id().as_deref(), Some(TRACE));
    assert!(trace.is_recorded());
    assert_eq!(sent(&trace), [(TRACEPARENT, traceparent), (TRACESTATE, "vendor=value,other=1".to_owned())]);
}

#[test]
fn the_callers_wish_not_to_be_recorded_travels_with_it() {
    let trace = received(&format!("00-{TRACE}-b7ad6b7169203331-00"), "");
    assert_eq!(trace.id().as_deref(), Some(TRACE));
    assert!(!trace.is_recorded());
}

#[test]
fn malformed_traces_are_none() {
    let long = format!("01-{TRACE}-b7ad6b7169203331-01-{}", "a".repeat(MAX_TRACEPARENT));
    for traceparent in [
        "",
        "-",
        "00",
        &"-".repeat(8_000),
        &format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()),
        &format!("00-{TRACE}-b7ad6b7169203331"),
        &format!("00-{TRACE}-b7ad6b7169203331-01-more"),
        &format!("00-{TRACE}-b7ad6b7169203331-01 "),
        &format!("ff-{TRACE}-b7ad6b7169203331-01"),
        &format!("00-{TRACE}-0000000000000000-01"),
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        &format!("+0-{TRACE}-b7ad6b7169203331-01"),
        &format!("00_{TRACE}-b7ad6b7169203331-01"),
        &long,
        "Ünïcödé",
    ] {
        let trace = received(traceparent, "vendor=value");
        assert_eq!(trace.id(), None, "{traceparent}");
        assert_eq!(sent(&trace), [], "{traceparent}");
    }
}

#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    let trace = received(&format!("01-{TRACE}-b7ad6b7169203331-01-more"), "");
    assert_eq!(trace.id().as_deref(), Some(TRACE));
}

#[test]
fn a_state_that_is_too_long_or_malformed_is_left_behind() {
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    for state in [&format!("vendor={}", "a".repeat(MAX_TRACESTATE)), "no state", "=,=,="] {
        assert_eq!(sent(&received(&traceparent, state)), [(TRACEPARENT, traceparent.clone())], "{state}");
    }
}

#[test]
fn without_a_collector_a_span_only_hands_on_what_it_got() {
    let traceparent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let trace = received(&traceparent, "");
    let span = trace.entry(Kind::Server, format_args!("GET {}", "/Users")).begin();
    assert_eq!(sent(span.trace()), [(TRACEPARENT, traceparent)]);
    assert_eq!(Trace::none().entry(Kind::Server, format_args!("alone")).begin().trace().id(), None);
}

#[tokio::test]
async fn work_belongs_to_its_trace_between_its_pauses_and_nothing_else_does() {
    let request = Uuid::new_v4();
    let trace = received(&format!("00-{TRACE}-b7ad6b7169203331-01"), "").for_request(request);
    let inside = async {
        tokio::task::yield_now().await;
        current_ids()
    };
    let (ids, of_request) = inside.in_trace(&trace).await;
    assert_eq!(ids, Some((TRACE.to_owned(), "b7ad6b7169203331".to_owned())));
    assert_eq!(of_request, Some(request));
    assert_eq!(current_ids(), (None, None));
}
