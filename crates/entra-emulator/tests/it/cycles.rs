//! What a cycle sends, in which order, and what the target looks like afterwards.

use entra_emulator::{
    Action, Dialect, Emulator, Generation, Kind, Purpose, Settings, Tenant, changes::Turnover,
};
use serde_json::json;

use crate::target::{Received, TOKEN, Target};

pub fn settings(target: &Target) -> Settings {
    Settings::new(&target.url, TOKEN)
}

pub fn emulator(target: &Target) -> Emulator {
    Emulator::new(settings(target)).unwrap()
}

pub fn company(users: usize, groups: usize) -> Tenant {
    Tenant::generate(&Generation { users, groups, seed: 11, domain: "contoso.com".into() })
}

#[tokio::test]
async fn an_initial_cycle_lands_everybody_with_managers_and_groups() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let mut tenant = company(30, 2);
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded(), "{:?}", cycle.failures().next());
    assert_eq!(cycle.succeeded_users(Action::Create), 30);
    assert_eq!(cycle.succeeded_users(Action::Manager), 29);
    assert_eq!(cycle.succeeded_users(Action::Verify), 30);
    assert_eq!(cycle.counts()[&(Kind::Group, Action::Create)].success, 2);
    assert_eq!(cycle.counts()[&(Kind::Group, Action::Verify)].success, 2);
    assert_eq!(target.users().len(), 30);
    let everybody = emulator.group_id(tenant.groups().next().unwrap().object_id).unwrap();
    assert_eq!(target.group(everybody).unwrap()["members"].as_array().unwrap().len(), 30);
}

#[tokio::test]
async fn a_cycle_goes_through_its_phases_in_entras_order() {
    let target = Target::start().await;
    let mut emulator = emulator(&target);
    let cycle = emulator.run_cycle(&mut company(12, 1)).await;
    let mut phases: Vec<_> = cycle.exchanges.iter().map(|exchange| exchange.purpose).collect();
    phases.dedup();
    let first = |purpose| phases.iter().position(|p| *p == purpose).unwrap();
    let last_of_users =
        cycle.exchanges.iter().rposition(|e| e.target == "/scim/Users" && e.status() == Some(201));
    let managers = cycle.exchanges.iter().position(|e| e.purpose == Purpose::Manager).unwrap();
    assert!(last_of_users.unwrap() < managers, "managers follow all users");
    assert_eq!(first(Purpose::Probe), 0);
    assert!(
        first(Purpose::Manager) < first(Purpose::Members) && first(Purpose::Members) < first(Purpose::Verify)
    );
}

#[tokio::test]
async fn headers_are_entras_and_no_others() {
    let target = Target::start().await;
    emulator(&target).run_cycle(&mut company(3, 0)).await;
    let host = target.url.trim_start_matches("http://").trim_end_matches("/scim").to_owned();
    for Received { request_line, mut headers, body } in target.take_received() {
        assert!(request_line.ends_with(" HTTP/1.1"), "{request_line}");
        headers.retain(|header| !header.starts_with("Content-Length: "));
        headers.sort();
        let mut expected = vec![format!("Authorization: Bearer {TOKEN}"), format!("Host: {host}")];
        if body.is_some() {
            expected.insert(1, "Content-Type: application/scim+json; charset=utf-8".to_owned());
        }
        assert_eq!(headers, expected, "{request_line}");
    }
}

#[tokio::test]
async fn a_second_job_links_what_it_finds_and_sends_nothing() {
    let target = Target::start().await;
    emulator(&target).run_cycle(&mut company(20, 0)).await;
    target.take_received();
    let cycle = emulator(&target).run_cycle(&mut company(20, 0)).await;
    assert!(cycle.succeeded());
    assert_eq!(cycle.succeeded_users(Action::Link), 20);
    assert!(target.take_received().iter().all(|received| received.method() == "GET"));
}

#[tokio::test]
async fn a_cycle_without_changes_is_one_probe() {
    let target = Target::start().await;
    let mut emulator = Emulator::new(Settings { verify: false, ..settings(&target) }).unwrap();
    let mut tenant = company(5, 1);
    emulator.run_cycle(&mut tenant).await;
    target.take_received();
    assert!(emulator.run_cycle(&mut tenant).await.succeeded());
    let routes: Vec<_> = target.take_received().iter().map(Received::route).collect();
    assert_eq!(routes, ["GET /scim/Users", "GET /scim/Groups"], "one probe for users and one for groups");
}

#[tokio::test]
async fn a_change_is_read_compared_and_only_the_difference_sent() {
    let target = Target::start().await;
    let mut emulator = Emulator::new(Settings { verify: false, ..settings(&target) }).unwrap();
    let mut tenant = Tenant::empty("contoso.com", 1);
    let anna = tenant.hire_named("Anna", "Berg", "anna.berg");
    emulator.run_cycle(&mut tenant).await;
    target.take_received();
    tenant.edit(anna, |person| person.department = Some("Nachtschicht".into()));
    emulator.run_cycle(&mut tenant).await;
    let id = emulator.user_id(anna).unwrap();
    let received = target.take_received();
    let routes: Vec<_> = received.iter().map(Received::route).collect();
    assert_eq!(
        routes,
        ["GET /scim/Users".into(), format!("GET /scim/Users/{id}"), format!("PATCH /scim/Users/{id}")]
    );
    let operations = &received[2].body.as_ref().unwrap()["Operations"];
    assert_eq!(operations.as_array().unwrap().len(), 1);
    assert_eq!(operations[0]["value"], "Nachtschicht");
}

