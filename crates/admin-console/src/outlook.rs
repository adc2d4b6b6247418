//! How a company's connection is doing, and what its administrators must be told about it wherever they are.

pub(crate) mod concern;
pub(crate) mod credential;
pub(crate) mod pulse;

use bus_contract::{
    directory::{GetActivityReply, health::State},
    token::{Client, Token},
};

use crate::{
    app::App,
    directory::Directory,
    language::{Key, times::Times},
    page::{Notice, Tone},
    question::{Answers, Unanswered},
    signed_in::SignedIn,
    tokens::Tokens,
};

/// What the two services say, asked at once. A part without an answer is `None`.
pub(crate) struct Outlook {
    pub(crate) activity: Option<GetActivityReply>,
    pub(crate) tokens: Option<Vec<Token>>,
    pub(crate) clients: Option<Vec<Client>>,
}

impl Outlook {
    /// Asks for a page that shows it: what is missing makes the page incomplete.
    pub(crate) async fn ask(app: &App, who: &SignedIn, answers: &mut Answers) -> Self {
        let (activity, tokens, clients) = Self::questions(app, who).await;
        Self {
            activity: answers.keep("activity", activity),
            tokens: answers.keep("tokens", tokens),
            clients: answers.keep("OAuth clients", clients),
        }
    }

    /// Asks for a page that only carries the banner, and is complete without it.
    pub(crate) async fn glance(app: &App, who: &SignedIn) -> Self {
        let (activity, tokens, clients) = Self::questions(app, who).await;
        Self { activity: activity.ok(), tokens: tokens.ok(), clients: clients.ok() }
    }

    async fn questions(
        app: &App,
        who: &SignedIn,
    ) -> (Result<GetActivityReply, Unanswered>, Result<Vec<Token>, Unanswered>, Result<Vec<Client>, Unanswered>)
    {
        let (directory, tokens) = (Directory::of(app, who), Tokens::of(app, who));
        tokio::join!(directory.activity(), tokens.list(), tokens.clients())
    }

    /// Everything that stands in the way of the connection, the gravest first.
    pub(crate) fn notices(&self, times: &Times) -> Vec<Notice> {
        let health = self.activity.as_ref().and_then(|activity| activity.health.as_ref());
        let concerns = health.map(|health| health.concerns.as_slice()).unwrap_or_default();
        let mut notices: Vec<Notice> =
            concerns.iter().filter_map(|found| concern::notice(found, times)).collect();
        notices.extend(self.credentials().and_then(|credentials| credentials.notice(times)));
        notices.sort_by_key(|notice| notice.tone != Tone::Danger);
        notices
    }

    /// What the company's callers prove themselves with, as far as the token service has said.
    pub(crate) fn credentials(&self) -> Option<credential::Credentials<'_>> {
        let uses = self.activity.as_ref().map(|activity| activity.uses.as_slice()).unwrap_or_default();
        Some(credential::Credentials {
            tokens: self.tokens.as_deref()?,
            clients: self.clients.as_deref().unwrap_or_default(),
            uses,
        })
    }

    /// The connection's state in a word, with how grave it is.
    pub(crate) fn state(&self) -> (Tone, Key) {
        let health = self.activity.as_ref().and_then(|activity| activity.health.as_ref());
        match health.map(bus_contract::directory::Health::state) {
            Some(State::Healthy) => (Tone::Success, Key("state-healthy")),
            Some(State::Warning) => (Tone::Warning, Key("state-warning")),
            Some(State::Critical) => (Tone::Danger, Key("state-critical")),
            Some(State::Disconnected) => (Tone::Danger, Key("state-disconnected")),
            Some(State::NeverConnected | State::Unspecified) => (Tone::Info, Key("state-never-connected")),
            None => (Tone::Neutral, Key("state-unknown")),
        }
    }

    /// Whether Entra has never called with a credential that worked.
    pub(crate) fn is_never_connected(&self) -> bool {
        self.state().1 == Key("state-never-connected")
    }
}
