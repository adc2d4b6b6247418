//! A real Prometheus beside a stack, with the configuration that we ship.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use backing_servers::{
    port,
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

/// A Prometheus that scrapes every service of a stack.
pub struct Prometheus {
    server: Server,
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
    /// Starts one with the configuration that we ship, in which only the targets and the intervals are others.
    ///
    /// # Errors
    /// When the configuration does not scrape what there is, or Prometheus does not start.
    pub fn beside(stack: &Stack) -> Result<Self> {
        let port = port::free()?;
        let config = configuration(&stack.endpoints().metrics, port)?;
        let server = Server::start(Options { port: Some(port), config, ..Options::default() })?;
        Ok(Self { server, http: Client::new() })
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

/// What we ship, with the targets of this stack.
fn configuration(targets: &BTreeMap<String, String>, own_port: u16) -> Result<String> {
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
        let target = match SERVICES.iter().find(|service| service.name == name) {
            Some(service) => {
                let shipped = job["static_configs"][0]["targets"][0].as_str().unwrap_or_default();
                let expected = format!("{name}:{}", service.observe_port);
                ensure!(shipped == expected, "the job {name} scrapes {shipped} and not {expected}");
                let url = targets.get(&name).with_context(|| format!("{name} has no metrics"))?;
                url.trim_start_matches("http://").trim_end_matches("/metrics").to_owned()
            }
            None if name == "prometheus" => format!("localhost:{own_port}"),
            None => continue,
        };
        job["static_configs"][0]["targets"][0] = target.into();
    }
    serde_norway::to_string(&config).context("the configuration cannot be written")
}
