//! Whether the two languages say the same things, and as their readers expect them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::{
    Language, numbers,
    times::{Clock, Style, Times, Zone},
};

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<String> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            texts.push(fs::read_to_string(&path).unwrap());
        }
    }
    texts
}

/// Every text of a language, and the variables in it.
fn texts(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let mut found = BTreeMap::<String, BTreeSet<String>>::new();
    for file in files(&crate_folder().join("locales").join(language.tag()), "ftl") {
        let mut key = String::new();
        for line in file.lines().filter(|line| !line.starts_with('#')) {
            if line.starts_with(|first: char| first.is_ascii_lowercase()) {
                line.split_once(" =").unwrap().0.clone_into(&mut key);
                assert!(
                    found.insert(key.clone(), BTreeSet::new()).is_none(),
                    "{key} twice in {}",
                    language.tag()
                );
            }
            for variable in line.split('$').skip(1) {
                let end = variable
                    .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                    .unwrap_or(variable.len());
                found.get_mut(&key).unwrap().insert(variable.get(..end).unwrap().to_owned());
            }
        }
    }
    found
}

/// What may name a text.
fn sources() -> Vec<String> {
    let mut sources = files(&crate_folder().join("templates"), "html");
    sources.extend(files(&crate_folder().join("src"), "rs"));
    sources
}

/// The keys behind an opening such as `say("`, in templates and code.
fn keys_behind(opening: &str) -> BTreeSet<String> {
    let texts = sources();
    let keys = texts.iter().flat_map(|text| text.split(opening).skip(1));
    let keys = keys.filter_map(|rest| rest.split_once('"')).map(|(key, _)| key.to_owned());
    keys.filter(|key| {
        !key.is_empty()
            && !key.ends_with('-')
            && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    })
    .collect()
}

fn used_keys() -> BTreeSet<String> {
    // Spelled in pieces, or this file would be found to use them.
    let openings = ["say", "Key"].map(|word| format!("{word}(\""));
    let mut used: BTreeSet<String> = openings.iter().flat_map(|opening| keys_behind(opening)).collect();
    // The navigation names its texts as arguments of a macro.
    used.extend(keys_behind(&["\"", "nav-"].concat()).into_iter().map(|rest| format!("nav-{rest}")));
    used
}

#[test]
fn both_languages_have_the_same_texts_with_the_same_variables() {
    assert_eq!(texts(Language::English), texts(Language::French));
}

#[test]
fn every_text_that_is_used_exists_and_every_text_is_used() {
    let existing: BTreeSet<String> = texts(Language::English).into_keys().collect();
    let used = used_keys();
    assert_eq!(used.difference(&existing).collect::<Vec<_>>(), Vec::<&String>::new(), "used, but not there");
    // Where a key is chosen among several it may stand in a table, but it is always written out.
    let sources = sources().concat();
    let unused = existing.iter().filter(|key| !sources.contains(&format!("\"{key}\"")));
    assert_eq!(unused.collect::<Vec<_>>(), Vec::<&String>::new(), "there, but not used");
}

#[test]
fn french_sets_its_punctuation_apart_and_no_apostrophe_is_straight() {
    for language in Language::ALL {
        for file in files(&crate_folder().join("locales").join(language.tag()), "ftl") {
            for line in file.lines().filter(|line| !line.starts_with('#')) {
                let text = line.split_once(" = ").map_or(line, |(_, text)| text);
                assert!(!text.contains('\''), "straight apostrophe: {line}");
                let is_apart = |mark| {
                    !text.contains(&format!(" {mark}"))
                        && !text.split(mark).rev().skip(1).any(|before| {
                            before
                                .ends_with(|last: char| last.is_alphanumeric() || last == '»' || last == '}')
                        })
                };
                if language == Language::French && !text.contains("://") {
                    for mark in ['?', '!', ';', ':'] {
                        assert!(is_apart(mark), "no narrow no-break space before {mark}: {line}");
                    }
                }
            }
        }
    }
}

#[test]
fn numbers_and_plurals_follow_the_language() {
    assert_eq!(numbers::whole(Language::English, 1_284), "1,284");
    assert_eq!(numbers::whole(Language::French, 1_284), "1\u{202f}284");
    // French counts zero as one.
    assert_eq!(Language::English.say("ago-minutes").with("count", 0_u64).to_string(), "0 minutes ago");
    assert_eq!(Language::French.say("ago-minutes").with("count", 0_u64).to_string(), "il y a 0 minute");
    assert_eq!(
        Language::French.say("ago-days").with("count", 1_284_u64).to_string(),
        "il y a 1\u{202f}284 jours"
    );
}

