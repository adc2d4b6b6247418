//! OpenTelemetry's own variables: whether traces are exported and how, and what of it has no effect here.
//!
//! The SDK reads endpoint, headers, timeout, compression, sampler, limits and resource by itself. Of what it does not
//! understand it says nothing and takes a default, as OpenTelemetry's specification wants; so that is told here.

use std::{ops::RangeInclusive, time::Duration};

use crate::settings::Reader;

const ENDPOINTS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const DISABLED: &str = "OTEL_SDK_DISABLED";
const EXPORTER: &str = "OTEL_TRACES_EXPORTER";
const PROPAGATORS: &str = "OTEL_PROPAGATORS";
const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const SAMPLER_ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
const LINK_LIMIT: &str = "OTEL_SPAN_LINK_COUNT_LIMIT";
const DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";
const QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

/// Milliseconds between two exports.
const DELAY_MS: RangeInclusive<u64> = 10..=60_000;
/// Spans that may wait for their export. Beyond that they are dropped; one takes about a kilobyte.
const WAITING: RangeInclusive<u64> = 1..=100_000;

/// What a variable's value must be.
enum Expected {
    Anything,
    OneOf(&'static [&'static str]),
    Listed(&'static [&'static str]),
    Number(RangeInclusive<u64>),
    Ratio,
    Pairs,
}

/// Every variable that has an effect. Where one is not set, the default is the specification's, except for the queue.
const HONOURED: [(&str, Expected); 24] = [
    (ENDPOINTS[0], Expected::Anything),
    (ENDPOINTS[1], Expected::Anything),
    (DISABLED, Expected::OneOf(&["true", "false"])),
    (EXPORTER, Expected::OneOf(&["otlp", "none"])),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", Expected::OneOf(&["http/protobuf"])),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", Expected::OneOf(&["http/protobuf"])),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", Expected::OneOf(&["gzip", "none"])),
    ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", Expected::OneOf(&["gzip", "none"])),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", Expected::Number(1..=600_000)),
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", Expected::Number(1..=600_000)),
    ("OTEL_SERVICE_NAME", Expected::Anything),
    ("OTEL_RESOURCE_ATTRIBUTES", Expected::Pairs),
    (
        SAMPLER,
        Expected::OneOf(&[
            "always_on",
            "always_off",
            "traceidratio",
            "parentbased_always_on",
            "parentbased_always_off",
            "parentbased_traceidratio",
        ]),
    ),
    (SAMPLER_ARGUMENT, Expected::Ratio),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", Expected::Number(0..=10_000)),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", Expected::Number(0..=10_000)),
    (LINK_LIMIT, Expected::Number(0..=10_000)),
    (PROPAGATORS, Expected::Listed(&["tracecontext", "baggage", "none"])),
    (DELAY, Expected::Number(DELAY_MS)),
    (QUEUE, Expected::Number(WAITING)),
    (BATCH, Expected::Number(WAITING)),
    // These hold secrets: they are read by the SDK and shown nowhere.
    ("OTEL_EXPORTER_OTLP_HEADERS", Expected::Pairs),
    ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", Expected::Pairs),
    // Set for every process on many machines, and none of ours exports by it.
    ("OTEL_LOG_LEVEL", Expected::Anything),
];

/// What the variables amount to.
#[derive(Debug, Clone)]
pub struct Otel {
    /// Whether spans are exported.
    pub exports: bool,
    /// Whether the trace of whoever calls over HTTP goes on here.
    pub continues_callers: bool,
    /// Time between two exports.
    pub delay: Duration,
    /// Spans that may wait.
    pub queue: usize,
    /// Spans of one export.
    pub batch: usize,
    /// Whether the limit of links is somebody's own.
    pub limits_links: bool,
    /// What has no effect, a sentence each.
    pub complaints: Vec<String>,
}

impl Otel {
    /// Reads and checks the variables.
    pub fn read(reader: &mut Reader) -> Self {
        let complaints = complaints(reader);
        let endpoint = ENDPOINTS.into_iter().find_map(|name| Some((name, reader.optional(name)?)));
        if let Some((name, url)) = &endpoint
            && !url.starts_with("http://")
        {
            let wanted = "must be the URL of an OpenTelemetry collector that takes OTLP over HTTP, such as \
                 http://localhost:4318; the way from there, with TLS, is the collector's";
            reader.problem(name, wanted);
        }
        let mut is =
            |name, value: &str| reader.optional(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
        let is_off = is(DISABLED, "true") || is(EXPORTER, "none");
        let continues_callers = !is(PROPAGATORS, "none");
        let mut number = |name, limits: RangeInclusive<u64>, default: u64| {
            let set = reader.optional(name).and_then(|text| text.parse().ok());
            set.filter(|number| limits.contains(number)).unwrap_or(default)
        };
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            exports: endpoint.is_some() && !is_off,
            continues_callers,
            delay: Duration::from_millis(number(DELAY, DELAY_MS, 5_000)),
            queue: size(number(QUEUE, WAITING, 8_192)),
            batch: size(number(BATCH, WAITING, 512)),
            limits_links: reader.optional(LINK_LIMIT).is_some(),
            complaints,
        }
    }
}

