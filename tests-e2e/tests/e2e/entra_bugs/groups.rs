//! Bugs about groups and who is in them.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests_e2e::{
    Scim, World,
    actors::scim::{group, id},
};

/// A group with these people, whose ids come in the order of the names.
async fn group_of(scim: &Scim, names: &[&str]) -> (String, Vec<String>) {
    let mut people = Vec::new();
    for name in names {
        people.push(id(&scim.create_user(&format!("{name}@groups.example")).await));
    }
    let group = id(&scim.create_group("Payroll Berlin").await);
    let members: Vec<_> = people.iter().map(|person| json!({ "$ref": null, "value": person })).collect();
    let added = scim.patch_group(&group, json!([{ "op": "Add", "path": "members", "value": members }])).await;
    assert_eq!((added.status, added.text.as_str()), (204, ""), "{added:?}");
    (group, people)
}

fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<_> = ids.iter().map(|id| (*id).clone()).collect();
    ids.sort();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_01_removing_one_member_does_not_empty_the_group() {
    let World { scim, .. } = &World::shared();
    let (group, people) = group_of(scim, &["anna", "bert", "cora"]).await;
    let [anna, bert, cora] = &people[..] else { panic!("three people") };
    let everybody = sorted(&[anna, bert, cora]);
    let removals = [
        json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": anna }] }),
        json!({ "op": "remove", "path": format!("members[value eq \"{anna}\"]") }),
        json!({ "op": "remove", "path": format!("Members[Value EQ \"{anna}\"]") }),
        json!({ "op": "Remove", "path": "members", "value": [{ "value": anna }] }),
        json!({ "op": "Remove", "path": "MEMBERS", "value": { "value": anna } }),
        json!({ "op": "Remove", "path": "members", "value": [anna] }),
        json!({ "op": "REMOVE", "path": "members", "value": anna }),
        json!({ "op": "Remove", "path": "members.value", "value": [anna] }),
    ];
    for removal in removals {
        let answer = scim.patch_group(&group, json!([removal])).await;
        assert_eq!(answer.status, 204, "{removal}: {answer:?}");
        assert_eq!(scim.members(&group).await, sorted(&[bert, cora]), "{removal}");
        let back = json!([{ "op": "Add", "path": "members", "value": [{ "value": anna }] }]);
        scim.patch_group(&group, back).await.expect(204);
        assert_eq!(scim.members(&group).await, everybody, "{removal}");
    }
    // Removing who is no member, or nobody at all, removes nobody.
    let stranger = id(&scim.create_user("stranger@groups.example").await);
    for value in [json!([{ "value": stranger }]), json!([])] {
        let removal = json!([{ "op": "Remove", "path": "members", "value": value }]);
        assert_eq!(scim.patch_group(&group, removal).await.status, 204, "{value}");
        assert_eq!(scim.members(&group).await, everybody, "{value}");
    }
    // Only a removal of members as such is about all of them (RFC 7644 §3.5.2.2).
    scim.patch_group(&group, json!([{ "op": "remove", "path": "members" }])).await.expect(204);
    assert_eq!(scim.members(&group).await, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_16_a_group_of_250_loses_nobody_when_one_member_leaves() {
    const MANY: usize = 250;
    let World { scim, .. } = &World::shared();
    let names: Vec<_> = (0..MANY).map(|number| format!("person-{number}@large.example")).collect();
    let people = join_all(names.iter().map(|name| scim.create_user(name))).await;
    let mut people: Vec<_> = people.iter().map(id).collect();
    people.sort();
    let group = id(&scim.create_group("Everybody").await);
    let members: Vec<_> = people.iter().map(|person| json!({ "value": person })).collect();
    let add = json!([{ "op": "Add", "path": "members", "value": members }]);
    scim.patch_group(&group, add).await.expect(204);
    assert_eq!(scim.members(&group).await, people);

    let leaver = people.remove(MANY / 2);
    let removal = json!([{ "op": "Remove", "path": "members", "value": [{ "value": leaver }] }]);
    scim.patch_group(&group, removal).await.expect(204);
    assert_eq!(scim.members(&group).await, people);
    let last = people.pop().unwrap();
    let removal = json!([{ "op": "remove", "path": format!("members[value eq \"{last}\"]") }]);
    scim.patch_group(&group, removal).await.expect(204);
    assert_eq!(scim.members(&group).await, people);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_17_unknown_members_are_refused_by_name_and_inactive_ones_are_members() {
    let world = World::shared();
    let (scim, neighbour) = (&world.scim, world.neighbour());
    let (payroll, people) = group_of(scim, &["anna"]).await;
    let deleted = id(&scim.create_user("deleted@groups.example").await);
    scim.delete(&format!("/Users/{deleted}")).await.expect(204);
    let foreign = id(&neighbour.create_user("foreign@groups.example").await);
    let inactive = id(&scim.create_user("inactive@groups.example").await);
    let disable = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    scim.patch_user(&inactive, disable).await.expect(200);

    for unknown in ["usr_01J8ZC4T2M", "01a216aa-0000-7000-8000-000000000000", &deleted, &foreign] {
        let mut whole = group("Another group");
        whole["members"] = json!([{ "value": inactive }, { "value": unknown }]);
        let operation = |op: &str| json!([{ "op": op, "path": "members", "value": whole["members"] }]);
        for answer in [
            scim.patch_group(&payroll, operation("Add")).await,
            scim.patch_group(&payroll, operation("replace")).await,
            scim.put(&format!("/Groups/{payroll}"), &whole).await,
            scim.post("/Groups", &whole).await,
        ] {
            answer.expect_error(400);
            assert_eq!(answer.json()["scimType"], "invalidValue", "{answer:?}");
            assert!(answer.json()["detail"].as_str().unwrap().contains(unknown), "{answer:?}");
        }
        assert_eq!(scim.members(&payroll).await, people);
    }
    let add = json!([{ "op": "Add", "path": "members", "value": [{ "value": inactive }] }]);
    scim.patch_group(&payroll, add).await.expect(204);
    assert_eq!(scim.members(&payroll).await, sorted(&[&people[0], &inactive]));
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_18_excluded_members_are_left_out_of_reads_lists_and_filters() {
    let World { scim, .. } = &World::shared();
    let (group, people) = group_of(scim, &["anna"]).await;
    let read = scim.get(&format!("/Groups/{group}?excludedAttributes=members")).await.expect(200);
    assert_eq!((read.get("members"), &read["displayName"]), (None, &json!("Payroll Berlin")));
    for list in [
        "/Groups?excludedAttributes=members",
        "/Groups?excludedAttributes=members&filter=displayName+eq+%22payroll+BERLIN%22",
        "/Groups?filter=displayName+eq+%22Payroll+Berlin%22&excludedAttributes=Members",
        "/Groups?excludedAttributes=urn:ietf:params:scim:schemas:core:2.0:Group:members",
    ] {
        let found = scim.get(list).await.resources();
        assert_eq!((found.len(), id(&found[0])), (1, group.clone()), "{list}");
        assert_eq!(found[0].get("members"), None, "{list}");
    }
    let found = scim.find_groups("displayName eq \"Payroll Berlin\"").await;
    assert_eq!(found[0]["members"][0]["value"], people[0], "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_24_replacing_the_members_by_none_empties_the_group() {
    let World { scim, .. } = &World::shared();
    let (group, people) = group_of(scim, &["anna", "bert"]).await;
    let path = format!("/Groups/{group}");
    let fill = json!([{ "op": "replace", "path": "members", "value": [{ "value": people[0] }, { "value": people[1] }] }]);
    for clearing in [
        json!({ "op": "replace", "path": "members", "value": [] }),
        json!({ "op": "Replace", "path": "members", "value": null }),
        json!({ "op": "Replace", "path": "members" }),
        json!({ "op": "replace", "value": { "members": [] } }),
        json!({ "op": "replace", "path": "members", "value": "" }),
    ] {
        assert_eq!(scim.members(&group).await.len(), 2, "{clearing}");
        assert_eq!(scim.patch_group(&group, json!([clearing])).await.status, 204, "{clearing}");
        assert_eq!(scim.members(&group).await, [""; 0], "{clearing}");
        scim.patch_group(&group, fill.clone()).await.expect(204);
    }
    let mut whole = self::group("Payroll Berlin");
    whole["members"] = json!([]);
    let replaced: Value = scim.put(&path, &whole).await.expect(200);
    assert_eq!(replaced["displayName"], "Payroll Berlin");
    assert_eq!(scim.members(&group).await, [""; 0]);
}
