//! `docker-compose.yml` and the topology describe the same system.

use std::{
    collections::{BTreeMap, BTreeSet},
    os::unix::fs::PermissionsExt as _,
    process::Command,
};

use local_stack::{
    secrets::Secrets,
    topology::{self, Backing, PublicUrls, SERVICES},
};
use serde_json::Value;

use crate::{
    deployment::{compose, compose_env, dotenv, environment, read, root, said, services, texts, variables},
    programs, workdir,
};

fn names(service: &Value) -> BTreeSet<String> {
    service["environment"].as_object().unwrap().keys().cloned().collect()
}

fn backing() -> Backing {
    Backing { nats_url: "nats://nats:4222".to_owned(), postgres_address: "postgres:5432".to_owned() }
}

/// Everything is where the edge listens.
const ORIGIN: &str = "http://127.0.0.1:8080";

fn urls() -> PublicUrls {
    PublicUrls {
        scim: format!("{ORIGIN}/scim"),
        tokens: ORIGIN.to_owned(),
        console: ORIGIN.to_owned(),
        mail: "file:///tmp/mail".to_owned(),
    }
}

/// What a service is told that has the edge in front of it, that may be traced, and whose keys may be replaced.
fn of_compose_alone(service: &topology::Service) -> BTreeMap<String, String> {
    let mut told = BTreeMap::from([("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), String::new())]);
    if service.http_port.is_some() {
        told.insert("TIMECLOCK_TRUSTED_PROXIES".to_owned(), "1".to_owned());
    }
    if service.name == "token-service" {
        told.insert("TIMECLOCK_PREVIOUS_SEALING_KEY".to_owned(), String::new());
    }
    if service.name == "scim-gateway" {
        told.insert("TIMECLOCK_SCIM_BASE_URL".to_owned(), urls().scim);
    }
    told
}

#[test]
fn every_service_has_the_variables_of_the_stack_and_those_of_the_edge() {
    let (compose, env) = (compose(), compose_env());
    for service in &SERVICES {
        let http = service.http_port.map(|port| format!("0.0.0.0:{port}"));
        let observe = format!("0.0.0.0:{}", service.observe_port);
        let mut expected: BTreeMap<_, _> = service
            .environment(&backing(), &Secrets::default(), &urls(), http.as_deref(), &observe)
            .into_iter()
            .collect();
        expected.extend(of_compose_alone(service));
        let described = environment(&compose["services"][service.name], &env);
        assert!(described.keys().eq(expected.keys()), "variables of {}: {described:?}", service.name);
        for (name, value) in expected {
            // What carries a secret has another one each time; the rest must be equal to the letter.
            if !(name.ends_with("PASSWORD") || name.ends_with("POSTGRES_URL") || name.ends_with("KEY")) {
                assert_eq!(described[&name], value, "{name} of {}", service.name);
            }
        }
    }
}

#[test]
fn every_service_accepts_the_settings_that_compose_gives_it() {
    let (compose, env) = (compose(), compose_env());
    for service in &SERVICES {
        let mut program = Command::new(programs().find(service.name).unwrap());
        program.args(["serve", "--check"]).env_clear();
        let output = program.envs(environment(&compose["services"][service.name], &env)).output().unwrap();
        assert!(output.status.success(), "{}: {}", service.name, said(&output));
    }
}

#[test]
fn the_edge_listens_where_it_is_published_and_finds_every_service() {
    let (compose, edge) = (compose(), read("deploy/haproxy/haproxy.cfg"));
    let inside = |name: &str| {
        let ports = texts(&compose["services"]["edge"]["ports"]);
        let (_, rest) = edge.split_once(&format!("TIMECLOCK_EDGE_{name}-:")).unwrap();
        (ports, rest.split('}').next().unwrap().to_owned())
    };
    let (ports, address) = inside("ADDR");
    assert_eq!(ports, [format!("127.0.0.1:8080:{address}")]);
    let emulated = &compose["services"]["entra-emulator"]["environment"]["ENTRA_TENANT_URL"];
    assert_eq!(emulated, &format!("http://edge:{address}/scim"));
    let (_, observed) = inside("OBSERVE_ADDR");
    let asked = texts(&compose["services"]["edge"]["healthcheck"]["test"]);
    assert!(asked.contains(&format!("http://127.0.0.1:{observed}/healthz").as_str()), "{asked:?}");
    for (name, port, observe) in
        SERVICES.iter().filter_map(|service| Some((service.name, service.http_port?, service.observe_port)))
    {
        assert!(edge.contains(&format!("-{name}:{port}}}\" check port {observe}\n")), "{name}");
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
    let mut of_server = names(&compose["services"]["nats"]);
    let (name, value) = topology::NATS_COLLECTOR;
    assert_eq!(compose["services"]["nats"]["environment"][name], value);
    of_server.remove(name);
    assert_eq!(of_server, topology::bus_users().map(topology::bus_password_variable).collect());
    let users = SERVICES.iter().map(|service| (service.name, service.bus_user));
    let operators = ["timeclock-operator", "welcome"].map(|service| (service, topology::OPERATOR_BUS_USER));
    for (service, user) in users.chain(operators) {
        let environment = &compose["services"][service]["environment"];
        let password = format!("${{{}}}", topology::bus_password_variable(user));
        assert_eq!(environment["TIMECLOCK_NATS_USER"], user);
        assert_eq!(environment["TIMECLOCK_NATS_PASSWORD"], password);
    }
}

#[test]
fn postgres_is_given_a_password_per_role() {
    let given = names(&compose()["services"]["postgres"]);
    let needed: BTreeSet<_> = topology::roles().map(topology::role_password_variable).collect();
    assert!(given.is_superset(&needed), "{given:?}");
}

#[test]
fn every_file_that_is_mounted_exists() {
    let compose = compose();
    for (name, service) in services(&compose) {
        for volume in texts(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            let is_ours = source.starts_with("./");
            assert!(!is_ours || root().join(source).exists(), "{name} mounts {source}");
            assert!(is_ours || compose["volumes"].get(source).is_some(), "{name} mounts {source}");
            assert!(!is_ours || volume.ends_with(":ro"), "{name} may write {source}");
        }
    }
}

#[test]
fn the_script_for_secrets_makes_every_secret_that_is_asked_for() {
    let text = read("docker-compose.yml");
    let needed = variables(&text).into_iter().filter(|(_, default)| default.is_none());
    let needed: BTreeSet<_> = needed.map(|(name, _)| name.to_owned()).collect();
    assert_eq!(needed, compose_env().into_keys().collect());
}

#[test]
fn the_script_for_secrets_adds_to_a_file_what_it_lacks_and_changes_nothing_that_is_there() {
    let directory = workdir();
    let file = directory.path().join("env");
    let make = || {
        let output = Command::new(root().join("scripts/compose-env")).arg(&file).output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty(), "{}", said(&output));
        std::fs::read_to_string(&file).unwrap()
    };
    let first = make();
    assert!(dotenv(&first).keys().eq(compose_env().keys()), "{:?}", dotenv(&first).keys());
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "others may read it");
    assert_eq!(make(), first, "it has all, and is another afterwards");

    // As it was before the console had a key, with what somebody has written, and without an end of its last line.
    let own = "# ours\nTIMECLOCK_ORIGIN=https://live.example.com\n";
    let (key, others): (Vec<_>, Vec<_>) =
        first.lines().partition(|line| line.starts_with("TIMECLOCK_SIGN_IN_SIGNING_KEY="));
    assert_eq!(key.len(), 1);
    let before = format!("{own}{}", others.join("\n"));
    std::fs::write(&file, &before).unwrap();
    let after = make();
    assert!(after.starts_with(&format!("{before}\nTIMECLOCK_SIGN_IN_SIGNING_KEY=")), "{after}");
    assert_eq!(after.lines().count(), before.lines().count() + 1);
}

#[test]
fn a_shell_reads_what_the_script_for_secrets_prints_as_compose_does() {
    let script = root().join("scripts/compose-env");
    let directory = workdir();
    let file = directory.path().join("env");
    let output = Command::new(script).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let told =
        Command::new("sh").arg("-c").arg("set -a; . \"$0\"; env").arg(&file).env_clear().output().unwrap();
    assert!(told.status.success() && told.stderr.is_empty(), "{}", said(&told));
    let told = dotenv(&said(&told));
    for (name, value) in dotenv(&std::fs::read_to_string(&file).unwrap()) {
        assert_eq!(told.get(&name), Some(&value), "{name}");
    }
}
