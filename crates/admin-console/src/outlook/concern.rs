//! What a concern of the directory means to an administrator, and what to do about it.

use bus_contract::directory::{Concern, concern::Kind};

use crate::{
    language::{
        Key,
        times::{Style, Times, from_wire, minutes},
    },
    page::{Notice, Tone},
};

/// Provisioning activity, of what did not work.
const FAILURES: &str = "/provisioning?result=problem";

/// In words; `None` for a kind that this version does not know.
pub(crate) fn notice(concern: &Concern, times: &Times) -> Option<Notice> {
    let (title, advice, link, link_text) = match concern.kind() {
        Kind::Unauthenticated => (
            Key("concern-unauthenticated"),
            Key("concern-unauthenticated-advice"),
            "/settings/company",
            Key("concern-unauthenticated-link"),
        ),
        Kind::Silent => {
            (Key("concern-silent"), Key("concern-silent-advice"), "/connect", Key("concern-silent-link"))
        }
        Kind::FailureRatio => (
            Key("concern-failure-ratio"),
            Key("concern-failure-ratio-advice"),
            FAILURES,
            Key("concern-failures-link"),
        ),
        Kind::FailureCount => (
            Key("concern-failure-count"),
            Key("concern-failure-count-advice"),
            FAILURES,
            Key("concern-failures-link"),
        ),
        Kind::ServerErrors => (
            Key("concern-server-errors"),
            Key("concern-server-errors-advice"),
            FAILURES,
            Key("concern-failures-link"),
        ),
        Kind::Removals => (
            Key("concern-removals"),
            Key("concern-removals-advice"),
            "/provisioning/brakes",
            Key("concern-removals-link"),
        ),
        Kind::Unspecified => return None,
    };
    let language = times.language;
    let since = concern.since.as_ref().and_then(from_wire);
    let since = since.map(|since| times.written(since, Style::DateAndMinute)).unwrap_or_default();
    let minutes = minutes(concern.since.as_ref(), concern.until.as_ref());
    let fill = |key| {
        language
            .say(key)
            .with("count", concern.count)
            .with("limit", concern.limit)
            .with("lost", concern.had_access)
            .with("since", since.clone())
            .with("minutes", minutes)
    };
    Some(Notice {
        tone: if concern.is_critical { Tone::Danger } else { Tone::Warning },
        title: fill(title),
        advice: fill(advice),
        link,
        link_text: language.say(link_text),
    })
}
