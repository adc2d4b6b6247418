//! The Helm chart gives nobody more than they need, and ends nothing that is in flight.

use std::collections::BTreeSet;

use local_stack::topology::SERVICES;
use serde_json::{Value, json};

use crate::{
    chart::{container, objects, variables, with_values},
    deployment::texts,
};

/// Every description of a pod, with its component.
fn pods(chart: &Value) -> Vec<(&str, &Value)> {
    let (deployments, jobs) = (objects(chart, "Deployment"), objects(chart, "Job"));
    deployments.into_iter().chain(jobs).map(|(name, object)| (name, &object["spec"]["template"])).collect()
}

#[test]
fn no_pod_is_root_writes_to_its_image_or_knows_the_cluster() {
    for values in ["bare", "minimal", "everything"] {
        for (name, pod) in pods(with_values(values)) {
            let spec = &pod["spec"];
            assert_eq!(spec["automountServiceAccountToken"], false, "{name}");
            assert_eq!(
                spec["enableServiceLinks"], false,
                "{name}: TIMECLOCK_* of the cluster's services would come along"
            );
            assert_eq!(spec["securityContext"]["runAsNonRoot"], true, "{name}");
            assert_eq!(spec["securityContext"]["runAsUser"], 65532, "{name}: the image's user");
            assert_eq!(spec["securityContext"]["seccompProfile"]["type"], "RuntimeDefault", "{name}");
            let container = &spec["containers"][0];
            let expected = json!({
                "allowPrivilegeEscalation": false,
                "readOnlyRootFilesystem": true,
                "capabilities": { "drop": ["ALL"] },
            });
            assert_eq!(container["securityContext"], expected, "{name}");
            assert!(container["resources"]["limits"]["memory"].is_string(), "{name}");
            assert!(container["resources"]["requests"]["cpu"].is_string(), "{name}");
        }
    }
}

#[test]
fn no_secret_is_in_a_pod_s_description_and_each_pod_has_its_own() {
    let chart = with_values("everything");
    let mut seen = BTreeSet::new();
    for (name, pod) in pods(chart) {
        for (variable, value) in variables(&pod["spec"]["containers"][0]) {
            let is_secret =
                ["PASSWORD", "_KEY", "POSTGRES_URL", "MAIL_URL"].iter().any(|word| variable.contains(word));
            assert!(!is_secret || value.starts_with("/run/secrets/timeclock/"), "{name}: {variable}");
        }
        let secrets = pod["spec"]["volumes"].as_array().unwrap().iter();
        let secrets: Vec<_> = secrets.filter_map(|volume| volume["secret"]["secretName"].as_str()).collect();
        let [secret] = secrets[..] else { panic!("{name} has {secrets:?}") };
        assert!(seen.insert(secret), "{name} has the Secret of another");
    }
    let expected = BTreeSet::from([
        "the-gateways",
        "directory-service",
        "the-directorys-owner",
        "token-service",
        "token-service-owner",
        "admin-console",
        "admin-console-owner",
    ]);
    assert_eq!(seen, expected);
}

#[test]
fn what_an_operator_mounts_is_in_every_pod() {
    for (name, pod) in pods(with_values("everything")) {
        let spec = &pod["spec"];
        let mounted = spec["containers"][0]["volumeMounts"].as_array().unwrap();
        assert!(mounted.iter().any(|mount| mount["mountPath"] == "/etc/postgres"), "{name}");
        let volumes = spec["volumes"].as_array().unwrap();
        assert!(volumes.iter().any(|volume| volume["configMap"]["name"] == "postgres-authority"), "{name}");
    }
}

#[test]
fn a_pod_that_ends_has_the_time_that_its_stop_may_take() {
    for values in ["bare", "minimal", "everything"] {
        for (name, deployment) in objects(with_values(values), "Deployment") {
            let spec = &deployment["spec"]["template"]["spec"];
            let told = variables(container(deployment));
            let milliseconds = |variable: &str| told[variable].parse::<u64>().unwrap();
            let stop =
                milliseconds("TIMECLOCK_DRAIN_DELAY_MS") + milliseconds("TIMECLOCK_SHUTDOWN_DEADLINE_MS");
            let grace = spec["terminationGracePeriodSeconds"].as_u64().unwrap() * 1_000;
            assert!(grace > stop, "{name} is killed after {grace} ms of the {stop} ms that it may take");
            let rolling = &deployment["spec"]["strategy"]["rollingUpdate"];
            assert_eq!(rolling, &json!({ "maxSurge": 1, "maxUnavailable": 0 }), "{name}");
        }
    }
}

