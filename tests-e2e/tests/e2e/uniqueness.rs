//! A sign-in name belongs to one person.

use futures_util::future::join_all;
use serde_json::json;
use tests_e2e::{
    World,
    actors::scim::{id, user},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_name_that_exists_in_any_case_is_a_conflict() {
    let World { scim, .. } = &World::shared();
    let adele = id(&scim.create_user("Adele.Vance@unique.example").await);
    let other = id(&scim.create_user("other@unique.example").await);
    for taken in ["Adele.Vance@unique.example", "adele.vance@UNIQUE.example", "ADELE.VANCE@UNIQUE.EXAMPLE"] {
        let rename = json!([{ "op": "Replace", "path": "userName", "value": taken }]);
        for answer in [
            scim.post("/Users", &user(taken)).await,
            scim.put(&format!("/Users/{other}"), &user(taken)).await,
            scim.patch_user(&other, rename).await,
        ] {
            answer.expect_error(409);
            assert_eq!(answer.json()["scimType"], "uniqueness", "{answer:?}");
        }
    }
    // Another case of one's own name is a rename like any other.
    let rename = json!([{ "op": "Replace", "path": "userName", "value": "ADELE.VANCE@unique.example" }]);
    assert_eq!(scim.patch_user(&adele, rename).await.expect(200)["userName"], "ADELE.VANCE@unique.example");
    assert_eq!(scim.find("userName eq \"adele.vance@unique.example\"").await.len(), 1);
    assert_eq!(scim.get(&format!("/Users/{other}")).await.expect(200)["userName"], "other@unique.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_24_parallel_creations_of_one_name_one_succeeds_and_23_conflict() {
    let World { scim, .. } = &World::shared();
    let bodies: Vec<_> = (0..24)
        .map(|number| {
            let name = "race@unique.example";
            user(&if number % 2 == 0 { name.to_owned() } else { name.to_uppercase() })
        })
        .collect();
    let answers = join_all(bodies.iter().map(|body| scim.post("/Users", body))).await;
    let (created, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((created.len(), refused.len()), (1, 23), "{refused:#?}");
    for answer in refused {
        answer.expect_error(409);
        assert_eq!(answer.json()["scimType"], "uniqueness", "{answer:?}");
    }
    assert_eq!(scim.find("userName eq \"race@unique.example\"").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_renames_to_one_name_one_succeeds() {
    let World { scim, .. } = &World::shared();
    let mut people = Vec::new();
    for number in 0..8 {
        people.push(id(&scim.create_user(&format!("person-{number}@rename.example")).await));
    }
    let rename = json!([{ "op": "Replace", "path": "userName", "value": "wanted@rename.example" }]);
    let answers = join_all(people.iter().map(|person| scim.patch_user(person, rename.clone()))).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
}
