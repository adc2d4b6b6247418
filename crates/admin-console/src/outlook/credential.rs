//! Which credential counts, when it ends, and whether Entra has moved to its successor.

use bus_contract::{
    Timestamp as WireTime,
    directory::CredentialUse,
    token::{Client, Token, token::State},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    language::{
        Key,
        times::{Style, Times, from_wire},
    },
    page::{Notice, Tone},
};

/// From when before its end a credential is spoken of.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// From when on it is urgent.
const VERY_SOON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A credential that called within this time is one that Entra uses.
const IN_USE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// A company's credentials, with what was seen of them.
#[derive(Clone, Copy)]
pub(crate) struct Credentials<'a> {
    /// The newest first.
    pub(crate) tokens: &'a [Token],
    /// The newest first.
    pub(crate) clients: &'a [Client],
    pub(crate) uses: &'a [CredentialUse],
}

/// How far Entra has come from a credential to its successor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Move {
    NotBegun,
    /// The successor was called with, and nothing says that Entra keeps it: Test Connection sends what is typed, before it
    /// is saved, and whoever saved may have gone back.
    Tried,
    Made,
}

/// Something that lets Entra in, and until when; `None` for what does not end by itself.
struct Live<'a> {
    id: &'a str,
    end: Option<Timestamp>,
    is_retiring: bool,
}

/// When a token ends: at its expiry, or before it by an act.
pub(crate) fn end_of(token: &Token) -> Option<WireTime> {
    match (token.ends_at, token.expires_at) {
        (Some(ends), Some(expires)) => Some(if ends.seconds < expires.seconds { ends } else { expires }),
        (ends, expires) => ends.or(expires),
    }
}

/// When a client's last secret ends; `None` for one that needs none, or has none.
pub(crate) fn end_of_client(client: &Client) -> Option<WireTime> {
    let secrets = client.secrets.iter().filter(|secret| secret.revoked_at.is_none());
    secrets.filter_map(|secret| secret.expires_at).max_by_key(|at| (at.seconds, at.nanos))
}

pub(crate) fn is_live(token: &Token) -> bool {
    matches!(token.state(), State::Active | State::Retiring)
}

impl<'a> Credentials<'a> {
    /// The token that the settings page shows: the newest that has no end but its expiry.
    pub(crate) fn current_token(&self) -> Option<&'a Token> {
        self.tokens.iter().find(|token| token.state() == State::Active)
    }

    /// Whether anything lets Entra in.
    pub(crate) fn is_any_live(&self, now: Timestamp) -> bool {
        !self.live(now).is_empty()
    }

    /// The newest client that gets access tokens.
    pub(crate) fn current_client(&self, now: Timestamp) -> Option<&'a Client> {
        let works = |client: &&Client| {
            let end = end_of_client(client).as_ref().and_then(from_wire);
            client.revoked_at.is_none() && (client.federation.is_some() || end.is_some_and(|end| end > now))
        };
        self.clients.iter().find(works)
    }

    /// Tokens that still work beside the current one.
    pub(crate) fn older_tokens(&self) -> impl Iterator<Item = &'a Token> {
        let current = self.current_token().map(|token| token.token_id.as_str());
        self.tokens.iter().filter(move |token| is_live(token) && Some(token.token_id.as_str()) != current)
    }

    pub(crate) fn use_of(&self, credential: &str) -> Option<&'a CredentialUse> {
        self.uses.iter().find(|seen| seen.credential_id == credential)
    }

    /// Entra has moved when it has worked with `newer` since it last called with `older`; a test alone proves nothing.
    pub(crate) fn moved(&self, older: &str, newer: &str) -> Move {
        let last = self.use_of(older).and_then(|seen| seen.last_used_at).map(|at| at.seconds);
        let newer = self.use_of(newer);
        let worked = newer.and_then(|seen| seen.last_worked_at).map(|at| at.seconds);
        match worked {
            Some(worked) if last.is_none_or(|last| worked >= last) => Move::Made,
            _ if newer.is_some_and(|seen| seen.last_used_at.is_some()) => Move::Tried,
            _ => Move::NotBegun,
        }
    }

    /// What must be said about an end that comes, or has come.
    pub(crate) fn notice(&self, times: &Times) -> Option<Notice> {
        let live = self.live(times.now);
        let say = |key: Key| times.language.say(key);
        if live.is_empty() {
            let there_were_any = !self.tokens.is_empty() || !self.clients.is_empty();
            return there_were_any.then(|| Notice {
                tone: Tone::Danger,
                title: say(Key("credential-none")),
                advice: say(Key("credential-none-advice")),
                link: "/settings/company",
                link_text: say(Key("credential-link")),
            });
        }
        let next = self.next_to_end(live, times.now)?;
        let end = next.end?;
        let left = end.duration_since(times.now);
        if left > SOON {
            return None;
        }
        let (title, advice) = if next.is_retiring {
            (Key("credential-retiring"), Key("credential-retiring-advice"))
        } else {
            (Key("credential-expiring"), Key("credential-expiring-advice"))
        };
        let fill = |key| {
            say(key)
                .with("distance", times.distance(end))
                .with("date", times.written(end, Style::DateAndMinute))
        };
        Some(Notice {
            tone: if left <= VERY_SOON { Tone::Danger } else { Tone::Warning },
            title: fill(title),
            advice: fill(advice),
            link: "/settings/company",
            link_text: say(Key("credential-link")),
        })
    }

    fn live(&self, now: Timestamp) -> Vec<Live<'a>> {
        let tokens = self.tokens.iter().filter(|token| is_live(token)).map(|token| Live {
            id: &token.token_id,
            end: end_of(token).as_ref().and_then(from_wire),
            is_retiring: token.state() == State::Retiring,
        });
        let clients = self.clients.iter().filter(|client| client.revoked_at.is_none()).map(|client| Live {
            id: &client.client_id,
            end: if client.federation.is_some() {
                None
            } else {
                end_of_client(client).as_ref().and_then(from_wire).or(Some(now))
            },
            is_retiring: false,
        });
        tokens.chain(clients).filter(|live| live.end.is_none_or(|end| end > now)).collect()
    }

    /// Of those that Entra uses, the one that ends first; of none in use, the one that ends last.
    fn next_to_end(&self, live: Vec<Live<'a>>, now: Timestamp) -> Option<Live<'a>> {
        let newest = self.current_token().map(|token| token.token_id.as_str());
        let (used, unused): (Vec<_>, Vec<_>) = live.into_iter().partition(|live| {
            let last = self.use_of(live.id).and_then(|seen| seen.last_used_at.as_ref()).and_then(from_wire);
            let is_recent = last.is_some_and(|last| now.duration_since(last) <= IN_USE);
            let is_left_behind = newest.is_some_and(|newest| {
                live.is_retiring && live.id != newest && self.moved(live.id, newest) == Move::Made
            });
            is_recent && !is_left_behind
        });
        let end = |live: &Live<'_>| live.end.unwrap_or(Timestamp::MAX);
        if used.is_empty() { unused.into_iter().max_by_key(end) } else { used.into_iter().min_by_key(end) }
    }
}

/// A token as a page shows it to whoever has not asked for it: its prefix, by which scanners of leaked secrets find
/// it, and dots.
pub(crate) fn mask(token: &Token) -> String {
    format!("tc365_{}{}", "•".repeat(28), token.hint)
}
