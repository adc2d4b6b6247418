//! Members inherit what the workspace decides, and the workspace's list can be read.

use toml::Value;

use crate::{assert_none, workspace};

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];
const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

fn is_inherited(value: Option<&Value>) -> bool {
    value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
}

#[test]
fn members_inherit_versions_and_lints() {
    let mut found = Vec::new();
    for package in workspace().packages {
        let own = &package.manifest["package"];
        let missing = INHERITED.iter().filter(|key| !is_inherited(own.get(**key)));
        found.extend(missing.map(|key| format!("{}: package.{key}", package.name)));
        if !is_inherited(package.manifest.get("lints")) {
            found.push(format!("{}: lints", package.name));
        }
        if own.get("description").is_none() {
            found.push(format!("{}: no description", package.name));
        }
    }
    assert_none("not inherited from the workspace", found);
}

#[test]
fn members_take_the_workspaces_dependency_versions() {
    let mut found = Vec::new();
    for package in workspace().packages {
        for kind in KINDS {
            let own = package.dependencies(kind).filter(|(_, value)| !is_inherited(Some(value)));
            found.extend(own.map(|(name, _)| format!("{}: {name}", package.name)));
        }
    }
    assert_none("dependencies with a version of their own", found);
}

#[test]
fn every_dependency_of_the_workspace_has_a_user() {
    let workspace = workspace();
    let all = workspace.manifest["workspace"]["dependencies"].as_table().unwrap();
    let used = |name: &str| {
        let members = workspace.packages.iter();
        members
            .flat_map(|package| KINDS.map(|kind| package.dependencies(kind).any(|(used, _)| used == name)))
            .any(|yes| yes)
    };
    assert_none("unused", all.keys().filter(|name| !used(name)).cloned());
}

#[test]
fn every_dependency_of_a_member_is_named_in_its_code() {
    let mut found = Vec::new();
    for package in workspace().packages {
        let files = ["src", "tests"].into_iter().flat_map(|folder| package.rust_files(folder));
        let code: Vec<String> = files.map(|file| std::fs::read_to_string(file).unwrap()).collect();
        let dependencies = KINDS.into_iter().flat_map(|kind| package.dependencies(kind));
        let unnamed = dependencies.filter(|(name, _)| !code.iter().any(|text| names(text, name)));
        found.extend(unnamed.map(|(name, _)| format!("{}: {name}", package.name)));
    }
    assert_none("dependencies that no code names", found);
}

/// Whether a path in this code begins with the crate's name.
fn names(code: &str, dependency: &str) -> bool {
    let path = format!("{}::", dependency.replace('-', "_"));
    let is_inner = |before: char| before.is_alphanumeric() || before == '_' || before == ':';
    code.match_indices(&path).any(|(at, _)| !code.get(..at).is_some_and(|before| before.ends_with(is_inner)))
}

#[test]
fn the_workspaces_dependencies_are_sorted() {
    let text = std::fs::read_to_string(workspace().root.join("Cargo.toml")).unwrap();
    let section = text.split("[workspace.dependencies]\n").nth(1).unwrap().split("\n[").next().unwrap();
    // Ours and other people's are two paragraphs, each sorted.
    for paragraph in section.split("\n\n") {
        let names = paragraph.lines().filter(|line| !line.starts_with('#'));
        let names: Vec<_> = names.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
        assert!(names.is_sorted(), "not in order: {names:?}");
    }
}

#[test]
fn a_crates_folder_has_its_name() {
    let differing =
        workspace().packages.into_iter().filter(|package| !package.folder.ends_with(&package.name));
    assert_none("folders", differing.map(|package| package.folder.display().to_string()));
}
