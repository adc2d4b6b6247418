//! Whoever is called finds a page that says what to look at, what to do, and how to see that it helped.

use std::collections::BTreeSet;

use promql_parser::parser;

use crate::{
    assert_none, names, read,
    rules::{Rule, rules},
};

const FOLDER: &str = "docs/runbooks";
const SECTIONS: [&str; 4] = ["Symptom", "Look", "Act", "Confirm"];

fn alerts() -> Vec<Rule> {
    rules().into_iter().filter(Rule::is_alert).collect()
}

fn pages() -> Vec<(String, String)> {
    let pages = names(FOLDER, ".md").into_iter().filter(|name| name != "README");
    pages.map(|name| (name.clone(), read(&format!("{FOLDER}/{name}.md")))).collect()
}

#[test]
fn every_alert_has_a_page_and_every_page_an_alert() {
    let alerts: BTreeSet<_> = alerts().into_iter().map(|alert| alert.name).collect();
    let pages: BTreeSet<_> = pages().into_iter().map(|(name, _)| name).collect();
    assert_eq!(alerts, pages);
}

#[test]
fn every_alert_says_what_is_wrong_how_urgent_it_is_and_where_its_page_is() {
    let mut found = Vec::new();
    for alert in alerts() {
        let severity = alert.severity.unwrap();
        if !["page", "ticket"].contains(&severity.as_str()) {
            found.push(format!("{}: severity {severity}", alert.name));
        }
        for annotation in ["summary", "description"] {
            if alert.annotations.get(annotation).is_none_or(String::is_empty) {
                found.push(format!("{}: no {annotation}", alert.name));
            }
        }
        let page = format!("{}/{}.md", dashboards::RUNBOOKS, alert.name);
        if alert.annotations.get("runbook_url") != Some(&page) {
            found.push(format!("{}: its runbook_url is not {page}", alert.name));
        }
    }
    assert_none("alerts that do not say all", found);
}

#[test]
fn the_index_lists_every_page_with_its_severities() {
    let index = read(&format!("{FOLDER}/README.md"));
    let listed: BTreeSet<_> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let mut found = Vec::new();
    for (name, _) in pages() {
        let severities: BTreeSet<_> = alerts()
            .into_iter()
            .filter(|alert| alert.name == name)
            .filter_map(|alert| alert.severity)
            .collect();
        let severities: Vec<_> = severities.into_iter().collect();
        let row = format!("| [{name}]({name}.md) | {} | ", severities.join(", "));
        if !listed.iter().any(|line| line.starts_with(&row)) {
            found.push(row);
        }
    }
    assert_none("not in the index", found);
    assert_eq!(listed.len(), pages().len(), "rows of the index that are no page's");
}

#[test]
fn every_page_has_its_four_parts_in_order() {
    let mut found = Vec::new();
    for (name, text) in pages() {
        if !text.starts_with(&format!("# {name}\n")) {
            found.push(format!("{name}: its title is not its name"));
        }
        let headings: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        if headings != SECTIONS {
            found.push(format!("{name}: {headings:?}"));
        }
    }
    assert_none("pages of another form", found);
}

/// The expressions of a page's blocks that are marked as PromQL, one a line.
pub(crate) fn expressions() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (name, text) in pages() {
        let blocks = text.split("```promql\n").skip(1).filter_map(|rest| rest.split("```").next());
        let lines = blocks.flat_map(str::lines).filter(|line| !line.is_empty() && !line.starts_with('#'));
        found.extend(lines.map(|line| (name.clone(), line.to_owned())));
    }
    found
}

#[test]
fn what_a_page_asks_prometheus_can_be_asked() {
    let wrong = expressions().into_iter().filter_map(|(page, expression)| {
        let error = parser::parse(&expression).err()?;
        Some(format!("{page}: {expression}: {error}"))
    });
    assert_none("no PromQL", wrong);
}

#[test]
fn every_page_asks_something() {
    let asking: BTreeSet<_> = expressions().into_iter().map(|(page, _)| page).collect();
    let silent = pages().into_iter().map(|(name, _)| name).filter(|name| !asking.contains(name));
    assert_none("pages without an expression to look at", silent);
}
