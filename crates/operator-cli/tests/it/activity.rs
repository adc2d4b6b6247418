//! What operators see of what Entra did.

use bus_contract::{
    Message as _, Timestamp,
    directory::{
        self, AttributeChange, CompanyHealth, Concern, CredentialUse, Cycle, GetActivityReply, Health,
        ListCycles, ListCyclesReply, ListHealth, ListHealthReply, ListLog, ListLogReply, LogEntry, concern,
        health, reply::Result as DirectoryAnswer,
    },
    provisioning::{Refused, refused::Reason},
    subject::{GET_ACTIVITY, LIST_CYCLES, LIST_HEALTH, LIST_LOG},
};
use serde_json::Value;

use crate::harness::{operator, server, service, stdout};

const COMPANY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const REQUEST: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

fn answered(result: DirectoryAnswer) -> directory::Reply {
    directory::Reply { result: Some(result) }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_filtered_and_says_how_to_go_on() {
    let server = server();
    service(&server, LIST_LOG, |question| {
        let question = ListLog::decode(question).unwrap();
        assert_eq!((question.name_prefix.as_str(), question.limit), ("anna", 2));
        assert_eq!(question.outcomes, ["refused", "failed"]);
        assert!(question.from.is_some());
        let refusal = Refused {
            reason: Reason::Conflict.into(),
            scim_type: "uniqueness".into(),
            detail: "Another user has this userName.".into(),
        };
        let change = AttributeChange {
            path: "title".into(),
            before: Some("\"secret before\"".into()),
            ..AttributeChange::default()
        };
        let entry = LogEntry {
            request_id: REQUEST.into(),
            accepted_at: at(0),
            verb: "create".into(),
            outcome: "refused".into(),
            target_name: "anna@contoso.com".into(),
            refusal: Some(refusal),
            changes: vec![change],
            ..LogEntry::default()
        };
        answered(DirectoryAnswer::ListLog(ListLogReply { entries: vec![entry], has_more: true }))
    })
    .await;
    let arguments = [
        "activity",
        "log",
        "--company",
        COMPANY,
        "--name",
        "anna",
        "--outcome",
        "refused,failed",
        "--since",
        "24h",
        "--limit",
        "2",
    ];
    let table = stdout(&operator(&server.url(), &arguments));
    assert!(table.contains("1970-01-01T00:00:00Z") && table.contains("anna@contoso.com"), "{table}");
    assert!(table.contains("uniqueness Another user has this userName."), "{table}");
    assert!(table.contains(&format!("--before {REQUEST}")), "{table}");
    assert!(!table.contains("secret before"), "values are between the customer and Entra: {table}");

    let printed = stdout(&operator(&server.url(), &[&arguments[..], &["--json"]].concat()));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed[0]["changed"][0], "title");
}

#[tokio::test(flavor = "multi_thread")]
async fn cycles_show_what_was_done_and_what_stood_in_the_way() {
    let server = server();
    service(&server, LIST_CYCLES, |question| {
        assert_eq!(ListCycles::decode(question).unwrap().limit, 20);
        let causes =
            vec![directory::FailureCause { cause: "409 uniqueness".into(), count: 3, is_reference: false }];
        let cycle = Cycle {
            cycle_id: REQUEST.into(),
            started_at: at(0),
            last_call_at: at(60),
            created: 25,
            refused: 3,
            causes,
            ..Cycle::default()
        };
        answered(DirectoryAnswer::ListCycles(ListCyclesReply { cycles: vec![cycle], has_more: false }))
    })
    .await;
    let printed = stdout(&operator(&server.url(), &["activity", "cycles", "--company", COMPANY, "--json"]));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!((&printed[0]["created"], &printed[0]["causes"][0]["count"]), (&25.into(), &3.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn activity_says_when_each_credential_was_used_from_where_and_how_often_it_was_refused() {
    let server = server();
    service(&server, GET_ACTIVITY, |_question| {
        let seen = CredentialUse {
            credential_id: REQUEST.into(),
            first_used_at: at(0),
            last_used_at: at(60),
            last_address: "192.0.2.7".into(),
            calls: 41,
            refused_calls: 7,
            last_worked_at: at(60),
        };
        // One that never let anybody in: it had ended before its first call.
        let ended =
            CredentialUse { credential_id: COMPANY.into(), refused_calls: 3, ..CredentialUse::default() };
        let uses = vec![seen, ended];
        answered(DirectoryAnswer::GetActivity(GetActivityReply { uses, ..GetActivityReply::default() }))
    })
    .await;
    let arguments = ["activity", "show", "--company", COMPANY];
    let table = stdout(&operator(&server.url(), &arguments));
    assert!(table.contains("STATE") && table.contains("never connected"), "{table}");
    let words = |id: &str| -> Vec<String> {
        let line = table.lines().find(|line| line.contains(id)).unwrap_or_else(|| panic!("{id}: {table}"));
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(words(REQUEST), [REQUEST, "1970-01-01T00:01:00Z", "192.0.2.7", "41", "7"]);
    assert_eq!(words(COMPANY), [COMPANY, "0", "3"]);

    let printed = stdout(&operator(&server.url(), &[&["--json"], arguments.as_slice()].concat()));
    let printed: Value = serde_json::from_str(&printed).unwrap();
    let credential = &printed["credentials"][0];
    assert_eq!((&credential["last_address"], &credential["refused_calls"]), (&"192.0.2.7".into(), &7.into()));
    assert_eq!(printed["credentials"][1]["last_used_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn companies_in_trouble_are_found_on_every_page() {
    let server = server();
    service(&server, LIST_HEALTH, |question| {
        let after = ListHealth::decode(question).unwrap().after_company_id;
        let company = |company_id: &str, state: health::State| {
            let concern = Concern { kind: concern::Kind::Silent.into(), ..Concern::default() };
            let health = Health { state: state.into(), concerns: vec![concern], ..Health::default() };
            CompanyHealth { company_id: company_id.into(), health: Some(health) }
        };
        let companies = match after.as_str() {
            "" => vec![company("a", health::State::Healthy), company("b", health::State::Warning)],
            "b" => vec![company("c", health::State::Critical), company("d", health::State::Disconnected)],
            _ => vec![],
        };
        answered(DirectoryAnswer::ListHealth(ListHealthReply { companies }))
    })
    .await;
    let ids = |arguments: &[&str]| -> Vec<String> {
        let printed: Value = serde_json::from_str(&stdout(&operator(&server.url(), arguments))).unwrap();
        let companies = printed.as_array().unwrap();
        companies.iter().map(|company| company["company_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&["activity", "health", "--json"]), ["b", "c"]);
    assert_eq!(ids(&["activity", "health", "--all", "--json"]), ["a", "b", "c", "d"]);
}
