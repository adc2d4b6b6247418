//! Every Rust file says what question it answers, has a name that says so too, and is finished.

use std::{fs, path::Path, process::Command};

use crate::{assert_none, workspace};

/// Names that mean "the rest": where they appear, the tree has stopped explaining itself.
const REFUSED: [&str; 10] =
    ["base", "common", "constants", "core", "helper", "helpers", "manager", "misc", "types", "utils"];

/// Words that promise work for later. Split, so that this file does not contain them.
const UNFINISHED: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("#[ign", "ore"),
];

/// Where people's own files are. (Not macOS's, which is also a SCIM endpoint.)
const HOMES: [&str; 2] = [concat!("/ho", "me/"), concat!("/ro", "ot/")];

#[test]
fn every_module_begins_with_its_documentation() {
    let workspace = workspace();
    let files = workspace
        .packages
        .iter()
        .flat_map(|package| [package.rust_files("src"), package.rust_files("tests")]);
    let silent = files.flatten().filter(|file| {
        let text = fs::read_to_string(file).unwrap();
        !text.starts_with("//!") && !text.starts_with("#![doc = include_str!(\"../README.md\")]")
    });
    assert_none("without module documentation", silent.map(|file| workspace.shown(&file).to_string()));
}

#[test]
fn no_file_has_a_name_that_means_the_rest() {
    let workspace = workspace();
    let files = workspace
        .packages
        .iter()
        .flat_map(|package| [package.rust_files("src"), package.rust_files("tests")]);
    let refused = files.flatten().filter(|file| {
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap();
        REFUSED.contains(&name) || name == "mod"
    });
    let crates = workspace
        .packages
        .iter()
        .filter(|package| package.name.split('-').any(|word| REFUSED.contains(&word)));
    let files = refused.map(|file| workspace.shown(&file).to_string());
    assert_none("refused names", files.chain(crates.map(|package| package.name.clone())));
}

/// The text files that git knows, with their content.
fn tracked(root: &Path) -> Vec<(String, String)> {
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root).output().unwrap();
    assert!(listed.status.success(), "git ls-files: {}", String::from_utf8_lossy(&listed.stderr));
    let names = String::from_utf8(listed.stdout).unwrap();
    let names = names.split('\0').filter(|name| !name.is_empty());
    names.filter_map(|name| Some((name.to_owned(), fs::read_to_string(root.join(name)).ok()?))).collect()
}

#[test]
fn nothing_is_left_for_later() {
    let workspace = workspace();
    let files = workspace
        .packages
        .iter()
        .flat_map(|package| [package.rust_files("src"), package.rust_files("tests")]);
    let mut found = Vec::new();
    for file in files.flatten() {
        let text = fs::read_to_string(&file).unwrap();
        let marked =
            text.lines().enumerate().filter(|(_, line)| UNFINISHED.iter().any(|mark| line.contains(mark)));
        found.extend(
            marked
                .map(|(number, line)| format!("{}:{}: {}", workspace.shown(&file), number + 1, line.trim())),
        );
    }
    assert_none("unfinished", found);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    let root = workspace().root;
    let here = format!("{}/", root.display());
    let mut found = Vec::new();
    for (name, text) in tracked(&root) {
        let knows = |line: &str| line.contains(&here) || HOMES.iter().any(|home| line.contains(home));
        let lines = text.lines().enumerate().filter(|(_, line)| knows(line));
        found.extend(lines.map(|(number, line)| format!("{name}:{}: {}", number + 1, line.trim())));
    }
    assert_none("paths of a machine", found);
}
