//! The profile `observability` of `docker-compose.yml` finds everything that there is to see.

use std::collections::BTreeSet;

use local_stack::topology::SERVICES;
use serde_json::Value;

use crate::deployment::{compose, read, texts, yaml};

/// Where a service sees a file of ours.
fn mounted_at(compose: &Value, service: &str, source: &str) -> String {
    let volumes = texts(&compose["services"][service]["volumes"]);
    let found = volumes.iter().find_map(|volume| volume.strip_prefix(&format!("./{source}:")));
    found.unwrap_or_else(|| panic!("{service} does not mount {source}")).trim_end_matches(":ro").to_owned()
}

/// Both are in a network of both.
fn reaches(compose: &Value, one: &str, other: &str) -> bool {
    let of = |service: &str| -> BTreeSet<String> {
        texts(&compose["services"][service]["networks"]).into_iter().map(str::to_owned).collect()
    };
    !of(one).is_disjoint(&of(other))
}

#[test]
fn prometheus_scrapes_every_service_and_evaluates_every_rule() {
    let compose = compose();
    let folder = mounted_at(&compose, "prometheus", "deploy/observability/prometheus");
    let file = format!("--config.file={folder}/prometheus.yml");
    assert!(texts(&compose["services"]["prometheus"]["command"]).contains(&file.as_str()));
    let config = yaml(&read("deploy/observability/prometheus/prometheus.yml"));
    assert_eq!(texts(&config["rule_files"]), ["rules/*.yaml"], "relative to the configuration");
    let jobs = config["scrape_configs"].as_array().unwrap();
    for service in &SERVICES {
        let job = jobs.iter().find(|job| job["job_name"] == service.name).unwrap();
        let expected = format!("{}:{}", service.name, service.observe_port);
        assert_eq!(texts(&job["static_configs"][0]["targets"]), [expected]);
        assert!(reaches(&compose, "prometheus", service.name), "{}", service.name);
    }
}

#[test]
fn prometheus_asks_for_the_disks_of_what_keeps_data_and_for_the_certificate_of_the_origin() {
    let compose = compose();
    let config = yaml(&read("deploy/observability/prometheus/prometheus.yml"));
    let job = |name: &str| {
        let jobs = config["scrape_configs"].as_array().unwrap();
        jobs.iter().find(|job| job["job_name"] == name).unwrap().clone()
    };
    assert_eq!(texts(&job("node")["static_configs"][0]["targets"]), ["node-exporter:9100"]);
    assert!(reaches(&compose, "prometheus", "node-exporter"));
    let seen = texts(&compose["services"]["node-exporter"]["volumes"]);
    for keeper in ["postgres", "nats"] {
        let written = texts(&compose["services"][keeper]["volumes"]);
        assert!(written.iter().any(|volume| volume.starts_with(&format!("{keeper}:"))), "{keeper}");
        assert!(seen.contains(&format!("{keeper}:/disks/{keeper}:ro").as_str()), "{keeper}");
    }

    let origin = job("origin");
    assert_eq!(origin["relabel_configs"][2]["replacement"], "blackbox-exporter:9115");
    assert!(reaches(&compose, "prometheus", "blackbox-exporter"));
    // The network that leads outside, where callers are.
    assert!(reaches(&compose, "edge", "blackbox-exporter"));
    let module = texts(&origin["params"]["module"]);
    let modules = yaml(&read("deploy/observability/blackbox.yml"));
    assert!(modules["modules"][module[0]].is_object(), "{module:?}");
    let file = mounted_at(&compose, "blackbox-exporter", "deploy/observability/blackbox.yml");
    let option = format!("--config.file={file}");
    assert_eq!(texts(&compose["services"]["blackbox-exporter"]["command"]), [option]);
    let told = &compose["services"]["prometheus"]["configs"][0];
    let named = texts(&origin["file_sd_configs"][0]["files"])[0].replace("origin*", "origin");
    assert_eq!(told["target"], named);
    let content = compose["configs"][told["source"].as_str().unwrap()]["content"].as_str().unwrap();
    assert!(
        yaml(content)[0]["targets"][0].as_str().unwrap().starts_with("${TIMECLOCK_ORIGIN:-"),
        "{content}"
    );
}

#[test]
fn grafana_finds_its_dashboards_and_what_they_draw() {
    let compose = compose();
    let provisioning = mounted_at(&compose, "grafana", "deploy/observability/grafana/provisioning");
    assert_eq!(provisioning, "/etc/grafana/provisioning", "where Grafana looks");
    let dashboards = yaml(&read("deploy/observability/grafana/provisioning/dashboards/timeclock.yaml"));
    let folder = mounted_at(&compose, "grafana", "deploy/observability/grafana/dashboards");
    assert_eq!(dashboards["providers"][0]["options"]["path"], folder);
    let sources = yaml(&read("deploy/observability/grafana/provisioning/datasources/timeclock.yaml"));
    for source in sources["datasources"].as_array().unwrap() {
        let (host, _) =
            source["url"].as_str().unwrap().trim_start_matches("http://").split_once(':').unwrap();
        assert!(reaches(&compose, "grafana", host), "{source}");
    }
}

#[test]
fn traces_reach_tempo_by_the_collector() {
    let compose = compose();
    let named = |service: &str, source: &str, option: &str| {
        let option = format!("{option}{}", mounted_at(&compose, service, source));
        assert!(
            texts(&compose["services"][service]["command"]).contains(&option.as_str()),
            "{service}: {option}"
        );
    };
    named("otel-collector", "deploy/observability/otel-collector.yaml", "--config=");
    named("tempo", "deploy/observability/tempo.yaml", "-config.file=");
    let collector = yaml(&read("deploy/observability/otel-collector.yaml"));
    let tempo = yaml(&read("deploy/observability/tempo.yaml"));
    assert!(
        collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"].as_str().unwrap().ends_with(":4318")
    );
    let (host, port) = collector["exporters"]["otlp"]["endpoint"].as_str().unwrap().split_once(':').unwrap();
    assert_eq!(host, "tempo");
    let listens =
        tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].as_str().unwrap();
    assert!(listens.ends_with(&format!(":{port}")));
    let kept = tempo["storage"]["trace"]["local"]["path"].as_str().unwrap();
    assert!(
        kept.starts_with("/var/tempo/")
            && texts(&compose["services"]["tempo"]["volumes"]).contains(&"tempo:/var/tempo")
    );
    for service in &SERVICES {
        assert!(reaches(&compose, service.name, "otel-collector"), "{}", service.name);
    }
    // What the guide and the file itself tell people to set.
    assert!(read("docker-compose.yml").contains("TIMECLOCK_TRACES=http://otel-collector:4318"));
    assert!(read("docs/guides/operate.md").contains("TIMECLOCK_TRACES=http://otel-collector:4318"));
}
