//! Each crate links at most one integration-test binary: every further file in `tests/` costs another link.

use std::{fs, path::PathBuf};

use crate::{assert_none, workspace};

#[test]
fn each_crate_has_at_most_one_integration_test_binary() {
    let workspace = workspace();
    let mut found = Vec::new();
    for package in &workspace.packages {
        let entries = fs::read_dir(package.folder.join("tests")).into_iter().flatten().flatten();
        let entries: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        let binaries = entries.iter().filter(|path| path.join("main.rs").is_file() || path.is_file());
        found.extend(
            binaries
                .filter(|path| !["it", "e2e"].iter().any(|name| path.ends_with(name)))
                .map(|path| workspace.shown(path).to_string()),
        );
    }
    assert_none("beside tests/it (tests/e2e for end to end)", found);
}