fn complaints(reader: &mut Reader) -> Vec<String> {
    let names: Vec<String> = reader.names("OTEL_").map(str::to_owned).collect();
    let mut complaints = Vec::new();
    for name in names {
        let Some((honoured, expected)) = HONOURED.iter().find(|(honoured, _)| *honoured == name) else {
            complaints.push(format!("{name} has no effect here"));
            continue;
        };
        let is_secret = honoured.ends_with("_HEADERS");
        let value = if is_secret { reader.unshown(honoured) } else { reader.optional(honoured) };
        complaints.extend(value.and_then(|value| expected.complaint(honoured, &value)));
    }
    let needs_argument = reader.optional(SAMPLER).is_some_and(|sampler| sampler.ends_with("traceidratio"));
    if needs_argument && reader.optional(SAMPLER_ARGUMENT).is_none() {
        complaints.push(format!("{SAMPLER_ARGUMENT} is not set: all traces are recorded"));
    }
    complaints
}

impl Expected {
    fn complaint(&self, name: &str, value: &str) -> Option<String> {
        let is_known =
            |known: &[&str], value: &str| known.contains(&value.trim().to_ascii_lowercase().as_str());
        let (is_fine, wanted) = match self {
            Self::Anything => (true, String::new()),
            Self::OneOf(known) => (is_known(known, value), format!("must be {}", known.join(" or "))),
            Self::Listed(known) => (
                value.split(',').all(|part| is_known(known, part)),
                format!("must be a list of {}", known.join(", ")),
            ),
            Self::Number(limits) => (
                value.parse().is_ok_and(|number| limits.contains(&number)),
                format!("must be a number from {} to {}", limits.start(), limits.end()),
            ),
            Self::Ratio => (
                value.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio)),
                "must be a number from 0 to 1".to_owned(),
            ),
            Self::Pairs => (
                value.split_terminator(',').all(|pair| pair.contains('=')),
                "must be a list such as name=value,name=value".to_owned(),
            ),
        };
        (!is_fine).then(|| format!("{name} {wanted}; what it says has no effect"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Environment;

    fn read(variables: &[(&str, &str)]) -> (Otel, Vec<String>) {
        let mut reader = Reader::new(variables.iter().copied().collect::<Environment>());
        let otel = Otel::read(&mut reader);
        let problems = reader.finish().err().map(|problems| problems.0).unwrap_or_default();
        (otel, problems)
    }

    #[test]
    fn nothing_is_exported_without_an_endpoint_or_when_it_is_switched_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318");
        assert!(!read(&[]).0.exports);
        assert!(read(&[endpoint]).0.exports);
        assert!(read(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://collector:4318/v1/traces")]).0.exports);
        assert!(!read(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]).0.exports);
        assert!(!read(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]).0.exports);
    }

    #[test]
    fn what_has_no_effect_is_told_and_secrets_are_not() {
        let (otel, problems) = read(&[
            ("OTEL_TRACES_SAMPLER", "xray"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "Bearer secret"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/etc/ssl/collector.pem"),
            ("OTEL_PROPAGATORS", "tracecontext,b3"),
        ]);
        assert_eq!(problems, [""; 0]);
        assert_eq!(otel.complaints.len(), 6, "{:#?}", otel.complaints);
        for name in ["_SAMPLER", "_PROTOCOL", "_HEADERS", "_QUEUE_SIZE", "_CERTIFICATE", "_PROPAGATORS"] {
            assert!(otel.complaints.iter().any(|complaint| complaint.contains(name)), "{name}");
        }
        assert!(!otel.complaints.concat().contains("secret"));
        assert_eq!(otel.queue, 8_192);
    }

    #[test]
    fn the_usual_settings_are_taken_without_a_word() {
        let (otel, problems) = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20c2VjcmV0"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,host.name=one"),
            ("OTEL_PROPAGATORS", "tracecontext,baggage"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ]);
        assert_eq!((otel.complaints, problems), (vec![], vec![]));
        assert_eq!(otel.delay, Duration::from_millis(200));
        assert!(otel.continues_callers);
    }

    #[test]
    fn callers_traces_can_be_left_alone() {
        assert!(!read(&[("OTEL_PROPAGATORS", "none")]).0.continues_callers);
    }

    #[test]
    fn a_ratio_without_its_number_is_told() {
        assert_eq!(read(&[("OTEL_TRACES_SAMPLER", "traceidratio")]).0.complaints.len(), 1);
    }

    #[test]
    fn an_endpoint_that_cannot_be_reached_by_http_is_refused() {
        let (_, problems) = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")]);
        assert!(problems[0].starts_with("OTEL_EXPORTER_OTLP_ENDPOINT must be the URL"), "{problems:?}");
    }
}
