//! What the emulator makes of servers that misbehave.

use std::time::Duration;

use entra_emulator::{Action, Cycle, Emulator, Failure, Kind, Outcome, Settings, Skip, Tenant};
use serde_json::json;

use crate::{
    cycles::{company, emulator, settings},
    target::{Received, Reply, TOKEN, Target},
};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn only_failure(cycle: &Cycle) -> &Failure {
    let all: Vec<_> = cycle.failures().collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].1
}

/// A cycle of one person against a server that answers a POST like this.
async fn create_answered_with(reply: Reply) -> (Target, Cycle) {
    let target = Target::start().await;
    target.intercept(move |received| (received.method() == "POST").then(|| reply.clone()));
    let cycle = emulator(&target).run_cycle(&mut company(1, 0)).await;
    (target, cycle)
}

#[tokio::test]
async fn a_probe_that_is_not_answered_properly_quarantines_the_job_at_once() {
    for (reply, expected) in [
        (Reply::error(401, "revoked"), "credentials appear to be invalid"),
        (Reply::error(403, "no"), "credentials appear to be invalid"),
        (Reply::error(404, "no such user"), "404 where 200 and an empty list are expected"),
        (Reply::text(200, "text/html", "<html>"), "not application/scim+json"),
        (Reply::text(200, "application/scim+json", "<html>"), "the body is not JSON"),
        (Reply::text(200, "application/scim+json", ""), "the body is empty"),
        (Reply::json(200, &json!({"totalResults": 0})), "schemas is not an array of strings"),
    ] {
        let target = Target::start().await;
        let mut emulator = emulator(&target);
        let mut tenant = company(3, 0);
        target.intercept(move |_| Some(reply.clone()));
        let cycle = emulator.run_cycle(&mut tenant).await;
        let quarantine = cycle.quarantine.as_ref().unwrap();
        assert!(quarantine.message.contains(expected), "{}", quarantine.message);
        assert!(!cycle.succeeded());
        assert_eq!(target.take_received().len(), 1, "nothing is sent after a failed probe");
        // Nothing is forgotten either.
        target.behave();
        let cycle = emulator.run_cycle(&mut tenant).await;
        assert_eq!(cycle.succeeded_users(Action::Create), 3);
    }
}

#[tokio::test]
async fn a_server_that_ignores_filters_is_found_out_by_the_probe() {
    let target = Target::start().await;
    target.intercept(|received| {
        let user = json!({"schemas": ["urn:x"], "id": "u1", "userName": "somebody"});
        let list = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": 1, "Resources": [user],
        });
        received.is_probe().then(|| Reply::json(200, &list))
    });
    let quarantine = emulator(&target).test_connection().await.unwrap_err();
    assert!(quarantine.message.contains("the server ignores filters"), "{}", quarantine.message);
}

#[tokio::test]
async fn an_unreachable_server_quarantines_the_job() {
    let target = Target::start().await;
    let url = target.url.clone();
    drop(target);
    let mut emulator = Emulator::new(Settings::new(url, TOKEN)).unwrap();
    let cycle = emulator.run_cycle(&mut company(1, 0)).await;
    let message = cycle.quarantine.unwrap().message;
    assert!(message.starts_with("the server cannot be reached"), "{message}");
}

#[tokio::test]
async fn a_token_revoked_in_the_middle_stops_the_cycle_and_the_rest_comes_later() {
    let target = Target::start().await;
    let mut emulator = Emulator::new(Settings { concurrency: 1, ..settings(&target) }).unwrap();
    let mut tenant = company(10, 0);
    let mut posts = 0;
    target.intercept(move |received| {
        posts += usize::from(received.method() == "POST");
        (posts > 4).then(|| Reply::error(401, "revoked"))
    });
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.quarantine.is_some());
    assert_eq!(cycle.succeeded_users(Action::Create), 4);
    assert_eq!(only_failure(&cycle).code, "Unauthorized");
    let skipped =
        cycle.entries.iter().filter(|e| matches!(e.outcome, Outcome::Skipped(Skip::Quarantined))).count();
    assert!(skipped >= 5, "{skipped}");
    target.behave();
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded(), "{:?}", cycle.failures().next());
    assert_eq!(target.users().len(), 10);
}

#[tokio::test]
async fn retry_after_is_honoured_three_times_and_then_the_object_fails() {
    for status in [429, 503] {
        let (target, cycle) = create_answered_with(Reply::error(status, "busy").retry_after(0)).await;
        assert_eq!(only_failure(&cycle).status(), Some(status));
        assert_eq!(cycle.repeats, 3);
        let posts = target.take_received().iter().filter(|received| received.method() == "POST").count();
        assert_eq!(posts, 4);
    }
}

