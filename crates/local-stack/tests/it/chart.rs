//! The Helm chart: what it renders is valid, agrees with the topology, and starts.

use std::{collections::BTreeMap, path::PathBuf, process::Command, sync::OnceLock};

use local_stack::topology::SERVICES;
use serde_json::{Value, json};

use crate::{
    deployment::{Tools, compose_env, read, root, said, texts, yaml},
    programs, workdir,
};

pub(crate) const CHART: &str = "deploy/helm/timeclock-provisioning";

/// What Helm makes of the chart with these values.
pub(crate) fn rendered(values: &Value) -> Value {
    let output = Tools::install().python("chart.py", &root().join(CHART), values);
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The chart with one of its files of values, rendered once.
pub(crate) fn with_values(name: &str) -> &'static Value {
    static RENDERED: OnceLock<BTreeMap<&str, Value>> = OnceLock::new();
    let render = |name| (name, rendered(&yaml(&read(&format!("{CHART}/ci/{name}-values.yaml")))));
    &RENDERED.get_or_init(|| ["minimal", "everything", "bare"].map(render).into())[name]
}

/// The objects of a kind, by their component.
pub(crate) fn objects<'a>(rendered: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let component =
        |object: &'a Value| object["metadata"]["labels"]["app.kubernetes.io/component"].as_str().unwrap();
    let objects = rendered["objects"].as_array().unwrap_or_else(|| panic!("{rendered}"));
    objects.iter().filter(|object| object["kind"] == kind).map(|object| (component(object), object)).collect()
}

pub(crate) fn container(deployment: &Value) -> &Value {
    &deployment["spec"]["template"]["spec"]["containers"][0]
}

/// The plain variables of a container.
pub(crate) fn variables(container: &Value) -> BTreeMap<String, String> {
    let variables = container["env"].as_array().unwrap().iter();
    let plain =
        variables.filter_map(|variable| Some((variable["name"].as_str()?, variable["value"].as_str()?)));
    plain.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn what_is_rendered_is_valid_kubernetes_old_and_new() {
    for (values, kinds) in [
        ("bare", vec!["Deployment", "PodDisruptionBudget", "Service", "ServiceAccount"]),
        (
            "minimal",
            vec![
                "Deployment",
                "Ingress",
                "Job",
                "NetworkPolicy",
                "PodDisruptionBudget",
                "Service",
                "ServiceAccount",
            ],
        ),
        (
            "everything",
            vec![
                "ConfigMap",
                "Deployment",
                "HorizontalPodAutoscaler",
                "Ingress",
                "Job",
                "NetworkPolicy",
                "PodDisruptionBudget",
                "PrometheusRule",
                "Service",
                "ServiceAccount",
                "ServiceMonitor",
            ],
        ),
    ] {
        let chart = with_values(values);
        assert_eq!(chart.get("refused"), None, "{values}");
        assert_eq!(chart["invalid"], json!([]), "{values}");
        assert_eq!(chart["lint"], json!([]), "{values}");
        let of_operator = texts(&chart["without_schema"]);
        let judged: Vec<_> = chart["objects"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|object| of_operator.contains(&object["kind"].as_str().unwrap()))
            .collect();
        let output = Tools::install().node("prometheus-operator.mjs", &json!(judged));
        assert_eq!(said(&output), "[]", "{values}");
        let mut found: Vec<_> =
            chart["objects"].as_array().unwrap().iter().map(|o| o["kind"].as_str().unwrap()).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, kinds, "{values}");
        let notes = chart["notes"].as_str().unwrap();
        assert!(notes.contains("https://live.example.com/scim\n"), "{values}");
        assert!(notes.contains("operator administrator invite --company ID"), "{values}");
        assert!(!notes.contains("PASSWORD="), "{values}: a pod's description would show it");
    }
}

#[test]
fn the_values_of_every_size_are_accepted_and_are_those_of_the_page() {
    let page = read("docs/reference/sizing.md");
    for (size, gateways, directories) in [("10", 1, 1), ("1000", 2, 2), ("10000", 3, 3)] {
        let mut values = yaml(&read(&format!("{CHART}/sizes/{size}-companies.yaml")));
        values["origin"] = json!("https://live.example.com");
        let chart = rendered(&values);
        assert_eq!(chart["invalid"], json!([]), "{size}: {chart}");
        let deployments = objects(&chart, "Deployment");
        let least = |service: &str| match &deployments[service]["spec"]["replicas"] {
            Value::Null => objects(&chart, "HorizontalPodAutoscaler")[service]["spec"]["minReplicas"].clone(),
            replicas => replicas.clone(),
        };
        assert_eq!(
            (least("scim-gateway"), least("directory-service")),
            (json!(gateways), json!(directories)),
            "{size}"
        );
    }
    assert!(page.contains("| `scim-gateway` | 1 | 2, of half a core | 3, of half a core |"));
    assert!(page.contains("| `directory-service` | 1 | 2, of half a core | 3, of half a core |"));
}

