//! Prometheus, Grafana, the collector and Tempo find each other.

use serde_norway::Value;

use crate::read;

fn file(path: &str) -> Value {
    serde_norway::from_str(&read(&format!("deploy/observability/{path}"))).unwrap()
}

/// The data source of this kind.
fn source(kind: &str) -> Value {
    let sources = file("grafana/provisioning/datasources/timeclock.yaml");
    let sources = sources["datasources"].as_sequence().unwrap();
    sources.iter().find(|source| source["type"] == kind).unwrap().clone()
}

/// The port at the end of an address.
fn port(address: &Value) -> u16 {
    address.as_str().unwrap().rsplit(':').next().unwrap().parse().unwrap()
}

#[test]
fn grafana_counts_with_the_interval_at_which_prometheus_scrapes() {
    let global = file("prometheus/prometheus.yml")["global"].clone();
    assert_eq!(source("prometheus")["jsonData"]["timeInterval"], global["scrape_interval"]);
}

#[test]
fn grafana_asks_prometheus_where_it_finds_itself() {
    let prometheus = file("prometheus/prometheus.yml");
    let jobs = prometheus["scrape_configs"].as_sequence().unwrap();
    let itself = jobs.iter().find(|job| job["job_name"] == "prometheus").unwrap();
    assert_eq!(port(&source("prometheus")["url"]), port(&itself["static_configs"][0]["targets"][0]));
}

#[test]
fn traces_reach_tempo_and_grafana_finds_them_there() {
    let (collector, tempo) = (file("otel-collector.yaml"), file("tempo.yaml"));
    let receives = &tempo["distributor"]["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"];
    assert_eq!(port(&collector["exporters"]["otlp"]["endpoint"]), port(receives));
    let answers = tempo["server"]["http_listen_port"].as_u64().unwrap();
    assert_eq!(u64::from(port(&source("tempo")["url"])), answers);
}

#[test]
fn what_the_collector_runs_is_what_it_defines() {
    let collector = file("otel-collector.yaml");
    let pipeline = &collector["service"]["pipelines"]["traces"];
    for part in ["receivers", "processors", "exporters"] {
        let used = pipeline[part].as_sequence().unwrap();
        let defined: Vec<_> = collector[part].as_mapping().unwrap().keys().collect();
        assert_eq!(used.iter().collect::<Vec<_>>(), defined, "{part}");
    }
}