#[tokio::test]
async fn a_busy_server_that_recovers_costs_nothing() {
    let target = Target::start().await;
    let mut refused = 0;
    target.intercept(move |received| {
        refused += usize::from(received.method() == "POST");
        (received.method() == "POST" && refused <= 2).then(|| Reply::error(429, "busy").retry_after(0))
    });
    let cycle = emulator(&target).run_cycle(&mut company(1, 0)).await;
    assert!(cycle.succeeded());
    assert_eq!(cycle.repeats, 2);
}

#[tokio::test]
async fn without_retry_after_nothing_is_repeated() {
    let (_, cycle) = create_answered_with(Reply::error(503, "away")).await;
    assert_eq!(cycle.repeats, 0);
    assert_eq!(only_failure(&cycle).status(), Some(503));
}

#[tokio::test]
async fn a_refusal_is_reported_with_entras_code_and_the_raw_body() {
    for (status, code) in [
        (400, "SystemForCrossDomainIdentityManagementBadRequest"),
        (403, "InsufficientRights"),
        (409, "Conflict"),
        (422, "UnprocessableEntity"),
        (500, "InternalServerError"),
    ] {
        let (_, cycle) = create_answered_with(Reply::error(status, "because of the moon")).await;
        let failure = only_failure(&cycle);
        assert_eq!(failure.code, code);
        assert!(failure.reason.contains("because of the moon"), "{}", failure.reason);
        assert!(failure.exchange.as_ref().unwrap().response_body().contains("because of the moon"));
        assert!(cycle.quarantine.is_none(), "one object does not stop a job");
    }
}

#[tokio::test]
async fn an_answer_that_entra_cannot_read_is_a_failure_that_heals_by_matching() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = company(1, 0);
    target.distort(|user| user["active"] = json!("True"));
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert_eq!(only_failure(&cycle).code, "SystemForCrossDomainIdentityManagementServiceIncompatible");
    assert!(only_failure(&cycle).reason.contains("active is not a boolean"));
    target.behave();
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded());
    assert_eq!(cycle.succeeded_users(Action::Link), 1, "the user was there after all");
}

#[tokio::test]
async fn a_manager_that_comes_back_as_a_string_is_found() {
    let target = Target::start().await;
    target.distort(|user| {
        if let Some(id) = user.pointer(&format!("/{ENTERPRISE}/manager/value")).cloned() {
            user[ENTERPRISE]["manager"] = id;
        }
    });
    let cycle = emulator(&target).run_cycle(&mut company(2, 0)).await;
    assert!(only_failure(&cycle).reason.contains("manager is not an object"));
    assert_eq!(cycle.counts()[&(Kind::User, Action::Manager)].failure, 1);
}

#[tokio::test]
async fn a_value_that_does_not_come_back_as_sent_is_found_by_verification_only() {
    for verify in [true, false] {
        let target = Target::start().await;
        target.distort(|user| user["userName"] = json!(user["userName"].as_str().unwrap().to_uppercase()));
        let mut emulator = Emulator::new(Settings { verify, ..settings(&target) }).unwrap();
        let cycle = emulator.run_cycle(&mut company(1, 0)).await;
        assert_eq!(cycle.succeeded(), !verify);
        if verify {
            let failure = only_failure(&cycle);
            assert_eq!(failure.code, "VerificationFailed");
            assert!(
                failure.reason.contains("Entra would PATCH this again in every cycle"),
                "{}",
                failure.reason
            );
        }
    }
}

#[tokio::test]
async fn a_deleted_user_that_is_still_there_is_found() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire();
    emulator.run_cycle(&mut tenant).await;
    tenant.delete(anna);
    target.intercept(|received| (received.method() == "DELETE").then(|| Reply::text(204, "x", "")));
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert_eq!(only_failure(&cycle).reason, "it was deleted but can still be read");
}

#[tokio::test]
async fn a_delete_of_what_is_gone_already_is_a_success() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire();
    emulator.run_cycle(&mut tenant).await;
    target.lose_user(emulator.user_id(anna).unwrap());
    tenant.delete(anna);
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded());
    assert_eq!(cycle.succeeded_users(Action::Delete), 1);
}

#[tokio::test]
async fn two_hits_for_one_name_fail_the_person() {
    let target = Target::start().await;
    let mut tenant = Tenant::empty("contoso.com", 1);
    tenant.hire_named("Anna", "Berg", "anna");
    for id in ["a", "b"] {
        target.add_user(json!({"schemas": ["urn:x"], "id": id, "userName": "Anna@contoso.com"}));
    }
    let cycle = emulator(&target).run_cycle(&mut tenant).await;
    assert_eq!(only_failure(&cycle).code, "SystemForCrossDomainIdentityManagementMultipleEntriesInResponse");
    assert!(target.take_received().iter().all(|received| received.method() == "GET"));
}