#[test]
fn a_pod_is_killed_only_when_it_does_not_answer_at_all() {
    for (name, deployment) in objects(with_values("minimal"), "Deployment") {
        let container = container(deployment);
        let probed = |probe: &str| container[probe]["httpGet"].clone();
        // Away from NATS or Postgres it is not ready; killing it would bring neither back.
        assert_eq!(probed("livenessProbe"), json!({ "path": "/healthz", "port": "observe" }), "{name}");
        assert_eq!(probed("startupProbe"), json!({ "path": "/healthz", "port": "observe" }), "{name}");
        assert_eq!(probed("readinessProbe"), json!({ "path": "/readyz", "port": "observe" }), "{name}");
    }
}

#[test]
fn pods_are_spread_and_drained_one_at_a_time() {
    let chart = with_values("minimal");
    let budgets = objects(chart, "PodDisruptionBudget");
    for (name, deployment) in objects(chart, "Deployment") {
        let selector = &deployment["spec"]["selector"]["matchLabels"];
        assert_eq!(budgets[name]["spec"]["maxUnavailable"], 1, "{name}");
        assert_eq!(&budgets[name]["spec"]["selector"]["matchLabels"], selector, "{name}");
        let spread = deployment["spec"]["template"]["spec"]["topologySpreadConstraints"].as_array().unwrap();
        let over: Vec<_> =
            spread.iter().map(|constraint| constraint["topologyKey"].as_str().unwrap()).collect();
        assert_eq!(over, ["topology.kubernetes.io/zone", "kubernetes.io/hostname"], "{name}");
        assert!(
            spread.iter().all(|constraint| &constraint["labelSelector"]["matchLabels"] == selector),
            "{name}"
        );
    }
}

#[test]
fn whoever_is_scaled_by_load_is_not_scaled_by_the_chart() {
    let chart = with_values("everything");
    let scalers = objects(chart, "HorizontalPodAutoscaler");
    for (name, deployment) in objects(chart, "Deployment") {
        assert!(deployment["spec"].get("replicas").is_none(), "{name}");
        assert_eq!(scalers[name]["spec"]["scaleTargetRef"]["name"], deployment["metadata"]["name"]);
    }
    assert_eq!(scalers["scim-gateway"]["spec"]["maxReplicas"], 12);
    for (name, deployment) in objects(with_values("minimal"), "Deployment") {
        assert_eq!(deployment["spec"]["replicas"], 2, "{name}");
    }
}

/// What nothing leads to that only has to do with the internet.
const PRIVATE: &str = "10.0.0.0/8 100.64.0.0/10 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16";

/// Which names of peers a rule's ports lead to: (port, namespace or network, and what of it is left out).
fn peers(rules: &Value, side: &str) -> BTreeSet<(String, String)> {
    let rules = rules.as_array().into_iter().flatten();
    rules
        .flat_map(|rule| {
            let name = |peer: &Value| match &peer["ipBlock"]["cidr"] {
                Value::String(network) => {
                    let except = texts(&peer["ipBlock"]["except"]).join(" ");
                    if except.is_empty() { network.clone() } else { format!("{network} but {except}") }
                }
                _ => peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            };
            let peers: Vec<_> = rule[side].as_array().unwrap().iter().map(name).collect();
            let ports: Vec<_> =
                rule["ports"].as_array().unwrap().iter().map(|port| port["port"].to_string()).collect();
            ports
                .into_iter()
                .flat_map(move |port| peers.clone().into_iter().map(move |peer| (port.clone(), peer)))
        })
        .collect()
}

