//! What the token service is asked and told, always for the company of whoever looks and in their name.

use bus_contract::{
    audit::{Event, ListEvents},
    subject,
    token::{
        AddClientSecret, Client, CreateClient, IssueToken, ListClients, ListTokens, Reply, RevealToken,
        RevokeClient, RevokeClientSecret, RevokeToken, RotateToken, SecretClient, SecretToken, SignAccessEnd,
        Token, create_client::Authentication, failure::Reason, reply::Result as Answer,
    },
};
use bus_jetstream::Bus;
use uuid::Uuid;

use crate::{
    app::App,
    question::{self, Unanswered, answer_of},
    signed_in::SignedIn,
};

/// For how many years a new token or secret may work; the first is what is offered.
pub(crate) const YEARS: [u32; 3] = [1, 2, 3];
const YEAR_SECONDS: u32 = 365 * 24 * 3600;

/// How long a new token or secret works, as a form says it.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(try_from = "u32")]
pub(crate) struct Lifetime {
    pub(crate) seconds: u32,
}

impl Default for Lifetime {
    fn default() -> Self {
        Self { seconds: YEAR_SECONDS }
    }
}

impl TryFrom<u32> for Lifetime {
    type Error = &'static str;

    fn try_from(years: u32) -> Result<Self, Self::Error> {
        let is_offered = YEARS.contains(&years);
        is_offered.then(|| Self { seconds: years * YEAR_SECONDS }).ok_or("it works for 1 to 3 years")
    }
}

/// The token service, for one administrator of one company.
pub(crate) struct Tokens<'a> {
    bus: &'a Bus,
    who: &'a SignedIn,
}

impl<'a> Tokens<'a> {
    pub(crate) fn of(app: &'a App, who: &'a SignedIn) -> Self {
        Self { bus: &app.bus, who }
    }

    /// Every token that there ever was, the newest first.
    pub(crate) async fn list(&self) -> Result<Vec<Token>, Unanswered> {
        let question = ListTokens { company_id: self.company() };
        let mut list = answer_of!(self.ask(subject::LIST_TOKENS, &question).await?, TokenList)?;
        list.tokens.sort_by_key(|token| std::cmp::Reverse(token.issued_at.map(|at| (at.seconds, at.nanos))));
        Ok(list.tokens)
    }

    pub(crate) async fn issue(&self, lifetime: Lifetime) -> Result<SecretToken, Unanswered> {
        let act = IssueToken {
            company_id: self.company(),
            description: String::new(),
            lifetime_seconds: Some(lifetime.seconds),
            actor: Some(self.who.actor()),
        };
        answer_of!(self.ask(subject::ISSUE_TOKEN, &act).await?, SecretToken)
    }

    /// Issues a successor; the others end after the overlap.
    pub(crate) async fn rotate(
        &self,
        overlap_seconds: u32,
        lifetime: Lifetime,
    ) -> Result<SecretToken, Unanswered> {
        let act = RotateToken {
            company_id: self.company(),
            overlap_seconds: Some(overlap_seconds),
            lifetime_seconds: Some(lifetime.seconds),
            actor: Some(self.who.actor()),
        };
        answer_of!(self.ask(subject::ROTATE_TOKEN, &act).await?, SecretToken)
    }

    /// The token's text. The token service writes down who asked for it.
    pub(crate) async fn reveal(&self, token: Uuid) -> Result<SecretToken, Unanswered> {
        let act = RevealToken {
            company_id: self.company(),
            token_id: token.to_string(),
            actor: Some(self.who.actor()),
        };
        answer_of!(self.ask(subject::REVEAL_TOKEN, &act).await?, SecretToken)
    }

    pub(crate) async fn revoke(&self, token: Uuid) -> Result<Token, Unanswered> {
        let act = RevokeToken {
            company_id: self.company(),
            token_id: token.to_string(),
            actor: Some(self.who.actor()),
            unrecorded: false,
        };
        answer_of!(self.ask(subject::REVOKE_TOKEN, &act).await?, Revoked)
    }

    /// Every OAuth client that there ever was, the newest first.
    pub(crate) async fn clients(&self) -> Result<Vec<Client>, Unanswered> {
        let question = ListClients { company_id: self.company() };
        let mut list = answer_of!(self.ask(subject::LIST_CLIENTS, &question).await?, ClientList)?;
        list.clients
            .sort_by_key(|client| std::cmp::Reverse(client.created_at.map(|at| (at.seconds, at.nanos))));
        Ok(list.clients)
    }

    pub(crate) async fn create_client(
        &self,
        description: String,
        authentication: Authentication,
    ) -> Result<SecretClient, Unanswered> {
        let act = CreateClient {
            company_id: self.company(),
            description,
            actor: Some(self.who.actor()),
            authentication: Some(authentication),
        };
        answer_of!(self.ask(subject::CREATE_CLIENT, &act).await?, SecretClient)
    }

    pub(crate) async fn add_client_secret(
        &self,
        client: Uuid,
        lifetime: Lifetime,
    ) -> Result<SecretClient, Unanswered> {
        let act = AddClientSecret {
            company_id: self.company(),
            client_id: client.to_string(),
            lifetime_seconds: Some(lifetime.seconds),
            actor: Some(self.who.actor()),
        };
        answer_of!(self.ask(subject::ADD_CLIENT_SECRET, &act).await?, SecretClient)
    }

    pub(crate) async fn revoke_client_secret(
        &self,
        client: Uuid,
        secret: Uuid,
    ) -> Result<Client, Unanswered> {
        let act = RevokeClientSecret {
            company_id: self.company(),
            client_id: client.to_string(),
            secret_id: secret.to_string(),
            actor: Some(self.who.actor()),
        };
        answer_of!(self.ask(subject::REVOKE_CLIENT_SECRET, &act).await?, Client)
    }

    pub(crate) async fn revoke_client(&self, client: Uuid) -> Result<Client, Unanswered> {
        let act = RevokeClient {
            company_id: self.company(),
            client_id: client.to_string(),
            actor: Some(self.who.actor()),
        };
        answer_of!(self.ask(subject::REVOKE_CLIENT, &act).await?, Client)
    }

    /// A receipt of an access that ended, in compact serialization.
    pub(crate) async fn receipt(&self, end: SignAccessEnd) -> Result<String, Unanswered> {
        answer_of!(self.ask(subject::SIGN_ACCESS_END, &end).await?, Receipt).map(|receipt| receipt.jws)
    }

    /// The token service's part of the audit log, the newest first.
    pub(crate) async fn events(&self, before: Option<String>, limit: u32) -> Result<Vec<Event>, Unanswered> {
        let question =
            ListEvents { company_id: self.company(), before_event_id: before.unwrap_or_default(), limit };
        let list = answer_of!(self.ask(subject::LIST_TOKEN_EVENTS, &question).await?, Events)?;
        Ok(list.events)
    }

    fn company(&self) -> String {
        self.who.company.to_string()
    }

    async fn ask<Q: bus_contract::Message>(
        &self,
        subject: &'static str,
        question: &Q,
    ) -> Result<Answer, Unanswered> {
        let reply: Reply = question::ask(self.bus, subject, question).await?;
        match reply.result.ok_or(Unanswered::Unintelligible)? {
            Answer::Failure(failure) => Err(match failure.reason() {
                Reason::NotFound => Unanswered::NotFound(failure.detail),
                Reason::Unavailable => Unanswered::Unavailable(failure.detail),
                Reason::Invalid | Reason::Unspecified => Unanswered::Refused(failure.detail),
            }),
            answer => Ok(answer),
        }
    }
}
