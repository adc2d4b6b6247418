//! Which variables of the OpenTelemetry specification reach the SDK, which reads them by itself.

use super::{Reader, Setting};

/// Where traces go; without either none are recorded.
const ENDPOINTS: [Setting; 2] = [
    Setting::new(
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "Where traces are sent by OTLP over HTTP, to `/v1/traces` below it.",
    )
    .form("a URL, such as http://127.0.0.1:4318")
    .unless_set("no traces are recorded"),
    Setting::new("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "The same for traces alone, as the whole address.")
        .form("a URL, such as http://127.0.0.1:4318/v1/traces")
        .unless_set("as `OTEL_EXPORTER_OTLP_ENDPOINT` says"),
];

const HEADERS: Setting =
    Setting::new("OTEL_EXPORTER_OTLP_HEADERS", "Headers that are sent with traces, such as a key.")
        .form("name=value, several separated by commas")
        .unless_set("none");

const OTHERS: [Setting; 7] = [
    Setting::new("OTEL_EXPORTER_OTLP_TIMEOUT", "How long one export may take.")
        .form("a number of milliseconds")
        .unless_set("10000"),
    Setting::new(
        "OTEL_RESOURCE_ATTRIBUTES",
        "What traces say about the process besides its name and version.",
    )
    .form("name=value, several separated by commas")
    .unless_set("nothing"),
    Setting::new("OTEL_TRACES_SAMPLER", "Which traces are recorded.")
        .form(
            "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or \
             parentbased_traceidratio",
        )
        .unless_set("parentbased_always_on"),
    Setting::new("OTEL_TRACES_SAMPLER_ARG", "The part of the traces that the samplers with a ratio record.")
        .form("a number from 0.0 to 1.0")
        .unless_set("1.0"),
    Setting::new("OTEL_BSP_MAX_QUEUE_SIZE", "Spans that wait for their export; more are dropped.")
        .form("a number")
        .unless_set("2048"),
    Setting::new("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "Spans in one export.").form("a number").unless_set("512"),
    Setting::new("OTEL_BSP_SCHEDULE_DELAY", "How long spans wait for others to be exported with.")
        .form("a number of milliseconds")
        .unless_set("5000"),
];

/// Declares them all; whether there is somewhere to send traces to.
pub(crate) fn open_telemetry(reader: &mut Reader) -> bool {
    let endpoints = ENDPOINTS.map(|setting| reader.optional(setting).is_some());
    reader.foreign_secret(HEADERS);
    for setting in OTHERS {
        reader.optional(setting);
    }
    endpoints.contains(&true)
}
