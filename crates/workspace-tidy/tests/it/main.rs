//! Each test collects every offender before it fails, so that one run shows all there is to do.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod adr_index;
mod documents;
mod files;
mod layers;
mod log_fields;
mod makefile;
mod manifests;
mod migrations;
mod sizes;
mod test_binaries;

fn workspace() -> workspace_tidy::Workspace {
    workspace_tidy::Workspace::read().unwrap()
}

/// Fails with the whole list when there is anything in it.
#[track_caller]
fn assert_none(what: &str, offenders: impl IntoIterator<Item = String>) {
    let offenders: Vec<String> = offenders.into_iter().collect();
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}
