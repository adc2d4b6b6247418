//! Logs and traces: installed once, flushed when the guard is dropped.
//!
//! Traces are exported by OTLP over HTTP, and only when `OTEL_EXPORTER_OTLP_ENDPOINT` (or the one for traces alone) is
//! set. Without it nothing is recorded and nothing is paid for.

mod export;
mod line;
mod log_lines;
mod otel;

use std::{fmt, io::IsTerminal as _, str::FromStr};

use anyhow::Context as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::{
    EnvFilter, Layer as _, fmt::layer, layer::SubscriberExt as _, util::SubscriberInitExt as _,
};

pub use self::{log_lines::LogLines, otel::Otel};
use crate::{
    causes::Causes,
    settings::{Reader, Setting},
    trace,
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
    /// Traces.
    pub otel: Otel,
}

impl Settings {
    /// Reads `TIMECLOCK_LOG`, `TIMECLOCK_LOG_FORMAT` and OpenTelemetry's variables.
    pub fn read(reader: &mut Reader) -> Self {
        let filter = reader.with_default(FILTER, DEFAULT_FILTER);
        if EnvFilter::try_new(&filter).is_err() {
            reader.refuse(FILTER);
        }
        let format = reader.parsed(FORMAT, Format::Auto);
        Self { filter, format, otel: Otel::read(reader) }
    }
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
            tracing::warn!(error = %Causes(&error), "cannot export the last traces");
        }
    }
}

/// Installs the log and, if asked for, the export of traces.
///
/// # Errors
///
/// When the filter is malformed, or telemetry is installed already.
pub fn install(service: &'static str, settings: &Settings) -> anyhow::Result<Guard> {
    let filter = EnvFilter::try_new(&settings.filter).context("cannot read the log filter")?;
    let json = match settings.format {
        Format::Json => true,
        Format::Pretty => false,
        Format::Auto => !std::io::stdout().is_terminal(),
    };
    let log = if json {
        layer().json().event_format(line::Json).boxed()
    } else {
        layer().event_format(line::Pretty).boxed()
    };
    let log_lines = LogLines::new().context("cannot count the log's lines")?;
    // One filter for both: what is not written is not counted.
    let log = log.and_then(log_lines.clone()).with_filter(filter);
    tracing_subscriber::registry().with(log).try_init().context("cannot install the log")?;
    for complaint in &settings.otel.complaints {
        tracing::warn!("{complaint}");
    }
    if !settings.otel.continues_callers {
        trace::leave_callers_alone();
    }
    let provider = settings.otel.exports.then(|| export::provider(service, &settings.otel)).transpose()?;
    if let Some(provider) = &provider {
        trace::record_with(provider.tracer(service));
    }
    Ok(Guard { provider, log_lines })
}
