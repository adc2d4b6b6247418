//! What the services tell in metrics is what docs/reference/metrics.md says, and strangers cannot make it more.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use entra_emulator::Tenant;
use futures_util::{StreamExt as _, stream};
use reqwest::{Client, Method};
use tests_e2e::{
    World,
    actors::visitor::Visitor,
    eventually::{self, when},
    fault::SERVICES,
    metrics::{Reference, Told, Values},
    observe::second_listener,
};

const PAGE: &str = include_str!("../../../docs/reference/metrics.md");

/// The samples that a service may tell beside those of companies; the page says so.
const MOST_SAMPLES: usize = 4_000;
/// What is told once a minute is told by then, and once more.
const ONCE_A_MINUTE: Duration = Duration::from_secs(120);
/// Requests of strangers, of each kind.
const HOSTILE_REQUESTS: usize = 300;
/// Samples that all of those may add to a service: a path that nothing is at, a method that nobody uses, and how each of
/// them is refused.
const MOST_HOSTILE_SAMPLES: usize = 250;

async fn told(world: &World) -> BTreeMap<&'static str, Told> {
    let mut told = BTreeMap::new();
    for service in SERVICES {
        let (status, text) = second_listener(world.stack(), service, "/metrics").await.unwrap();
        assert_eq!(status, 200, "{service}");
        told.insert(service, Told::read(&text));
    }
    told
}

