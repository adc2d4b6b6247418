//! Which lines of the provisioning log somebody wants to see. The filter lives in the page's address, so that it can be
//! kept, sent to a colleague, and exported.

use std::{collections::HashMap, time::Duration};

use bus_contract::{Timestamp, directory::ListLog};
use uuid::Uuid;

use crate::language::Key;

/// Characters of a search; the directory takes no more in a name.
const MAX_SEARCH: usize = 200;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// An alternative of a filter: its name in the address, its text, and what it means to the directory.
pub(crate) struct Choice<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) text: Key,
    meaning: T,
}

type Words = &'static [&'static str];

/// What was asked. The first is everything.
pub(crate) const ACTIONS: [Choice<Words>; 9] = [
    Choice { name: "", text: Key("filter-any"), meaning: &[] },
    Choice { name: "create", text: Key("filter-create"), meaning: &["create"] },
    Choice { name: "update", text: Key("filter-update"), meaning: &["update", "replace"] },
    Choice { name: "deactivate", text: Key("filter-deactivate"), meaning: &["deactivate"] },
    Choice { name: "reactivate", text: Key("filter-reactivate"), meaning: &["reactivate"] },
    Choice { name: "restore", text: Key("filter-restore"), meaning: &["restore"] },
    Choice { name: "delete", text: Key("filter-delete"), meaning: &["delete"] },
    Choice { name: "read", text: Key("filter-read"), meaning: &["read", "search"] },
    Choice { name: "other", text: Key("filter-other"), meaning: &["test", "discover", "bulk", "other"] },
];

/// What came of it. The first is what a page without a word about it shows: Entra looks at more than it changes, and what
/// it only saw hides what happened.
pub(crate) const RESULTS: [Choice<Words>; 6] = [
    Choice {
        name: "",
        text: Key("filter-notable"),
        meaning: &["created", "updated", "unchanged", "deleted", "refused", "failed", "unauthenticated"],
    },
    Choice { name: "any", text: Key("filter-any"), meaning: &[] },
    Choice { name: "changed", text: Key("filter-changed"), meaning: &["created", "updated", "deleted"] },
    Choice { name: "unchanged", text: Key("filter-unchanged"), meaning: &["unchanged"] },
    Choice { name: "read", text: Key("filter-found"), meaning: &["found", "nothing_found"] },
    Choice {
        name: "problem",
        text: Key("filter-problem"),
        meaning: &["refused", "failed", "unauthenticated"],
    },
];

/// How far back. The first is what a page without a word about it shows.
pub(crate) const PERIODS: [Choice<Option<Duration>>; 5] = [
    Choice { name: "", text: Key("filter-week"), meaning: Some(Duration::from_secs(7 * 24 * 3600)) },
    Choice { name: "hour", text: Key("filter-hour"), meaning: Some(Duration::from_secs(3600)) },
    Choice { name: "day", text: Key("filter-day"), meaning: Some(DAY) },
    Choice { name: "month", text: Key("filter-month"), meaning: Some(Duration::from_secs(30 * 24 * 3600)) },
    Choice { name: "all", text: Key("filter-all"), meaning: None },
];

/// A filter as the address has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) search: String,
    pub(crate) action: &'static str,
    pub(crate) result: &'static str,
    pub(crate) period: &'static str,
}

impl Filter {
    /// Out of an address. What does not exist there is left out rather than refused: links grow old.
    pub(crate) fn read(query: &HashMap<String, String>) -> Self {
        let given = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        Self {
            search: search(given("search")),
            action: name_of(&ACTIONS, given("action")),
            result: name_of(&RESULTS, given("result")),
            period: name_of(&PERIODS, given("period")),
        }
    }

    /// Whether anything is left out but by age.
    pub(crate) fn is_narrow(&self) -> bool {
        !(self.search.is_empty() && self.action.is_empty() && self.result.is_empty())
    }

    /// The address's query, without its question mark; empty when there is nothing to say.
    pub(crate) fn query(&self, before: Option<&str>) -> String {
        let parts = [
            ("search", self.search.as_str()),
            ("action", self.action),
            ("result", self.result),
            ("period", self.period),
            ("before", before.unwrap_or_default()),
        ];
        let given = parts.iter().filter(|(_, value)| !value.is_empty());
        given.map(|(name, value)| format!("{name}={}", encode(value))).collect::<Vec<_>>().join("&")
    }

