//! The OpenID provider: what it takes, and how it is installed.

use std::{path::Path, process::Command};

use backing_servers::openid_provider::{Options, Server};

#[test]
fn claims_that_it_does_not_take_are_an_error() {
    let server = Server::start(Options::default()).unwrap();
    server.set_claims("adele", r#"{"oid": "1"}"#).unwrap();
    let refused = server.set_claims("adele", "no claims").unwrap_err().to_string();
    assert!(refused.contains(" 4"), "{refused}");
}

#[test]
fn a_target_directory_that_cannot_be_written_is_an_error_at_once() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/install-provider");
    // Below a file there are no directories.
    let installed = Command::new(script)
        .arg("openid-provider")
        .env("CARGO_TARGET_DIR", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml/target"))
        .output()
        .unwrap();
    assert_eq!(installed.status.code(), Some(1));
    let said = String::from_utf8_lossy(&installed.stderr);
    assert!(said.contains("Cargo.toml") && !said.contains("somebody else has been installing"), "{said}");
}
