//! `docker-compose.yml` and the topology describe the same system.

use std::{collections::BTreeSet, path::Path};

use local_stack::{
    secrets::Secrets,
    topology::{self, Backing, PublicUrls, SERVICES},
};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().parent().unwrap()
}

fn compose() -> Value {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let mut yaml: serde_norway::Value = serde_norway::from_str(&text).unwrap();
    yaml.apply_merge().unwrap();
    serde_json::to_value(yaml).unwrap()
}

fn variables(service: &Value) -> BTreeSet<String> {
    service["environment"].as_object().unwrap().keys().cloned().collect()
}

fn names(environment: Vec<(String, String)>) -> BTreeSet<String> {
    environment.into_iter().map(|(name, _)| name).collect()
}

fn backing() -> Backing {
    Backing { nats_url: "nats://nats:4222".to_owned(), postgres_address: "postgres:5432".to_owned() }
}

/// Where the published ports are, on the operator's machine.
fn urls() -> PublicUrls {
    PublicUrls {
        scim: "http://127.0.0.1:8080/scim".to_owned(),
        tokens: "http://127.0.0.1:8082".to_owned(),
        console: "http://127.0.0.1:8081".to_owned(),
        mail: "file:///tmp/mail".to_owned(),
    }
}

#[test]
fn every_service_has_the_same_variables_and_ports() {
    let compose = compose();
    for service in &SERVICES {
        let described = &compose["services"][service.name];
        let http = service.http_port.map(|port| format!("0.0.0.0:{port}"));
        let observe = format!("0.0.0.0:{}", service.observe_port);
        let expected =
            service.environment(&backing(), &Secrets::default(), &urls(), http.as_deref(), &observe);
        assert_eq!(variables(described), names(expected.clone()), "variables of {}", service.name);
        for (name, value) in expected {
            // What carries a secret is interpolated by compose; the rest must be equal to the letter.
            if !(name.ends_with("PASSWORD") || name.ends_with("POSTGRES_URL") || name.ends_with("KEY")) {
                assert_eq!(described["environment"][&name], value, "{name} of {}", service.name);
            }
        }
        let published: BTreeSet<_> = described["ports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|port| port.as_str().unwrap().to_owned())
            .collect();
        let ports = service.http_port.into_iter().chain([service.observe_port]);
        let expected: BTreeSet<_> = ports.map(|port| format!("127.0.0.1:{port}:{port}")).collect();
        assert_eq!(published, expected, "ports of {}", service.name);
    }
}

#[test]
fn every_role_connects_as_itself() {
    let compose = compose();
    for (service, roles) in SERVICES.iter().filter_map(|service| Some((service, service.roles?))) {
        let migration = format!("{}-migrate", service.name);
        for (described, role) in [(service.name, roles.service), (migration.as_str(), roles.owner)] {
            let password = topology::role_password_variable(role);
            let expected = format!("postgres://{role}:${{{password}}}@postgres:5432/{}", topology::DATABASE);
            assert_eq!(compose["services"][described]["environment"]["TIMECLOCK_POSTGRES_URL"], expected);
        }
        let migrated = &compose["services"][service.name]["depends_on"][&migration]["condition"];
        assert_eq!(migrated, "service_completed_successfully", "{} before its tables exist", service.name);
    }
}

#[test]
fn every_user_of_the_bus_has_the_password_that_the_server_expects() {
    let compose = compose();
    let mut of_server = variables(&compose["services"]["nats"]);
    let (name, value) = topology::NATS_COLLECTOR;
    assert_eq!(compose["services"]["nats"]["environment"][name], value);
    of_server.remove(name);
    assert_eq!(of_server, topology::bus_users().map(topology::bus_password_variable).collect());
    let users = SERVICES.iter().map(|service| (service.name, service.bus_user));
    for (service, user) in users.chain([("timeclock-operator", topology::OPERATOR_BUS_USER)]) {
        let environment = &compose["services"][service]["environment"];
        let password = format!("${{{}}}", topology::bus_password_variable(user));
        assert_eq!(environment["TIMECLOCK_NATS_USER"], user);
        assert_eq!(environment["TIMECLOCK_NATS_PASSWORD"], password);
    }
}

#[test]
fn postgres_is_given_a_password_per_role() {
    let given = variables(&compose()["services"]["postgres"]);
    let needed: BTreeSet<_> = topology::roles().map(topology::role_password_variable).collect();
    assert!(given.is_superset(&needed), "{given:?}");
}

#[test]
fn every_file_that_is_mounted_and_every_image_that_is_built_exists() {
    let compose = compose();
    let dockerfile = std::fs::read_to_string(root().join("deploy/docker/Dockerfile")).unwrap();
    for (name, service) in compose["services"].as_object().unwrap() {
        for volume in service["volumes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let source = volume.split(':').next().unwrap();
            assert!(!source.starts_with("./") || root().join(source).exists(), "{name} mounts {source}");
        }
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(dockerfile.contains(&format!(" AS {target}\n")), "the Dockerfile has no target {target}");
        }
    }
}

#[test]
fn the_script_for_secrets_makes_every_secret_that_is_asked_for() {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let asked: BTreeSet<_> =
        text.split("${").skip(1).map(|rest| rest.split(['}', ':']).next().unwrap()).collect();
    let output = std::process::Command::new(root().join("scripts/compose-env")).output().unwrap();
    let made = String::from_utf8(output.stdout).unwrap();
    let made: BTreeSet<_> = made.lines().map(|line| line.split_once('=').unwrap().0).collect();
    assert_eq!(asked, made);
}
