//! `/Groups` as any SCIM client sees it, and as Entra does (reference/entra-wire.md 2.1, 2.2).

use bus_contract::{
    directory::look_up_group::Key,
    provisioning::{MembersChange, request::Change},
    subject::{Resource, Verb},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    directory::Mood,
    harness::{Answer, Oddities, World},
};

impl World {
    /// A group of this name, made through the gateway.
    async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<_> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "displayName": name, "externalId": format!("ext-{name}"), "members": members });
        let answer = self.send(Method::POST, "/scim/Groups?excludedAttributes=members", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// What the last PATCH of a group said about its members.
    fn last_members_change(&self) -> MembersChange {
        match self.directory.requests().pop().unwrap().1.change.unwrap() {
            Change::PatchGroup(patch) => patch.members.unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

/// The ids of the members that an answer shows.
fn members(group: &Value) -> Vec<&str> {
    group["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect()
}

fn operations(operations: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}

#[tokio::test]
async fn a_created_group_is_answered_with_201_location_etag_and_an_empty_list_of_members() {
    let world = World::start().await;
    let body = json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:Group",
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
        ],
        "externalId": "b7c0e6a4", "displayName": "Payroll Berlin", "meta": { "resourceType": "Group" }
    });
    let answer = world.send(Method::POST, "/scim/v2/Groups", body).await;

    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    let id = answer.body["id"].as_str().unwrap();
    let location = format!("http://{}/scim/v2/Groups/{id}", world.address);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(answer.body["meta"]["location"], location);
    assert_eq!(answer.body["meta"]["resourceType"], "Group");
    assert_eq!(answer.body["displayName"], "Payroll Berlin");
    assert_eq!(answer.body["members"], json!([]));
    assert_eq!(world.directory.take_asked().pages_of_members, [], "nobody is in it, and nobody is asked");

    let (subject, request) = world.directory.requests().pop().unwrap();
    assert_eq!((subject.resource, subject.verb), (Resource::Group, Verb::Create));
    assert!(matches!(request.change, Some(Change::CreateGroup(create)) if create.group_id == id));
    assert_eq!(world.get(&format!("/scim/v2/Groups/{id}")).await.body, answer.body);
}

#[tokio::test]
async fn the_members_of_a_new_group_are_answered_with_their_names_and_kinds() {
    let world = World::start().await;
    let (adele, inner) = (world.user("adele").await, world.group("Inner", &[]).await);
    let body = json!({ "displayName": "Outer", "members": [{ "value": adele, "$ref": null }, inner] });
    let answer = world.send(Method::POST, "/scim/Groups", body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let base = format!("http://{}/scim", world.address);
    assert_eq!(
        answer.body["members"],
        json!([
            { "value": adele, "$ref": format!("{base}/Users/{adele}"), "type": "User", "display": "adele" },
            { "value": inner, "$ref": format!("{base}/Groups/{inner}"), "type": "Group", "display": "Inner" }
        ])
    );
}

#[tokio::test]
async fn a_second_group_of_the_same_name_is_a_uniqueness_conflict() {
    let world = World::start().await;
    world.group("Payroll", &[]).await;
    let answer = world.send(Method::POST, "/scim/Groups", json!({ "displayName": "PAYROLL" })).await;
    answer.is_error(409);
    assert_eq!(answer.body["scimType"], "uniqueness");
}

#[tokio::test]
async fn a_user_shows_the_groups_that_it_is_in() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let group = world.group("Payroll", &[&adele]).await;
    let user = world.get(&format!("/scim/v2/Users/{adele}")).await;
    let location = format!("http://{}/scim/v2/Groups/{group}", world.address);
    assert_eq!(
        user.body["groups"],
        json!([{ "value": group, "$ref": location, "type": "direct", "display": "Payroll" }])
    );
    let user = world.get(&format!("/scim/Users/{adele}?attributes=groups.value")).await;
    assert_eq!(user.body["groups"], json!([{ "value": group }]));
}

#[tokio::test]
async fn members_that_are_not_shown_are_not_asked_for() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let group = world.group("Payroll", &[&adele]).await;
    for path in [
        format!("/scim/Groups/{group}?excludedAttributes=members"),
        "/scim/Groups?excludedAttributes=members&filter=displayName+eq+%22payroll%22".to_owned(),
        "/scim/Groups?attributes=displayName".to_owned(),
    ] {
        let answer = world.get(&path).await;
        let shown = answer.body["Resources"].get(0).unwrap_or(&answer.body);
        assert_eq!((&shown["displayName"], shown.get("members")), (&json!("Payroll"), None), "{path}");
        assert_eq!(world.directory.take_asked().pages_of_members, [], "{path}");
    }
}

