//! A hired person gets an account, and it follows what becomes of them.

use entra_emulator::{
    Account, Action, Dialect, Generation, ManagerRemoval, Mapping, Tenant, changes::Turnover,
};
use reqwest::Method;
use serde_json::json;
use tests_e2e::{
    World,
    actors::{
        entra::DIALECTS,
        scim::{ENTERPRISE, id, user},
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_hired_person_gets_an_account_that_follows_them_until_they_are_hired_again() {
    let world = World::shared();
    for dialect in DIALECTS {
        let domain = format!("{dialect:?}.example").to_lowercase();
        let mut entra = world.entra(Tenant::empty(&domain, 1), |settings| settings.dialect = Some(dialect));
        let boss = entra.tenant.hire_named("Miriam", "Graham", "miriam");
        let anna = entra.tenant.hire_named("Anna", "Berg", "anna.berg");
        assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 2);
        let account_id = entra.account_id(anna);

        entra.tenant.rename(anna, "Lind", "anna.lind");
        assert_eq!(entra.cycle().await.succeeded_users(Action::Update), 1);
        let account = entra.account(anna, &world.scim).await;
        assert_eq!(account["userName"], format!("anna.lind@{domain}"));
        assert_eq!(account["name"]["familyName"], "Lind");

        entra.tenant.set_manager(anna, Some(boss));
        assert_eq!(entra.cycle().await.succeeded_users(Action::Manager), 1);
        let account = entra.account(anna, &world.scim).await;
        assert_eq!(account[ENTERPRISE]["manager"]["value"], entra.account_id(boss));
        assert_eq!(account[ENTERPRISE]["manager"]["displayName"], "Miriam Graham");

        entra.tenant.disable(anna);
        assert_eq!(entra.cycle().await.succeeded_users(Action::Disable), 1);
        let account = entra.account(anna, &world.scim).await;
        assert_eq!((&account["active"], id(&account)), (&json!(false), account_id.clone()));

        entra.tenant.enable(anna);
        assert_eq!(entra.cycle().await.succeeded_users(Action::Enable), 1);
        let account = entra.account(anna, &world.scim).await;
        assert_eq!((&account["active"], id(&account)), (&json!(true), account_id.clone()));

        let former = entra.tenant.delete(anna).unwrap();
        assert_eq!(entra.cycle().await.succeeded_users(Action::Delete), 1);
        world.scim.get(&format!("/Users/{account_id}")).await.expect_error(404);

        let again = entra.tenant.rehire(&former);
        assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 1);
        let account = entra.account(again, &world.scim).await;
        assert_eq!(account["userName"], format!("anna.lind@{domain}"));
        assert_ne!(id(&account), account_id);
        entra.has_nothing_left_to_say().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_people_and_their_changes_arrive_as_entra_wants_them() {
    let world = World::shared();
    for (dialect, mapping) in DIALECTS.into_iter().zip([Mapping::Default, Mapping::Gallery]) {
        let domain = format!("{mapping:?}.example").to_lowercase();
        let people = Tenant::generate(&Generation { users: 50, groups: 0, seed: 7, domain });
        let mut entra = world.entra(people, |settings| {
            settings.dialect = Some(dialect);
            settings.mapping = mapping;
            settings.manager_removal = ManagerRemoval::Remove;
        });
        assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 50);
        let mut turnover = Turnover::new(7, 40);
        for _round in 0..2 {
            assert!(turnover.round(&mut entra.tenant) > 10);
            entra.cycle().await;
        }
        entra.has_nothing_left_to_say().await;
        assert!(entra.tenant.people().any(|person| person.account != Account::Enabled));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_flag_in_the_tenant_url_is_understood_and_harmless_on_the_wire() {
    let world = World::shared();
    let url = format!("{}/?aadOptscim062020", world.stack().endpoints().scim_url);
    let mut entra = world.entra(Tenant::empty("contoso.com", 3), |settings| {
        settings.tenant_url = url;
        settings.transmit_flag = true;
    });
    assert_eq!(entra.job.dialect(), Dialect::AadOptScim062020);
    entra.tenant.hire_named("Anna", "Berg", "anna.berg");
    assert_eq!(entra.cycle().await.succeeded_users(Action::Create), 1);
    entra.has_nothing_left_to_say().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_hires_renames_disables_deletes_and_hires_again() {
    let World { scim, .. } = &World::shared();
    let boss = id(&scim.create_user("miriam@plain.example").await);
    let anna = id(&scim.create_user("anna.berg@plain.example").await);
    let path = format!("/Users/{anna}");
    let manager = format!("{ENTERPRISE}:manager");

    let rename = json!([
        { "op": "Replace", "path": "userName", "value": "anna.lind@plain.example" },
        { "op": "Add", "path": "name.familyName", "value": "Lind" },
        { "op": "Add", "path": manager, "value": boss },
    ]);
    let renamed = scim.patch_user(&anna, rename).await.expect(200);
    assert_eq!(renamed["userName"], "anna.lind@plain.example");
    assert_eq!(renamed[ENTERPRISE]["manager"]["value"], boss);
    assert_eq!(scim.get(&path).await.expect(200), renamed);

    let off = scim.patch_user(&anna, json!([{ "op": "Replace", "path": "active", "value": "False" }])).await;
    assert_eq!(off.expect(200)["active"], false);
    let found = scim.find("userName eq \"ANNA.lind@plain.example\"").await;
    assert_eq!((found.len(), id(&found[0])), (1, anna.clone()));
    let on = scim.patch_user(&anna, json!([{ "op": "replace", "value": { "active": true } }])).await;
    assert_eq!(on.expect(200)["active"], true);

    let mut whole = user("anna.lund@plain.example");
    whole["title"] = json!("Lead");
    let replaced = scim.put(&path, &whole).await.expect(200);
    assert_eq!((&replaced["title"], &replaced[ENTERPRISE]["manager"]), (&json!("Lead"), &json!(null)));

    let gone = scim.delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    scim.get(&path).await.expect_error(404);
    scim.delete(&path).await.expect_error(404);
    scim.put(&path, &whole).await.expect_error(404);
    scim.patch_user(&anna, json!([{ "op": "Replace", "path": "active", "value": "True" }]))
        .await
        .expect_error(404);
    assert_eq!(scim.find("userName eq \"anna.lund@plain.example\"").await, [] as [serde_json::Value; 0]);
    let again = scim.create_user("Anna.Lund@plain.example").await;
    assert_ne!(id(&again), anna);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_bound_to_the_version_that_the_caller_has_seen() {
    let World { scim, .. } = &World::shared();
    let anna = scim.create_user("anna@etag.example").await;
    let path = format!("/Users/{}", id(&anna));
    let seen = scim.get(&path).await;
    let etag = seen.header("etag").unwrap().to_owned();
    assert_eq!(seen.json()["meta"]["version"], etag);

    let unchanged = scim.request(Method::GET, &path).header("if-none-match", &etag).send().await.unwrap();
    assert_eq!(unchanged.status(), 304);
    let change = |tag: &str| {
        let body = json!({ "Operations": [{ "op": "add", "path": "title", "value": tag }] }).to_string();
        scim.request(Method::PATCH, &path).header("if-match", tag).body(body)
    };
    assert_eq!(change(&etag).send().await.unwrap().status(), 200);
    tests_e2e::Answer::of(change(&etag)).await.expect_error(412);
    assert_eq!(scim.get(&path).await.json()["title"], etag);
    let unless = scim.request(Method::DELETE, &path).header("if-none-match", "*");
    tests_e2e::Answer::of(unless).await.expect_error(400);
    scim.get(&path).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_page_by_page_each_once() {
    let World { scim, .. } = &World::shared();
    let mut created = Vec::new();
    for number in 0..23 {
        created.push(id(&scim.create_user(&format!("person-{number}@paging.example")).await));
    }
    let mut listed = Vec::new();
    for start in [1, 6, 11, 16, 21, 26] {
        let page = scim.get(&format!("/Users?startIndex={start}&count=5")).await;
        let list = page.expect(200);
        assert_eq!((&list["totalResults"], &list["startIndex"]), (&json!(23), &json!(start)));
        listed.extend(page.resources().iter().map(id));
    }
    created.sort();
    listed.sort();
    assert_eq!(listed, created);
}
