//! The provisioning log: filters that live in addresses, pages, and exports.

use bus_contract::{directory::ListLog, subject::LIST_LOG};
use reqwest::Method;

use crate::{
    harness::{NOW, World},
    sample::{self, PERSON, REQUEST},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_in_the_address_is_asked_shown_and_kept_in_every_link() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let address = "/provisioning?search=die%20%26%3D&action=update&result=problem&period=hour";
    let seen = browser.get(address).await;
    let asked = world.services.asked::<ListLog>(LIST_LOG).pop().unwrap();
    assert_eq!(asked.company_id, world.contoso.id.to_string());
    assert_eq!(asked.verbs, ["update", "replace"]);
    assert_eq!(asked.outcomes, ["refused", "failed", "unauthenticated"]);
    assert_eq!(asked.name_prefix, "die &=");
    assert_eq!(asked.from.unwrap().seconds, i64::try_from(NOW).unwrap() - 3_600);
    assert!(seen.body.contains("value=\"die &#38;=\""), "the search is in its field");
    for chosen in ["update", "problem", "hour"] {
        assert!(seen.body.contains(&format!("<option value=\"{chosen}\" selected>")), "{chosen}");
    }
    let query = "search=die%20%26%3D&#38;action=update&#38;result=problem&#38;period=hour";
    assert!(seen.body.contains(&format!("/provisioning/log.csv?{query}")), "the export has the filter");
    let older = format!("/provisioning?{query}&#38;before=");
    assert!(seen.body.contains(&older), "the next page has the filter");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_lines_follow_what_happens_and_older_ones_stay() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let newest = browser.get("/provisioning?result=problem").await.body;
    let follows = "id=\"log-lines\" hx-get=\"/provisioning?result=problem\" hx-select=\"#log-lines\"";
    assert!(newest.contains(follows) && newest.contains("sse:activity throttle:3s"), "{newest}");
    let older = browser.get(&format!("/provisioning?before={REQUEST}")).await.body;
    assert!(older.contains("id=\"log-lines\">"), "{older}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_called_by_what_people_are_called_now() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let seen = browser.get("/provisioning").await.body;
    let (name, other) = ("<a class=\"primary-link\" href=\"/groups/", "<small>Paris – Warehouse</small>");
    assert!(seen.contains(name) && seen.contains("Lyon – Warehouse</a>") && seen.contains(other), "{seen}");
    let exported = browser.get("/provisioning/log.csv").await.body;
    // What Entra called it, and for a group that was only read what it is called.
    assert!(
        exported.contains("\"Paris – Warehouse\"") && exported.contains("\"Paris – Office\""),
        "{exported}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_searched_for_is_found_at_any_age() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    browser.get(&format!("/provisioning?search={REQUEST}")).await;
    let asked = world.services.asked::<ListLog>(LIST_LOG).pop().unwrap();
    assert_eq!((asked.request_id.as_str(), asked.name_prefix.as_str(), asked.from), (REQUEST, "", None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_shows_values_before_and_after_and_says_which_were_not_recorded() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let seen = browser.get(&format!("/people/{PERSON}")).await.body;
    for words in ["Retail", "Sales", "The value is personal, and was not recorded", "409 uniqueness"] {
        assert!(seen.contains(words), "{words}");
    }
    let asked = world.services.asked::<ListLog>(LIST_LOG).pop().unwrap();
    assert_eq!((asked.user_id.as_str(), asked.limit), (PERSON, 50));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_a_table_that_runs_nothing() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "=HYPERLINK(\"http://evil.example\")");
    let seen = browser.get("/provisioning/log.csv").await;
    assert_eq!((seen.status, seen.header("content-type")), (200, "text/csv; charset=utf-8"));
    assert!(seen.header("content-disposition").starts_with("attachment"));
    assert!(seen.body.starts_with('\u{feff}'), "Excel takes it for UTF-8");
    assert_eq!(seen.body.matches("\r\n").count(), 1 + sample::log("").len(), "a head, and a line for each");
    assert!(seen.body.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), "{}", seen.body);
    assert!(!seen.body.contains(",\"=") && !seen.body.contains("\n\"="), "no cell begins a formula");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_goes_on_behind_each_page_until_there_are_no_more() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    world.services.answer(LIST_LOG, |asked: ListLog| {
        let is_first = asked.before_request_id.is_empty();
        let entries = if is_first { sample::log("first") } else { sample::log("second") };
        sample::told(bus_contract::directory::reply::Result::ListLog(bus_contract::directory::ListLogReply {
            entries,
            has_more: is_first,
        }))
    });
    let seen = browser.get("/provisioning/log.csv").await;
    assert!(seen.body.contains("first") && seen.body.contains("second"));
    let asked = world.services.asked::<ListLog>(LIST_LOG);
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[1].before_request_id, sample::log("").last().unwrap().request_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_breaks_off_when_access_ends_between_two_pages() {
    let (world, browser) = World::start_signed_in().await;
    sample::lives(&world, "Diego Siciliani");
    let database = world.database.name.clone();
    world.services.answer(LIST_LOG, move |asked: ListLog| {
        let is_first = asked.before_request_id.is_empty();
        if !is_first {
            let server = backing_servers::postgres::Server::shared().unwrap();
            server.sql(&database, "DELETE FROM console.sessions").unwrap();
        }
        let entries = sample::log("a line");
        let page = bus_contract::directory::ListLogReply { entries, has_more: is_first };
        sample::told(bus_contract::directory::reply::Result::ListLog(page))
    });
    let mut download = browser.request(Method::GET, "/provisioning/log.csv").send().await.unwrap();
    let (mut lines, mut is_whole) = (0, true);
    while is_whole {
        match download.chunk().await {
            Ok(Some(chunk)) => lines += chunk.windows(2).filter(|end| end == b"\r\n").count(),
            Ok(None) => break,
            Err(_broken) => is_whole = false,
        }
    }
    assert!(!is_whole, "nobody takes it for whole");
    assert!(lines <= 1, "nothing behind the head is written");
    assert_eq!(world.services.asked::<ListLog>(LIST_LOG).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_of_a_directory_that_is_away_is_a_failure_and_not_an_empty_file() {
    let (_world, browser) = World::start_signed_in().await;
    assert_eq!(browser.get("/provisioning/log.csv").await.status, 503);
}
