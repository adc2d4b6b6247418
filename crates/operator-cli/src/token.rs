//! Commands about tokens.

use bus_contract::{
    subject::{ISSUE_TOKEN, LIST_TOKEN_EVENTS, LIST_TOKENS, REVEAL_TOKEN, REVOKE_TOKEN, ROTATE_TOKEN},
    token::{
        IssueToken, ListTokens, Reply, RevealToken, RevokeToken, RotateToken, Token, failure::Reason, reply,
        token::State,
    },
};
use serde::Serialize;

use crate::{
    bus::{Questions, unintelligible},
    cli::TokenCommand,
    events,
    failure::Failure,
    output::{Answer, Row},
    time,
};

pub(crate) const TOKENS: &str = "token-service";

/// A token as it is shown.
#[derive(Serialize)]
struct Shown {
    id: String,
    company_id: String,
    description: String,
    /// Left out where the secret is not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    issued_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
    state: &'static str,
    /// Left out where nobody knows.
    #[serde(skip_serializing_if = "String::is_empty")]
    created_by: String,
    /// Which key signed it; left out where nobody knows.
    #[serde(skip_serializing_if = "String::is_empty")]
    signing_key: String,
}

impl Row for Shown {
    const COLUMNS: &'static [&'static str] =
        &["ID", "STATE", "ISSUED AT", "EXPIRES AT", "ENDS AT", "DESCRIPTION"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.state.to_owned(),
            self.issued_at.clone(),
            self.expires_at.clone(),
            self.ends_at.clone().unwrap_or_default(),
            self.description.clone(),
        ]
    }
}

pub(crate) async fn execute(questions: &Questions, command: TokenCommand) -> Result<Answer, Failure> {
    let reply: Reply = match command {
        TokenCommand::Issue { company, description, lifetime } => {
            let question = IssueToken {
                company_id: company,
                description,
                lifetime_seconds: lifetime,
                actor: questions.actor(),
            };
            questions.ask(TOKENS, ISSUE_TOKEN, &question).await?
        }
        TokenCommand::List { company } => {
            questions.ask(TOKENS, LIST_TOKENS, &ListTokens { company_id: company }).await?
        }
        TokenCommand::Show { company, token } => {
            let question = RevealToken { company_id: company, token_id: token, actor: questions.actor() };
            questions.ask(TOKENS, REVEAL_TOKEN, &question).await?
        }
        TokenCommand::Rotate { company, overlap, lifetime } => {
            let question = RotateToken {
                company_id: company,
                overlap_seconds: overlap,
                lifetime_seconds: lifetime,
                actor: questions.actor(),
            };
            questions.ask(TOKENS, ROTATE_TOKEN, &question).await?
        }
        TokenCommand::Revoke { company, token, unrecorded } => {
            let actor = questions.actor();
            let question = RevokeToken { company_id: company, token_id: token, actor, unrecorded };
            questions.ask(TOKENS, REVOKE_TOKEN, &question).await?
        }
        TokenCommand::Events(page) => {
            questions.ask(TOKENS, LIST_TOKEN_EVENTS, &events::question(page)).await?
        }
    };
    show(reply)
}

fn show(reply: Reply) -> Result<Answer, Failure> {
    match result(reply)? {
        reply::Result::SecretToken(secret) => {
            let token = secret.token.ok_or_else(|| unintelligible(TOKENS, "no token"))?;
            let note = format!(
                "Secret token, for the Provisioning tab of the app in Entra; whoever has it can change this company's users:\n{}",
                secret.secret
            );
            Ok(Answer::one(shown(token, Some(secret.secret))?)?.with_note(note))
        }
        reply::Result::TokenList(list) => {
            let tokens: Result<Vec<_>, _> = list.tokens.into_iter().map(|token| shown(token, None)).collect();
            Answer::many(&tokens?)
        }
        reply::Result::Revoked(token) => Answer::one(shown(token, None)?),
        reply::Result::Events(reply) => events::show(TOKENS, reply.events),
        _ => Err(unintelligible(TOKENS, "another result than was asked for")),
    }
}

/// What the token service did, or why it did not.
pub(crate) fn result(reply: Reply) -> Result<reply::Result, Failure> {
    match reply.result {
        Some(reply::Result::Failure(failure)) => Err(match failure.reason() {
            Reason::Invalid | Reason::NotFound => Failure::Refused(failure.detail),
            Reason::Unavailable | Reason::Unspecified => Failure::Unavailable(failure.detail),
        }),
        Some(result) => Ok(result),
        None => Err(unintelligible(TOKENS, "no result")),
    }
}

fn shown(token: Token, secret: Option<String>) -> Result<Shown, Failure> {
    let state = match token.state() {
        State::Active => "active",
        State::Retiring => "retiring",
        State::Revoked => "revoked",
        State::Expired => "expired",
        State::Unspecified => return Err(unintelligible(TOKENS, "no state")),
    };
    Ok(Shown {
        state,
        token: secret,
        issued_at: time::shown(TOKENS, token.issued_at)?,
        expires_at: time::shown(TOKENS, token.expires_at)?,
        ends_at: token.ends_at.map(|at| time::shown(TOKENS, Some(at))).transpose()?,
        id: token.token_id,
        company_id: token.company_id,
        created_by: token.created_by,
        signing_key: token.key_id,
        description: token.description,
    })
}