#[tokio::test]
async fn a_server_without_groups_fails_the_groups_and_spares_the_users() {
    let target = Target::start().await;
    target.intercept(|received| {
        received.target().starts_with("/scim/Groups").then(|| Reply::error(501, "later"))
    });
    let cycle = emulator(&target).run_cycle(&mut company(4, 2)).await;
    assert_eq!(cycle.succeeded_users(Action::Verify), 4);
    assert_eq!(cycle.counts()[&(Kind::Group, Action::Create)].failure, 2);
    assert!(cycle.failures().all(|(_, failure)| failure.code == "NotImplemented"));
    assert!(!cycle.succeeded());
    let groups =
        target.take_received().into_iter().filter(|r| r.target().starts_with("/scim/Groups")).count();
    assert_eq!(groups, 1, "only the probe");
    let without = emulator(&target).run_cycle(&mut company(4, 0)).await;
    assert!(without.succeeded(), "an application without group mapping asks for no groups");
}

#[tokio::test]
async fn a_group_that_cannot_be_deleted_because_groups_are_gone_is_a_failure_too() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = company(4, 1);
    assert!(emulator.run_cycle(&mut tenant).await.succeeded());
    let group = tenant.groups().next().unwrap().object_id;
    tenant.delete_group(group);
    target.intercept(|received| {
        received.target().starts_with("/scim/Groups").then(|| Reply::error(501, "later"))
    });
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert_eq!(only_failure(&cycle).code, "NotImplemented");
    target.behave();
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded());
    assert_eq!(cycle.counts()[&(Kind::Group, Action::Delete)].success, 1);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_a_timeout() {
    let target = Target::start().await;
    target.intercept(|received| (received.method() == "POST").then(Reply::never));
    // Long enough for a busy machine to answer the requests before it.
    let time_limit = Duration::from_secs(2);
    let mut emulator = Emulator::new(Settings { time_limit, ..settings(&target) }).unwrap();
    let cycle = emulator.run_cycle(&mut company(1, 0)).await;
    assert_eq!(only_failure(&cycle).code, "Timeout");
}

#[tokio::test]
async fn a_reference_to_a_manager_that_failed_follows_when_the_manager_does() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = Tenant::empty("contoso.com", 1);
    let boss = tenant.hire_named("Miriam", "Graham", "miriam");
    let anna = tenant.hire_named("Anna", "Berg", "anna");
    tenant.set_manager(anna, Some(boss));
    target.intercept(|received: &Received| {
        let name = received.body.as_ref().and_then(|body| body.get("userName")?.as_str());
        (name == Some("miriam@contoso.com")).then(|| Reply::error(500, "not her"))
    });
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert_eq!(only_failure(&cycle).code, "InternalServerError");
    target.behave();
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded(), "{:?}", cycle.failures().next());
    assert_eq!(cycle.succeeded_users(Action::Manager), 1);
}

#[tokio::test]
async fn the_token_is_in_no_exchange_and_in_no_wire_log_even_when_the_server_repeats_it() {
    let target = Target::start().await;
    target.intercept(|received| {
        (received.method() == "POST").then(|| Reply::error(400, &format!("bad request with {TOKEN}")))
    });
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("wire.ndjson");
    let with_log = Settings { wire_log: Some(path.clone()), ..settings(&target) };
    assert!(!format!("{with_log:?}").contains(TOKEN));
    let mut emulator = Emulator::new(with_log).unwrap();
    let cycle = emulator.run_cycle(&mut company(2, 0)).await;
    assert!(!format!("{cycle:?}{emulator:?}").contains(TOKEN));
    let log = std::fs::read_to_string(path).unwrap();
    assert_eq!(log.lines().count(), cycle.exchanges.len());
    assert!(!log.contains(TOKEN) && log.contains("[redacted token]"));
    for line in log.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(line["request_headers"]["Authorization"], "Bearer [redacted]");
        assert!(line["status"].is_u64() && line["duration_ms"].is_f64() && line["target"].is_string());
    }
}

#[tokio::test]
async fn a_token_that_is_a_letter_garbles_no_answer() {
    let target = Target::start().await;
    target.expect_token("e");
    let mut emulator = Emulator::new(Settings::new(&target.url, "e")).unwrap();
    let cycle = emulator.run_cycle(&mut company(3, 0)).await;
    assert!(cycle.succeeded(), "{:?} {:?}", cycle.quarantine, cycle.failures().next());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_before_anything_is_sent() {
    for url in ["", "contoso.com/scim", "ftp://contoso.com/scim", "/scim"] {
        assert!(Emulator::new(Settings::new(url, TOKEN)).is_err(), "{url}");
    }
    for token in ["", "two\nlines"] {
        assert!(Emulator::new(Settings::new("http://contoso.com/scim", token)).is_err(), "{token:?}");
    }
    assert!(Emulator::new(Settings::new("http://contoso.com/scim", TOKEN)).is_ok());
}
