//! OpenTelemetry's own variables: whether traces are exported and how, and what of it has no effect here.
//!
//! The SDK reads endpoint, headers, timeout, compression, sampler, limits and resource by itself. Of what it does not
//! understand it says nothing and takes a default, as OpenTelemetry's specification wants; so that is told here.

use std::{collections::BTreeMap, ops::RangeInclusive, time::Duration};

use crate::settings::{Reader, Setting};

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

/// What a variable's value must be; its form says the same to people.
#[derive(Clone, Copy)]
enum Expected {
    Anything,
    OneOf,
    Listed,
    Number(u64, u64),
    Ratio,
    Pairs,
    /// Pairs that are shown nowhere.
    Secret,
}

const fn setting(name: &'static str, meaning: &'static str) -> Setting {
    Setting::new(name, meaning)
}

const COMPRESSION: &str = "gzip or none";
const PROTOCOL: &str = "http/protobuf";
const MILLISECONDS: &str = "a number of milliseconds from 1 to 600000";
const PAIRS: &str = "name=value, several separated by commas";
const AT_MOST: &str = "a number from 0 to 10000";

/// Every variable that has an effect. Where one is not set, the default is the specification's, except for queue and batch: a busy
/// gateway ends tens of thousands of spans in a second.
const HONOURED: [(Setting, Expected); 23] = [
    (
        setting(ENDPOINTS[1], "Where traces are sent by OTLP over HTTP, to `/v1/traces` below it.")
            .form("a URL, such as http://127.0.0.1:4318")
            .unless_set("no traces are recorded"),
        Expected::Anything,
    ),
    (
        setting(ENDPOINTS[0], "The same for traces alone, as the whole address.")
            .form("a URL, such as http://127.0.0.1:4318/v1/traces")
            .unless_set("as `OTEL_EXPORTER_OTLP_ENDPOINT` says"),
        Expected::Anything,
    ),
    (
        setting(DISABLED, "Whether no traces are recorded all the same.")
            .form("true or false")
            .unless_set("false"),
        Expected::OneOf,
    ),
    (setting(EXPORTER, "The same, in other words.").form("otlp or none").unless_set("otlp"), Expected::OneOf),
    (
        setting("OTEL_EXPORTER_OTLP_PROTOCOL", "How traces are sent.").form(PROTOCOL).unless_set(PROTOCOL),
        Expected::OneOf,
    ),
    (
        setting("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "The same for traces alone.")
            .form(PROTOCOL)
            .unless_set(PROTOCOL),
        Expected::OneOf,
    ),
    (
        setting("OTEL_EXPORTER_OTLP_COMPRESSION", "How traces are packed.")
            .form(COMPRESSION)
            .unless_set("none"),
        Expected::OneOf,
    ),
    (
        setting("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "The same for traces alone.")
            .form(COMPRESSION)
            .unless_set("none"),
        Expected::OneOf,
    ),
    (
        setting("OTEL_EXPORTER_OTLP_TIMEOUT", "How long one export may take.")
            .form(MILLISECONDS)
            .unless_set("10000"),
        Expected::Number(1, 600_000),
    ),
    (
        setting("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "The same for traces alone.")
            .form(MILLISECONDS)
            .unless_set("10000"),
        Expected::Number(1, 600_000),
    ),
    (
        setting("OTEL_EXPORTER_OTLP_HEADERS", "Headers that are sent with traces, such as a key.")
            .form(PAIRS)
            .unless_set("none"),
        Expected::Secret,
    ),
    (
        setting("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "The same for traces alone.")
            .form(PAIRS)
            .unless_set("none"),
        Expected::Secret,
    ),
    (
        setting("OTEL_SERVICE_NAME", "What traces call the process.").unless_set("the service's name"),
        Expected::Anything,
    ),
    (
        setting(
            "OTEL_RESOURCE_ATTRIBUTES",
            "What traces say about the process besides its name and version.",
        )
        .form(PAIRS)
        .unless_set("nothing"),
        Expected::Pairs,
    ),
    (
        setting(
            SAMPLER,
            "Which traces are recorded; a sampler with a parent follows the caller where there is one.",
        )
        .form(
            "always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off or \
                 parentbased_traceidratio",
        )
        .unless_set("parentbased_always_on"),
        Expected::OneOf,
    ),
    (
        setting(SAMPLER_ARGUMENT, "The part of the traces that the samplers with a ratio record.")
            .form("a number from 0 to 1")
            .unless_set("1"),
        Expected::Ratio,
    ),
    (
        setting("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "The most attributes of a span.")
            .form(AT_MOST)
            .unless_set("128"),
        Expected::Number(0, 10_000),
    ),
    (
        setting("OTEL_SPAN_EVENT_COUNT_LIMIT", "The most events of a span.").form(AT_MOST).unless_set("128"),
        Expected::Number(0, 10_000),
    ),
    (
        setting(LINK_LIMIT, "The most links of a span.")
            .form(AT_MOST)
            .unless_set("256, as many as a batch has requests"),
        Expected::Number(0, 10_000),
    ),
    (
        setting(
            PROPAGATORS,
            "Whether the trace of whoever calls over HTTP goes on here; with `none` it does not.",
        )
        .form("a list of tracecontext, baggage (which is not carried) or none")
        .unless_set("tracecontext"),
        Expected::Listed,
    ),
    (
        setting(DELAY, "How long spans wait for others to be exported with.")
            .form("a number of milliseconds from 10 to 60000")
            .unless_set("5000"),
        Expected::Number(*DELAY_MS.start(), *DELAY_MS.end()),
    ),
    (
        setting(QUEUE, "Spans that wait for their export; more are dropped.")
            .form("a number from 1 to 100000")
            .unless_set("8192"),
        Expected::Number(*WAITING.start(), *WAITING.end()),
    ),
    (
        setting(BATCH, "Spans in one export.").form("a number from 1 to 100000").unless_set("2048"),
        Expected::Number(*WAITING.start(), *WAITING.end()),
    ),
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
        let values: BTreeMap<&str, String> = HONOURED
            .into_iter()
            .filter_map(|(setting, expected)| {
                let value = match expected {
                    Expected::Secret => reader.foreign_secret(setting),
                    _ => reader.optional(setting),
                };
                Some((setting.name(), value?))
            })
            .collect();
        let endpoint = ENDPOINTS.into_iter().find_map(|name| Some((name, values.get(name)?)));
        if let Some((name, url)) = endpoint
            && !url.starts_with("http://")
        {
            let wanted = "must be the URL of an OpenTelemetry collector that takes OTLP over HTTP, such as \
                 http://localhost:4318; the way from there, with TLS, is the collector's";
            reader.problem(name, wanted);
        }
        let is = |name, value: &str| values.get(name).is_some_and(|set| set.eq_ignore_ascii_case(value));
        let number = |name, limits: RangeInclusive<u64>, default: u64| {
            let set = values.get(name).and_then(|text| text.parse().ok());
            set.filter(|number| limits.contains(number)).unwrap_or(default)
        };
        let size = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            exports: endpoint.is_some() && !is(DISABLED, "true") && !is(EXPORTER, "none"),
            continues_callers: !is(PROPAGATORS, "none"),
            delay: Duration::from_millis(number(DELAY, DELAY_MS, 5_000)),
            queue: size(number(QUEUE, WAITING, 8_192)),
            batch: size(number(BATCH, WAITING, 2_048)),
            limits_links: values.contains_key(LINK_LIMIT),
            complaints: complaints(reader, &values),
        }
    }
}

fn complaints(reader: &Reader, values: &BTreeMap<&str, String>) -> Vec<String> {
    let is_unknown = |name: &&str| HONOURED.iter().all(|(setting, _)| setting.name() != *name);
    let unknown = reader.names("OTEL_").filter(is_unknown);
    let mut complaints: Vec<_> = unknown.map(|name| format!("{name} has no effect here")).collect();
    for (setting, expected) in HONOURED {
        let Some(value) = values.get(setting.name()) else { continue };
        if !expected.is_met_by(value, setting.form) {
            complaints.push(format!(
                "{} must be {}; what it says has no effect",
                setting.name(),
                setting.form
            ));
        }
    }
    let has_ratio = values.get(SAMPLER).is_some_and(|sampler| sampler.ends_with("traceidratio"));
    if has_ratio && !values.contains_key(SAMPLER_ARGUMENT) {
        complaints.push(format!("{SAMPLER_ARGUMENT} is not set: all traces are recorded"));
    }
    complaints
}

impl Expected {
    fn is_met_by(self, value: &str, form: &str) -> bool {
        let is_known = |value: &str| {
            let mut words = form.split([' ', ',']);
            words.any(|word| !word.is_empty() && word != "or" && word.eq_ignore_ascii_case(value.trim()))
        };
        match self {
            Self::Anything => true,
            Self::OneOf => is_known(value),
            Self::Listed => value.split(',').all(is_known),
            Self::Number(least, most) => value.parse().is_ok_and(|number| (least..=most).contains(&number)),
            Self::Ratio => value.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio)),
            Self::Pairs | Self::Secret => value.split_terminator(',').all(|pair| pair.contains('=')),
        }
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
