//! From a call as a gateway reports it to one that can be counted: closed words, bounded texts, a time that has passed.

use bus_contract::{
    call::Verb,
    directory::{self, call::Answer},
};
use chrono::{DateTime, Utc};
use typed_ids::{GroupId, RequestId, TokenId, UserId};

use crate::time::from_timestamp;

/// Longest text that a caller's address may be.
const MAX_ADDRESS: usize = 45;
/// Longest explanation of a refusal that is kept, in characters.
const MAX_DETAIL: usize = 1_000;
/// Longest SCIM error keyword; RFC 7644 §3.12 knows none this long.
const MAX_SCIM_TYPE: usize = 32;

/// Every word that a call can be logged with, those of the requests among them.
pub(crate) const VERBS: [&str; 12] = {
    let mut words = [""; 12];
    let mut place = 0;
    while place < words.len() {
        words[place] = Verb::ALL[place].as_str();
        place += 1;
    }
    words
};

/// A call that can be counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// Absent when the gateway's is none; such a call is counted and not logged.
    pub(crate) request: Option<RequestId>,
    pub(crate) at: DateTime<Utc>,
    pub(crate) credential: Option<TokenId>,
    pub(crate) address: Option<String>,
    pub(crate) verb: Verb,
    pub(crate) answer: Answer,
    pub(crate) status: u16,
    pub(crate) scim_type: String,
    pub(crate) detail: String,
    pub(crate) user: Option<UserId>,
    pub(crate) group: Option<GroupId>,
    pub(crate) target_name: Option<String>,
    pub(crate) is_decided: bool,
}

impl Call {
    /// Reads a call. Whatever does not make sense is left out rather than the call dropped.
    pub(crate) fn read(wire: directory::Call, now: DateTime<Utc>) -> Self {
        let status = u16::try_from(wire.status).ok().filter(|status| *status < 1_000).unwrap_or(0);
        let answer = match wire.answer() {
            Answer::Unspecified => by_status(status),
            answer => answer,
        };
        // The gateways' clocks are not ours; the future would hold a cycle open.
        let at = wire.answered_at.as_ref().and_then(from_timestamp).map_or(now, |at| at.min(now));
        Self {
            request: wire.request_id.parse().ok(),
            at,
            credential: wire.credential_id.parse().ok(),
            address: text(&wire.address, MAX_ADDRESS),
            verb: Verb::parse(&wire.verb),
            answer,
            status,
            scim_type: keyword(wire.scim_type),
            detail: text(&wire.detail, MAX_DETAIL).unwrap_or_default(),
            user: wire.user_id.parse().ok(),
            group: wire.group_id.parse().ok(),
            target_name: Some(wire.target_name).filter(|name| !name.is_empty()),
            is_decided: wire.is_decided,
        }
    }

    /// Whether the caller's credential was good.
    pub(crate) fn is_let_in(&self) -> bool {
        self.answer != Answer::Unauthenticated
    }

    /// Whether it asked for a change.
    pub(crate) const fn is_change(&self) -> bool {
        matches!(self.verb, Verb::Change(_) | Verb::Bulk)
    }

    /// Whether it was answered with 4xx or 5xx.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self.answer, Answer::Refused | Answer::Failed | Answer::Unauthenticated)
    }
}

fn by_status(status: u16) -> Answer {
    match status {
        401 => Answer::Unauthenticated,
        400..=499 => Answer::Refused,
        500.. => Answer::Failed,
        _ => Answer::Found,
    }
}

/// At most so many characters; without U+0000, which Postgres cannot store.
fn text(text: &str, most: usize) -> Option<String> {
    let text: String = text.chars().filter(|character| *character != '\0').take(most).collect();
    (!text.is_empty()).then_some(text)
}

/// A keyword of the standard looks like one.
fn keyword(text: String) -> String {
    let is_one = text.len() <= MAX_SCIM_TYPE && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_one { text } else { String::new() }
}

#[cfg(test)]
mod tests {
    use bus_contract::Timestamp;

    use super::*;

    #[test]
    fn what_does_not_make_sense_is_left_out() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let wire = directory::Call {
            request_id: "nonsense".to_owned(),
            answered_at: Some(Timestamp { seconds: 1_900_000_000, nanos: 0 }),
            credential_id: "x".to_owned(),
            address: "\0".to_owned(),
            verb: "explode".to_owned(),
            status: 70_000,
            scim_type: "not a keyword".to_owned(),
            detail: "a\0b".repeat(1_000),
            ..directory::Call::default()
        };
        let call = Call::read(wire, now);
        assert_eq!((call.request, call.credential, call.address), (None, None, None));
        assert_eq!((call.at, call.verb, call.status, call.scim_type.as_str()), (now, Verb::Other, 0, ""));
        assert_eq!((call.detail.chars().count(), call.detail.contains('\0')), (MAX_DETAIL, false));
    }

    #[test]
    fn a_call_without_an_answer_is_judged_by_its_status() {
        for (status, answer) in [
            (200, Answer::Found),
            (400, Answer::Refused),
            (401, Answer::Unauthenticated),
            (404, Answer::Refused),
            (503, Answer::Failed),
        ] {
            assert_eq!(by_status(status), answer, "{status}");
        }
    }
}
