//! Conformance suites that other people wrote pass, but for what we mean to do otherwise.

use std::sync::LazyLock;

use tests_e2e::{
    World,
    actors::suites::{Check, Suites},
};
use tokio::task::block_in_place;

/// Where we mean to differ from what a suite expects.
struct Deviation {
    /// The check, as the suite calls it.
    check: &'static str,
    /// What its detail contains, where a check has many of them.
    about: &'static str,
    because: &'static str,
}

const SCIM2_TESTER: [Deviation; 1] = [Deviation {
    check: "check_remove_attribute",
    about: "'active'",
    because: "RFC 7644 §3.5.2.2 leaves a removed attribute unassigned; we set `active` to false, because a \
              mapping of Entra's that evaluates to nothing must not let a leaver back in (DEVIATIONS.md)",
}];

const SCIM_SANITY: [Deviation; 6] = [
    Deviation { check: "PATCH /Groups/{id}", about: "Expected HTTP 200, got 204", because: NO_CONTENT },
    Deviation {
        check: "PATCH /Groups/{id} remove members",
        about: "Expected 200, got 204",
        because: NO_CONTENT,
    },
    Deviation {
        check: "PATCH /Groups/{id} add member",
        about: "Expected 200, got 400",
        because: "it adds \"fake-member-id\", an id that nobody has; RFC 7643 §4.2 wants the id of a resource, and \
                  a member who is dropped in silence is a right that somebody misses (DEVIATIONS.md)",
    },
    Deviation { check: "Agent CRUD Lifecycle", about: "not supported", because: AGENTS },
    Deviation { check: "AgenticApplication CRUD Lifecycle", about: "not supported", because: AGENTS },
    Deviation { check: "Agent Rapid Lifecycle", about: "not supported", because: AGENTS },
];
const NO_CONTENT: &str = "RFC 7644 §3.5.2 allows 204; Entra expects it of groups, and an answer with all members is \
                          what makes large groups slow";
const AGENTS: &str = "draft-abbey-scim-agent-extension is no RFC; RFC 7643 §6 lets a service choose its resource \
                      types, and nobody at a time clock is an agent";

/// Installed once, by whoever asks first.
static SUITES: LazyLock<Suites> = LazyLock::new(Suites::install);

#[tokio::test(flavor = "multi_thread")]
async fn scim2_tester_finds_nothing_but_known_deviations() {
    let world = World::shared();
    let (url, token) = (world.stack().endpoints().scim_url, &world.company.scim_token);
    let checks = block_in_place(|| SUITES.scim2_tester(&url, token));
    judge(&checks, &SCIM2_TESTER, &["success", "compliant", "acceptable"]);
    for resource in ["User[EnterpriseUser]", "Group"] {
        let about = format!("Successfully created {resource} object");
        assert!(checks.iter().any(|check| check.detail.starts_with(&about)), "{resource}: {checks:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scim_sanity_finds_nothing_but_known_deviations() {
    let world = World::shared();
    let (url, token) = (world.stack().endpoints().scim_url, &world.company.scim_token);
    let checks = block_in_place(|| SUITES.scim_sanity(&url, token));
    judge(&checks, &SCIM_SANITY, &["pass"]);
    for request in ["POST /Users", "POST /Groups"] {
        assert!(checks.iter().any(|check| check.name == request), "{request}: {checks:#?}");
    }
}

/// Demands that every check passes but those of the list, and that each of those is still needed.
fn judge(checks: &[Check], deviations: &[Deviation], passing: &[&str]) {
    let of = |deviation: &Deviation, check: &Check| {
        check.name == deviation.check && check.detail.contains(deviation.about)
    };
    let failed: Vec<_> = checks.iter().filter(|check| !passing.contains(&check.verdict.as_str())).collect();
    let unknown: Vec<_> =
        failed.iter().filter(|check| !deviations.iter().any(|deviation| of(deviation, check))).collect();
    assert!(unknown.is_empty(), "of {} checks: {unknown:#?}", checks.len());
    for deviation in deviations {
        let happens = failed.iter().any(|check| of(deviation, check));
        assert!(happens, "{} no longer deviates: {}", deviation.check, deviation.because);
    }
}
