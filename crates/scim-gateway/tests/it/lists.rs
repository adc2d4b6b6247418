//! Sorting (RFC 7644 §3.4.2.3) and paging by cursor (RFC 9865).

use std::time::Duration;

use serde_json::{Value, json};
use typed_ids::{CompanyId, TokenId};

use crate::harness::{Answer, NOW, Oddities, World};

const KEY: &[(&str, &str)] = &[("TIMECLOCK_CURSOR_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")];

async fn with_users() -> World {
    let world = World::start().await;
    for name in ["b", "C", "a"] {
        world.user(name).await;
    }
    world
}

fn names(answer: &Answer) -> Vec<&str> {
    let resources = answer.body["Resources"].as_array();
    let resources = resources.unwrap_or_else(|| panic!("{answer:?}"));
    resources.iter().map(|resource| resource["userName"].as_str().unwrap()).collect()
}

fn next(answer: &Answer) -> &str {
    answer.body["nextCursor"].as_str().unwrap_or_else(|| panic!("no next cursor: {answer:?}"))
}

#[tokio::test]
async fn a_list_is_sorted_as_it_is_asked_for() {
    let world = with_users().await;
    for (query, expected, order) in [
        ("sortBy=username", ["a", "b", "C"], Some(("userName", false))),
        ("sortBy=userName&sortOrder=Descending", ["C", "b", "a"], Some(("userName", true))),
        ("sortOrder=descending", ["b", "C", "a"], None),
    ] {
        let answer = world.get(&format!("/scim/Users?{query}")).await;
        assert_eq!(names(&answer), expected, "{query}");
        let asked = world.directory.take_asked().searches.pop().unwrap().order;
        assert_eq!(asked.as_ref().map(|order| (order.path.as_str(), order.descending)), order, "{query}");
    }
    for query in ["sortBy=nothing", "sortBy=userName&sortOrder=sideways", "sortBy=groups"] {
        let answer = world.get(&format!("/scim/Users?{query}")).await;
        answer.is_error(400);
        assert_eq!(answer.body["scimType"], "invalidValue", "{query}");
    }
    let groups = world.get("/scim/Groups?sortBy=displayName").await;
    assert_eq!(groups.status, 200, "{groups:?}");
    assert_eq!(world.directory.take_asked().group_searches.pop().unwrap().order.unwrap().path, "displayName");
}

#[tokio::test]
async fn what_a_key_finds_is_searched_for_when_it_has_to_be_sorted() {
    let world = with_users().await;
    let answer = world.get("/scim/Users?filter=externalId+eq+%22ext-a%22&sortBy=userName").await;
    assert_eq!(names(&answer), ["a"]);
    let asked = world.directory.take_asked();
    assert_eq!((asked.look_ups.len(), asked.searches.len()), (0, 1));
}

#[tokio::test]
async fn cursors_lead_through_a_list_to_its_end() {
    let world = with_users().await;
    for (query, expected) in
        [("", ["b", "C", "a"]), ("&sortBy=userName&sortOrder=descending", ["C", "b", "a"])]
    {
        let first = world.get(&format!("/scim/Users?cursor=&count=2{query}")).await;
        assert_eq!(names(&first), expected[..2], "{query}");
        assert_eq!((&first.body["totalResults"], &first.body["itemsPerPage"]), (&json!(3), &json!(2)));
        assert_eq!((first.body.get("startIndex"), first.body.get("previousCursor")), (None, None));

        let second = world.get(&format!("/scim/Users?count=2&cursor={}{query}", next(&first))).await;
        assert_eq!(names(&second), expected[2..], "{query}");
        assert_eq!(second.body.get("nextCursor"), None, "{query}");
    }
    let by_index = world.get("/scim/Users?count=1").await;
    assert_eq!((&by_index.body["startIndex"], by_index.body.get("nextCursor")), (&json!(1), None));
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list_and_its_company() {
    let world = with_users().await;
    let first = world.get("/scim/Users?cursor&count=1&filter=userName+pr").await;
    let cursor = next(&first);
    let other = world.signer.token(CompanyId::mint(), TokenId::mint(), NOW + 60);
    for path in [
        format!("/scim/Users?cursor={cursor}"),
        format!("/scim/Users?cursor={cursor}&filter=userName+pr&sortBy=userName"),
        format!("/scim/Groups?cursor={cursor}&filter=userName+pr"),
        "/scim/Users?cursor=made-up&filter=userName+pr".to_owned(),
        "/scim/Users?cursor=%2F".to_owned(),
    ] {
        let answer = world.get(&path).await;
        answer.is_error(400);
        assert_eq!(answer.body["scimType"], "invalidCursor", "{path}");
    }
    let path = format!("/scim/Users?cursor={cursor}&filter=userName+pr");
    assert_eq!(world.get(&path).await.status, 200);
    let theirs = world.anonymous(reqwest::Method::GET, &path).bearer_auth(other);
    assert_eq!(Answer::of(theirs).await.body["scimType"], "invalidCursor");
}

#[tokio::test]
async fn a_cursor_expires() {
    let world = with_users().await;
    let path = format!("/scim/Users?cursor={}", next(&world.get("/scim/Users?cursor=&count=1").await));
    let token = world.signer.token(world.company, TokenId::mint(), NOW + 10_000);
    let get = || Answer::of(world.anonymous(reqwest::Method::GET, &path).bearer_auth(&token));
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(get().await.status, 200);
    world.clock.advance(Duration::from_secs(1));
    let answer = get().await;
    answer.is_error(400);
    assert_eq!(answer.body["scimType"], "expiredCursor");
}

#[tokio::test]
async fn a_cursor_goes_with_neither_an_index_nor_a_page_of_nothing() {
    let world = with_users().await;
    for (query, scim_type) in [
        ("cursor=&startIndex=1", "invalidValue"),
        ("cursor=&count=0", "invalidCount"),
        ("cursor=&count=many", "invalidCount"),
    ] {
        let answer = world.get(&format!("/scim/Users?{query}")).await;
        answer.is_error(400);
        assert_eq!(answer.body["scimType"], scim_type, "{query}");
    }
    assert_eq!(world.get("/scim/Users?cursor=&startIndex=").await.status, 200);
}

#[tokio::test]
async fn gateways_with_the_same_key_read_each_others_cursors() {
    let world = World::with(Oddities { settings: KEY, ..Oddities::default() }).await;
    for name in ["a", "b"] {
        world.user(name).await;
    }
    let first = world.get("/scim/Users?cursor=&count=1").await;
    let another = world.another_gateway(KEY).await;
    let path = format!("/scim/Users?cursor={}", next(&first));
    assert_eq!(names(&world.get_from(another, &path).await), ["b"]);
    let stranger = world.another_gateway(&[]).await;
    let refused: Value = world.get_from(stranger, &path).await.body;
    assert_eq!(refused["scimType"], "invalidCursor");
}
