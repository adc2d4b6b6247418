//! Groups and who is in them.

use std::collections::BTreeSet;

use bus_contract::{
    Message as _,
    directory::{
        Fact, Member, MemberReference, fact::Event, look_up_group::Key as GroupKey, look_up_user::Key,
    },
    provisioning::{
        MembersChange, Outcome, ReplaceGroup, outcome, patch_operation::Op, refused::Reason, request::Change,
    },
    subject::Verb,
};
use futures_util::StreamExt as _;
use serde_json::json;
use typed_ids::UserId;

use crate::harness::{
    Caller, DEADLINE, World, applied, eventually, group, members_patch, owned, patch_group, refusal,
};

async fn hire(caller: &mut Caller, name: &str) -> String {
    caller.hire(json!({"userName": format!("{name}@contoso.com"), "displayName": name})).await.user_id
}

fn detail(outcome: Outcome) -> String {
    match outcome.result {
        Some(outcome::Result::Refused(refused)) => refused.detail,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_read_by_each_of_its_keys_with_its_members() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let anna = hire(&mut caller, "Anna").await;
    let inner = caller.form("Payroll Berlin", &[]).await;

    let attributes = json!({"displayName": "Payroll", "externalId": "Pay-1"});
    let outer = group(caller.create_group(&attributes, &[&anna, &inner.group_id]).await);

    for key in [
        GroupKey::GroupId(outer.group_id.clone()),
        GroupKey::DisplayName("PAYROLL".to_owned()),
        GroupKey::ExternalId("Pay-1".to_owned()),
    ] {
        assert_eq!(caller.look_up_group(key).await, std::slice::from_ref(&outer));
    }
    assert_eq!(caller.look_up_group(GroupKey::ExternalId("pay-1".to_owned())).await, []);
    let members = caller.members(&outer.group_id, "", 10).await;
    assert_eq!((members.version, members.has_more), (1, false));
    let member = |id: &str, is_group, name: &str| Member {
        member_id: id.to_owned(),
        is_group,
        display_name: name.to_owned(),
    };
    assert_eq!(
        members.members,
        [member(&anna, false, "Anna"), member(&inner.group_id, true, "Payroll Berlin")]
    );
    // Read-only on the user, and never a group's id there.
    let shown = caller.look_up(Key::UserId(anna)).await.remove(0).groups;
    assert_eq!(shown.len(), 1);
    assert_eq!((&shown[0].group_id, shown[0].display_name.as_str()), (&outer.group_id, "Payroll"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_a_group_is_unique_in_its_company_whatever_its_case() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut elsewhere = world.caller().await;
    let first = caller.form("Straße", &[]).await;
    let other = caller.form("Other", &[]).await;
    let taken = || (Reason::Conflict, "uniqueness".to_owned());

    assert_eq!(refusal(caller.create_group(&json!({"displayName": "STRAßE"}), &[]).await), taken());
    let rename = [(Op::Replace, "displayName", json!("straße"))];
    let renaming = patch_group(&other.group_id, &rename, MembersChange::default());
    assert_eq!(refusal(caller.ask(Verb::Update, renaming).await), taken());
    elsewhere.form("Straße", &[]).await;
    caller.delete_group(&first.group_id).await;
    caller.form("straße", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adding_who_is_there_and_removing_who_is_not_changes_nothing() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let (anna, bert) = (hire(&mut caller, "Anna").await, hire(&mut caller, "Bert").await);
    let formed = caller.form("Payroll", &[&anna]).await;

    let nobody = UserId::mint().to_string();
    for (added, removed) in
        [(vec![anna.as_str()], vec![]), (vec![], vec![bert.as_str(), &nobody]), (vec![], vec![])]
    {
        let outcome = caller.patch_members(&formed.group_id, &added, &removed).await;
        assert_eq!(group(outcome), formed);
    }
    let changed = group(caller.patch_members(&formed.group_id, &[&bert], &[&anna]).await);
    assert_eq!(changed.version, 2);
    assert_eq!(caller.member_ids(&formed.group_id).await, [bert]);
}

/// Entra-wire bug 17: nobody sees a membership that is silently dropped.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_member_is_refused_by_name_and_nothing_of_the_request_is_applied() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut elsewhere = world.caller().await;
    let foreign = hire(&mut elsewhere, "Foreign").await;
    let anna = hire(&mut caller, "Anna").await;
    let formed = caller.form("Payroll", &[]).await;

    let rename = [(Op::Replace, "displayName", json!("Renamed"))];
    let members = MembersChange { clear: false, added: owned(&[&anna, &foreign]), removed: vec![] };
    let outcome = caller.ask(Verb::Update, patch_group(&formed.group_id, &rename, members)).await;

    assert!(detail(outcome).contains(&foreign));
    assert_eq!(
        caller.look_up_group(GroupKey::GroupId(formed.group_id.clone())).await,
        std::slice::from_ref(&formed)
    );
    assert_eq!(caller.member_ids(&formed.group_id).await, Vec::<String>::new());
    assert!(
        detail(caller.create_group(&json!({"displayName": "New"}), &[&foreign]).await).contains(&foreign)
    );
    assert_eq!(caller.look_up_group(GroupKey::DisplayName("New".to_owned())).await, []);
    let own = caller.patch_members(&formed.group_id, &[&formed.group_id.clone()], &[]).await;
    assert_eq!(refusal(own).0, Reason::Invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_user_stays_a_member_and_a_deleted_one_does_not() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let (anna, bert) = (hire(&mut caller, "Anna").await, hire(&mut caller, "Bert").await);
    let formed = caller.form("Payroll", &[&anna, &bert]).await;

    let disabled = applied(caller.patch(&anna, &[(Op::Replace, "active", json!(false))]).await);
    assert_eq!(disabled.groups.len(), 1);
    assert_eq!(caller.member_ids(&formed.group_id).await, [anna.clone(), bert.clone()]);
    caller.delete(&anna).await;
    assert_eq!(caller.member_ids(&formed.group_id).await, [bert]);
    let now = caller.look_up_group(GroupKey::GroupId(formed.group_id.clone())).await.remove(0);
    assert_eq!(now.version, 2, "the group is another one without its member");
    assert_eq!(world.sql("select count(*) from memberships").trim(), "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_group_leaves_its_members_and_the_groups_it_was_in() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let anna = hire(&mut caller, "Anna").await;
    let inner = caller.form("Inner", &[&anna]).await;
    let outer = caller.form("Outer", &[&inner.group_id]).await;

    caller.delete_group(&inner.group_id).await;

    assert_eq!(world.sql("select count(*) from memberships").trim(), "0");
    assert_eq!(caller.look_up(Key::UserId(anna)).await.remove(0).groups, []);
    let outer = caller.look_up_group(GroupKey::GroupId(outer.group_id)).await.remove(0);
    assert_eq!(outer.version, 2);
    assert_eq!(refusal(caller.delete_group(&inner.group_id).await).0, Reason::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_group_has_the_members_that_were_listed_and_no_others() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut users = Vec::new();
    for number in 0..4 {
        users.push(hire(&mut caller, &format!("user-{number}")).await);
    }
    let formed = caller.form("Payroll", &[&users[0], &users[1]]).await;
    let replace = |members: &[&str]| {
        Change::ReplaceGroup(ReplaceGroup {
            group_id: formed.group_id.clone(),
            attributes_json: json!({"displayName": "Payroll"}).to_string(),
            member_ids: owned(members),
            condition: None,
        })
    };

    let replaced = group(caller.ask(Verb::Replace, replace(&[&users[1], &users[2]])).await);
    assert_eq!(replaced.version, 2);
    assert_eq!(caller.member_ids(&formed.group_id).await, [users[1].clone(), users[2].clone()]);
    assert_eq!(group(caller.ask(Verb::Replace, replace(&[&users[2], &users[1]])).await).version, 2);
    let clear = MembersChange { clear: true, ..MembersChange::default() };
    caller.ask(Verb::Update, patch_group(&formed.group_id, &[], clear)).await;
    assert_eq!(caller.member_ids(&formed.group_id).await, Vec::<String>::new());
}

/// Entra-wire bug 16, and what happens to servers that read, change and write a list of members.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_changes_of_one_group_lose_nobody() {
    const MEMBERS: usize = 120;
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut users = Vec::new();
    for number in 0..MEMBERS {
        users.push(hire(&mut caller, &format!("user-{number}")).await);
    }
    let formed = caller.form("Payroll", &[&users[0]]).await;
    for user in &users {
        // The half that is added and removed again ends up outside, because requests keep their order.
        caller.send(Verb::Update, members_patch(&formed.group_id, &[user], &[])).await;
    }
    for user in users.iter().skip(MEMBERS / 2) {
        caller.send(Verb::Update, members_patch(&formed.group_id, &[], &[user])).await;
    }
    eventually("every change is applied", async || {
        world.sql("select count(*) from provisioning_log where verb = 'update'").trim()
            == (MEMBERS + MEMBERS / 2).to_string()
    })
    .await;
    let expected: BTreeSet<_> = users.iter().take(MEMBERS / 2).cloned().collect();
    assert_eq!(caller.member_ids(&formed.group_id).await, expected.into_iter().collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_read_page_by_page() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let mut users = Vec::new();
    for number in 0..5 {
        users.push(hire(&mut caller, &format!("user-{number}")).await);
    }
    let ids: Vec<&str> = users.iter().map(String::as_str).collect();
    let formed = caller.form("Payroll", &ids).await;
    users.sort();

    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = caller.members(&formed.group_id, &after, 2).await;
        assert!(page.members.len() <= 2);
        seen.extend(page.members.into_iter().map(|member| member.member_id));
        after = seen.last().unwrap().clone();
        if !page.has_more {
            break;
        }
    }
    assert_eq!(seen, users);
    assert_eq!(caller.members(&UserId::mint().to_string(), "", 10).await.version, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_and_users_are_found_by_who_is_in_which() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let (anna, bert) = (hire(&mut caller, "Anna").await, hire(&mut caller, "Bert").await);
    let inner = caller.form("Inner", &[&anna]).await;
    let outer = caller.form("Outer", &[&inner.group_id, &bert]).await;
    let empty = caller.form("Empty", &[]).await;
    let names = |groups: Vec<bus_contract::directory::GroupRecord>| {
        groups.into_iter().map(|group| group.group_id).collect::<Vec<_>>()
    };
    let (inner, outer, empty) = (inner.group_id, outer.group_id, empty.group_id);

    for (filter, expected) in [
        (format!("members[value eq \"{anna}\"]"), vec![&inner]),
        (format!("members eq \"{inner}\""), vec![&outer]),
        (format!("not (members eq \"{anna}\")"), vec![&outer, &empty]),
        ("members[type eq \"Group\"]".to_owned(), vec![&outer]),
        ("members[type eq \"user\" and display sw \"be\"]".to_owned(), vec![&outer]),
        ("members pr".to_owned(), vec![&inner, &outer]),
        ("members eq \"nonsense\"".to_owned(), vec![]),
        ("members[$ref pr]".to_owned(), vec![&inner, &outer]),
        ("meta pr and meta.location pr".to_owned(), vec![&inner, &outer, &empty]),
        ("displayName co \"NE\" or displayName eq \"empty\"".to_owned(), vec![&inner, &empty]),
        (
            "schemas eq \"urn:ietf:params:scim:schemas:core:2.0:Group\"".to_owned(),
            vec![&inner, &outer, &empty],
        ),
        (format!("id eq \"{outer}\" and meta.resourceType eq \"Group\""), vec![&outer]),
    ] {
        assert_eq!(
            names(caller.search_groups(&filter).await),
            expected.into_iter().cloned().collect::<Vec<_>>(),
            "{filter}"
        );
    }
    for (filter, expected) in [
        (format!("groups[value eq \"{outer}\"]"), vec![&bert]),
        ("groups pr".to_owned(), vec![&anna, &bert]),
        ("groups.$ref pr".to_owned(), vec![&anna, &bert]),
        ("groups[display eq \"INNER\"]".to_owned(), vec![&anna]),
        ("groups[type eq \"direct\"] and userName sw \"b\"".to_owned(), vec![&bert]),
    ] {
        let (total, users) = caller.search(&filter, 0, 10).await;
        let found: Vec<_> = users.iter().map(|user| &user.user_id).collect();
        assert_eq!((total, found), (expected.len() as u64, expected), "{filter}");
    }
}

/// What followers are told, read from the stream as they read it.
#[tokio::test(flavor = "multi_thread")]
async fn every_change_of_a_group_is_announced_with_whom_it_is_about() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let follower = world.bus("follower").await;
    let mut facts = follower.subscribe(format!("facts.v1.{}.>", caller.company)).await.unwrap();
    // The subscription is there before anything happens when a question has made its way after it.
    follower.ping().await.unwrap();
    let (anna, bert) = (hire(&mut caller, "Anna").await, hire(&mut caller, "Bert").await);
    let formed = caller.form("Payroll", &[&anna]).await;
    let rename = [(Op::Replace, "displayName", json!("Payroll DE"))];
    let swap = MembersChange { clear: false, added: owned(&[&bert]), removed: owned(&[&anna]) };
    caller.ask(Verb::Update, patch_group(&formed.group_id, &rename, swap)).await;
    caller.patch_members(&formed.group_id, &[&bert], &[]).await;
    caller.delete(&bert).await;
    caller.delete_group(&formed.group_id).await;

    let mut of_group: Vec<(String, Fact)> = Vec::new();
    while of_group.last().is_none_or(|(event, _)| event != "deleted") {
        let message = tokio::time::timeout(DEADLINE, facts.next()).await.expect("a fact in time").unwrap();
        let (resource, event) = message.subject.rsplit_once('.').unwrap();
        if resource.ends_with(&formed.group_id) {
            of_group.push((event.to_owned(), Fact::decode(message.payload).unwrap()));
        }
    }
    let events: Vec<_> = of_group.iter().map(|(event, _)| event.as_str()).collect();
    assert_eq!(
        events,
        [
            "created",
            "members_added",
            "updated",
            "members_removed",
            "members_added",
            "members_removed",
            "deleted"
        ]
    );
    let members = |fact: &Fact| match fact.event.clone().unwrap() {
        Event::MembersAdded(added) => (added.version, added.members),
        Event::MembersRemoved(removed) => (removed.version, removed.members),
        other => panic!("{other:?}"),
    };
    let only = |id: &str| vec![MemberReference { member_id: id.to_owned(), is_group: false }];
    assert_eq!(members(&of_group[1].1), (1, only(&anna)));
    assert_eq!(members(&of_group[3].1), (2, only(&anna)));
    assert_eq!(members(&of_group[4].1), (2, only(&bert)));
    // By being deleted.
    assert_eq!(members(&of_group[5].1), (3, only(&bert)));
}

/// Two thousand groups with long names are more than a message carries.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_in_very_many_groups_is_still_found_and_can_be_disabled() {
    let world = World::new();
    let _directory = world.directory().await;
    let mut caller = world.caller().await;
    let anna = hire(&mut caller, "Anna").await;
    let company = caller.company;
    world.sql(&format!(
        "insert into groups (company_id, group_id, display_name_key, display_name, version, created_at, \
           last_modified_at, attributes) \
         select '{company}', gen_random_uuid(), name, name, 1, now(), now(), json_build_object('displayName', name) \
         from (select 'group ' || n || repeat('x', 500) as name from generate_series(1, 2000) as n) as named; \
         insert into memberships (company_id, group_id, member_id, is_group) \
         select company_id, group_id, '{anna}', false from groups where company_id = '{company}'"
    ));

    let found = caller.look_up(Key::UserId(anna.clone())).await;
    assert_eq!(found.len(), 1);
    assert!(found[0].groups.len() > 100 && found[0].groups.len() < 2_000, "{}", found[0].groups.len());
    assert_eq!(caller.search("userName pr", 0, 10).await.1, found);
    let disabled = applied(caller.patch(&anna, &[(Op::Replace, "active", json!(false))]).await);
    assert_eq!(disabled.groups, found[0].groups);
}
