//! `docker-compose.yml` gives nobody more than they need, and starts nothing before what it needs is there.

use std::{collections::BTreeSet, path::Path};

use serde_json::{Value, json};

use crate::deployment::{Tools, compose, read, root, said, services, texts};

/// Run once to change owners, which only root may.
const ROOT: [&str; 1] = ["volume-owner"];
/// Their images hold one program and nothing that could ask it.
const WITHOUT_HEALTH_CHECK: [&str; 2] = ["otel-collector", "tempo"];

/// Whether it runs to an end.
fn runs_once(service: &Value) -> bool {
    service["restart"] == "no"
}

/// The part of the Dockerfile that makes a target.
fn stage(dockerfile: &str, target: &str) -> String {
    let stages = dockerfile.split("\nFROM ");
    let found =
        stages.into_iter().find(|stage| stage.lines().next().unwrap().ends_with(&format!(" AS {target}")));
    found.unwrap_or_else(|| panic!("the Dockerfile has no target {target}")).to_owned()
}

#[test]
fn it_is_what_the_compose_specification_says() {
    let output = Tools::install().python("compose.py", &root().join("docker-compose.yml"), &json!(null));
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn a_linter_has_nothing_to_say_about_the_dockerfile() {
    let dockerfile = root().join("deploy/docker/Dockerfile");
    let output = Tools::install().program("hadolint").arg(dockerfile).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn nobody_is_root_may_write_to_the_image_or_has_more_than_a_limit() {
    let (compose, dockerfile) = (compose(), read("deploy/docker/Dockerfile"));
    for (name, service) in services(&compose) {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        for limit in ["cpus", "memory", "pids"] {
            assert!(
                !service["deploy"]["resources"]["limits"][limit].is_null(),
                "{name} has no limit of {limit}"
            );
        }
        let by_image = service["build"]["target"].as_str().map(|target| stage(&dockerfile, target));
        match by_image {
            Some(stage) => {
                assert!(stage.starts_with("base AS ") && !stage.contains("USER"), "{name}: {stage}");
                assert!(service.get("user").is_none(), "{name} is somebody else than its image says");
            }
            None => {
                let user =
                    service["user"].as_str().unwrap_or_else(|| panic!("{name} is whoever its image says"));
                assert_eq!(user.starts_with("0:"), ROOT.contains(&name), "{name}");
                assert!(service.get("cap_add").is_none() || ROOT.contains(&name), "{name}");
            }
        }
    }
    assert!(stage(&dockerfile, "base").contains("\nUSER 65532:65532\n"));
}

#[test]
fn every_image_is_pinned() {
    let dockerfile = read("deploy/docker/Dockerfile");
    let bases = dockerfile.lines().filter_map(|line| line.strip_prefix("ARG "));
    let bases = bases.filter_map(|line| line.split_once("_IMAGE=")).map(|(_, image)| image.to_owned());
    let compose = compose();
    let foreign = services(&compose).filter(|(_, service)| service.get("build").is_none());
    let foreign = foreign.map(|(_, service)| service["image"].as_str().unwrap().to_owned());
    for image in bases.chain(foreign) {
        let tag = image.split_once(':').unwrap_or_else(|| panic!("{image} has no tag")).1;
        let version = tag
            .trim_start_matches('v')
            .split('-')
            .find(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        // Two numbers at least, or a day.
        let is_exact = version.is_some_and(|version| version.contains('.') || version.len() == 8);
        assert!(is_exact, "{image} is another image tomorrow");
    }
}

#[test]
fn everything_that_goes_on_says_whether_it_is_healthy() {
    let (compose, dockerfile) = (compose(), read("deploy/docker/Dockerfile"));
    for (name, service) in services(&compose).filter(|(_, service)| !runs_once(service)) {
        let by_image = service["build"]["target"].as_str().map(|target| stage(&dockerfile, target));
        let asked = match by_image {
            Some(stage) => {
                assert!(
                    service.get("healthcheck").is_none(),
                    "{name} is asked otherwise than its image says"
                );
                stage.contains(&format!("CMD [\"/usr/local/bin/{name}\", \"healthcheck\"]\n"))
            }
            None => service["healthcheck"]["test"].is_array(),
        };
        assert_eq!(asked, !WITHOUT_HEALTH_CHECK.contains(&name), "{name}");
    }
}

#[test]
fn nothing_waits_for_what_never_comes() {
    let compose = compose();
    for (name, service) in services(&compose) {
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let other = &compose["services"][needed];
            assert!(other.is_object(), "{name} needs {needed}, which is not there");
            let condition = how["condition"].as_str().unwrap();
            assert_eq!(
                condition == "service_completed_successfully",
                runs_once(other),
                "{name} needs {needed}"
            );
            let is_asked = !WITHOUT_HEALTH_CHECK.contains(&needed.as_str());
            assert!(condition != "service_healthy" || is_asked, "{name} needs {needed}");
            // Whoever needs something of a profile is of that profile.
            let profiles: BTreeSet<_> = texts(&other["profiles"]).into_iter().collect();
            let own: BTreeSet<_> = texts(&service["profiles"]).into_iter().collect();
            assert!(
                profiles.is_empty() || profiles.is_superset(&own) && !own.is_empty(),
                "{name} needs {needed}"
            );
        }
    }
}

#[test]
fn only_the_edge_and_the_tools_are_published_and_only_on_this_machine() {
    let compose = compose();
    let published: Vec<_> = services(&compose)
        .flat_map(|(name, service)| texts(&service["ports"]).into_iter().map(move |port| (name, port)))
        .collect();
    let expected = [
        ("edge", "127.0.0.1:8080:8000"),
        ("prometheus", "127.0.0.1:9090:9090"),
        ("grafana", "127.0.0.1:3000:3000"),
    ];
    assert_eq!(published, expected);
}

#[test]
fn the_bus_and_the_database_are_out_of_the_edge_s_reach() {
    let compose = compose();
    let members = |network: &str| -> BTreeSet<&str> {
        services(&compose)
            .filter(|(_, service)| texts(&service["networks"]).contains(&network))
            .map(|(name, _)| name)
            .collect()
    };
    for inside in ["bus", "database", "telemetry"] {
        assert_eq!(compose["networks"][inside]["internal"], true, "{inside} leads outside");
    }
    assert_eq!(
        members("database"),
        BTreeSet::from([
            "postgres",
            "directory-service",
            "directory-service-migrate",
            "token-service",
            "token-service-migrate",
            "admin-console",
            "admin-console-migrate",
        ])
    );
    assert_eq!(
        members("bus"),
        BTreeSet::from([
            "nats",
            "directory-service",
            "token-service",
            "scim-gateway",
            "admin-console",
            "timeclock-operator",
            "nats-cli",
            "welcome",
        ])
    );
    for alone in ["edge", "entra-emulator"] {
        assert_eq!(texts(&compose["services"][alone]["networks"]), ["edge"]);
    }
    assert_eq!(texts(&compose["services"]["postgres"]["networks"]), ["database"]);
    assert_eq!(texts(&compose["services"]["nats"]["networks"]), ["bus"]);
    for (name, service) in services(&compose).filter(|(name, _)| !ROOT.contains(name)) {
        assert!(!texts(&service["networks"]).is_empty(), "{name} is in the network of everybody");
    }
}

#[test]
fn what_the_build_needs_is_not_kept_from_it() {
    let ignored = read(".dockerignore");
    let ignored: BTreeSet<_> =
        ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    for needed in [
        "crates",
        "proto",
        "deploy",
        "deploy/nats",
        "deploy/postgres",
        "Cargo.toml",
        "Cargo.lock",
        "tests-e2e",
    ] {
        assert!(!ignored.contains(needed) && root().join(needed).exists(), "{needed}");
    }
    // A crate's README is its documentation, which the compiler reads.
    assert!(ignored.contains("!crates/*/README.md"));
    for secret in [".env", ".local", ".git"] {
        assert!(ignored.contains(secret), "{secret} would be sent to the builder");
    }
    assert!(Path::new(root()).join("deploy/docker/Dockerfile").exists());
}
