//! What is reported of one call.

use std::{net::IpAddr, time::Duration};

use bus_contract::{
    Timestamp,
    call::Verb,
    directory::{Call, call::Answer},
};
use scim_protocol::{bulk::Endpoint, error::ScimType};
use typed_ids::{GroupId, RequestId, UserId};

use crate::auth::Caller;

/// The longest detail that is reported, in characters. Ours are sentences; only a path in one can be long.
const MAX_DETAIL: usize = 500;

/// The status of what a company asks too often.
const TOO_MANY: u16 = 429;

/// One call that was answered.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) request_id: RequestId,
    pub(crate) caller: Caller,
    pub(crate) address: Option<IpAddr>,
    /// Since the epoch.
    pub(crate) answered_at: Duration,
    pub(crate) duration: Duration,
    pub(crate) verb: Verb,
    pub(crate) answer: Answer,
    pub(crate) status: u16,
    pub(crate) refused: Option<Refused>,
    pub(crate) about: Option<About>,
    /// The userName or displayName that the call named.
    pub(crate) name: Option<String>,
    /// Whether the directory has decided it.
    pub(crate) is_decided: bool,
}

/// Why a call was refused.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) scim_type: Option<ScimType>,
    /// What the caller was told, unless that quotes the body or is in the directory's own words.
    pub(crate) detail: Option<String>,
}

/// Whom a call was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    User(UserId),
    Group(GroupId),
}

impl About {
    /// The resource with this id; `None` when nobody can have it.
    pub(crate) fn parse(endpoint: Endpoint, id: &str) -> Option<Self> {
        match endpoint {
            Endpoint::Users => id.parse().ok().map(Self::User),
            Endpoint::Groups => id.parse().ok().map(Self::Group),
        }
    }
}

impl Report {
    /// Whether it was refused because its caller had no right to make it, or not so often.
    pub(super) fn is_unentitled(&self) -> bool {
        self.answer == Answer::Unauthenticated || self.status == TOO_MANY
    }

    /// Of a read that it was one, and not whom it was about.
    pub(super) fn in_brief(self) -> Self {
        // One test more says nothing that the others have not said.
        let verb = if self.verb == Verb::Test { Verb::Search } else { self.verb };
        Self { verb, about: None, name: None, ..self }
    }

    /// As it is sent.
    pub(super) fn into_call(self) -> Call {
        let (user_id, group_id) = match self.about {
            Some(About::User(user)) => (user.to_string(), String::new()),
            Some(About::Group(group)) => (String::new(), group.to_string()),
            None => Default::default(),
        };
        let (scim_type, detail) = self.refused.map(Refused::into_texts).unwrap_or_default();
        Call {
            request_id: self.request_id.to_string(),
            answered_at: Some(timestamp(self.answered_at)),
            duration_us: u32::try_from(self.duration.as_micros()).unwrap_or(u32::MAX),
            credential_id: self.caller.credential_id.to_string(),
            address: self.address.map(|address| address.to_string()).unwrap_or_default(),
            verb: self.verb.as_str().to_owned(),
            answer: self.answer.into(),
            status: self.status.into(),
            scim_type,
            detail,
            user_id,
            group_id,
            target_name: self.name.unwrap_or_default(),
            is_decided: self.is_decided,
        }
    }
}

impl Refused {
    fn into_texts(self) -> (String, String) {
        let detail = self.detail.map(|detail| shortened(detail, MAX_DETAIL));
        (
            self.scim_type.map(|keyword| keyword.as_str().to_owned()).unwrap_or_default(),
            detail.unwrap_or_default(),
        )
    }
}

/// The beginning of a text, so many characters at most.
pub(crate) fn shortened(mut text: String, characters: usize) -> String {
    if let Some((end, _)) = text.char_indices().nth(characters) {
        text.truncate(end);
    }
    text
}

/// A moment as the bus tells it.
pub(crate) fn timestamp(since_epoch: Duration) -> Timestamp {
    Timestamp {
        seconds: i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(since_epoch.subsec_nanos()).unwrap_or_default(),
    }
}
