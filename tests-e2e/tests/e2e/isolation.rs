//! Two companies never see each other.

use serde_json::{Value, json};
use tests_e2e::{
    World,
    actors::scim::{ENTERPRISE, id, user},
};

const NOBODY: [Value; 0] = [];

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_id_is_unknown_to_every_method() {
    let world = World::shared();
    let (ours, theirs) = (&world.scim, world.neighbour());
    let before = ours.create_user("adele@isolated.example").await;
    let path = format!("/Users/{}", id(&before));

    theirs.get(&path).await.expect_error(404);
    theirs.put(&path, &user("stolen@isolated.example")).await.expect_error(404);
    let disable = json!([{ "op": "Replace", "path": "active", "value": "False" }]);
    theirs.patch_user(&id(&before), disable).await.expect_error(404);
    theirs.delete(&path).await.expect_error(404);

    assert_eq!(ours.get(&path).await.expect(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_filter_and_no_list_shows_anybody_of_another_company() {
    let world = World::shared();
    let (ours, theirs) = (&world.scim, world.neighbour());
    let adele = ours.create_user("adele@isolated.example").await;
    let everybody = [
        format!("id eq \"{}\"", id(&adele)),
        "userName eq \"adele@isolated.example\"".to_owned(),
        "externalId eq \"external-adele@isolated.example\"".to_owned(),
        "userName pr".to_owned(),
        "not (userName eq \"nobody\")".to_owned(),
        "displayName co \"Display\" or active eq true".to_owned(),
    ];
    for filter in &everybody {
        assert_eq!(theirs.find(filter).await, NOBODY, "{filter}");
        assert_eq!(ours.find(filter).await.len(), 1, "{filter}");
    }
    assert_eq!(theirs.get("/Users").await.resources(), NOBODY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_of_another_company_is_free() {
    let world = World::shared();
    let (ours, theirs) = (&world.scim, world.neighbour());
    let adele = ours.create_user("adele@isolated.example").await;
    let namesake = theirs.create_user("adele@isolated.example").await;
    assert_ne!(id(&adele), id(&namesake));
    theirs.delete(&format!("/Users/{}", id(&namesake))).await.expect(204);
    assert_eq!(ours.find("userName eq \"adele@isolated.example\"").await, [adele]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_of_another_company_is_a_manager_who_does_not_exist() {
    let world = World::shared();
    let (ours, theirs) = (&world.scim, world.neighbour());
    let foreign = id(&theirs.create_user("miriam@isolated.example").await);
    let adele = id(&ours.create_user("adele@isolated.example").await);
    let path = format!("{ENTERPRISE}:manager");
    let changed =
        ours.patch_user(&adele, json!([{ "op": "Add", "path": path, "value": foreign }])).await.expect(200);
    // What Entra sent is kept (it would send it again otherwise); nothing of the other company is added to it.
    assert_eq!(changed[ENTERPRISE]["manager"]["value"], foreign);
    assert_eq!(changed[ENTERPRISE]["manager"]["displayName"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_another_company_is_no_cursor() {
    let world = World::shared();
    let (ours, theirs) = (&world.scim, world.neighbour());
    for name in ["adele@isolated.example", "miriam@isolated.example"] {
        ours.create_user(name).await;
        theirs.create_user(name).await;
    }
    let page = ours.get("/Users?cursor=&count=1").await.expect(200);
    let next = format!("/Users?cursor={}&count=1", page["nextCursor"].as_str().unwrap());
    theirs.get(&next).await.expect_error(400);
    assert_eq!(ours.get(&next).await.resources().len(), 1);
}