/// Something of everything that a service does.
async fn use_everything(world: &World) {
    let mut entra = world.entra(Tenant::empty("metrics.example", 3), |_defaults| ());
    let anna = entra.tenant.hire_named("Anna", "Berg", "anna.berg");
    entra.cycle().await;
    entra.tenant.disable(anna);
    entra.cycle().await;
    drop(world.operator().issue("1d"));
    let visitor = Visitor::signed_in(&world.console_url(), &world.company).await;
    assert_eq!(visitor.get("/provisioning").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_lists_what_the_services_tell_and_nothing_else() {
    let world = World::with_administrator("Metrics");
    use_everything(&world).await;
    let reference = Reference::read(PAGE);
    let documented: BTreeSet<&String> = reference.series.keys().collect();
    let observe = async || {
        let told = told(&world).await;
        let names: BTreeSet<String> = told.into_values().flat_map(|told| told.types.into_keys()).collect();
        let missing = documented.iter().filter(|name| !names.contains(**name) && !is_of_tls(name));
        missing.copied().collect::<Vec<_>>()
    };
    let all = |missing: &Vec<&String>| when(missing.is_empty());
    eventually::within(ONCE_A_MINUTE, "every documented series is told by somebody", observe, all).await;
    for (service, told) in told(&world).await {
        for (name, kind) in &told.types {
            let known = reference.series.get(name);
            let known =
                known.unwrap_or_else(|| panic!("{service} tells {name}, which the page does not list"));
            assert_eq!(&known.kind, kind, "{service}: {name}");
        }
        check_labels(service, &told, &reference);
    }
}

/// Told by listeners that speak TLS, which those of the stack do not; `service-runtime` has the tests about them.
fn is_of_tls(name: &str) -> bool {
    name.contains("_certificate_") || name.contains("_tls_")
}

fn check_labels(service: &str, told: &Told, reference: &Reference) {
    let mut seen: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for sample in &told.samples {
        let series = told.series(sample);
        let labels: BTreeSet<_> = sample.labels.keys().filter(|label| *label != "le").cloned().collect();
        assert_eq!(labels, reference.series[series].labels, "{service}: {series}");
        for (label, value) in sample.labels.iter().filter(|(label, _)| *label != "le") {
            seen.entry((series, label)).or_default().insert(value);
        }
    }
    for ((series, label), values) in seen {
        let allowed = reference.values(label, series);
        match allowed.unwrap_or_else(|| panic!("the page does not say which {label} {series} has")) {
            Values::Closed(list) => {
                let unknown: Vec<_> = values.iter().filter(|value| !list.contains(**value)).collect();
                assert!(unknown.is_empty(), "{service}: {series}: {label} {unknown:?}");
            }
            Values::AtMost(most) => assert!(values.len() <= *most, "{service}: {series}: {label} {values:?}"),
        }
    }
}

#[test]
fn names_have_base_units_and_the_endings_of_their_types() {
    let reference = Reference::read(PAGE);
    for (name, documented) in &reference.series {
        assert!(name.starts_with("timeclock_") || name.starts_with("process_"), "{name}");
        let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        assert!(name.bytes().all(legal), "{name}");
        assert_eq!(documented.kind == "counter", name.ends_with("_total"), "{name}");
        let units =
            ["ms", "millis", "milliseconds", "micros", "minutes", "hours", "days", "kb", "mb", "percent"];
        let not_base = name.split('_').any(|word| units.contains(&word));
        // Whoever reads it thinks of certificates and tokens in days.
        assert!(!not_base || name == "timeclock_tokens_next_expiry_days", "{name}");
        let counts = ["_seconds", "_bytes", "_requests", "_questions"];
        let has_unit = counts.iter().any(|unit| name.ends_with(unit));
        assert!(documented.kind != "histogram" || has_unit, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_cannot_multiply_the_series() {
    let world = World::with_administrator("Metrics");
    use_everything(&world).await;
    // Other scenarios go on meanwhile: only what nobody but strangers can bring forth is counted.
    bother(&world).await;
    let hostile = |value: &String| value.contains("stranger") || value.contains("BREW");
    for (service, told) in told(&world).await {
        let of_companies = |name: &str| name.starts_with("timeclock_directory_company_");
        let samples = told.samples.iter().filter(|sample| !of_companies(&sample.name));
        let count = samples.count();
        println!("{service} tells {count} samples");
        assert!(count <= MOST_SAMPLES, "{service} tells {count} samples");
        let from_strangers =
            told.samples.iter().filter(|sample| sample.labels.values().any(|value| value == "other"));
        let from_strangers = from_strangers.count();
        assert!(from_strangers <= MOST_HOSTILE_SAMPLES, "{service} tells {from_strangers} of strangers");
        let quoted = told.samples.iter().find(|sample| sample.labels.values().any(hostile));
        assert_eq!(quoted, None, "{service} repeats what strangers say");
        check_labels(service, &told, &Reference::read(PAGE));
    }
}

/// Paths, methods and tokens that nobody has sent before, to every listener.
async fn bother(world: &World) {
    let endpoints = tokio::task::block_in_place(|| world.stack().endpoints());
    let console = world.console_url();
    let gateway = endpoints.scim_url.trim_end_matches("/scim").to_owned();
    let tokens = endpoints.token_url.clone();
    let client = Client::new();
    let requests = (0..HOSTILE_REQUESTS).flat_map(|number| {
        let brew = Method::from_bytes(format!("BREW{number}").as_bytes()).unwrap();
        let forged = format!("stranger{number}.eyJhbGciOiJub25lIn0.{number}");
        [
            (Method::GET, format!("{gateway}/stranger/{number}"), None),
            (Method::GET, format!("{gateway}/scim/Users/stranger{number}"), Some(forged)),
            (brew.clone(), format!("{gateway}/scim/Users"), None),
            (Method::GET, format!("{console}/people/stranger{number}"), None),
            (brew.clone(), format!("{console}/stranger{number}"), None),
            (Method::GET, format!("{tokens}/stranger{number}"), None),
            (brew, format!("{tokens}/oauth2/token"), None),
        ]
    });
    let sent = stream::iter(requests).map(|(method, url, token)| {
        let request = client.request(method, url);
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        async move { request.send().await.unwrap().status() }
    });
    let statuses: Vec<_> = sent.buffer_unordered(16).collect().await;
    assert!(statuses.iter().all(|status| status.as_u16() < 500), "{statuses:?}");
}
