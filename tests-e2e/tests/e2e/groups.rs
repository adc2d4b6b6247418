//! A group holds whom Entra has put into it, whatever else happens at the time.

use std::collections::BTreeSet;

use entra_emulator::{Action, Generation, Tenant, changes::Turnover};
use futures_util::future::join_all;
use serde_json::json;
use tests_e2e::{
    World,
    actors::{
        entra::{DIALECTS, Entra},
        scim::{Scim, id},
    },
};

/// Members who come and go at once.
const CROWD: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn a_group_arrives_with_its_people_and_follows_what_becomes_of_them() {
    let world = World::shared();
    for dialect in DIALECTS {
        let domain = format!("{dialect:?}.groups.example").to_lowercase();
        let mut entra = world.entra(Tenant::empty(&domain, 1), |settings| settings.dialect = Some(dialect));
        let anna = entra.tenant.hire_named("Anna", "Berg", "anna.berg");
        let boris = entra.tenant.hire_named("Boris", "Lund", "boris.lund");
        let clara = entra.tenant.hire_named("Clara", "Holm", "clara.holm");
        let group = entra.tenant.create_group("Night shift", BTreeSet::from([anna, boris]));
        entra.cycle().await;
        assert_eq!(entra.members(group, &world.scim).await, entra.account_ids(&[anna, boris]));
        let shown = entra.account(anna, &world.scim).await;
        assert_eq!(shown["groups"][0]["display"], "Night shift");

        entra.tenant.edit_group(group, |group| {
            "Day shift".clone_into(&mut group.display_name);
            group.members.remove(&anna);
            group.members.insert(clara);
        });
        entra.cycle().await;
        assert_eq!(entra.members(group, &world.scim).await, entra.account_ids(&[boris, clara]));
        assert_eq!(entra.account(anna, &world.scim).await["groups"], json!(null));

        // Whoever is disabled stays a member; whoever is deleted does not.
        entra.tenant.disable(boris);
        entra.cycle().await;
        assert_eq!(entra.members(group, &world.scim).await, entra.account_ids(&[boris, clara]));
        let left = entra.account_id(boris);
        entra.tenant.delete(boris);
        entra.cycle().await;
        assert_eq!(entra.members(group, &world.scim).await, entra.account_ids(&[clara]));
        assert!(!entra.members(group, &world.scim).await.contains(&left));

        let gone = entra.job.group_id(group).unwrap().to_owned();
        entra.tenant.delete_group(group);
        entra.cycle().await;
        world.scim.get(&format!("/Groups/{gone}")).await.expect_error(404);
        entra.has_nothing_left_to_say().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_company_in_groups_arrives_and_lives_through_three_cycles() {
    let world = World::shared();
    for dialect in DIALECTS {
        let domain = format!("{dialect:?}.departments.example").to_lowercase();
        let people = Tenant::generate(&Generation { users: 40, groups: 6, seed: 5, domain });
        let mut entra = world.entra(people, |settings| settings.dialect = Some(dialect));
        assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 40);
        let mut turnover = Turnover::new(5, 40);
        for _round in 0..3 {
            assert!(turnover.round(&mut entra.tenant) > 10);
            entra.cycle().await;
        }
        nobody_is_missing(&entra, &world.scim).await;
    }
}

/// Each cycle has compared the members with what it sent, and nobody else is in a group then. Here the other end is
/// looked at: who should be in it.
async fn nobody_is_missing(entra: &Entra, scim: &Scim) {
    let mut people = 0;
    for group in entra.tenant.groups() {
        let there = entra.members(group.object_id, scim).await;
        let missing: Vec<_> =
            entra.account_ids(&group.members).into_iter().filter(|id| !there.contains(id)).collect();
        assert_eq!(missing, [] as [String; 0], "{}", group.display_name);
        people += there.len();
    }
    assert!(people > 40, "the groups are nearly empty");
}

/// Servers that read a list of members, change it and write it back lose whoever another request added meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn hundreds_who_join_and_leave_one_group_at_once_all_do() {
    let World { scim, .. } = &World::shared();
    let people = join_all((0..2 * CROWD).map(|n| scim_user(scim, n))).await;
    let (joining, leaving) = people.split_at(CROWD);
    let group = id(&scim.create_group_of("Crowd", leaving).await);

    let change = |op: &'static str, member: String| {
        let group = group.clone();
        async move {
            let operations = json!([{ "op": op, "path": "members", "value": [{ "value": member }] }]);
            scim.patch_group(&group, operations).await.expect(204)
        }
    };
    let joins = joining.iter().map(|member| change("Add", member.clone()));
    let leaves = leaving.iter().map(|member| change("Remove", member.clone()));
    tokio::join!(join_all(joins), join_all(leaves));

    let members: BTreeSet<_> = scim.members(&group).await.into_iter().collect();
    assert_eq!(members, joining.iter().cloned().collect());
}

async fn scim_user(scim: &Scim, number: usize) -> String {
    id(&scim.create_user(&format!("person-{number}@crowd.example")).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_another_company_does_not_exist_and_takes_none_of_its_people() {
    let world = World::shared();
    let (ours, theirs) = (&world.scim, world.neighbour());
    let anna = id(&ours.create_user("anna@isolated.example").await);
    let group = ours.create_group_of("Ours", std::slice::from_ref(&anna)).await;
    let path = format!("/Groups/{}", id(&group));

    theirs.get(&path).await.expect_error(404);
    theirs.patch_group(&id(&group), json!([{ "op": "Remove", "path": "members" }])).await.expect_error(404);
    theirs.delete(&path).await.expect_error(404);
    let body = json!({ "displayName": "Theirs", "members": [{ "value": anna }] });
    let refused = theirs.post("/Groups", &body).await;
    refused.expect_error(400);
    assert_eq!(refused.json()["scimType"], "invalidValue");
    assert!(refused.json()["detail"].as_str().unwrap().contains(&anna));

    assert_eq!(ours.get(&path).await.expect(200), group);
}
