//! An OpenTelemetry collector that keeps every span that it is sent.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response, StatusCode,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
    trace::v1 as otlp,
};
use prost::Message as _;
use tokio::net::TcpListener;

/// A span as it arrived.
#[derive(Debug, Clone)]
pub struct Span {
    /// The service that it is from.
    pub service: String,
    /// Its trace: 32 hexadecimal digits.
    pub trace_id: String,
    /// Itself: 16 hexadecimal digits.
    pub id: String,
    /// The span that it is a part of; empty for the first of a trace.
    pub parent: String,
    /// Its name.
    pub name: String,
    /// SERVER, CLIENT, PRODUCER, CONSUMER or INTERNAL.
    pub kind: String,
    /// From when to when, in nanoseconds since 1970.
    pub time: (u64, u64),
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// The names and attributes of its events.
    pub events: Vec<(String, BTreeMap<String, String>)>,
    /// The traces and spans that it is linked to.
    pub links: Vec<(String, String)>,
    /// Whether it says that it failed.
    pub failed: bool,
}

impl Span {
    /// Whether it is a part of the other one.
    #[must_use]
    pub fn is_child_of(&self, other: &Self) -> bool {
        self.trace_id == other.trace_id && self.parent == other.id
    }

    /// Whether it is linked to the other one.
    #[must_use]
    pub fn is_linked_to(&self, other: &Self) -> bool {
        self.links.contains(&(other.trace_id.clone(), other.id.clone()))
    }

    /// An attribute; empty when it has none of this name.
    #[must_use]
    pub fn attribute(&self, key: &str) -> &str {
        self.attributes.get(key).map_or("", String::as_str)
    }

    /// Everything that is text in it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let of_events = self.events.iter().flat_map(|(name, attributes)| {
            attributes.iter().flat_map(|(key, value)| [key, value]).chain([name]).map(String::as_str)
        });
        let own = self.attributes.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
        own.chain(of_events).chain([self.name.as_str()])
    }
}

/// Listens until the process ends.
pub struct Collector {
    address: SocketAddr,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    /// The one to which the shared stack's services export.
    ///
    /// # Panics
    /// When it cannot listen.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Collector> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        listener.set_nonblocking(true).expect("a listener for tokio");
        let address = listener.local_addr().expect("an address");
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&spans);
        // Not on a scenario's runtime, which ends with it.
        thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(listen(listener, kept));
        });
        Self { address, spans }
    }

    /// For `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything that has arrived.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What has arrived of a trace.
    #[must_use]
    pub fn trace(&self, id: &str) -> Vec<Span> {
        let spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        spans.iter().filter(|span| span.trace_id == id).cloned().collect()
    }
}

async fn listen(listener: std::net::TcpListener, kept: Arc<Mutex<Vec<Span>>>) {
    let listener = TcpListener::from_std(listener).expect("a listener for tokio");
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        let kept = Arc::clone(&kept);
        tokio::spawn(async move {
            let service = service_fn(move |request| take(request, Arc::clone(&kept)));
            // A service that is killed closes its connection in the middle.
            drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn take(
    request: Request<Incoming>,
    kept: Arc<Mutex<Vec<Span>>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let is_otlp = request.uri().path() == "/v1/traces"
        && request.headers().get("content-type").is_some_and(|value| value == "application/x-protobuf");
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let export = ExportTraceServiceRequest::decode(body).ok().filter(|_| is_otlp);
    let status = if export.is_some() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
    if let Some(export) = export {
        kept.lock().unwrap_or_else(PoisonError::into_inner).extend(read(export));
    }
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    Ok(response)
}

fn read(export: ExportTraceServiceRequest) -> Vec<Span> {
    let mut spans = Vec::new();
    for of_resource in export.resource_spans {
        let resource = attributes(of_resource.resource.unwrap_or_default().attributes);
        let service = resource.get("service.name").cloned().unwrap_or_default();
        let of_scopes = of_resource.scope_spans.into_iter().flat_map(|of_scope| of_scope.spans);
        spans.extend(of_scopes.map(|span| read_span(&service, span)));
    }
    spans
}

fn read_span(service: &str, span: otlp::Span) -> Span {
    let kind = span.kind().as_str_name().trim_start_matches("SPAN_KIND_").to_owned();
    let failed = span.status.as_ref().is_some_and(|status| status.code() == otlp::status::StatusCode::Error);
    let links = span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect();
    Span {
        service: service.to_owned(),
        trace_id: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
        kind,
        time: (span.start_time_unix_nano, span.end_time_unix_nano),
        attributes: attributes(span.attributes),
        events: span.events.into_iter().map(|event| (event.name, attributes(event.attributes))).collect(),
        links,
        failed,
    }
}

fn attributes(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |value: Option<Value>| match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(is)) => is.to_string(),
        other => format!("{other:?}"),
    };
    attributes.into_iter().map(|one| (one.key, text(one.value.and_then(|value| value.value)))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