#[test]
fn times_are_those_of_the_readers_zone_and_language() {
    let at: Timestamp = "2026-11-26T08:05:09Z".parse().unwrap();
    let written_by =
        |language, clock| Times { language, clock, zone: Zone::named(Some("Europe/Paris")), now: at };
    let times = |language| match language {
        Language::English => written_by(language, Clock::American),
        Language::French => written_by(language, Clock::French),
    };
    assert_eq!(times(Language::English).written(at, Style::DateAndMinute), "Nov 26, 2026, 9:05\u{202f}AM");
    let british = written_by(Language::English, Clock::British);
    assert_eq!(british.written(at, Style::DateAndSecond), "26 Nov 2026, 09:05:09");
    assert_eq!(times(Language::French).written(at, Style::DateAndMinute), "26 nov. 2026, 09:05");
    assert_eq!(times(Language::French).written(at, Style::Second), "09:05:09");
    let in_half_a_year: Timestamp = "2027-05-15T08:05:09Z".parse().unwrap();
    assert_eq!(times(Language::English).distance(in_half_a_year).to_string(), "in 170 days");
    assert_eq!(times(Language::French).distance(in_half_a_year).to_string(), "dans 170 jours");
}

#[test]
fn distances_are_not_cut_off() {
    let now: Timestamp = "2026-11-26T22:30:00Z".parse().unwrap();
    let zone = Zone::named(Some("Europe/Paris"));
    let times = Times { language: Language::English, clock: Clock::British, zone, now };
    let distance = |seconds: i64| {
        let at = Timestamp::from_second(now.as_second() + seconds).unwrap();
        times.distance(at).to_string()
    };
    let (hour, day) = (3_600, 86_400);
    assert_eq!(distance(365 * day - 5), "in 365 days");
    assert_eq!(distance(7 * day - 5), "in 7 days");
    assert_eq!(distance(-(2 * day - 5)), "2 days ago");
    // From half past eleven in the evening to half past ten: two midnights.
    assert_eq!(distance(47 * hour), "in 2 days");
    assert_eq!(distance(day + 60), "tomorrow");
    assert_eq!(distance(day - 5), "in 24 hours");
    assert_eq!(distance(hour - 5), "in 1 hour");
    assert_eq!(distance(-89), "1 minute ago");
    assert_eq!(distance(-91), "2 minutes ago");
    assert_eq!(
        (distance(1), distance(0), distance(-1)),
        ("in a moment".into(), "just now".into(), "just now".into())
    );
}

#[test]
fn the_clock_is_that_of_the_browsers_region() {
    use actix_web::{http::header, test::TestRequest};
    let clock = |language, wishes: &str| {
        let request = TestRequest::default().insert_header((header::ACCEPT_LANGUAGE, wishes));
        Clock::of_browser(language, &request.to_http_request())
    };
    assert_eq!(clock(Language::English, "en-GB,en;q=0.9"), Clock::British);
    assert_eq!(clock(Language::English, "fr-FR,fr;q=0.9,en-IE;q=0.8,en-US;q=0.7"), Clock::British);
    assert_eq!(clock(Language::English, "en-US,en;q=0.9"), Clock::American);
    assert_eq!(clock(Language::English, "en"), Clock::American);
    assert_eq!(clock(Language::English, ""), Clock::American);
    assert_eq!(clock(Language::English, "de"), Clock::British);
    assert_eq!(clock(Language::French, "en-GB"), Clock::French);
}

#[test]
fn a_zone_that_does_not_exist_is_utc_and_says_so() {
    assert_eq!(Zone::named(Some("Europe/Paris")).name, "Europe/Paris");
    for unknown in [None, Some("Mars/Olympus"), Some("../../etc/passwd"), Some("")] {
        assert_eq!(Zone::named(unknown).name, "UTC");
    }
}

#[test]
fn the_language_is_the_cookies_or_the_first_wish_that_we_speak() {
    use actix_web::{cookie::Cookie, http::header, test::TestRequest};
    let wished = |wishes: &str| {
        Language::of_browser(
            &TestRequest::default().insert_header((header::ACCEPT_LANGUAGE, wishes)).to_http_request(),
        )
    };
    assert_eq!(wished("fr-CA,fr;q=0.9,en;q=0.8"), Language::French);
    assert_eq!(wished("de,en;q=0.5,fr;q=0.7"), Language::French);
    assert_eq!(wished("de, en, fr"), Language::English);
    assert_eq!(wished("fr;q=0, de"), Language::English);
    assert_eq!(wished(""), Language::English);
    let request = TestRequest::default().insert_header((header::ACCEPT_LANGUAGE, "en"));
    let request = request.cookie(Cookie::new(super::LANGUAGE_COOKIE, "fr")).to_http_request();
    assert_eq!(Language::of_browser(&request), Language::French);
}
