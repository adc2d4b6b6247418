//! Prometheus accepts its configuration, and each alert fires when it should and is quiet when it should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use backing_servers::prometheus::promtool;
use serde_norway::Value;

use crate::{assert_none, names, read, root};

pub(crate) const FOLDER: &str = "deploy/observability/prometheus";

/// A rule of any file.
pub(crate) struct Rule {
    /// The alert's name, or the recorded series'.
    pub(crate) name: String,
    pub(crate) expression: String,
    /// An alert's severity, by which those of the same name are told apart.
    pub(crate) severity: Option<String>,
    pub(crate) annotations: BTreeMap<String, String>,
}

impl Rule {
    pub(crate) const fn is_alert(&self) -> bool {
        self.severity.is_some()
    }
}

/// Every rule.
pub(crate) fn rules() -> Vec<Rule> {
    let mut found = Vec::new();
    for file in names(&format!("{FOLDER}/rules"), ".yaml") {
        let file: Value = serde_norway::from_str(&read(&format!("{FOLDER}/rules/{file}.yaml"))).unwrap();
        let groups = file["groups"].as_sequence().unwrap();
        let rules = groups.iter().flat_map(|group| group["rules"].as_sequence().unwrap());
        found.extend(rules.map(rule));
    }
    found
}

fn rule(rule: &Value) -> Rule {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let name = text(&rule["alert"]).or_else(|| text(&rule["record"])).unwrap();
    let severity =
        rule.get("alert").map(|_| text(&rule["labels"]["severity"]).expect("an alert without a severity"));
    let annotations = rule.get("annotations").map(|all| serde_norway::from_value(all.clone()).unwrap());
    Rule {
        name,
        expression: text(&rule["expr"]).unwrap(),
        severity,
        annotations: annotations.unwrap_or_default(),
    }
}

#[track_caller]
fn succeeds(command: &mut Command) {
    let output = command.current_dir(root().join(FOLDER)).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{command:?}:\n{}", String::from_utf8_lossy(&said));
}

fn files(folder: &str) -> Vec<String> {
    names(&format!("{FOLDER}/{folder}"), ".yaml").iter().map(|name| format!("{folder}/{name}.yaml")).collect()
}

#[test]
fn promtool_accepts_the_configuration_and_every_rule() {
    succeeds(promtool().unwrap().args(["check", "config", "--lint=all", "--lint-fatal", "prometheus.yml"]));
    succeeds(promtool().unwrap().args(["check", "rules", "--lint=all", "--lint-fatal"]).args(files("rules")));
}

#[test]
fn every_alert_fires_when_it_should_and_only_then() {
    succeeds(promtool().unwrap().args(["test", "rules"]).args(files("tests")));
}

/// Which alerts are expected to fire somewhere in the tests, and which to be quiet: name and severity.
fn tested() -> [BTreeSet<(String, String)>; 2] {
    let (mut firing, mut quiet) = (BTreeSet::new(), BTreeSet::new());
    for file in files("tests") {
        let file: Value = serde_norway::from_str(&read(&format!("{FOLDER}/{file}"))).unwrap();
        let tests = file["tests"].as_sequence().unwrap();
        for test in tests.iter().filter_map(|test| test.get("alert_rule_test")?.as_sequence()).flatten() {
            let name = test["alertname"].as_str().unwrap();
            let expected = test["exp_alerts"].as_sequence().cloned().unwrap_or_default();
            let severities: BTreeSet<_> =
                expected.iter().map(|alert| alert["exp_labels"]["severity"].as_str().unwrap()).collect();
            for severity in ["page", "ticket"] {
                let list = if severities.contains(severity) { &mut firing } else { &mut quiet };
                list.insert((name.to_owned(), severity.to_owned()));
            }
        }
    }
    [firing, quiet]
}

#[test]
fn every_alert_has_a_test_that_it_fires_and_one_that_it_does_not() {
    let [firing, quiet] = tested();
    let mut found = Vec::new();
    for rule in rules().into_iter().filter(Rule::is_alert) {
        let key = (rule.name.clone(), rule.severity.unwrap());
        if !firing.contains(&key) {
            found.push(format!("{key:?} never fires in a test"));
        }
        if !quiet.contains(&key) {
            found.push(format!("{key:?} is never quiet in a test"));
        }
    }
    assert_none("untested alerts", found);
}