#[test]
fn the_network_lets_each_service_reach_what_it_needs_and_nothing_else() {
    let chart = with_values("everything");
    let policies = objects(chart, "NetworkPolicy");
    let set = |pairs: &[(&str, &str)]| -> BTreeSet<(String, String)> {
        pairs.iter().map(|(port, peer)| ((*port).to_owned(), (*peer).to_owned())).collect()
    };
    let internet = format!("0.0.0.0/0 but {PRIVATE}");
    let always = [("53", "kube-system"), ("4222", "nats"), ("4318", "observability")];
    for (name, more) in [
        ("scim-gateway", &[] as &[_]),
        ("directory-service", &[("5432", "postgres")]),
        ("token-service", &[("5432", "postgres"), ("443", internet.as_str())]),
        ("admin-console", &[("5432", "postgres"), ("443", &internet), ("465", "0.0.0.0/0")]),
    ] {
        let spec = &policies[name]["spec"];
        assert_eq!(texts(&spec["policyTypes"]), ["Ingress", "Egress"], "{name}");
        assert_eq!(peers(&spec["egress"], "to"), set(&[always.as_slice(), more].concat()), "{name}");
        let is_called = SERVICES.iter().any(|service| service.name == name && service.http_port.is_some());
        let mut callers = vec![("\"observe\"", "monitoring")];
        if is_called {
            callers.push(("\"http\"", "ingress-nginx"));
        }
        assert_eq!(peers(&spec["ingress"], "from"), set(&callers), "{name}");
    }
    let migrations = &policies["migrate"]["spec"];
    assert_eq!(peers(&migrations["egress"], "to"), set(&[("53", "kube-system"), ("5432", "postgres")]));
    assert!(migrations.get("ingress").is_none());
    let held = texts(&migrations["podSelector"]["matchExpressions"][0]["values"]);
    assert!(held.iter().copied().eq(objects(chart, "Job").into_keys()), "{held:?}");
}

#[test]
fn tables_are_migrated_by_their_owner_before_anything_starts() {
    let chart = with_values("minimal");
    for (name, job) in objects(chart, "Job") {
        assert_eq!(job["metadata"]["annotations"]["helm.sh/hook"], "pre-install,pre-upgrade", "{name}");
        let container = container(job);
        assert_eq!(texts(&container["args"]), ["migrate"]);
        let told = variables(container);
        assert_eq!(told.keys().collect::<Vec<_>>(), ["TIMECLOCK_POSTGRES_URL_FILE"], "{name}");
        let owner = format!("{}-owner", name.trim_end_matches("-migrate"));
        assert_eq!(job["spec"]["template"]["spec"]["volumes"][0]["secret"]["secretName"], owner);
    }
    let policy = objects(chart, "NetworkPolicy")["migrate"];
    let weight = |object: &Value| {
        object["metadata"]["annotations"]["helm.sh/hook-weight"].as_str().unwrap().parse::<i32>().unwrap()
    };
    assert!(
        objects(chart, "Job").values().all(|job| weight(job) > weight(policy)),
        "the policy comes too late"
    );
}

#[test]
fn one_origin_leads_to_whoever_answers() {
    let ingress = objects(with_values("everything"), "Ingress")["edge"];
    let rule = &ingress["spec"]["rules"][0];
    assert_eq!(rule["host"], "live.example.com");
    assert_eq!(
        ingress["spec"]["tls"],
        json!([{ "hosts": ["live.example.com"], "secretName": "live-example-com" }])
    );
    let routes: Vec<_> = rule["http"]["paths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| (route["path"].as_str().unwrap(), route["backend"]["service"]["name"].as_str().unwrap()))
        .collect();
    let expected = [
        ("/scim", "tc-scim-gateway"),
        ("/oauth2", "tc-token-service"),
        ("/.well-known/jwks.json", "tc-token-service"),
        ("/.well-known/oauth-authorization-server", "tc-token-service"),
        ("/", "tc-admin-console"),
    ];
    assert_eq!(routes, expected);
}

#[test]
fn prometheus_knows_a_job_by_its_service_s_name() {
    let chart = with_values("everything");
    let monitor = &objects(chart, "ServiceMonitor")["monitoring"]["spec"];
    assert_eq!(monitor["jobLabel"], "app.kubernetes.io/component");
    assert_eq!(monitor["endpoints"], json!([{ "port": "observe", "path": "/metrics", "interval": "30s" }]));
    let wanted = monitor["selector"]["matchLabels"].as_object().unwrap();
    for (name, service) in objects(chart, "Service") {
        let labels = service["metadata"]["labels"].as_object().unwrap();
        assert!(
            wanted.iter().all(|(label, value)| labels.get(label) == Some(value)),
            "{name} is not scraped"
        );
    }
}
