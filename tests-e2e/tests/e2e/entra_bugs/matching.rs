//! Bugs about finding who is already there.

use std::slice;

use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::scim::{ENTERPRISE, id, user},
};

const NOBODY: [Value; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn bug_07_a_query_without_hits_is_200_and_an_empty_list() {
    let World { scim, .. } = &World::shared();
    scim.create_user("somebody@empty.example").await;
    scim.create_group("Somebody").await;
    let department = format!("{ENTERPRISE}:department eq \"None\"");
    for filter in [
        "userName eq \"f3a1c1de-3c07-4a52-9a20-0d7b5c2a9d10\"",
        "externalId eq \"nobody\"",
        "id eq \"not-even-an-id\"",
        "emails[type eq \"work\"].value eq \"nobody@empty.example\"",
        "userName eq \"\"",
        "active eq false",
        "title pr",
        "noSuchAttribute eq \"x\"",
        &department,
    ] {
        let answer = scim.filtered("/Users", filter).await;
        assert_eq!(answer.resources(), NOBODY, "{filter}");
        let list = answer.json();
        assert_eq!((&list["totalResults"], &list["startIndex"]), (&json!(0), &json!(1)), "{filter}");
    }
    for filter in
        ["displayName eq \"f3a1c1de-3c07\"", "externalId eq \"nobody\"", "id eq \"x\"", "members eq \"x\""]
    {
        assert_eq!(scim.find_groups(filter).await, NOBODY, "{filter}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_08_a_filter_is_evaluated_or_refused_and_never_ignored() {
    let World { scim, .. } = &World::shared();
    for name in ["anna@filters.example", "bert@filters.example"] {
        scim.create_user(name).await;
        scim.create_group(name).await;
    }
    for filter in [
        "userName matches \"x\"",
        "userName eq",
        "eq \"x\"",
        "userName eq \"x\" and",
        "(userName eq \"x\"",
        "not userName eq \"x\"",
        "emails[type eq \"work\"",
        "userName eq \"unterminated",
        "rubbish",
        "",
    ] {
        for path in ["/Users", "/Groups"] {
            let answer = scim.filtered(path, filter).await;
            answer.expect_error(400);
            assert_eq!(answer.json()["scimType"], "invalidFilter", "{path} {filter}: {answer:?}");
        }
    }
    scim.filtered("/Users", "active gt true").await.expect_error(400);
    for (filter, hits) in [
        ("userName eq \"anna@filters.example\"", 1),
        ("displayName eq \"Display anna@filters.example\" and active eq true", 1),
        ("userName ne \"anna@filters.example\"", 1),
        ("userName sw \"ANNA\" or userName sw \"bert\"", 2),
        ("not (userName co \"filters\")", 0),
    ] {
        assert_eq!(scim.find(filter).await.len(), hits, "{filter}");
    }
    assert_eq!(scim.find_groups("displayName eq \"anna@filters.example\"").await.len(), 1);
    assert_eq!(scim.find_groups("displayName eq \"anna\"").await, NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_09_the_external_id_is_found_quoted_or_not_and_case_counts() {
    let World { scim, .. } = &World::shared();
    let mut young = user("jyoung@external.example");
    young["externalId"] = json!("JYoung");
    let young = id(&scim.post("/Users", &young).await.expect(201));
    let payroll = id(&scim.create_group("payroll").await);
    scim.create_user("other@external.example").await;
    for filter in ["externalId eq \"JYoung\"", "externalId eq JYoung", "EXTERNALID EQ \"JYoung\""] {
        let found = scim.find(filter).await;
        assert_eq!(found.iter().map(id).collect::<Vec<_>>(), slice::from_ref(&young), "{filter}");
    }
    for filter in ["externalId eq \"jyoung\"", "externalId eq jyoung", "externalId eq \"JYoun\""] {
        assert_eq!(scim.find(filter).await, NOBODY, "{filter}");
    }
    for filter in ["externalId eq \"external-payroll\"", "externalId eq external-payroll"] {
        let found = scim.find_groups(filter).await;
        assert_eq!(found.iter().map(id).collect::<Vec<_>>(), slice::from_ref(&payroll), "{filter}");
    }
    assert_eq!(scim.find_groups("externalId eq \"External-Payroll\"").await, NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_10_names_and_addresses_are_found_in_any_case_and_shown_as_they_were_sent() {
    let World { scim, .. } = &World::shared();
    let mut adele = user("Adele.Vänce@Case.example");
    adele["emails"] = json!([{ "type": "work", "value": "Adele.Vance@Case.example" }]);
    let adele = scim.post("/Users", &adele).await.expect(201);
    let payroll = scim.create_group("Payroll BERLIN").await;
    for filter in [
        "userName eq \"adele.vänce@case.example\"",
        "userName eq \"ADELE.VÄNCE@CASE.EXAMPLE\"",
        "userName eq \"Adele.Vänce@Case.example\"",
        "emails[type eq \"work\"].value eq \"adele.vance@case.EXAMPLE\"",
        "emails[type eq \"WORK\"].value eq \"adele.vance@case.example\"",
        "emails.value eq \"ADELE.vance@case.example\"",
        "emails eq \"adele.VANCE@case.example\"",
        "displayName eq \"display adele.vänce@case.example\"",
    ] {
        assert_eq!(scim.find(filter).await, slice::from_ref(&adele), "{filter}");
    }
    for filter in ["displayName eq \"payroll berlin\"", "displayName eq \"PAYROLL BERLIN\""] {
        assert_eq!(scim.find_groups(filter).await, slice::from_ref(&payroll), "{filter}");
    }
    assert_eq!(
        (&adele["userName"], &payroll["displayName"]),
        (&json!("Adele.Vänce@Case.example"), &json!("Payroll BERLIN"))
    );
    scim.post("/Users", &user("ADELE.vänce@case.example")).await.expect_error(409);
    scim.post("/Groups", &json!({ "displayName": "payroll berlin" })).await.expect_error(409);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_11_a_disabled_user_is_found_refused_a_second_time_and_revived_with_the_same_id() {
    let World { scim, .. } = &World::shared();
    let leaver = id(&scim.create_user("leaver@restore.example").await);
    let path = format!("/Users/{leaver}");
    for (off, on) in [
        (
            json!({ "op": "Replace", "path": "active", "value": "False" }),
            json!({ "op": "Replace", "path": "active", "value": "True" }),
        ),
        (
            json!({ "op": "replace", "path": "active", "value": false }),
            json!({ "op": "replace", "path": "active", "value": true }),
        ),
        (
            json!({ "op": "replace", "value": { "active": false } }),
            json!({ "op": "add", "value": { "active": true } }),
        ),
    ] {
        assert_eq!(scim.patch_user(&leaver, json!([off])).await.expect(200)["active"], false, "{off}");
        assert_eq!(scim.get(&path).await.expect(200)["active"], false, "{off}");
        for filter in [
            "userName eq \"leaver@restore.example\"",
            "externalId eq \"external-leaver@restore.example\"",
            "active eq false",
        ] {
            let found = scim.find(filter).await;
            assert_eq!(
                (found.len(), id(&found[0]), &found[0]["active"]),
                (1, leaver.clone(), &json!(false)),
                "{filter}"
            );
        }
        assert_eq!(scim.get("/Users").await.resources().len(), 1, "{off}");
        scim.post("/Users", &user("leaver@restore.example")).await.expect_error(409);
        let revived = scim.patch_user(&leaver, json!([on])).await.expect(200);
        assert_eq!((id(&revived), &revived["active"]), (leaver.clone(), &json!(true)), "{on}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_20_nobody_is_adopted_because_of_an_address() {
    let world = World::shared();
    let (scim, neighbour) = (&world.scim, world.neighbour());
    let mut boss = user("boss@adoption.example");
    boss["emails"] = json!([{ "type": "work", "value": "boss@adoption.example" }]);
    boss["roles"] = json!([{ "value": "Administrator" }]);
    let before = scim.post("/Users", &boss).await.expect(201);
    let mut other = user("other@adoption.example");
    other["emails"] = boss["emails"].clone();
    other["externalId"] = boss["externalId"].clone();
    for caller in [scim, &neighbour] {
        let created = caller.post("/Users", &other).await.expect(201);
        assert_ne!(id(&created), id(&before));
        assert_eq!(created.get("roles"), None);
    }
    let namesake = neighbour.post("/Users", &boss).await.expect(201);
    assert_ne!(id(&namesake), id(&before));
    assert_eq!(scim.get(&format!("/Users/{}", id(&before))).await.expect(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn bug_21_a_value_path_is_compared_with_and_without_a_sub_attribute() {
    let World { scim, .. } = &World::shared();
    let mut adele = user("adele@paths.example");
    adele["emails"] = json!([
        { "type": "work", "value": "work@paths.example" },
        { "type": "home", "value": "home@paths.example" },
    ]);
    scim.post("/Users", &adele).await.expect(201);
    for (filter, hits) in [
        ("emails[type eq \"work\"] eq \"work@paths.example\"", 1),
        ("emails[type eq \"work\"].value eq \"work@paths.example\"", 1),
        ("emails[type eq \"work\" and value eq \"work@paths.example\"]", 1),
        ("emails[type eq \"work\"].value sw \"work@\"", 1),
        // The type and the value have to be those of one address.
        ("emails[type eq \"work\"] eq \"home@paths.example\"", 0),
        ("emails[type eq \"work\"].value eq \"home@paths.example\"", 0),
        ("emails[type eq \"work\" and value eq \"home@paths.example\"]", 0),
        ("emails.type eq \"work\" and emails.value eq \"home@paths.example\"", 1),
    ] {
        assert_eq!(scim.find(filter).await.len(), hits, "{filter}");
    }
}
