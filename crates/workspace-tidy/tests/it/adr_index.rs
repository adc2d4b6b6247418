//! The index of decisions lists each one by its title.

use std::fs;

use crate::{assert_none, workspace};

const STATUS: [&str; 3] = ["Status: proposed", "Status: accepted", "Status: superseded by "];
const SECTIONS: [&str; 4] = ["## Context", "## Decision", "## Consequences", "## Alternatives"];

/// Number, file name and text of each decision.
fn decisions() -> Vec<(String, String, String)> {
    let folder = workspace().root.join("docs/adr");
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.to_owned();
            let number = name.split_once('-')?.0.to_owned();
            (number != "0000").then(|| (number, name, fs::read_to_string(&path).unwrap()))
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_index_of_decisions_is_complete_and_in_order() {
    let index = fs::read_to_string(workspace().root.join("docs/adr/README.md")).unwrap();
    let rows: Vec<&str> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let expected: Vec<String> = decisions()
        .into_iter()
        .map(|(number, name, text)| {
            let title = text.lines().next().unwrap().trim_start_matches(&format!("# {number}: ")).to_owned();
            format!("| [{number}]({name}) | {title} |")
        })
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn every_decision_has_its_status_and_its_four_sections() {
    let mut found = Vec::new();
    for (_, name, text) in decisions() {
        if !text.lines().any(|line| STATUS.iter().any(|status| line.starts_with(status))) {
            found.push(format!("{name}: no status"));
        }
        let missing = SECTIONS.iter().filter(|section| !text.lines().any(|line| line == **section));
        found.extend(missing.map(|section| format!("{name}: no {section}")));
    }
    assert_none("decisions that leave something out", found);
}