#[test]
fn no_two_objects_share_a_name() {
    for values in ["bare", "minimal", "everything"] {
        let mut names: Vec<_> = with_values(values)["objects"]
            .as_array()
            .unwrap()
            .iter()
            .map(|object| format!("{} {}", object["kind"], object["metadata"]["name"]))
            .collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
    }
}

#[test]
fn every_service_starts_with_the_settings_that_it_is_given() {
    for values in ["bare", "minimal", "everything"] {
        let chart = with_values(values);
        for (name, deployment) in objects(chart, "Deployment") {
            let container = container(deployment);
            assert_eq!(texts(&container["args"]), ["serve"]);
            let secrets = workdir();
            let volume = &deployment["spec"]["template"]["spec"]["volumes"][0]["secret"];
            for item in volume["items"].as_array().unwrap() {
                assert_eq!(item["key"], item["path"]);
                let key = item["key"].as_str().unwrap();
                std::fs::write(secrets.path().join(key), secret(key)).unwrap();
            }
            let mounted = container["volumeMounts"][0]["mountPath"].as_str().unwrap();
            let here = secrets.path().to_str().unwrap();
            let variables =
                variables(container).into_iter().map(|(name, value)| (name, value.replace(mounted, here)));
            let mut program = Command::new(programs().find(name).unwrap());
            let output = program.args(["serve", "--check"]).env_clear().envs(variables).output().unwrap();
            assert!(output.status.success(), "{name} with {values} values: {}", said(&output));
            assert!(!said(&output).contains("secret-"), "{name} shows a secret: {}", said(&output));
        }
    }
}

/// Something that a service takes for the content of this key.
fn secret(key: &str) -> String {
    let text = match key {
        "nats-password" => "secret-of-nats",
        "postgres-url" => "postgres://role:secret-of-postgres@postgres.postgres.svc:5432/timeclock",
        "cursor-key" | "sealing-key" | "previous-sealing-key" => {
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
        }
        "mail-url" => "smtp://user:secret-of-mail@mail.example.com:587",
        "sign-in-signing-key" => return compose_env()["TIMECLOCK_SIGN_IN_SIGNING_KEY"].clone(),
        other => panic!("no service has a secret {other}"),
    };
    text.to_owned()
}

#[test]
fn ports_and_users_are_those_of_the_topology() {
    let chart = with_values("minimal");
    let (deployments, described) = (objects(chart, "Deployment"), objects(chart, "Service"));
    assert!(deployments.keys().eq(described.keys()));
    assert_eq!(deployments.len(), SERVICES.len());
    for service in &SERVICES {
        let container = container(deployments[service.name]);
        assert_eq!(container["image"], format!("timeclock/{}:{}", service.name, env!("CARGO_PKG_VERSION")));
        assert_eq!(variables(container)["TIMECLOCK_NATS_USER"], service.bus_user);
        let named = |port: &Value, number: &str| {
            (port["name"].as_str().unwrap().to_owned(), port[number].as_u64().unwrap())
        };
        let expected: Vec<_> = [("http", service.http_port), ("observe", Some(service.observe_port))]
            .into_iter()
            .filter_map(|(name, port)| Some((name.to_owned(), u64::from(port?))))
            .collect();
        let open: Vec<_> =
            container["ports"].as_array().unwrap().iter().map(|port| named(port, "containerPort")).collect();
        assert_eq!(open, expected, "{}", service.name);
        let served = described[service.name]["spec"]["ports"].as_array().unwrap();
        assert_eq!(
            served.iter().map(|port| named(port, "port")).collect::<Vec<_>>(),
            expected,
            "{}",
            service.name
        );
        assert_eq!(
            variables(container)["TIMECLOCK_OBSERVE_ADDR"],
            format!("0.0.0.0:{}", service.observe_port)
        );
        let jobs = objects(chart, "Job");
        assert_eq!(jobs.contains_key(format!("{}-migrate", service.name).as_str()), service.roles.is_some());
    }
}

