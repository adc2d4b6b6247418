//! How a log line says which trace, span and request it belongs to.
//!
//! The names are those of OpenTelemetry's "Trace Context in non-OTLP Log Formats".

use std::fmt;

use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{FmtContext, FormatEvent, FormatFields, format, format::Writer},
    registry::LookupSpan,
};
use uuid::Uuid;

use crate::trace;

const REQUEST_ID: &str = "request.id";

/// One JSON object a line, the ids its last fields.
pub(super) struct Json;

/// Lines for people, the ids at their ends.
pub(super) struct Pretty;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let format = format().json().flatten_event(true).with_current_span(false).with_span_list(false);
        let mut line = String::new();
        format.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(line.strip_suffix("}\n").unwrap_or(&line))?;
        Ids::of(event).write(|name, value| write!(writer, r#","{name}":"{value}""#))?;
        writer.write_str("}\n")
    }
}

impl<S, N> FormatEvent<S, N> for Pretty
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let format = format().with_ansi(writer.has_ansi_escapes());
        let mut line = String::new();
        format.format_event(context, Writer::new(&mut line), event)?;
        writer.write_str(line.trim_end())?;
        Ids::of(event).write(|name, value| write!(writer, " {name}={value}"))?;
        writer.write_char('\n')
    }
}

struct Ids {
    request: Option<Uuid>,
    trace_and_span: Option<(String, String)>,
}

impl Ids {
    fn of(event: &Event<'_>) -> Self {
        let (trace_and_span, request) = trace::current_ids();
        // A line about one of several requests says itself which, and a field stands once in an object.
        let request = request.filter(|_| event.metadata().fields().field(REQUEST_ID).is_none());
        Self { request, trace_and_span }
    }

    fn write(self, mut add: impl FnMut(&str, &dyn fmt::Display) -> fmt::Result) -> fmt::Result {
        if let Some(request) = &self.request {
            add(REQUEST_ID, request)?;
        }
        if let Some((trace, span)) = &self.trace_and_span {
            add("trace_id", trace)?;
            add("span_id", span)?;
        }
        Ok(())
    }
}