#[tokio::test]
async fn members_are_read_page_by_page() {
    let world = World::start().await;
    let mut users = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        users.push(world.user(name).await);
    }
    let ids: Vec<_> = users.iter().map(String::as_str).collect();
    let group = world.group("All", &ids).await;
    let answer = world.get(&format!("/scim/Groups/{group}")).await;
    assert_eq!(members(&answer.body), ids);

    let pages = world.directory.take_asked().pages_of_members;
    let after: Vec<_> = pages.iter().map(|page| page.after_member_id.as_str()).collect();
    assert_eq!(after, ["", ids[1], ids[3]]);
    assert!(pages.iter().all(|page| page.limit == 5_000 && page.group_id == group));
    let list = world.get("/scim/Groups").await;
    assert_eq!(list.body["Resources"], json!([answer.body]));
}

#[tokio::test]
async fn a_group_that_changes_under_the_reading_is_read_again() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[&adele]).await);
    world.directory.disturb(0, 1);
    let answer = world.get(&path).await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("W/\"2\"")), "the version that was read");
    assert_eq!(members(&answer.body), [&adele]);
    assert_eq!(world.directory.take_asked().pages_of_members.len(), 2);
}

#[tokio::test]
async fn a_group_that_never_holds_still_is_answered_all_the_same() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[&adele]).await);
    world.directory.disturb(0, 100);
    let answer = world.get(&path).await;
    assert_eq!((answer.status, members(&answer.body)), (200, vec![adele.as_str()]), "{answer:?}");
    assert_eq!(world.directory.take_asked().pages_of_members.len(), 3);
}

#[tokio::test]
async fn members_that_were_read_in_vain_do_not_count_against_the_limit() {
    let world = World::start().await;
    let path = format!("/scim/Groups/{}", world.group("All", &[]).await);
    world.directory.set_crowd(150_000);
    world.directory.disturb(29, 1);
    let answer = world.get(&path).await;
    assert_eq!((answer.status, answer.header("etag")), (200, Some("W/\"2\"")));
    assert_eq!(members(&answer.body).len(), 150_000);
}

#[tokio::test]
async fn a_group_that_is_deleted_under_the_reading_is_not_found() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    for name in ["A", "B"] {
        world.group(name, &[]).await;
    }
    let path = format!("/scim/Groups/{}", world.group("C", &[]).await);
    world.directory.let_groups_vanish();
    world.get(&path).await.is_error(404);
    let list = world.get("/scim/Groups").await;
    assert_eq!((list.status, &list.body["Resources"]), (200, &json!([])), "{list:?}");
    // What was done is told all the same.
    let body = json!({ "displayName": "D", "members": [adele] });
    let created = world.send(Method::POST, "/scim/Groups", body).await;
    assert_eq!((created.status, created.body.get("members")), (201, None), "{created:?}");
}

#[tokio::test]
async fn a_directory_that_promises_members_and_tells_of_none_is_a_failure_of_ours() {
    let world = World::start().await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[]).await);
    world.directory.set_mood(Mood::Promising);
    world.get(&path).await.is_error(500);
}

#[tokio::test]
async fn more_members_than_one_answer_holds_are_refused_with_advice() {
    let world = World::start().await;
    let group = world.group("All", &[]).await;
    world.directory.set_crowd(200_000);
    assert_eq!(members(&world.get(&format!("/scim/Groups/{group}")).await.body).len(), 200_000);

    // The limit is one of the answer, not of each group.
    world.directory.set_crowd(0);
    world.group("More", &[]).await;
    world.directory.set_crowd(100_001);
    for path in ["/scim/Groups", "/scim/Groups?filter=displayName+pr"] {
        let answer = world.get(path).await;
        answer.is_error(400);
        assert_eq!(answer.body["scimType"], "tooMany");
        assert!(answer.detail().contains("excludedAttributes=members"), "{answer:?}");
    }
    assert_eq!(world.get("/scim/Groups?count=1").await.status, 200);
}

#[tokio::test]
async fn a_patch_is_answered_with_204_and_etag_or_with_the_attributes_that_it_asks_for() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[&adele]).await);
    let rename = |name: &str| operations(&json!([{ "op": "replace", "value": { "displayName": name } }]));
    let answer = world.send(Method::PATCH, &path, rename("Payroll DE")).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{answer:?}");
    assert_eq!(answer.header("etag"), Some("W/\"2\""));
    assert_eq!(world.directory.last_verb(), Some(Verb::Update));
    assert_eq!(world.directory.take_asked().pages_of_members, []);

    let shown = world.send(Method::PATCH, &format!("{path}?attributes=members"), rename("P")).await;
    assert_eq!((shown.status, members(&shown.body)), (200, vec![adele.as_str()]), "{shown:?}");
    assert_eq!(shown.body.get("displayName"), None);
    let shown = world.send(Method::PATCH, &format!("{path}?excludedAttributes=members"), rename("P")).await;
    assert_eq!((shown.status, &shown.body["displayName"]), (200, &json!("P")), "{shown:?}");
    assert_eq!(shown.body.get("members"), None);
    let blank = world.send(Method::PATCH, &format!("{path}?attributes="), rename("P")).await;
    assert_eq!(blank.status, 204);
}

