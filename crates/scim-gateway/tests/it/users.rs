//! `/Users` as any SCIM client sees it.

use bus_contract::{directory::look_up_user::Key, subject::Verb};
use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, World};

#[tokio::test]
async fn a_created_user_is_answered_with_201_location_etag_and_body() {
    let world = World::start().await;
    let answer = world
        .send(Method::POST, "/scim/Users", json!({ "userName": "adele@contoso.com", "active": "True" }))
        .await;

    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("application/scim+json"));
    assert_eq!(answer.header("etag"), Some("W/\"1\""));
    let id = answer.body["id"].as_str().unwrap();
    let location = format!("http://{}/scim/Users/{id}", world.address);
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(answer.body["meta"]["location"], location);
    assert_eq!(answer.body["meta"]["version"], "W/\"1\"");
    assert_eq!(answer.body["userName"], "adele@contoso.com");
    assert_eq!(answer.body["active"], true);
    assert_eq!(world.directory.last_verb(), Some(Verb::Create));
    assert_eq!(world.get(&format!("/scim/Users/{id}")).await.body, answer.body);
}

#[tokio::test]
async fn the_request_on_the_bus_names_company_token_and_time() {
    let world = World::start().await;
    world.user("adele").await;
    let (subject, request) = world.directory.requests().pop().unwrap();
    assert_eq!(subject.company, world.company);
    assert_eq!(request.company_id, world.company.to_string());
    assert!(request.token_id.parse::<typed_ids::TokenId>().is_ok());
    assert_eq!(request.accepted_at.unwrap().seconds, i64::try_from(crate::harness::NOW).unwrap());
}

#[tokio::test]
async fn locations_stay_under_the_prefix_that_was_used() {
    let world = World::start().await;
    let id = world.user("adele").await;
    let answer = world.get(&format!("/scim/v2/Users/{id}/")).await;
    assert_eq!(answer.body["meta"]["location"], format!("http://{}/scim/v2/Users/{id}", world.address));
}

#[tokio::test]
async fn a_second_user_of_the_same_name_is_a_uniqueness_conflict() {
    let world = World::start().await;
    world.user("adele").await;
    let answer = world.send(Method::POST, "/scim/Users", json!({ "userName": "ADELE" })).await;
    answer.is_error(409);
    assert_eq!(answer.body["scimType"], "uniqueness");
}

#[tokio::test]
async fn a_patch_that_sets_active_is_named_for_what_it_does() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let patch =
        |value: &str| json!({ "Operations": [{ "op": "Replace", "path": "active", "value": value }] });

    let answer = world.send(Method::PATCH, &path, patch("False")).await;
    assert_eq!((answer.status, &answer.body["active"]), (200, &json!(false)));
    assert_eq!(answer.header("etag"), Some("W/\"2\""));
    assert_eq!(world.directory.last_verb(), Some(Verb::Deactivate));

    let answer = world.send(Method::PATCH, &path, patch("True")).await;
    assert_eq!((answer.status, &answer.body["active"]), (200, &json!(true)));
    assert_eq!(world.directory.last_verb(), Some(Verb::Reactivate));
}

#[tokio::test]
async fn a_patch_without_operations_is_a_success_that_the_directory_confirms() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let answer = world.send(Method::PATCH, &path, json!({ "schemas": [], "Operations": [] })).await;
    assert_eq!((answer.status, &answer.body["userName"]), (200, &json!("adele")), "{answer:?}");
    assert_eq!(world.directory.last_verb(), Some(Verb::Update));
}

#[tokio::test]
async fn put_replaces_and_delete_ends() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let answer = world.send(Method::PUT, &path, json!({ "userName": "adele", "title": "Clerk" })).await;
    assert_eq!((answer.status, &answer.body["title"]), (200, &json!("Clerk")), "{answer:?}");
    assert_eq!(answer.body.get("externalId"), None);
    assert_eq!(world.directory.last_verb(), Some(Verb::Replace));

    let answer = world.delete(&path).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    world.get(&path).await.is_error(404);
    world.delete(&path).await.is_error(404);
}

#[tokio::test]
async fn if_match_must_name_the_present_version() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let patch = json!({ "Operations": [{ "op": "add", "path": "title", "value": "Clerk" }] }).to_string();
    let with = |tags: &'static str| {
        Answer::of(world.request(Method::PATCH, &path).header("if-match", tags).body(patch.clone()))
    };

    with("W/\"7\"").await.is_error(412);
    with("\"somebody-elses\"").await.is_error(412);
    with("nonsense").await.is_error(400);
    assert_eq!(with("W/\"1\"").await.status, 200);
    assert_eq!(with("*").await.status, 200);
    let gone = Answer::of(world.request(Method::DELETE, &path).header("if-match", "W/\"1\"")).await;
    gone.is_error(412);
}

