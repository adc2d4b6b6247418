//! Arrows only point down, and each technology has its owners.

use workspace_tidy::{Package, Workspace};

use crate::{assert_none, workspace};

/// Every edge there is, so that a new one is a diff in this file. Lower layers first.
const EDGES: [(&str, &[&str]); 22] = [
    // Pure: values and functions.
    ("typed-ids", &[]),
    ("scim-protocol", &[]),
    ("saml-protocol", &[]),
    ("oidc-protocol", &[]),
    ("token-protocol", &["typed-ids"]),
    ("bus-contract", &["typed-ids"]),
    // Plumbing: one technology each, knows no company.
    ("service-runtime", &[]),
    ("bus-jetstream", &["bus-contract", "service-runtime"]),
    ("pg-pool", &["service-runtime"]),
    // Services: they meet only over HTTP and NATS.
    (
        "scim-gateway",
        &["bus-contract", "bus-jetstream", "scim-protocol", "service-runtime", "token-protocol", "typed-ids"],
    ),
    (
        "directory-service",
        &["bus-contract", "bus-jetstream", "pg-pool", "scim-protocol", "service-runtime", "typed-ids"],
    ),
    (
        "token-service",
        &["bus-contract", "bus-jetstream", "pg-pool", "service-runtime", "token-protocol", "typed-ids"],
    ),
    (
        "admin-console",
        &[
            "bus-contract",
            "bus-jetstream",
            "oidc-protocol",
            "pg-pool",
            "saml-protocol",
            "service-runtime",
            "typed-ids",
        ],
    ),
    // Tools: they start programs rather than link them.
    ("operator-cli", &["bus-contract", "bus-jetstream", "service-runtime", "typed-ids"]),
    // An example of what stands outside: it knows the contract and the plumbing, and no service.
    ("fact-subscriber", &["bus-contract", "bus-jetstream", "service-runtime"]),
    ("backing-servers", &[]),
    ("local-stack", &["backing-servers"]),
    // An oracle that shared code with what it judges would share its mistakes.
    ("entra-emulator", &[]),
    ("provisioning-bench", &["backing-servers", "bus-contract", "local-stack", "typed-ids"]),
    ("dashboards", &[]),
    ("workspace-tidy", &[]),
    ("tests-e2e", &["backing-servers", "entra-emulator", "local-stack"]),
];

/// Anyone's tests may start real servers.
const FOR_EVERYBODYS_TESTS: &str = "backing-servers";

const PURE: [&str; 6] =
    ["typed-ids", "scim-protocol", "saml-protocol", "oidc-protocol", "token-protocol", "bus-contract"];

/// What a pure crate never depends on: sockets, runtimes, databases, logs.
const IMPURE: [&str; 12] = [
    "actix-web",
    "async-nats",
    "diesel",
    "futures-util",
    "nix",
    "opentelemetry",
    "prometheus",
    "reqwest",
    "tokio",
    "tokio-util",
    "tracing",
    "tracing-subscriber",
];

/// Which crates name a technology in their `[dependencies]`.
const OWNERS: [(&str, &[&str]); 23] = [
    ("actix-web", &["service-runtime", "scim-gateway", "token-service", "admin-console"]),
    // The bench also measures what the bare client reaches on the same machine.
    ("async-nats", &["bus-jetstream", "provisioning-bench"]),
    // Everything else verifies and signs by ring.
    ("aws-lc-rs", &["saml-protocol"]),
    ("chacha20poly1305", &["scim-gateway", "token-service"]),
    ("diesel", &["pg-pool", "directory-service", "token-service", "admin-console"]),
    ("diesel_migrations", &["pg-pool", "directory-service", "token-service", "admin-console"]),
    ("ed25519-dalek", &["token-service"]),
    // The emulator signs assertions, as Entra does.
    ("jsonwebtoken", &["entra-emulator", "token-protocol", "token-service"]),
    ("openidconnect", &["oidc-protocol"]),
    ("opentelemetry", &["service-runtime"]),
    ("opentelemetry-otlp", &["service-runtime"]),
    // The tests' collector.
    ("opentelemetry-proto", &["tests-e2e"]),
    ("opentelemetry_sdk", &["service-runtime"]),
    ("prost-build", &[]),
    // XML from outside passes one gate.
    ("quick-xml", &["saml-protocol"]),
    ("reqwest", &["tests-e2e"]),
    ("rsa", &["entra-emulator"]),
    ("rusqlite", &["fact-subscriber"]),
    ("rustls", &["service-runtime"]),
    ("saml-rs", &["saml-protocol"]),
    ("tokio-rustls", &["service-runtime"]),
    ("tracing-subscriber", &["service-runtime"]),
    ("x509-cert", &["saml-protocol", "service-runtime"]),
];

