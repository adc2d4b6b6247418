//! Expressions name series that there are, and every series is somewhere to be seen.

use std::collections::BTreeSet;

use promql_parser::{
    parser::{Expr, VectorSelector, parse},
    util::{ExprVisitor, walk_expr},
};
use serde_json::Value;

use crate::{assert_none, read, rules::rules, runbooks};

/// What other programs tell: Prometheus itself, `node_exporter` and `blackbox_exporter`.
const FOREIGN: [&str; 6] = [
    "ALERTS",
    "up",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "probe_ssl_earliest_cert_expiry",
    "scrape_duration_seconds",
];

/// On no panel, and why.
const UNSEEN: [(&str, &str); 2] = [
    ("process_threads", "a constant of the installation"),
    ("process_virtual_memory_bytes", "address space costs nothing"),
];

/// How the names of series begin, in the tables of a page that has other tables as well.
const FAMILIES: [&str; 2] = ["timeclock_", "process_"];

/// The series that `docs/reference/metrics.md` lists, each with whether it is a histogram.
fn listed() -> Vec<(String, bool)> {
    let page = read("docs/reference/metrics.md");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| {
        let (name, rest) = row.split_once('`')?;
        FAMILIES.iter().find(|family| name.starts_with(**family))?;
        Some((name.to_owned(), rest.starts_with(" | histogram")))
    })
    .collect()
}

/// The names by which Prometheus knows them.
fn names_of(series: &str, is_histogram: bool) -> Vec<String> {
    if is_histogram {
        ["_bucket", "_sum", "_count"].map(|suffix| format!("{series}{suffix}")).to_vec()
    } else {
        vec![series.to_owned()]
    }
}

/// What is on panels: the place and the expression, with Grafana's variables replaced.
fn on_panels() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for board in dashboards::all() {
        let board: Value = serde_json::from_str(&board.file()).unwrap();
        let panels = board["panels"].as_array().unwrap();
        let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
        let annotations = board["annotations"]["list"].as_array().unwrap();
        for asked in targets.chain(annotations) {
            let expression = asked["expr"].as_str().unwrap();
            let expression = expression.replace("$__rate_interval", "1m").replace("$__range", "1h");
            found.push((board["title"].as_str().unwrap().to_owned(), expression));
        }
        for variable in board["templating"]["list"].as_array().unwrap() {
            let Some(query) = variable["query"]["query"].as_str() else { continue };
            let inner = query.strip_prefix("label_values(").unwrap().rsplit_once(',').unwrap().0;
            found.push((board["title"].as_str().unwrap().to_owned(), inner.to_owned()));
        }
    }
    found
}

/// The series that an expression selects.
fn selected(place: &str, expression: &str) -> BTreeSet<String> {
    struct Names(BTreeSet<String>);
    impl ExprVisitor for Names {
        type Error = String;
        fn pre_visit(&mut self, expression: &Expr) -> Result<bool, String> {
            let selector: Option<&VectorSelector> = match expression {
                Expr::VectorSelector(selector) => Some(selector),
                Expr::MatrixSelector(matrix) => Some(&matrix.vs),
                _ => None,
            };
            if let Some(selector) = selector {
                self.0.insert(selector.name.clone().ok_or("a selector without a name")?);
            }
            Ok(true)
        }
    }
    let parsed = parse(expression).unwrap_or_else(|error| panic!("{place}: {expression}: {error}"));
    let mut names = Names(BTreeSet::new());
    walk_expr(&mut names, &parsed).unwrap_or_else(|error| panic!("{place}: {expression}: {error}"));
    names.0
}

fn everything_asked() -> Vec<(String, String)> {
    let rules = rules().into_iter().map(|rule| (rule.name, rule.expression));
    rules.chain(on_panels()).chain(runbooks::expressions()).collect()
}

#[test]
fn every_series_that_is_asked_for_is_listed() {
    let recorded = rules().into_iter().filter(|rule| !rule.is_alert()).map(|rule| rule.name);
    let ours = listed().into_iter().flat_map(|(name, is_histogram)| names_of(&name, is_histogram));
    let known: BTreeSet<_> = recorded.chain(ours).chain(FOREIGN.map(str::to_owned)).collect();
    let mut found = BTreeSet::new();
    for (place, expression) in everything_asked() {
        let unknown = selected(&place, &expression).into_iter().filter(|name| !known.contains(name));
        found.extend(unknown.map(|name| format!("{place}: {name}")));
    }
    assert_none("not in docs/reference/metrics.md", found);
}

#[test]
fn every_series_that_is_listed_is_on_a_panel() {
    let shown: BTreeSet<_> =
        on_panels().iter().flat_map(|(place, expression)| selected(place, expression)).collect();
    let mut found = Vec::new();
    for (name, is_histogram) in listed() {
        let is_shown = names_of(&name, is_histogram).iter().any(|name| shown.contains(name));
        let is_excused = UNSEEN.iter().any(|(unseen, _)| *unseen == name);
        if is_shown == is_excused {
            let state = if is_shown { "is shown after all" } else { "is shown nowhere" };
            found.push(format!("{name} {state}"));
        }
    }
    assert_none("series", found);
}