#[tokio::test]
async fn members_are_added_and_removed_in_every_shape_that_entra_sends() {
    let world = World::start().await;
    let (adele, lee) = (world.user("adele").await, world.user("lee").await);
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[]).await);
    let both = [adele.as_str(), lee.as_str()];
    for (operation, expected) in [
        (
            json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": adele }, { "$ref": null, "value": lee }] }),
            &both[..],
        ),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": adele }] }),
            &both[1..],
        ),
        (json!({ "op": "remove", "path": format!("members[value eq \"{adele}\"]") }), &both[1..]),
        (json!({ "op": "add", "value": { "members": [adele] } }), &both[..]),
        (json!({ "op": "remove", "path": "members", "value": [] }), &both[..]),
        (json!({ "op": "replace", "path": "members", "value": [{ "value": lee }] }), &both[1..]),
        (json!({ "op": "remove", "path": "members" }), &[]),
    ] {
        let answer = world.send(Method::PATCH, &path, operations(&json!([operation]))).await;
        assert_eq!(answer.status, 204, "{operation}: {answer:?}");
        assert_eq!(members(&world.get(&path).await.body), expected, "{operation}");
    }
}

#[tokio::test]
async fn an_id_that_nobody_can_have_is_refused_where_it_is_added_and_ignored_where_it_is_removed() {
    let world = World::start().await;
    let adele = world.user("adele").await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[&adele]).await);
    let before = world.directory.requests().len();
    for impossible in ["usr_A".to_owned(), adele.to_uppercase(), adele.replace('-', "")] {
        let whole = json!({ "displayName": "Other", "members": [adele, impossible] });
        let add = operations(&json!([{ "op": "add", "path": "members", "value": [impossible] }]));
        for answer in [
            world.send(Method::POST, "/scim/Groups", &whole).await,
            world.send(Method::PUT, &path, &whole).await,
            world.send(Method::PATCH, &path, &add).await,
        ] {
            answer.is_error(400);
            assert_eq!(answer.body["scimType"], "invalidValue");
            let expected =
                format!("No user or group of this company has the id '{impossible}'; nothing was changed.");
            assert!(answer.detail().starts_with(&expected), "{answer:?}");
        }
    }
    assert_eq!(world.directory.requests().len(), before, "what needs no state is refused here");

    let remove = json!([{ "op": "remove", "path": "members", "value": ["usr_A", adele] }]);
    assert_eq!(world.send(Method::PATCH, &path, operations(&remove)).await.status, 204);
    assert_eq!(world.last_members_change().removed, [adele]);
}

#[tokio::test]
async fn an_id_that_nobody_has_is_refused_by_the_directory() {
    let world = World::start().await;
    let nobody = "019a0000-0000-7000-8000-000000000000";
    let body = json!({ "displayName": "Payroll", "members": [nobody] });
    let answer = world.send(Method::POST, "/scim/Groups", body).await;
    answer.is_error(400);
    assert!(answer.detail().contains(nobody), "{answer:?}");
    assert_eq!(world.get("/scim/Groups").await.body["totalResults"], 0);
}

#[tokio::test]
async fn a_patch_without_operations_is_a_success() {
    let world = World::start().await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[]).await);
    let answer = world.send(Method::PATCH, &path, json!({ "Operations": [] })).await;
    assert_eq!((answer.status, answer.header("etag")), (204, Some("W/\"1\"")), "{answer:?}");
}

#[tokio::test]
async fn put_replaces_attributes_and_members_and_delete_ends() {
    let world = World::start().await;
    let (adele, lee) = (world.user("adele").await, world.user("lee").await);
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[&adele]).await);
    let body = json!({ "displayName": "Payroll DE", "members": [{ "value": lee }] });
    let answer = world.send(Method::PUT, &path, body).await;
    assert_eq!((answer.status, &answer.body["displayName"]), (200, &json!("Payroll DE")), "{answer:?}");
    assert_eq!((members(&answer.body), answer.body.get("externalId")), (vec![lee.as_str()], None));
    assert_eq!(world.directory.last_verb(), Some(Verb::Replace));

    let answer = world.send(Method::PUT, &path, json!({ "displayName": "Payroll DE" })).await;
    assert_eq!((answer.status, &answer.body["members"]), (200, &json!([])), "{answer:?}");

    assert_eq!(world.delete(&path).await.status, 204);
    world.get(&path).await.is_error(404);
    world.delete(&path).await.is_error(404);
    world.get("/scim/Groups/1").await.is_error(404);
}