fn ours<'a>(workspace: &'a Workspace, package: &'a Package, kind: &str) -> Vec<&'a str> {
    let names = package.dependencies(kind).map(|(name, _)| name);
    names.filter(|name| workspace.packages.iter().any(|member| member.name == *name)).collect()
}

#[test]
fn the_table_of_edges_names_every_crate_and_nothing_else() {
    let mut listed = EDGES.map(|(name, _)| name).to_vec();
    let workspace = workspace();
    let mut members: Vec<_> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    listed.sort_unstable();
    members.sort_unstable();
    assert_eq!(listed, members);
}

#[test]
fn the_table_of_edges_only_points_down() {
    let upward = EDGES.iter().enumerate().flat_map(|(position, (name, below))| {
        let lower = &EDGES[..position];
        let up = below.iter().filter(|target| !lower.iter().any(|(name, _)| name == *target));
        up.map(move |target| format!("{name} -> {target}"))
    });
    assert_none("edges that do not point down", upward);
}

#[test]
fn crates_depend_on_those_that_the_table_lists_and_on_no_others() {
    let workspace = workspace();
    let (mut surprising, mut untrue) = (Vec::new(), Vec::new());
    for package in &workspace.packages {
        let (_, listed) = EDGES.iter().find(|(name, _)| *name == package.name).unwrap();
        let mut unseen = listed.to_vec();
        for kind in ["dependencies", "build-dependencies", "dev-dependencies"] {
            let edges = ours(&workspace, package, kind);
            unseen.retain(|name| !edges.contains(name));
            let for_tests = |name: &str| kind == "dev-dependencies" && name == FOR_EVERYBODYS_TESTS;
            let new = edges.iter().filter(|name| !listed.contains(name) && !for_tests(name));
            surprising.extend(new.map(|name| format!("{} -> {name} in [{kind}]", package.name)));
        }
        untrue.extend(unseen.iter().map(|name| format!("{} -> {name}", package.name)));
    }
    assert_none("edges that the table does not have", surprising);
    assert_none("edges that only the table has", untrue);
}

#[test]
fn the_emulator_shares_nothing_with_what_it_judges() {
    let workspace = workspace();
    let emulator = workspace.packages.iter().find(|package| package.name == "entra-emulator").unwrap();
    let shared = ["dependencies", "dev-dependencies", "build-dependencies"]
        .map(|kind| ours(&workspace, emulator, kind));
    assert_none("crates of ours below entra-emulator", shared.concat().into_iter().map(str::to_owned));
}

#[test]
fn pure_crates_do_no_io() {
    let workspace = workspace();
    let pure = workspace.packages.iter().filter(|package| PURE.contains(&package.name.as_str()));
    let found = pure.flat_map(|package| {
        let impure = package.dependencies("dependencies").filter(|(name, _)| IMPURE.contains(name));
        impure.map(|(name, _)| format!("{} -> {name}", package.name))
    });
    assert_none("dependencies that do IO", found);
}

#[test]
fn each_technology_is_named_by_its_owners_and_by_nobody_else() {
    let workspace = workspace();
    let (mut away, mut unused) = (Vec::new(), Vec::new());
    for (technology, owners) in OWNERS {
        for package in &workspace.packages {
            let uses = package.dependencies("dependencies").any(|(name, _)| name == technology);
            let owns = owners.contains(&package.name.as_str());
            if uses && !owns {
                away.push(format!("{} -> {technology}", package.name));
            } else if owns && !uses {
                unused.push(format!("{} -> {technology}", package.name));
            }
        }
    }
    assert_none("technologies away from their owners", away);
    assert_none("technologies that their owners do not use", unused);
}
