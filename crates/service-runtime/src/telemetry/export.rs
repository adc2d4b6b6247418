//! From ended spans to a collector: batched on a thread of its own, behind a queue that drops what it has no room for. A
//! collector that is away costs nobody but itself.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use anyhow::Context as _;
use opentelemetry::{Key, KeyValue};
use opentelemetry_otlp::SpanExporter as Otlp;
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Config, SdkTracerProvider, SpanData, SpanExporter},
};
use uuid::Uuid;

use super::otel::Otel;
use crate::{build_info::BUILD, causes::Causes, trace::WithItsRequests};

/// Links of a span: all requests of the largest batch. OpenTelemetry's default is half of that.
const MAX_LINKS: u32 = 256;

pub(super) fn provider(service: &'static str, otel: &Otel) -> anyhow::Result<SdkTracerProvider> {
    let exporter = Otlp::builder().with_http().build().context("cannot export traces")?;
    let batching = BatchConfigBuilder::default()
        .with_scheduled_delay(otel.delay)
        .with_max_queue_size(otel.queue)
        .with_max_export_batch_size(otel.batch)
        .build();
    let processor = BatchSpanProcessor::builder(Told::new(exporter)).with_batch_config(batching).build();
    // The SDK's own reading of OTEL_TRACES_SAMPLER.
    let sampler = WithItsRequests(Config::default().sampler);
    let mut builder = SdkTracerProvider::builder()
        .with_sampler(sampler)
        .with_resource(resource(service))
        .with_span_processor(processor);
    if !otel.limits_links {
        builder = builder.with_max_links_per_span(MAX_LINKS);
    }
    Ok(builder.build())
}

/// What `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` say comes before what we know.
fn resource(service: &'static str) -> Resource {
    let given = Resource::builder().build();
    let known =
        [("service.version", BUILD.version.to_owned()), ("service.instance.id", Uuid::new_v4().to_string())];
    let missing = known.into_iter().filter(|(key, _)| given.get(&Key::new(*key)).is_none());
    let mut builder =
        Resource::builder().with_attributes(missing.map(|(key, value)| KeyValue::new(key, value)));
    let name = given.get(&Key::new("service.name")).map(|name| name.to_string()).unwrap_or_default();
    // What the SDK makes up when nobody says it.
    if name.is_empty() || name.starts_with("unknown_service") {
        builder = builder.with_service_name(service);
    }
    builder.build()
}

/// An exporter that says when it begins to fail and when it works again, and not what comes between.
#[derive(Debug)]
struct Told<E> {
    exporter: E,
    is_failing: AtomicBool,
    lost: AtomicU64,
}

impl<E> Told<E> {
    fn new(exporter: E) -> Self {
        Self { exporter, is_failing: AtomicBool::new(false), lost: AtomicU64::new(0) }
    }
}

impl<E: SpanExporter> SpanExporter for Told<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) if self.is_failing.swap(false, Ordering::Relaxed) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                tracing::info!(lost, "traces are exported again");
            }
            Ok(()) => {}
            Err(error) => {
                self.lost.fetch_add(spans, Ordering::Relaxed);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %Causes(error), "traces cannot be exported and are dropped");
                }
            }
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