#[test]
fn the_chart_has_the_version_of_the_programs() {
    let chart = yaml(&read(&format!("{CHART}/Chart.yaml")));
    assert_eq!(chart["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(chart["appVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn values_that_cannot_work_are_refused_and_the_place_is_named() {
    let with = |path: &[&str], value: Value| {
        let mut values = json!({ "origin": "https://live.example.com" });
        let place = path.iter().fold(&mut values, |at, key| &mut at[key]);
        *place = value;
        values
    };
    for (values, place) in [
        (json!({}), "/origin"),
        (json!({ "origin": "http://live.example.com" }), "/origin"),
        (json!({ "origin": "https://live.example.com/scim" }), "/origin"),
        (with(&["replicas"], json!(3)), "replicas"),
        (with(&["nats", "url"], json!("nats://user:password@nats:4222")), "/nats/url"),
        (with(&["nats", "replicas"], json!(7)), "/nats/replicas"),
        (with(&["services", "scim-gateway", "replicas"], json!(0)), "/services/scim-gateway/replicas"),
        (with(&["services", "scim-gatway"], json!({})), "scim-gatway"),
        (
            with(&["services", "token-service", "secret"], json!("Not A Name")),
            "/services/token-service/secret",
        ),
        (with(&["services", "directory-service", "env", "FOO"], json!("x")), "FOO"),
        (with(&["services", "scim-gateway", "env", "TIMECLOCK_NATS_URL"], json!("x")), "TIMECLOCK_NATS_URL"),
        (with(&["env", "TIMECLOCK_SEALING_KEY"], json!("x")), "TIMECLOCK_SEALING_KEY"),
        (with(&["env", "TIMECLOCK_SIGN_IN_SIGNING_KEY"], json!("x")), "TIMECLOCK_SIGN_IN_SIGNING_KEY"),
        (with(&["env", "OTEL_EXPORTER_OTLP_HEADERS"], json!("x")), "OTEL_EXPORTER_OTLP_HEADERS"),
        (with(&["tracing", "endpoint"], json!("https://collector:4318")), "/tracing/endpoint"),
        (with(&["image", "digests"], json!({ "scim-gateway": "latest" })), "/image/digests"),
        (with(&["volumes"], json!([{ "name": "secrets" }])), "/volumes/0"),
        (with(&["networkPolicy", "nats"], json!([])), "/networkPolicy/nats"),
        (with(&["topologySpread", "whenUnsatisfiable"], json!("Maybe")), "/topologySpread/whenUnsatisfiable"),
    ] {
        let answer = rendered(&values);
        let refused = answer["refused"].as_str().unwrap_or_else(|| panic!("accepted: {values}"));
        assert!(refused.contains(place), "{values}: {refused}");
    }
}

#[test]
fn rules_and_dashboards_are_those_of_the_observability_folder() {
    let chart = with_values("everything");
    let rules: Vec<_> =
        chart["objects"].as_array().unwrap().iter().filter(|o| o["kind"] == "PrometheusRule").collect();
    let files = files("deploy/observability/prometheus/rules", "yaml");
    assert_eq!(rules.len(), files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, same_file(&file, "rules"), "`make gen` copies {}", file.display());
        assert!(
            rules.iter().any(|rule| rule["spec"] == yaml(&text)),
            "{} is not rendered as it is",
            file.display()
        );
    }
    let maps: Vec<_> =
        chart["objects"].as_array().unwrap().iter().filter(|o| o["kind"] == "ConfigMap").collect();
    let files = self::files("deploy/observability/grafana/dashboards", "json");
    assert_eq!(maps.len(), files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert_eq!(text, same_file(&file, "dashboards"), "`make gen` copies {}", file.display());
        let name = file.file_name().unwrap().to_str().unwrap();
        let map =
            maps.iter().find_map(|map| map["data"][name].as_str()).unwrap_or_else(|| panic!("no {name}"));
        let (shown, original): (Value, Value) =
            (serde_json::from_str(map).unwrap(), serde_json::from_str(&text).unwrap());
        assert_eq!(shown, original, "{name}");
    }
    for folder in ["rules", "dashboards"] {
        let copies = std::fs::read_dir(root().join(CHART).join("files").join(folder)).unwrap().count();
        let rendered = if folder == "rules" { rules.len() } else { maps.len() };
        assert_eq!(copies, rendered, "a copy in files/{folder} whose original is gone");
    }
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    let paths = entries.map(|entry| entry.unwrap().path());
    let found: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect();
    assert!(!found.is_empty(), "{folder} has no .{extension}");
    found
}

/// The chart's copy; a chart reaches no file outside of its own folder.
fn same_file(original: &std::path::Path, folder: &str) -> String {
    let copy = root().join(CHART).join("files").join(folder).join(original.file_name().unwrap());
    std::fs::read_to_string(&copy).unwrap_or_default()
}
