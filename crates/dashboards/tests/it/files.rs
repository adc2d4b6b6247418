//! Grafana's files are what this crate says, and Grafana can show them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{assert_none, names, read, root};

const FOLDER: &str = "deploy/observability/grafana/dashboards";

fn boards() -> Vec<Value> {
    dashboards::all().iter().map(|board| serde_json::from_str(&board.file()).unwrap()).collect()
}

fn panels(board: &Value) -> Vec<Value> {
    board["panels"].as_array().unwrap().clone()
}

#[test]
fn committed_dashboards_are_current() {
    #[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
    let update = std::env::var_os("UPDATE_GENERATED").is_some();
    if update {
        std::fs::create_dir_all(root().join(FOLDER)).unwrap();
        for name in names(FOLDER, ".json") {
            std::fs::remove_file(root().join(FOLDER).join(format!("{name}.json"))).unwrap();
        }
    }
    for board in dashboards::all() {
        let path = format!("{FOLDER}/{}.json", board.name());
        if update {
            std::fs::write(root().join(&path), board.file()).unwrap();
        }
        assert!(read(&path) == board.file(), "{path} is not what crates/dashboards says: run `make gen`");
    }
    let mut known: Vec<_> = dashboards::all().iter().map(|board| board.name().to_owned()).collect();
    known.sort();
    assert_eq!(names(FOLDER, ".json"), known, "files that no dashboard of ours makes");
}

#[test]
fn panels_have_numbers_of_their_own_and_do_not_cover_each_other() {
    for board in boards() {
        let title = board["title"].as_str().unwrap();
        let mut numbers = BTreeSet::new();
        let mut covered = BTreeSet::new();
        for panel in panels(&board) {
            assert!(numbers.insert(panel["id"].as_u64().unwrap()), "{title}: {}", panel["id"]);
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64().unwrap());
            assert!(x + w <= 24, "{title}: {} is beyond the right edge", panel["title"]);
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                assert!(covered.insert(cell), "{title}: {} covers another panel", panel["title"]);
            }
        }
    }
}

#[test]
fn every_panel_says_what_it_means_and_asks_something() {
    let mut found = Vec::new();
    for board in boards() {
        for panel in panels(&board).iter().filter(|panel| panel["type"] != "row") {
            let place = format!("{}: {}", board["title"], panel["title"]);
            if panel["description"].as_str().is_none_or(|text| !text.ends_with('.')) {
                found.push(format!("{place} has no description that is a sentence"));
            }
            let targets = panel["targets"].as_array().unwrap();
            if targets.is_empty() || targets.iter().any(|target| target["expr"] == "") {
                found.push(format!("{place} asks nothing"));
            }
            let legends: BTreeSet<_> =
                targets.iter().map(|target| target["legendFormat"].as_str().unwrap()).collect();
            if legends.len() < targets.len() && panel["type"] != "table" {
                found.push(format!("{place} calls two series the same"));
            }
        }
    }
    assert_none("panels that are not finished", found);
}

#[test]
fn dashboards_are_told_apart_and_find_each_other() {
    let boards = boards();
    let ids: BTreeSet<_> = boards.iter().map(|board| board["uid"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), boards.len());
    for board in &boards {
        let id = board["uid"].as_str().unwrap();
        assert!(id.len() <= 40, "Grafana's ids are at most 40 characters: {id}");
        assert_eq!(board["tags"], serde_json::json!(["timeclock"]));
        assert_eq!(board["links"][0]["tags"], board["tags"]);
    }
}

#[test]
fn every_runbook_that_a_panel_leads_to_exists() {
    let pages = names("docs/runbooks", ".md");
    let mut found = Vec::new();
    for board in boards() {
        let panels = panels(&board);
        let links = panels.iter().filter_map(|panel| panel["links"].as_array()).flatten();
        let urls = links.chain(board["links"].as_array().unwrap()).filter_map(|link| link["url"].as_str());
        for url in urls {
            let page = url.strip_prefix(dashboards::RUNBOOKS).and_then(|path| path.strip_prefix('/'));
            let page = page.and_then(|page| page.strip_suffix(".md")).unwrap_or(url);
            if !pages.iter().any(|known| known == page) {
                found.push(format!("{}: {url}", board["title"]));
            }
        }
    }
    assert_none("links to no runbook", found);
}