#[tokio::test]
async fn a_condition_that_cannot_be_read_is_not_taken_for_none() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let unreadable = reqwest::header::HeaderValue::from_bytes(b"W/\"\xff\"").unwrap();
    let delete = || world.request(Method::DELETE, &path);

    Answer::of(delete().header("if-match", unreadable)).await.is_error(400);
    let met_by_the_second = delete().header("if-match", "W/\"7\"").header("if-match", "W/\"1\"");
    assert_eq!(Answer::of(met_by_the_second).await.status, 204);
}

#[tokio::test]
async fn if_none_match_spares_the_body_of_a_version_that_is_known() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let with =
        |tags: &'static str| Answer::of(world.request(Method::GET, &path).header("if-none-match", tags));

    let answer = with("W/\"1\"").await;
    assert_eq!((answer.status, answer.text.as_str(), answer.header("etag")), (304, "", Some("W/\"1\"")));
    assert_eq!(with("W/\"2\"").await.status, 200);
    assert_eq!(with("nonsense").await.status, 200);
}

#[tokio::test]
async fn head_has_the_headers_of_get_and_no_body() {
    let world = World::start().await;
    let path = format!("/scim/Users/{}", world.user("adele").await);
    let get = world.get(&path).await;
    let head = Answer::of(world.request(Method::HEAD, &path)).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("etag"), get.header("etag"));
    assert_eq!(head.header("content-length"), Some(get.text.len().to_string().as_str()));
}

#[tokio::test]
async fn keys_are_looked_up_and_everything_else_is_searched() {
    let world = World::start().await;
    let id = world.user("adele@contoso.com").await;
    for (filter, key) in [
        ("userName eq \"ADELE@contoso.com\"".to_owned(), Key::UserName("ADELE@contoso.com".to_owned())),
        (
            "externalId eq \"ext-adele@contoso.com\"".to_owned(),
            Key::ExternalId("ext-adele@contoso.com".to_owned()),
        ),
        (format!("id eq \"{id}\""), Key::UserId(id.clone())),
    ] {
        let answer = world.list(&filter).await;
        assert_eq!(answer.body["totalResults"], 1, "{filter}: {answer:?}");
        assert_eq!(answer.body["Resources"][0]["id"], id, "{filter}");
        let asked = world.directory.take_asked();
        assert_eq!(asked.look_ups.last().unwrap().key, Some(key), "{filter}");
        assert_eq!(asked.searches, [], "{filter}");
    }

    let answer = world.list("USERNAME Sw \"adele\" and active eq \"True\"").await;
    assert_eq!(answer.body["totalResults"], 1, "{answer:?}");
    assert_eq!(
        world.directory.take_asked().searches.pop().unwrap().filter,
        "userName sw \"adele\" and active eq true"
    );
}

#[tokio::test]
async fn an_external_id_of_another_case_is_another_one() {
    let world = World::start().await;
    world.user("adele").await;
    assert_eq!(world.list("externalId eq \"EXT-adele\"").await.body["totalResults"], 0);
    assert_eq!(world.list("id eq \"no-uuid\"").await.body["totalResults"], 0);
}

#[tokio::test]
async fn a_list_is_paged_and_projected() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.user(name).await;
    }
    let answer = world.get("/scim/Users?startIndex=2&count=1&attributes=userName").await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["totalResults"], 3);
    assert_eq!((&answer.body["startIndex"], &answer.body["itemsPerPage"]), (&json!(2), &json!(1)));
    let user = answer.body["Resources"][0].as_object().unwrap();
    assert!(user.contains_key("id") && user.contains_key("userName"), "{user:?}");
    assert!(!user.contains_key("meta") && !user.contains_key("externalId"), "{user:?}");

    let asked = world.directory.take_asked().searches.pop().unwrap();
    assert_eq!((asked.filter.as_str(), asked.offset, asked.limit), ("", 1, 1));
    world.get("/scim/Users?count=many").await.is_error(400);
    world.get("/scim/Users?attributes=a&excludedAttributes=b").await.is_error(400);
}

#[tokio::test]
async fn a_projection_applies_to_what_a_change_answers() {
    let world = World::start().await;
    let path = "/scim/Users?excludedAttributes=externalId,meta";
    let answer = world.send(Method::POST, path, json!({ "userName": "adele", "externalId": "x" })).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!((answer.body.get("externalId"), answer.body.get("meta")), (None, None));
    assert_eq!(answer.body["userName"], "adele");
}

impl World {
    async fn list(&self, filter: &str) -> Answer {
        let url = reqwest::Url::parse_with_params("http://gateway/scim/Users", [("filter", filter)]).unwrap();
        self.get(&format!("{}?{}", url.path(), url.query().unwrap())).await
    }
}
