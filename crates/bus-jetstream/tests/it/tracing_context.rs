//! One trace across the bus.

use bus_jetstream::Headers;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_trace_continues_on_the_other_side() {
    let mut sent = Headers::new();
    sent.set("traceparent", TRACEPARENT);
    sent.set("tracestate", "vendor=value");
    let received = Headers::of_trace(&sent.trace());
    assert_eq!(received.get("traceparent"), Some(TRACEPARENT));
    assert_eq!(received.get("tracestate"), Some("vendor=value"));
    assert_eq!(received, sent);
}

#[test]
fn without_a_trace_there_are_no_headers() {
    assert_eq!(Headers::of_trace(&Headers::new().trace()), Headers::new());
}

#[test]
fn a_header_cannot_smuggle_another() {
    let mut headers = Headers::new();
    headers.set("A", "1\r\nB: 2");
    assert_eq!(headers.get("A"), Some("1  B: 2"));
    assert_eq!(headers.get("B"), None);
}
