//! One company never sees or touches another's users, whatever it asks.

use bus_contract::{
    directory::{
        BrowseGroups, BrowseUsers, Call, ListLog, call::Answer, health::State,
        look_up_group::Key as GroupKey, look_up_user::Key,
    },
    provisioning::refused::Reason,
    subject::BROWSE_USERS,
};
use serde_json::json;
use typed_ids::CompanyId;

use crate::{
    console::{Console, call, lines_of},
    harness::{Caller, World, eventually, postgres, refusal, url},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_user_does_not_exist() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = world.caller().await;
    let mut fabrikam = Caller::new(world.bus("gateway").await, CompanyId::mint()).await;
    let anna = contoso.hire(json!({"userName": "anna@example.com", "externalId": "1"})).await;

    for key in [
        Key::UserId(anna.user_id.clone()),
        Key::UserName("anna@example.com".to_owned()),
        Key::ExternalId("1".to_owned()),
    ] {
        assert_eq!(fabrikam.look_up(key).await, []);
    }
    assert_eq!(fabrikam.search("userName pr", 0, 10).await, (0, vec![]));
    assert_eq!(refusal(fabrikam.patch(&anna.user_id, &[]).await).0, Reason::NotFound);
    assert_eq!(refusal(fabrikam.replace(&anna.user_id, &json!({"userName": "x"})).await).0, Reason::NotFound);
    assert_eq!(refusal(fabrikam.delete(&anna.user_id).await).0, Reason::NotFound);
    // The name is free there, and the two live side by side.
    fabrikam.hire(json!({"userName": "anna@example.com"})).await;
    assert_eq!(contoso.look_up(Key::UserId(anna.user_id.clone())).await, [anna]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_group_does_not_exist() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = world.caller().await;
    let mut fabrikam = Caller::new(world.bus("gateway").await, CompanyId::mint()).await;
    let anna = contoso.hire(json!({"userName": "anna@example.com"})).await.user_id;
    let payroll = contoso.form("Payroll", &[&anna]).await;

    let key = GroupKey::GroupId(payroll.group_id.clone());
    assert_eq!(fabrikam.look_up_group(key.clone()).await, []);
    assert_eq!(fabrikam.look_up_group(GroupKey::DisplayName("Payroll".to_owned())).await, []);
    assert_eq!(fabrikam.search_groups("").await, []);
    assert_eq!(fabrikam.search_groups(&format!("members eq \"{anna}\"")).await, []);
    assert_eq!(fabrikam.members(&payroll.group_id, "", 10).await.version, 0);
    assert_eq!(refusal(fabrikam.patch_members(&payroll.group_id, &[], &[&anna]).await).0, Reason::NotFound);
    assert_eq!(refusal(fabrikam.delete_group(&payroll.group_id).await).0, Reason::NotFound);
    assert_eq!(contoso.look_up_group(key).await, [payroll]);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_activity_does_not_exist() {
    let world = World::new();
    let _directory = world.directory().await;
    let console = Console::new(&world).await;
    let mut contoso = world.caller().await;
    let fabrikam = CompanyId::mint();
    let anna = contoso.hire(json!({"userName": "anna@example.com", "displayName": "Anna"})).await.user_id;
    let group = contoso.form("Payroll", &[&anna]).await.group_id;
    let seen = Call { target_name: "anna@example.com".to_owned(), ..call("search", Answer::Found, 200) };
    console.report(contoso.company, vec![seen]).await;
    eventually("the call is counted", async || console.counted(contoso.company).await == 1).await;

    let own = console.log(lines_of(contoso.company)).await.entries;
    assert_eq!(own.len(), 3);
    let cycle = console.latest(contoso.company).await.cycle_id;
    let lines = lines_of(fabrikam);
    for question in [
        lines.clone(),
        ListLog { user_id: anna.clone(), ..lines.clone() },
        ListLog { group_id: group.clone(), ..lines.clone() },
        ListLog { name_prefix: "a".to_owned(), ..lines.clone() },
        ListLog { request_id: own[0].request_id.clone(), ..lines.clone() },
        ListLog { verbs: vec!["create".to_owned()], ..lines.clone() },
        ListLog { before_request_id: own[0].request_id.clone(), ..lines },
    ] {
        assert_eq!(console.log(question).await.entries, []);
    }
    let activity = console.activity(fabrikam).await;
    assert_eq!((activity.health.unwrap().state(), activity.latest), (State::NeverConnected, None));
    assert_eq!((activity.uses, activity.slots.iter().map(|slot| slot.calls).sum::<u64>()), (vec![], 0));
    assert_eq!(console.cycles(fabrikam, "", 100).await.cycles, []);
    assert_eq!(console.cycles(fabrikam, &cycle, 100).await.cycles, []);
    for search in ["", "anna", anna.as_str()] {
        let company_id = fabrikam.to_string();
        let users =
            BrowseUsers { company_id, search: search.to_owned(), limit: 200, ..BrowseUsers::default() };
        assert_eq!(console.users(users).await.users, []);
    }
    for search in ["", "pay", group.as_str()] {
        let company_id = fabrikam.to_string();
        let groups =
            BrowseGroups { company_id, search: search.to_owned(), limit: 200, ..BrowseGroups::default() };
        assert_eq!(console.groups(groups).await.groups, []);
    }
    // A foreign user is no place in the list either.
    let behind = BrowseUsers {
        company_id: fabrikam.to_string(),
        after_user_id: anna,
        limit: 1,
        ..BrowseUsers::default()
    };
    assert!(console.ask(BROWSE_USERS, behind).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_shows_nothing_to_a_transaction_that_names_no_company() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut contoso = world.caller().await;
    let anna = contoso.hire(json!({"userName": "anna@example.com"})).await.user_id;
    contoso.form("Payroll", &[&anna]).await;
    let console = Console::new(&world).await;
    let seen = Call { credential_id: CompanyId::mint().to_string(), ..call("search", Answer::Found, 200) };
    console.report(contoso.company, vec![seen]).await;
    eventually("the call is counted", async || console.counted(contoso.company).await == 1).await;
    let event =
        "insert into company_events values ('{}', gen_random_uuid(), now(), null, null, null, 'a', 'b', 'c')";
    world.sql(&event.replace("{}", &contoso.company.to_string()));
    world.sql(&format!(
        "insert into brakes (company_id, brake_id, state, began_at, last_at, ends_at, people) \
           values ('{0}', gen_random_uuid(), 'on', now(), now(), now(), 1); \
         insert into removals (company_id, user_id, removed_at, user_name, was_active) \
           values ('{0}', gen_random_uuid(), now(), 'anna', true); \
         insert into brake_rules (company_id) values ('{0}')",
        contoso.company
    ));

    for role in ["directory_service", "directory_owner"] {
        let count = |setting: &str| {
            let script = format!(
                "\\connect \"{}\"\n{setting} select (select count(*) from users), (select count(*) from provisioning_log), \
                   (select count(*) from groups), (select count(*) from memberships), (select count(*) from connections), \
                   (select count(*) from cycles), (select count(*) from call_slots), \
                   (select count(*) from credential_uses), (select count(*) from company_events), (select count(*) from brakes), \
                   (select count(*) from removals), (select count(*) from brake_rules);",
                url(&world.database, role)
            );
            postgres().sql(&world.database, &script).unwrap().lines().last().unwrap_or_default().to_owned()
        };
        assert_eq!(count(""), "0|0|0|0|0|0|0|0|0|0|0|0", "{role}");
        let other = format!("set timeclock.companies = '{{{}}}';", CompanyId::mint());
        assert_eq!(count(&other), "0|0|0|0|0|0|0|0|0|0|0|0", "{role}");
        let own = format!("set timeclock.companies = '{{{}}}';", contoso.company);
        assert_eq!(count(&own), "1|2|1|1|1|1|1|1|1|1|1|1", "{role}");
    }
}