    /// As the directory is asked. Whoever searches for an id of the log gets that line, whatever its age and outcome.
    pub(crate) fn question(&self, now: Duration, before: Option<Uuid>, limit: u32) -> ListLog {
        let request = Uuid::try_parse(&self.search).ok();
        let age =
            chosen(&PERIODS, self.period).and_then(|period| period.meaning).filter(|_| request.is_none());
        let words = |choices, name| if request.is_some() { Vec::new() } else { words_of(choices, name) };
        let from = age.and_then(|age| i64::try_from(now.saturating_sub(age).as_secs()).ok());
        ListLog {
            company_id: String::new(),
            verbs: words(&ACTIONS, self.action),
            outcomes: words(&RESULTS, self.result),
            name_prefix: if request.is_some() { String::new() } else { self.search.clone() },
            request_id: request.map(|id| id.to_string()).unwrap_or_default(),
            from: from.map(|seconds| Timestamp { seconds, nanos: 0 }),
            before_request_id: before.map(|id| id.to_string()).unwrap_or_default(),
            limit,
            ..ListLog::default()
        }
    }
}

/// What somebody typed in a search field, as far as there can be something of that name.
pub(crate) fn search(typed: &str) -> String {
    typed.trim().chars().filter(|c| !c.is_control()).take(MAX_SEARCH).collect()
}

fn chosen<'a, T>(choices: &'a [Choice<T>], name: &str) -> Option<&'a Choice<T>> {
    choices.iter().find(|choice| choice.name == name)
}

fn name_of<T>(choices: &[Choice<T>], name: &str) -> &'static str {
    chosen(choices, name).map_or("", |choice| choice.name)
}

fn words_of(choices: &[Choice<Words>], name: &str) -> Vec<String> {
    chosen(choices, name)
        .map_or(Vec::new(), |choice| choice.meaning.iter().map(|&word| word.to_owned()).collect())
}

/// A value as a query carries it (WHATWG URL §5.2, with %20 for a space).
pub(crate) fn encode(value: &str) -> String {
    value.bytes().fold(String::with_capacity(value.len()), |mut encoded, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use actix_web::web::Query;

    use super::*;

    fn read(query: &str) -> Filter {
        Filter::read(&Query::<HashMap<String, String>>::from_query(query).unwrap().into_inner())
    }

    #[test]
    fn a_filter_survives_the_way_through_an_address() {
        for action in &ACTIONS {
            for result in &RESULTS {
                for period in &PERIODS {
                    for search in ["", "anna", "a&b=c+d %20", "é\"'<>", "100% #1"] {
                        let filter = Filter {
                            search: search.to_owned(),
                            action: action.name,
                            result: result.name,
                            period: period.name,
                        };
                        assert_eq!(read(&filter.query(None)), filter);
                    }
                }
            }
        }
    }

    #[test]
    fn what_was_only_looked_at_is_shown_to_those_who_ask_for_it() {
        let outcomes = |query| read(query).question(Duration::from_secs(1_800_000_000), None, 50).outcomes;
        for (query, is_shown) in [("", false), ("result=read", true)] {
            assert_eq!(outcomes(query).iter().any(|outcome| outcome == "found"), is_shown, "{query}");
        }
        assert!(outcomes("").iter().any(|outcome| outcome == "unauthenticated"));
        assert!(outcomes("result=any").is_empty());
    }

    #[test]
    fn what_no_filter_knows_is_left_out() {
        assert_eq!(read("action=burn&result=&period=century&search=%20&x=y"), Filter::default());
        assert_eq!(read(&format!("search={}", "a".repeat(2 * MAX_SEARCH))).search.len(), MAX_SEARCH);
        assert_eq!(read("search=an%00na%0D%0A").search, "anna");
    }

    #[test]
    fn a_search_for_an_id_finds_it_at_any_age() {
        let now = Duration::from_secs(1_800_000_000);
        let id = "0198c6a0-0000-7000-8000-000000000000";
        let question = read(&format!("search={id}&period=hour")).question(now, None, 50);
        assert!(question.outcomes.is_empty());
        assert_eq!(
            (question.request_id.as_str(), question.name_prefix.as_str(), question.from),
            (id, "", None)
        );
        let question = read("search=anna&period=hour").question(now, None, 50);
        assert_eq!((question.request_id.as_str(), question.name_prefix.as_str()), ("", "anna"));
        assert_eq!(question.from.unwrap().seconds, 1_800_000_000 - 3600);
    }
}
