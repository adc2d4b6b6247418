//! Logs and traces: installed once, flushed when the guard is dropped.
//!
//! Traces are exported by OTLP over HTTP, and only when `OTEL_EXPORTER_OTLP_ENDPOINT` (or the one for traces alone) is
//! set. Without it nothing is recorded and nothing is paid for.

mod log_lines;

use std::{fmt, io::IsTerminal as _, str::FromStr};

use anyhow::Context as _;
use opentelemetry::{global, trace::TracerProvider as _};
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_subscriber::{
    EnvFilter, Layer as _, filter::LevelFilter, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

pub use self::log_lines::LogLines;
use crate::{
    build_info::BUILD,
    settings::{Reader, Setting, standard},
};

const FILTER: Setting = Setting::new("TIMECLOCK_LOG", "What is logged.")
    .form("a log filter, such as info or warn,scim_gateway=debug");
const FORMAT: Setting = Setting::new(
    "TIMECLOCK_LOG_FORMAT",
    "How log lines look; `auto` is pretty on a terminal and one JSON object per line otherwise.",
)
.form("auto, json or pretty");

/// What is logged unless `TIMECLOCK_LOG` says otherwise.
///
/// Not the comings and goings of the libraries below us, which our own lines tell once; and not actix's ERROR for each
/// caller that sends no HTTP, because strangers must not be able to raise our alarms.
pub const DEFAULT_FILTER: &str = "info,async_nats=warn,actix_server=warn,actix_http::h1::dispatcher=off";

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// One JSON object per line.
    Json,
    /// For people.
    Pretty,
}

impl FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            _ => Err(()),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Pretty => "pretty",
        })
    }
}

/// What to log and whether to export traces.
#[derive(Debug, Clone)]
pub struct Settings {
    /// An [`EnvFilter`].
    pub filter: String,
    /// How log lines look.
    pub format: Format,
    /// Whether spans are exported.
    pub export_traces: bool,
}

impl Settings {
    /// Reads `TIMECLOCK_LOG`, `TIMECLOCK_LOG_FORMAT` and whether there is an OTLP endpoint.
    pub fn read(reader: &mut Reader) -> Self {
        let filter = reader.with_default(FILTER, DEFAULT_FILTER);
        if EnvFilter::try_new(&filter).is_err() {
            reader.refuse(FILTER);
        }
        let format = reader.parsed(FORMAT, Format::Auto);
        let export_traces = standard::open_telemetry(reader);
        Self { filter, format, export_traces }
    }
}

/// The id of the trace that a span belongs to: 32 hexadecimal digits. `None` when traces are not recorded.
#[must_use]
pub fn trace_id(span: &tracing::Span) -> Option<String> {
    use opentelemetry::trace::TraceContextExt as _;
    use tracing_opentelemetry::OpenTelemetrySpanExt as _;
    let context = span.context();
    let span = context.span();
    let context = span.span_context();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// Exports what is left when it is dropped.
#[derive(Debug)]
#[must_use = "telemetry is flushed when this is dropped"]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
    log_lines: LogLines,
}

impl Guard {
    /// What is counted of the log.
    #[must_use]
    pub const fn log_lines(&self) -> &LogLines {
        &self.log_lines
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider
            && let Err(error) = provider.shutdown()
        {
            tracing::warn!(%error, "cannot export the last traces");
        }
    }
}

/// Installs the log, the W3C trace propagator and, if asked for, the export of traces. Must not be called from inside
/// an async runtime: the exporter has a blocking HTTP client.
///
/// # Errors
///
/// When the filter or an `OTEL_*` setting is malformed, or telemetry is installed already.
pub fn install(service: &'static str, settings: &Settings) -> anyhow::Result<Guard> {
    let filter = EnvFilter::try_new(&settings.filter).context("cannot read the log filter")?;
    let json = match settings.format {
        Format::Json => true,
        Format::Pretty => false,
        Format::Auto => !std::io::stdout().is_terminal(),
    };
    let log = if json {
        tracing_subscriber::fmt::layer().json().flatten_event(true).with_span_list(false).boxed()
    } else {
        tracing_subscriber::fmt::layer().boxed()
    };

    global::set_text_map_propagator(TraceContextPropagator::new());
    let provider = settings.export_traces.then(|| tracer_provider(service)).transpose()?;
    // A quieter log must not cost the traces: each layer has a filter of its own.
    let traces = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer().with_tracer(provider.tracer(service)).with_filter(LevelFilter::INFO)
    });
    let log_lines = LogLines::new().context("cannot count the log's lines")?;
    // One filter for both: what is not written is not counted.
    let log = log.and_then(log_lines.clone()).with_filter(filter);
    let layers = tracing_subscriber::registry().with(log).with(traces);
    layers.try_init().context("cannot install the log")?;
    Ok(Guard { provider, log_lines })
}

fn tracer_provider(service: &'static str) -> anyhow::Result<SdkTracerProvider> {
    let exporter = SpanExporter::builder().with_http().build().context("cannot export traces")?;
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(opentelemetry::KeyValue::new("service.version", BUILD.version))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
