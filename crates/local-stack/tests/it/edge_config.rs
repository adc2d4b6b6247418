//! HAProxy takes the configuration that is deployed, with TLS and without.

use std::{
    path::Path,
    process::{Command, Output},
};

use backing_servers::haproxy;

use crate::{
    deployment::{root, said},
    workdir,
};

/// What HAProxy says of the configuration when TLS is to be had from this file.
fn checked(tls: Option<&Path>) -> Output {
    let mut program = haproxy::command().unwrap();
    program.arg("-c").arg("-f").arg(root().join("deploy/haproxy/haproxy.cfg"));
    program.env_remove("TIMECLOCK_EDGE_TLS_FILE");
    program.envs(tls.map(|file| ("TIMECLOCK_EDGE_TLS_FILE", file))).output().unwrap()
}

#[test]
fn the_edge_ends_tls_where_it_is_given_a_certificate_with_its_key() {
    let directory = workdir();
    let file = |name: &str| directory.path().join(name);
    let (key, certificate) = (file("key.pem"), file("certificate.pem"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-nodes",
            "-newkey",
            "rsa:2048",
            "-days",
            "30",
            "-subj",
            "/CN=localhost",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", said(&made));
    let both = file("origin.pem");
    let text = [&certificate, &key].map(|file| std::fs::read_to_string(file).unwrap()).concat();
    std::fs::write(&both, text).unwrap();

    for right in [None, Some(both.as_path())] {
        let output = checked(right);
        assert!(output.status.success(), "{right:?}: {}", said(&output));
    }
    // So that it is known to have been read.
    let output = checked(Some(&certificate));
    assert!(!output.status.success() && said(&output).contains("certificate.pem"), "{}", said(&output));
}
