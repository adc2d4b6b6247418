//! The front door stays small, and the documents know it.

use std::fs;

use crate::{assert_none, workspace};

const RECIPE: usize = 3;

/// Each target with its recipe.
fn targets(makefile: &str) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in makefile.lines() {
        if line.starts_with('\t') {
            found.last_mut().unwrap().1.push(line);
        } else if let Some((name, _)) = line.split_once(": ##") {
            found.push((name, Vec::new()));
        }
    }
    found
}

#[test]
fn a_target_is_at_most_three_lines() {
    let makefile = fs::read_to_string(workspace().root.join("Makefile")).unwrap();
    let long = targets(&makefile).into_iter().filter(|(_, recipe)| recipe.len() > RECIPE);
    assert_none("logic belongs into scripts/ or Rust", long.map(|(name, _)| name.to_owned()));
}

#[test]
fn every_target_that_a_document_names_exists() {
    let root = workspace().root;
    let makefile = fs::read_to_string(root.join("Makefile")).unwrap();
    let targets = targets(&makefile);
    let mut unknown = Vec::new();
    for document in ["README.md", "CONTRIBUTING.md", "crates/README.md", "docs/README.md"] {
        let text = fs::read_to_string(root.join(document)).unwrap();
        let named = text.split("`make ").skip(1).filter_map(|rest| rest.split(['`', ' ']).next());
        let missing = named.filter(|name| !targets.iter().any(|(target, _)| target == name));
        unknown.extend(missing.map(|name| format!("{document}: make {name}")));
    }
    assert_none("no such target", unknown);
}
