//! A file that answers one question is not long. Clippy measures functions.

use std::fs;

use crate::{assert_none, workspace};

/// Lines of a production file, its trailing tests left out.
const FILE: usize = 500;
/// Lines of a `main.rs`.
const MAIN: usize = 20;
/// Lines of a crate's README: two screens.
const README: usize = 100;

/// Longer than [`FILE`], and why.
const EXCEPTIONS: [(&str, &str); 0] = [];

#[test]
fn production_files_are_short() {
    let workspace = workspace();
    let mut found = Vec::new();
    for file in workspace.packages.iter().flat_map(|package| package.rust_files("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let production = text.split("\n#[cfg(test)]\nmod ").next().unwrap().lines().count();
        let name = workspace.shown(&file).to_string();
        let limit = if file.ends_with("src/main.rs") { MAIN } else { FILE };
        if production > limit && !EXCEPTIONS.iter().any(|(exception, _)| *exception == name) {
            found.push(format!("{name}: {production} lines of at most {limit}"));
        }
    }
    assert_none("too long", found);
}

#[test]
fn every_exception_is_still_needed() {
    let root = workspace().root;
    let short = EXCEPTIONS.iter().filter(|(name, _)| {
        fs::read_to_string(root.join(name)).map_or(0, |text| text.lines().count()) <= FILE
    });
    assert_none("short enough by now", short.map(|(name, _)| (*name).to_owned()));
}

#[test]
fn readmes_are_short() {
    let long = workspace().packages.into_iter().filter_map(|package| {
        let lines = fs::read_to_string(package.folder.join("README.md")).ok()?.lines().count();
        (lines > README).then(|| format!("{}: {lines} lines of at most {README}", package.name))
    });
    assert_none("longer than two screens", long);
}
