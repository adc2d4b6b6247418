//! Each crate explains itself, the map of crates is complete, and links lead somewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{assert_none, workspace};

/// A README says what the crate knows, what it deliberately does not, and where to start reading.
#[test]
fn every_readme_answers_the_three_questions() {
    let mut found = Vec::new();
    for package in workspace().packages {
        let Ok(text) = fs::read_to_string(package.folder.join("README.md")) else {
            found.push(format!("{}: no README.md", package.name));
            continue;
        };
        if !text.contains("deliberately") {
            found.push(format!("{}: what does it deliberately not know?", package.name));
        }
        if !(text.contains("tart reading") || text.contains("src/")) {
            found.push(format!("{}: where does one start reading?", package.name));
        }
    }
    assert_none("READMEs that leave a question open", found);
}

#[test]
fn every_readme_is_its_crates_front_page() {
    let packages = workspace().packages;
    let apart = packages.iter().filter(|package| {
        let library = fs::read_to_string(package.folder.join("src/lib.rs")).unwrap_or_default();
        !library.contains("#![doc = include_str!(\"../README.md\")]")
    });
    assert_none("README.md is not in lib.rs", apart.map(|package| package.name.clone()));
}

#[test]
fn the_map_of_crates_has_a_line_for_each() {
    let workspace = workspace();
    let map = fs::read_to_string(workspace.root.join("crates/README.md")).unwrap();
    let missing = workspace.packages.iter().filter(|package| {
        let row = format!("| [{}]", package.name);
        !map.lines().any(|line| line.starts_with(&row))
    });
    assert_none("not in crates/README.md", missing.map(|package| package.name.clone()));
}

fn markdown(folder: &Path, found: &mut Vec<PathBuf>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            markdown(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let workspace = workspace();
    let mut documents = Vec::new();
    markdown(&workspace.root, &mut documents);
    let mut broken = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in
            targets.filter(|target| !target.is_empty() && !target.contains("://") && !target.contains("::"))
        {
            if !document.parent().unwrap().join(target).exists() {
                broken.push(format!("{} -> {target}", workspace.shown(&document)));
            }
        }
    }
    assert_none("links to nothing", broken);
}

/// Whether a path of modules such as `wire::hostile::a_test` leads to a test below the folder.
///
/// A macro of a module above may make the test, of a name that stands in a line of its own.
fn leads_to_a_test(folder: &Path, test: &str) -> bool {
    let parts: Vec<_> = test.split("::").collect();
    let Some((name, modules)) = parts.split_last() else { return false };
    let files = (1..=modules.len()).map(|depth| folder.join(modules[..depth].join("/")).with_extension("rs"));
    let defines = |text: String| {
        text.contains(&format!("fn {name}(")) || text.lines().any(|line| line.trim() == format!("{name},"))
    };
    files.filter_map(|file| fs::read_to_string(file).ok()).any(defines)
}

#[test]
fn every_test_that_shows_conformance_exists() {
    let root = workspace().root;
    let page = fs::read_to_string(root.join("docs/reference/scim-conformance.md")).unwrap();
    let tests = page.split('`').skip(1).step_by(2).filter(|code| code.contains("::"));
    let (found, missing): (Vec<_>, Vec<_>) =
        tests.partition(|test| leads_to_a_test(&root.join("tests-e2e/tests/e2e"), test));
    assert!(!found.is_empty(), "the page names no tests");
    assert_none("no such test", missing.into_iter().map(str::to_owned));
}
