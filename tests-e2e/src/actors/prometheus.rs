//! A real Prometheus beside a stack, with the configuration that we ship, and the exporters that it asks.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use backing_servers::{
    exporter, port,
    prometheus::{Options, Server},
};
use local_stack::{Stack, topology::SERVICES};
use reqwest::Client;
use serde_json::Value;
use serde_norway::Value as Yaml;

/// Where the configuration is, from the root of the repository.
const FOLDER: &str = "deploy/observability/prometheus";
/// How often everything is scraped and evaluated: often, for the tests' sake.
const INTERVAL: &str = "1s";

/// A Prometheus that scrapes every service of a stack, the disks of this machine, and somebody's certificate.
pub struct Prometheus {
    server: Server,
    _exporters: [exporter::Server; 2],
    http: Client,
}

/// What an expression evaluates to.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It has an answer that is a number.
    Number,
    /// No series, or none whose value is finite.
    Nothing,
    /// Prometheus does not understand it.
    Wrong(String),
}

impl Prometheus {
    /// Starts one with the configuration that we ship, in which only the targets and the intervals are others; the
    /// certificate that it looks at is shown at this address.
    ///
    /// # Errors
    /// When the configuration does not scrape what there is, or something does not start.
    pub fn beside(stack: &Stack, origin: &str) -> Result<Self> {
        let module = repository().join("deploy/observability/blackbox.yml");
        let module = fs::read_to_string(module).context("cannot read blackbox.yml")?;
        let exporters = [exporter::node()?, exporter::blackbox(&module)?];
        let port = port::free()?;
        let [disks, prober] = exporters.each_ref().map(exporter::Server::address);
        let places = Places { own: format!("localhost:{port}"), disks, prober, origin: origin.to_owned() };
        let config = configuration(&stack.endpoints().metrics, &places)?;
        let server = Server::start(Options { port: Some(port), config, ..Options::default() })?;
        Ok(Self { server, _exporters: exporters, http: Client::new() })
    }

    /// What this expression evaluates to now.
    ///
    /// # Panics
    /// When Prometheus does not answer.
    pub async fn evaluate(&self, expression: &str) -> Answer {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let answer = self.ask(&format!("query?query={encoded}")).await;
        if answer["status"] != "success" {
            return Answer::Wrong(answer["error"].to_string());
        }
        let result = &answer["data"]["result"];
        // A vector is a list of series, each with its value; a scalar is a value itself.
        let series = result.as_array().into_iter().flatten();
        let values = series.map(|one| one.get("value").map_or(one, |value| &value[1]));
        let mut numbers = values.filter_map(Value::as_str).filter_map(|text| text.parse::<f64>().ok());
        if numbers.any(f64::is_finite) { Answer::Number } else { Answer::Nothing }
    }

    /// Every rule that it has loaded: its name and its expression.
    ///
    /// # Panics
    /// When Prometheus does not answer, or could not evaluate one.
    pub async fn rules(&self) -> Vec<(String, String)> {
        let answer = self.ask("rules").await;
        let groups = answer["data"]["groups"].as_array().expect("groups of rules");
        let rules = groups.iter().filter_map(|group| group["rules"].as_array()).flatten();
        rules
            .map(|rule| {
                assert!(rule.get("lastError").is_none(), "{rule}");
                let text = |key: &str| rule[key].as_str().expect("a text").to_owned();
                (text("name"), text("query"))
            })
            .collect()
    }

    async fn ask(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}/api/v1/{path}", self.server.url())).send().await;
        answer.expect("Prometheus answers").json().await.expect("JSON")
    }
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/")).to_owned()
}

/// Where everything is that is no service.
struct Places {
    own: String,
    disks: String,
    prober: String,
    origin: String,
}

/// What we ship, with the targets of this stack.
fn configuration(metrics: &BTreeMap<String, String>, places: &Places) -> Result<String> {
    let folder = repository().join(FOLDER);
    let text = fs::read_to_string(folder.join("prometheus.yml")).context("cannot read prometheus.yml")?;
    let mut config: Yaml = serde_norway::from_str(&text).context("prometheus.yml is no YAML")?;
    for name in ["scrape_interval", "evaluation_interval"] {
        config["global"][name] = INTERVAL.into();
    }
    for file in config["rule_files"].as_sequence_mut().context("no rule_files")? {
        let relative = file.as_str().context("a rule file is no text")?;
        *file = folder.join(relative).display().to_string().into();
    }
    for job in config["scrape_configs"].as_sequence_mut().context("no scrape_configs")? {
        let name = job["job_name"].as_str().context("a job has no name")?.to_owned();
        let shipped = job["static_configs"][0]["targets"][0].as_str().unwrap_or_default();
        let targets = match SERVICES.iter().find(|service| service.name == name) {
            Some(service) => {
                let expected = format!("{name}:{}", service.observe_port);
                ensure!(shipped == expected, "the job {name} scrapes {shipped} and not {expected}");
                let targets = instances(metrics, &name);
                ensure!(!targets.is_empty(), "{name} has no metrics");
                targets
            }
            None => vec![match name.as_str() {
                "prometheus" => places.own.clone(),
                "node" => places.disks.clone(),
                "origin" => places.origin.clone(),
                _ => bail!("nobody knows what the job {name} scrapes"),
            }],
        };
        // Files name targets of an installation.
        job.as_mapping_mut().context("a job is no mapping")?.remove("file_sd_configs");
        job["static_configs"] = serde_norway::to_value([BTreeMap::from([("targets", targets)])])?;
        if name == "origin" {
            job["relabel_configs"][2]["replacement"] = places.prober.clone().into();
        }
    }
    serde_norway::to_string(&config).context("the configuration cannot be written")
}

/// The addresses of a service's instances: the first is called as the service is, the others have a number behind it.
fn instances(metrics: &BTreeMap<String, String>, service: &str) -> Vec<String> {
    let numbered = format!("{service}-");
    let of_service = metrics.iter().filter(|(name, _)| *name == service || name.starts_with(&numbered));
    let addresses = of_service.map(|(_, url)| url.trim_start_matches("http://").trim_end_matches("/metrics"));
    addresses.map(str::to_owned).collect()
}