#[tokio::test]
async fn members_travel_in_chunks_and_leave_again() {
    let target = Target::start().await;
    let mut emulator = Emulator::new(Settings { member_chunk: 7, ..settings(&target) }).unwrap();
    let mut tenant = company(20, 1);
    let group = tenant.groups().next().unwrap().object_id;
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded());
    assert_eq!(cycle.exchanges_for(Purpose::Members).count(), 3, "20 members in chunks of 7");
    let leaver = tenant.people().nth(3).unwrap().object_id;
    tenant.edit_group(group, |group| {
        group.members.remove(&leaver);
        group.display_name = "Renamed".into();
    });
    let cycle = emulator.run_cycle(&mut tenant).await;
    assert!(cycle.succeeded());
    let sent: Vec<_> = cycle.exchanges_for(Purpose::Members).collect();
    let operation = &sent[0].request_body.as_ref().unwrap()["Operations"][0];
    let id = emulator.user_id(leaver).unwrap();
    assert_eq!(
        operation,
        &json!({"op": "Remove", "path": "members", "value": [{"$ref": null, "value": id}]})
    );
    let there = target.group(emulator.group_id(group).unwrap()).unwrap();
    assert_eq!(there["displayName"], "Renamed");
    assert_eq!(there["members"].as_array().unwrap().len(), 19);
    tenant.delete_group(group);
    let id = emulator.group_id(group).unwrap().to_owned();
    assert!(emulator.run_cycle(&mut tenant).await.succeeded());
    assert_eq!(target.group(&id), None);
}

#[tokio::test]
async fn much_turnover_succeed_in_both_dialects() {
    for dialect in [Dialect::Default, Dialect::AadOptScim062020] {
        let target = Target::start().await;
        let mut emulator = Emulator::new(Settings { dialect: Some(dialect), ..settings(&target) }).unwrap();
        let mut tenant = company(60, 2);
        let mut turnover = Turnover::new(3, 40);
        emulator.run_cycle(&mut tenant).await;
        let mut done = std::collections::BTreeSet::new();
        for _ in 0..4 {
            assert!(turnover.round(&mut tenant) > 0);
            let cycle = emulator.run_cycle(&mut tenant).await;
            assert!(cycle.succeeded(), "{dialect:?}: {:?}", cycle.failures().next());
            done.extend(cycle.counts().into_iter().filter(|(_, c)| c.success > 0).map(|(what, _)| what));
        }
        for action in
            [Action::Create, Action::Update, Action::Disable, Action::Enable, Action::Delete, Action::Manager]
        {
            assert!(done.contains(&(Kind::User, action)), "{action} never happened");
        }
    }
}

#[tokio::test]
async fn the_same_seed_sends_the_same_requests() {
    let mut conversations = Vec::new();
    for _ in 0..2 {
        let target = Target::start().await;
        let mut emulator = Emulator::new(Settings { concurrency: 1, ..settings(&target) }).unwrap();
        let mut tenant = company(25, 2);
        let mut turnover = Turnover::new(3, 20);
        emulator.run_cycle(&mut tenant).await;
        for _ in 0..2 {
            turnover.round(&mut tenant);
            emulator.run_cycle(&mut tenant).await;
        }
        let received = target.take_received();
        conversations.push(received.into_iter().map(|r| (r.request_line, r.body)).collect::<Vec<_>>());
    }
    assert!(conversations[0].len() > 100);
    assert_eq!(conversations[0], conversations[1]);
}

#[tokio::test]
async fn the_tenant_url_may_carry_the_flag_which_is_not_transmitted_by_default() {
    let target = Target::start().await;
    for (transmit_flag, expected) in [(false, "/scim/Users?filter="), (true, "&aadOptscim062020")] {
        let flagged =
            Settings { transmit_flag, ..Settings::new(format!("{}/?aadOptscim062020", target.url), TOKEN) };
        let mut emulator = Emulator::new(flagged).unwrap();
        assert_eq!(emulator.dialect(), Dialect::AadOptScim062020);
        emulator.test_connection().await.unwrap();
        let probe = target.take_received().remove(0);
        assert!(probe.target().contains(expected), "{probe:?}");
        assert_eq!(probe.target().contains("aadOptscim062020"), transmit_flag);
    }
}

#[tokio::test]
async fn two_companies_can_be_provisioned_side_by_side() {
    let target = Target::start().await;
    let jobs = ["contoso.com", "fabrikam.com"].map(|domain| {
        let mut emulator = emulator(&target);
        let mut tenant =
            Tenant::generate(&Generation { users: 15, groups: 1, seed: 2, domain: domain.into() });
        tokio::spawn(async move { emulator.run_cycle(&mut tenant).await.succeeded() })
    });
    for job in jobs {
        assert!(job.await.unwrap());
    }
    assert_eq!(target.users().len(), 30);
}