#[tokio::test]
async fn versions_are_conditions_of_groups_as_they_are_of_users() {
    let world = World::start().await;
    let path = format!("/scim/Groups/{}", world.group("Payroll", &[]).await);
    let with = |method: Method, name: &'static str, tags: &'static str| {
        let body = operations(&json!([{ "op": "replace", "path": "displayName", "value": "P" }]));
        Answer::of(world.request(method, &path).header(name, tags).body(body.to_string()))
    };
    let known = with(Method::GET, "if-none-match", "W/\"1\"").await;
    assert_eq!((known.status, known.header("etag")), (304, Some("W/\"1\"")));
    with(Method::PATCH, "if-match", "W/\"7\"").await.is_error(412);
    with(Method::PUT, "if-match", "\"somebody-elses\"").await.is_error(412);
    assert_eq!(with(Method::PATCH, "if-match", "W/\"1\"").await.status, 204);
    with(Method::DELETE, "if-match", "W/\"1\"").await.is_error(412);
    assert_eq!(with(Method::DELETE, "if-match", "*").await.status, 204);
}

#[tokio::test]
async fn keys_are_looked_up_and_everything_else_is_searched() {
    let world = World::start().await;
    let id = world.group("Payroll", &[]).await;
    for (filter, key) in [
        ("displayName+eq+%22PAYROLL%22".to_owned(), Key::DisplayName("PAYROLL".to_owned())),
        ("externalId+eq+%22ext-Payroll%22".to_owned(), Key::ExternalId("ext-Payroll".to_owned())),
        (format!("id+eq+%22{id}%22"), Key::GroupId(id.clone())),
    ] {
        let answer = world.get(&format!("/scim/Groups?filter={filter}")).await;
        assert_eq!(answer.body["Resources"][0]["id"], id, "{filter}: {answer:?}");
        let asked = world.directory.take_asked();
        assert_eq!(asked.group_look_ups.last().unwrap().key, Some(key), "{filter}");
        assert_eq!(asked.group_searches, [], "{filter}");
    }
    assert_eq!(world.get("/scim/Groups?filter=id+eq+%22x%22").await.body["totalResults"], 0);

    let answer = world.get("/scim/Groups?filter=DISPLAYNAME+Sw+%22pay%22&startIndex=1&count=7").await;
    assert_eq!(answer.body["totalResults"], 1, "{answer:?}");
    let asked = world.directory.take_asked().group_searches.pop().unwrap();
    assert_eq!((asked.filter.as_str(), asked.offset, asked.limit), ("displayName sw \"pay\"", 0, 7));
    let unreadable = world.get("/scim/Groups?filter=displayName+like+1").await;
    unreadable.is_error(400);
    assert_eq!(unreadable.body["scimType"], "invalidFilter");
}

#[tokio::test]
async fn a_group_is_nobody_elses() {
    let world = World::start().await;
    let group = world.group("Payroll", &[]).await;
    let other = typed_ids::CompanyId::mint();
    let token = world.signer.token(other, typed_ids::TokenId::mint(), crate::harness::NOW + 60);
    let as_other = |method, path: String| Answer::of(world.anonymous(method, &path).bearer_auth(&token));
    as_other(Method::GET, format!("/scim/Groups/{group}")).await.is_error(404);
    as_other(Method::DELETE, format!("/scim/Groups/{group}")).await.is_error(404);
    assert_eq!(as_other(Method::GET, "/scim/Groups".to_owned()).await.body["totalResults"], 0);
}

#[tokio::test]
async fn without_the_directory_groups_are_a_503() {
    const SOON: &[(&str, &str)] = &[("TIMECLOCK_QUERY_TIMEOUT_MS", "300")];
    let world = World::with(Oddities { settings: SOON, ..Oddities::default() }).await;
    let group = world.group("Payroll", &[]).await;
    world.directory.set_mood(Mood::Unavailable);
    for path in [format!("/scim/Groups/{group}"), "/scim/Groups".to_owned()] {
        world.get(&path).await.is_error(503);
    }
}

#[tokio::test]
async fn what_is_deployed_lets_groups_be_asked_for() {
    let world = World::with(Oddities { deployed: true, ..Oddities::default() }).await;
    assert_eq!(world.get("/scim/Groups?filter=displayName+eq+%22a%22").await.body["totalResults"], 0);
    assert_eq!(world.get("/scim/Groups?filter=displayName+sw+%22a%22").await.body["totalResults"], 0);
}
